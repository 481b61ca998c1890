/* SPDX-License-Identifier: MIT */
#pragma once
/* Files that an image gets from the tool itself and that no lock pins: programs
 * and the verifier's overlay, with their digests at the start of the build. The
 * digests are inputs of the appliance's step; a file that differs when it is
 * used fails the build. */

#include "builder/input/recipe/recipe.h"
#include "lib/hash.h"

/* The overlay that every image gets, without being named in a recipe. */
#define MKV_TOOL_OVERLAY "verify"

struct mkv_tool_file {
	char *name; /* "programs/role", "overlay/verify" */
	struct mkv_sha256 sha256;
};

struct mkv_tool_files {
	struct mkv_tool_file *items; /* each once, in order of first use */
	size_t count;
};
void mkv_tool_files_done(struct mkv_tool_files *files) mkv_nonnull(1);
#define auto_tool_files __attribute__((cleanup(mkv_tool_files_done)))

int mkv_tool_files_read(const struct mkv_recipe *recipe,
			struct mkv_tool_files *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The digest of a file, borrowed, or NULL. */
const struct mkv_sha256 *mkv_tool_files_find(const struct mkv_tool_files *files,
					     const char *name)
	mkv_nonnull(1, 2);
/* -ESTALE unless the file of that name has this digest. */
int mkv_tool_files_expect(const struct mkv_tool_files *files, const char *name,
			  const struct mkv_sha256 *sha256,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
