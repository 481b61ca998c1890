/* SPDX-License-Identifier: MIT */
#pragma once
/* What the steps of one load share: read files, merge, fill, cross-check. */

#include "builder/input/recipe/node.h"
#include "builder/input/recipe/recipe.h"

/* What a recipe may cost at most, whatever it says. */
enum {
	MKV_RECIPE_FILE_BYTES_MAX = 256 * 1024,
	MKV_RECIPE_FILES_MAX = 32,
	MKV_RECIPE_INCLUDE_DEPTH_MAX = 8,
	MKV_RECIPE_DEPTH_MAX = 16,     /* of nested lists and mappings */
	MKV_RECIPE_NODES_MAX = 20000,  /* over all files */
	MKV_RECIPE_ENTRIES_MAX = 1000, /* of one list or mapping */
	MKV_RECIPE_DIAGNOSTICS_MAX = 200,
};

struct mkv_recipe_source {
	const char *open_path; /* as it is opened */
	const char *shown;     /* as diagnostics name it */
	const char *folder;    /* "" or with a final slash; to open others */
	const char *relative;  /* to the recipe's folder */
	dev_t device;
	ino_t inode;
};

struct mkv_recipe_loader {
	struct mkv_arena arena;
	struct mkv_diagnostics *diagnostics;
	const struct mkv_recipe_world *world; /* NULL: nothing is known of it */
	const char *path;		      /* the recipe's */
	bool failed;			      /* memory ran out */
	bool partial; /* a file is missing: what isn't there isn't a mistake */
	const char *broken[32]; /* the recipe's keys that are complained of */
	size_t n_broken;
	size_t nodes;
	struct mkv_recipe_source sources[MKV_RECIPE_FILES_MAX];
	size_t n_sources;
};

/* Records one complaint. */
void mkv_diagnose(struct mkv_recipe_loader *load, struct mkv_mark mark,
		  const char *format, ...) mkv_nonnull(1, 3) mkv_printf(3, 4);
/* By file, line, column and message; a complaint made twice stays once. */
void mkv_diagnostics_sort(struct mkv_diagnostics *diagnostics) mkv_nonnull(1);

/* One YAML document into nodes; NULL after a complaint. `shown` and `folder`
 * must live as long as the load. */
struct mkv_node *mkv_yaml_parse(struct mkv_recipe_loader *load,
				const char *shown, const char *folder,
				const char *data, size_t size)
	mkv_nonnull(1, 2, 3, 4);

/* The recipe with everything that it includes and the hardware that it names;
 * NULL after a complaint that leaves nothing to check. */
struct mkv_node *mkv_merge_load(struct mkv_recipe_loader *load,
				const char *path) mkv_nonnull(1, 2);

/* Checks the tree against the schema and fills in the value. Complains. */
void mkv_decode_recipe(struct mkv_recipe_loader *load,
		       const struct mkv_node *root, struct mkv_recipe *ret)
	mkv_nonnull(1, 2, 3);

/* What no single key can tell: how the parts fit together. Complains. */
void mkv_cross_check(struct mkv_recipe_loader *load,
		     const struct mkv_node *root,
		     const struct mkv_recipe *recipe) mkv_nonnull(1, 2, 3);

/* recipe->sha256, from the values in canonical form. */
int mkv_canonical_digest(struct mkv_recipe *recipe,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
