/* SPDX-License-Identifier: MIT */
#pragma once
/* What a recipe requests from its lock: one package set per image and per OCI
 * image that mkvbench builds, the overlays, and the external OCI images. */

#include "builder/input/recipe/recipe.h"

struct mkv_requested_set {
	char *set;		  /* "image/dut" */
	struct mkv_strings names; /* requested packages; sorted, unique */
	bool is_whole; /* bootable: includes every package of Priority required
			*/
};
struct mkv_requested {
	struct mkv_requested_set *sets; /* sorted by name */
	size_t n_sets;
	struct mkv_strings overlays;  /* sorted, unique */
	struct mkv_strings externals; /* references; sorted, unique */
};
void mkv_requested_done(struct mkv_requested *requested) mkv_nonnull(1);
#define auto_requested __attribute__((cleanup(mkv_requested_done)))

/* Collects the requests of a recipe; the caller owns *ret. Fails only without
 * memory. */
int mkv_requested_init(const struct mkv_recipe *recipe,
		       struct mkv_requested *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The label of a set in messages: "image 'dut'" for "image/dut". */
void mkv_set_label(const char *set, char ret[static 96]) mkv_nonnull(1, 2);
