/* SPDX-License-Identifier: MIT */
#pragma once
/* Walks the tree beside the schema: what is wrong becomes a complaint, what is
 * right a member of the recipe. */

#include "builder/input/recipe/load.h"
#include "builder/input/recipe/schema.h"

/* Where the walk is: "hosts.order.image". */
struct mkv_path {
	const struct mkv_path *outer;
	const char *key;
};

struct mkv_fill {
	struct mkv_recipe_loader *load;
	const struct mkv_node *root;
};

/* A member by its offset. */
static inline void *mkv_fill_at(void *base, size_t offset)
{
	return (char *)base + offset;
}

/* Words for complaints; they live as long as the load and are never NULL. */
const char *mkv_fill_path(struct mkv_fill *f, const struct mkv_path *path);
const char *mkv_fill_join(struct mkv_fill *f, const char *const *words,
			  size_t count);
/* " (did you mean 'x'?)" or "" */
const char *mkv_fill_suggest(struct mkv_fill *f, const char *word,
			     const char *const *words, size_t count);
/* "'PATH' must be MUST, not what it is" */
void mkv_fill_wrong(struct mkv_fill *f, const struct mkv_node *node,
		    const struct mkv_path *path, const char *must);

void mkv_fill_keep(struct mkv_fill *f, char **to, const char *text);
/* The text is among what `where`, a path of the recipe, holds; else complains.
 */
bool mkv_fill_check_reference(struct mkv_fill *f, struct mkv_mark mark,
			      const char *text, const char *where,
			      const char *also, const struct mkv_path *path);
/* A NULL shape allows everything. */
bool mkv_fill_check_shape(struct mkv_fill *f, struct mkv_mark mark,
			  const char *text, const struct mkv_shape *shape,
			  const struct mkv_path *path);
/* The scalar is a text that the row allows; `ret_word` is its index in `words`.
 */
bool mkv_fill_check_text(struct mkv_fill *f, const struct mkv_row *row,
			 const struct mkv_node *node,
			 const struct mkv_path *path, unsigned *ret_word);

/* One row of each kind. */
typedef void mkv_fill_one(struct mkv_fill *f, const struct mkv_row *row,
			  const struct mkv_node *node, void *base,
			  const struct mkv_path *path);
mkv_fill_one mkv_fill_text, mkv_fill_any, mkv_fill_ref, mkv_fill_bool,
	mkv_fill_count, mkv_fill_measure;
