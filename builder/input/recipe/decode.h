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

struct mkv_decoder {
	struct mkv_recipe_loader *load;
	const struct mkv_node *root;
};

/* A member by its offset. */
static inline void *mkv_decode_at(void *base, size_t offset)
{
	return (char *)base + offset;
}

/* Words for diagnostics; they live as long as the load and are never NULL. */
const char *mkv_decode_path(struct mkv_decoder *d, const struct mkv_path *path);
const char *mkv_decode_join(struct mkv_decoder *d, const char *const *words,
			    size_t count);
/* " (did you mean 'x'?)" or "" */
const char *mkv_decode_suggest(struct mkv_decoder *d, const char *word,
			       const char *const *words, size_t count);
/* "'PATH' must be MUST, not what it is" */
void mkv_decode_wrong(struct mkv_decoder *d, const struct mkv_node *node,
		      const struct mkv_path *path, const char *must);

void mkv_decode_keep(struct mkv_decoder *d, char **to, const char *text);
/* The text is among what `where`, a path of the recipe, holds; else complains.
 */
bool mkv_decode_check_reference(struct mkv_decoder *d, struct mkv_mark mark,
				const char *text, const char *where,
				const char *also, const struct mkv_path *path);
/* A NULL pattern allows everything. */
bool mkv_decode_check_pattern(struct mkv_decoder *d, struct mkv_mark mark,
			      const char *text,
			      const struct mkv_pattern *pattern,
			      const struct mkv_path *path);
/* The scalar is a text that the row allows; `ret_word` is its index in `words`.
 */
bool mkv_decode_check_text(struct mkv_decoder *d, const struct mkv_row *row,
			   const struct mkv_node *node,
			   const struct mkv_path *path, unsigned *ret_word);

/* One row of each kind. */
typedef void mkv_decode_row(struct mkv_decoder *d, const struct mkv_row *row,
			    const struct mkv_node *node, void *base,
			    const struct mkv_path *path);
mkv_decode_row mkv_decode_text, mkv_decode_any, mkv_decode_ref, mkv_decode_bool,
	mkv_decode_count, mkv_decode_measure;
