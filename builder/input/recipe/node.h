/* SPDX-License-Identifier: MIT */
#pragma once
/* What a YAML file said, before anything is known about its meaning. Nodes live
 * in the load's arena. */

#include <stdint.h>

#include "builder/input/recipe/arena.h"

struct mkv_mark {
	const char *file;      /* as diagnostics name it */
	unsigned line, column; /* from 1 */
};

enum mkv_node_kind { MKV_NODE_SCALAR, MKV_NODE_LIST, MKV_NODE_MAP };

struct mkv_node_entry;
struct mkv_node {
	enum mkv_node_kind kind;
	struct mkv_mark mark;
	const char *folder; /* of the file, for paths that it names */
	const char *text;   /* of a scalar */
	bool quoted;	    /* a scalar that can only be text */
	struct mkv_node_entry *entries; /* of a list (no keys) or a map */
	size_t count;
};
struct mkv_node_entry {
	const char *key;
	struct mkv_mark mark; /* of the key */
	struct mkv_node *value;
};

/* What a scalar is by YAML 1.2's core schema (section 10.3.2). */
enum mkv_scalar {
	MKV_SCALAR_NULL,
	MKV_SCALAR_BOOL,
	MKV_SCALAR_INTEGER,
	MKV_SCALAR_FLOAT,
	MKV_SCALAR_TEXT,
};
enum mkv_scalar mkv_node_scalar(const struct mkv_node *node) mkv_nonnull(1);
/* An integer in decimal, 0x or 0o notation; false when it isn't one or is
 * negative or past 64 bits. */
bool mkv_node_integer(const struct mkv_node *node, uint64_t *ret)
	mkv_nonnull(1, 2);
/* "a list", "the number 7", "the text 'abc'", for a complaint. */
const char *mkv_node_describe(struct mkv_arena *arena,
			      const struct mkv_node *node) mkv_nonnull(1, 2);
/* The entry of a map by its key, or NULL. */
struct mkv_node_entry *mkv_node_find(const struct mkv_node *map,
				     const char *key) mkv_nonnull(1, 2);
/* The same by a path of keys, and indexes of lists, "docker.volumes.0"; the
 * value or NULL, as where `map` is NULL. */
const struct mkv_node *mkv_node_at(const struct mkv_node *map, const char *path)
	mkv_nonnull(2);
