/* SPDX-License-Identifier: MIT */
#pragma once
/* The state that the steps of one load share: read files, merge, decode,
 * cross-check. */

#include "builder/input/recipe/node.h"
#include "builder/input/recipe/recipe.h"

/* Limits on the resources that any recipe can consume. */
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
	const char *open_path; /* path that is opened */
	const char *shown;     /* path in diagnostics */
	const char *directory; /* "", or with a final slash */
	const char *relative;  /* path relative to the recipe's directory */
	dev_t device;
	ino_t inode;
};

struct mkv_recipe_loader {
	struct mkv_arena arena;
	struct mkv_diagnostics *diagnostics;
	const struct mkv_recipe_world *world; /* NULL: not checked */
	const char *path;		      /* path of the recipe */
	bool failed;			      /* out of memory */
	bool partial; /* a file could not be read: missing keys and names are
			 not errors */
	const char *broken[32]; /* top-level keys with diagnostics */
	size_t n_broken;
	size_t nodes;
	struct mkv_recipe_source sources[MKV_RECIPE_FILES_MAX];
	size_t n_sources;
};

/* Adds a diagnostic, with control characters replaced. */
void mkv_diagnose(struct mkv_recipe_loader *load, struct mkv_mark mark,
		  const char *format, ...) mkv_nonnull(1, 3) mkv_printf(3, 4);
/* Records the word that was probably meant (or NULL) with the diagnostic that
 * was added last. The message has the word, too. */
void mkv_diagnose_suggest(struct mkv_recipe_loader *load, const char *word)
	mkv_nonnull(1);
/* Sorts by file, line, column and message, and removes duplicates. */
void mkv_diagnostics_sort(struct mkv_diagnostics *diagnostics) mkv_nonnull(1);

/* Parses a file with one YAML document. Returns NULL after a diagnostic.
 * `shown` and `directory` must live as long as the load. */
struct mkv_node *mkv_yaml_parse(struct mkv_recipe_loader *load,
				const char *shown, const char *directory,
				const char *data, size_t size)
	mkv_nonnull(1, 2, 3, 4);

/* Reads the recipe, and merges the files that it includes and the hardware that
 * it names. Returns NULL if the recipe itself could not be read, with a
 * diagnostic. */
struct mkv_node *mkv_merge_load(struct mkv_recipe_loader *load,
				const char *path) mkv_nonnull(1, 2);

/* Checks the tree against a schema and decodes it into the struct at `ret`.
 * Adds diagnostics. */
struct mkv_table;
void mkv_decode_document(struct mkv_recipe_loader *load,
			 const struct mkv_table *table,
			 const struct mkv_node *root, void *ret)
	mkv_nonnull(1, 2, 3, 4);

/* Checks the rules that relate several keys. Adds diagnostics. */
void mkv_cross_check(struct mkv_recipe_loader *load,
		     const struct mkv_node *root,
		     const struct mkv_recipe *recipe) mkv_nonnull(1, 2, 3);

/* Sets recipe->canonical and recipe->sha256 from the values of the recipe. */
int mkv_canonical_digest(struct mkv_recipe *recipe,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
