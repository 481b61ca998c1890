/* SPDX-License-Identifier: MIT */
#pragma once
#include "builder/config/generate/generate.h"
#include "lib/buf.h"

/* Puts a finished text, 0644, and empties the buffer. */
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
