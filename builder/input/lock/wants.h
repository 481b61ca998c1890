/* SPDX-License-Identifier: MIT */
#pragma once
/* What a recipe asks of a lock: a set of packages per image and per OCI image
 * that is built here, the overlays, the external OCI images. */

#include "builder/input/recipe/recipe.h"

struct mkv_want {
	char *set;		  /* "image/dut" */
	struct mkv_strings names; /* packages by name; sorted, each once */
	bool is_whole; /* a system of its own: with Priority required too */
};
struct mkv_wants {
	struct mkv_want *sets; /* by name */
	size_t n_sets;
	struct mkv_strings overlays;  /* sorted, each once */
	struct mkv_strings externals; /* references; sorted, each once */
};
void mkv_wants_done(struct mkv_wants *wants) mkv_nonnull(1);
#define auto_wants __attribute__((cleanup(mkv_wants_done)))

int mkv_wants_of(const struct mkv_recipe *recipe, struct mkv_wants *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* "image 'dut'" for "image/dut": as messages say it. */
void mkv_set_text(const char *set, char ret[static 96]) mkv_nonnull(1, 2);
