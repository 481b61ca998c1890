/* SPDX-License-Identifier: MIT */
#pragma once
/* The tree of a YAML file, before it is checked against the schema. Nodes are
 * owned by the load's arena. */

#include <stdint.h>

#include "builder/input/recipe/arena.h"

struct mkv_mark {
	const char *file;      /* path in diagnostics */
	unsigned line, column; /* from 1 */
};

enum mkv_node_kind { MKV_NODE_SCALAR, MKV_NODE_LIST, MKV_NODE_MAP };

struct mkv_node_entry;
struct mkv_node {
	enum mkv_node_kind kind;
	struct mkv_mark mark;
	const char *directory; /* of the file, for relative paths in it */
	const char *text;      /* of a scalar */
	bool quoted;	       /* a quoted scalar, which is always text */
	struct mkv_node_entry *entries; /* of a list (no keys) or a map */
	size_t count;
};
struct mkv_node_entry {
	const char *key;
	struct mkv_mark mark; /* of the key */
	struct mkv_node *value;
};

/* The type of a scalar by the core schema of YAML 1.2.2, section 10.3.2. */
enum mkv_scalar {
	MKV_SCALAR_NULL,
	MKV_SCALAR_BOOL,
	MKV_SCALAR_INTEGER,
	MKV_SCALAR_FLOAT,
	MKV_SCALAR_TEXT,
};
enum mkv_scalar mkv_node_scalar(const struct mkv_node *node) mkv_nonnull(1);
/* Reads a non-negative integer in decimal, 0x or 0o notation. False if the node
 * is not such an integer or exceeds 64 bits. */
bool mkv_node_integer(const struct mkv_node *node, uint64_t *ret)
	mkv_nonnull(1, 2);
/* Describes a node for a diagnostic: "a list", "the number 7", "the text
 * 'abc'". */
const char *mkv_node_describe(struct mkv_arena *arena,
			      const struct mkv_node *node) mkv_nonnull(1, 2);
/* The entry of a map by its key. NULL if `map` is not a map or has no such key.
 */
struct mkv_node_entry *mkv_node_find(const struct mkv_node *map,
				     const char *key) mkv_nonnull(1, 2);
/* The value at a path of keys and list indexes, such as "docker.volumes.0".
 * NULL if `map` is NULL or the path does not exist. */
const struct mkv_node *mkv_node_at(const struct mkv_node *map, const char *path)
	mkv_nonnull(2);
