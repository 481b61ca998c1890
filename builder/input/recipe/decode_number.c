/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "builder/input/recipe/decode.h"
#include "builder/input/recipe/units.h"

void mkv_decode_bool(struct mkv_decoder *d, const struct mkv_row *row,
		     const struct mkv_node *node, void *base,
		     const struct mkv_path *path)
{
	if (node->kind == MKV_NODE_SCALAR &&
	    mkv_node_scalar(node) == MKV_SCALAR_BOOL)
		*(bool *)mkv_decode_at(base, row->offset) =
			(node->text[0] | 32) == 't';
	else
		mkv_decode_wrong(d, node, path, "true or false");
}

void mkv_decode_count(struct mkv_decoder *d, const struct mkv_row *row,
		      const struct mkv_node *node, void *base,
		      const struct mkv_path *path)
{
	uint64_t value;
	if (mkv_node_integer(node, &value) && value >= row->min &&
	    value <= row->max) {
		if (!row->no_member)
			*(unsigned *)mkv_decode_at(base, row->offset) =
				(unsigned)value;
		return;
	}
	const char *must = mkv_arena_printf(
		&d->load->arena,
		row->min == row->max ? "%" PRIu64
				     : "a whole number from %" PRIu64
				       " to %" PRIu64,
		row->min, row->max);
	if (must)
		mkv_decode_wrong(d, node, path, must);
}

static void diagnose_measure(struct mkv_decoder *d, const struct mkv_row *row,
			     const struct mkv_node *node,
			     const struct mkv_path *path)
{
	char min[32], max[32];
	bool size = row->kind == MKV_ROW_SIZE;
	if (size) {
		mkv_size_print(row->min, min);
		mkv_size_print(row->max, max);
	} else {
		mkv_duration_print((int64_t)row->min, min);
		mkv_duration_print((int64_t)row->max, max);
	}
	const char *must = mkv_arena_printf(
		&d->load->arena,
		"a %s from %s to %s (a whole number followed by a unit: %s)",
		size ? "size" : "duration", min, max,
		size ? "B kB MB GB TB KiB MiB GiB TiB" : "ns us ms s min h");
	if (must)
		mkv_decode_wrong(d, node, path, must);
}

void mkv_decode_measure(struct mkv_decoder *d, const struct mkv_row *row,
			const struct mkv_node *node, void *base,
			const struct mkv_path *path)
{
	uint64_t value = 0;
	int64_t ns = 0;
	int rc = -EINVAL;
	if (node->kind == MKV_NODE_SCALAR && row->kind == MKV_ROW_SIZE)
		rc = mkv_size_parse(node->text, &value);
	else if (node->kind == MKV_NODE_SCALAR)
		rc = mkv_duration_parse(node->text, &ns);
	if (row->kind == MKV_ROW_DURATION)
		value = (uint64_t)ns;
	if (rc < 0 || value < row->min || value > row->max) {
		diagnose_measure(d, row, node, path);
		return;
	}
	if (row->kind == MKV_ROW_SIZE)
		*(uint64_t *)mkv_decode_at(base, row->offset) = value;
	else
		*(int64_t *)mkv_decode_at(base, row->offset) = ns;
}

void mkv_decode_fraction(struct mkv_decoder *d, const struct mkv_row *row,
			 const struct mkv_node *node, void *base,
			 const struct mkv_path *path)
{
	int64_t ppb = 0;
	int rc = -EINVAL;
	if (node->kind == MKV_NODE_SCALAR)
		rc = mkv_percentage_parse(node->text, &ppb);
	if (rc == 0 && ppb >= (int64_t)row->min && ppb <= (int64_t)row->max) {
		*(int64_t *)mkv_decode_at(base, row->offset) = ppb;
		return;
	}
	char min[32], max[32];
	mkv_percentage_print((int64_t)row->min, min);
	mkv_percentage_print((int64_t)row->max, max);
	const char *must = mkv_arena_printf(
		&d->load->arena,
		"a percentage from %s to %s such as 5%% or 0.1%%", min, max);
	if (must)
		mkv_decode_wrong(d, node, path, must);
}
