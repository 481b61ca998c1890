/* SPDX-License-Identifier: MIT */
#pragma once
/* A file that a build wrote. */

#include "lib/hash.h"

struct mkv_artifact {
	char *path; /* relative to the appliance, "dut/disk.raw" */
	struct mkv_sha256 sha256;
	uint64_t size_bytes;
};
