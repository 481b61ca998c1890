/* SPDX-License-Identifier: MIT */
#pragma once
/* Declarations that the generating functions share. */

#include "builder/config/generate/generate.h"
#include "lib/buf.h"

/* Puts a finished text into the tree, 0644, and empties the buffer, also on
 * failure. */
int mkv_generate_put(struct mkv_tree *tree, const char *path,
		     struct mkv_buf *text, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

int mkv_generate_network(struct mkv_tree *tree,
			 const struct mkv_generate_inputs *inputs,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
int mkv_generate_prometheus(struct mkv_tree *tree,
			    const struct mkv_generate_inputs *inputs,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
