/* SPDX-License-Identifier: MIT */
#pragma once
/* What an image gets from the tool itself, and so no lock pins: its programs
 * and the verifier's overlay, by digest as they were when the build began. The
 * appliance is kept under these digests; an image gets them or the build ends.
 */

#include "builder/input/recipe/recipe.h"
#include "lib/hash.h"

/* The overlay that is laid over every image, whatever a recipe says. */
#define MKV_TOOL_OVERLAY "verify"

struct mkv_tool_file {
	char *name; /* "programs/role", "overlay/verify" */
	struct mkv_sha256 sha256;
};

struct mkv_tool_files {
	struct mkv_tool_file *items; /* each once, in the order of use */
	size_t count;
};
void mkv_tool_files_done(struct mkv_tool_files *files) mkv_nonnull(1);
#define auto_tool_files __attribute__((cleanup(mkv_tool_files_done)))

int mkv_tool_files_read(const struct mkv_recipe *recipe,
			struct mkv_tool_files *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The digest by name, borrowed, or NULL. */
const struct mkv_sha256 *mkv_tool_files_find(const struct mkv_tool_files *files,
					     const char *name)
	mkv_nonnull(1, 2);
/* 0 when the file of that name has this digest; else -ESTALE. */
int mkv_tool_files_expect(const struct mkv_tool_files *files, const char *name,
			  const struct mkv_sha256 *sha256,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
