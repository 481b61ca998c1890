/* SPDX-License-Identifier: MIT */
#pragma once
/* Where the tool's own files are: beside a program that stands in a build
 * folder (build/mkvbench with ../overlays), or below lib/mkvbench of where it
 * was installed. */

#include "lib/hash.h"

/* The folder `overlays` or `recipes` that came with the tool; caller's. */
int mkv_paths_data(const char *name, char **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* A program for images: "mkvbench-verify", "programs/role"; caller's. -ENOENT
 * says where it was looked for. */
int mkv_paths_program(const char *name, char **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The running tool, as the key of what it computes: the SHA-256 of its own
 * program file. Computed once. */
int mkv_paths_tool_sha256(struct mkv_sha256 *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
