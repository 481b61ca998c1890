/* SPDX-License-Identifier: MIT */
#pragma once
/* Decodes a tree by the schema: a valid value becomes a member of the recipe,
 * an invalid one a diagnostic. */

#include "builder/input/recipe/load.h"
#include "builder/input/recipe/schema.h"

/* The path of the current value, such as "hosts.order.image". */
struct mkv_path {
	const struct mkv_path *outer;
	const char *key;
};

struct mkv_decoder {
	struct mkv_recipe_loader *load;
	const struct mkv_node *root;
};

/* A member of the struct at `base` by its offset. */
static inline void *mkv_decode_at(void *base, size_t offset)
{
	return (char *)base + offset;
}

/* Text for diagnostics, owned by the load's arena and never NULL. */
const char *mkv_decode_path(struct mkv_decoder *d, const struct mkv_path *path);
const char *mkv_decode_join(struct mkv_decoder *d, const char *const *words,
			    size_t count);
/* " (did you mean 'x'?)", or "" if no word is similar */
const char *mkv_decode_suggest(struct mkv_decoder *d, const char *word,
			       const char *const *words, size_t count);
/* Adds the diagnostic "'PATH' must be MUST, not DESCRIPTION-OF-NODE". */
void mkv_decode_wrong(struct mkv_decoder *d, const struct mkv_node *node,
		      const struct mkv_path *path, const char *must);

/* Stores a copy of the text, which the recipe owns. */
void mkv_decode_keep(struct mkv_decoder *d, char **to, const char *text);
/* Whether the text equals `also` or a name at `where`, a path of the recipe: a
 * mapping's key, a list's item or a text. Adds a diagnostic if not. */
bool mkv_decode_check_reference(struct mkv_decoder *d, struct mkv_mark mark,
				const char *text, const char *where,
				const char *also, const struct mkv_path *path);
/* Whether the text is one of `words`; *ret_word is its index. Adds a diagnostic
 * if not. */
bool mkv_decode_check_words(struct mkv_decoder *d, struct mkv_mark mark,
			    const char *text, const char *const *words,
			    const struct mkv_path *path, unsigned *ret_word);
/* Whether the text matches the pattern; a NULL pattern matches every text. Adds
 * a diagnostic if not. */
bool mkv_decode_check_pattern(struct mkv_decoder *d, struct mkv_mark mark,
			      const char *text,
			      const struct mkv_pattern *pattern,
			      const struct mkv_path *path);
/* Whether the node is a text that the row allows; *ret_word is its index in the
 * row's `words`. Adds a diagnostic if not. */
bool mkv_decode_check_text(struct mkv_decoder *d, const struct mkv_row *row,
			   const struct mkv_node *node,
			   const struct mkv_path *path, unsigned *ret_word);

/* Decoders, one for each kind of row. Each writes the member at row->offset of
 * `base`, or adds a diagnostic. */
typedef void mkv_decode_row(struct mkv_decoder *d, const struct mkv_row *row,
			    const struct mkv_node *node, void *base,
			    const struct mkv_path *path);
mkv_decode_row mkv_decode_text, mkv_decode_any, mkv_decode_ref, mkv_decode_bool,
	mkv_decode_count, mkv_decode_measure, mkv_decode_fraction;
