/* SPDX-License-Identifier: MIT */
#pragma once
/* The tool's own files. They are found relative to the running program: in a
 * build directory (build/mkvbench with ../overlays), or in an installation
 * (PREFIX/bin/mkvbench with PREFIX/lib/mkvbench/overlays). */

#include "lib/hash.h"

/* The path of the tool's directory `overlays` or `recipes`; the caller frees
 * it. -ENOENT with both candidate directories in the message. */
int mkv_paths_data(const char *name, char **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The path of a program for images: "mkvbench-verify", "programs/role"; the
 * caller frees it. -ENOENT with both candidate directories in the message. */
int mkv_paths_program(const char *name, char **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The SHA-256 of the running program's own file, which keys cached results by
 * the tool that computed them. Computed once per process. */
int mkv_paths_tool_sha256(struct mkv_sha256 *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
