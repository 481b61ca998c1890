/* SPDX-License-Identifier: MIT */
#pragma once
/* The outer format of a .deb: deb(5), version 2.0, an ar archive of
 * debian-binary, control.tar[.COMPRESSION] and data.tar[.COMPRESSION]. */

#include <stdint.h>

#include "lib/error.h"

struct mkv_deb_member {
	uint64_t offset; /* in the file */
	uint64_t size;
};

struct mkv_deb {
	struct mkv_deb_member control, data;
};

/* Reads the member table of a regular file, by pread() only, so that the file's
 * position stays. A file that is not exactly such an archive is -EBADMSG. */
int mkv_deb_read(int fd, struct mkv_deb *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
