/* SPDX-License-Identifier: MIT */
/* Allocates clusters to the tree's entries and writes their data. */
#include <string.h>
#include <time.h>

#include "builder/format/disk/fat_internal.h"
#include "lib/bytes.h"
#include "lib/grow.h"
#include "lib/io.h"

enum {
	ENTRY_BYTES = 32,
	ATTR_LABEL = 0x08,
	ATTR_DIRECTORY = 0x10,
	ATTR_ARCHIVE = 0x20,
	CLUSTERS_MAX = 0x0ffffff5,
};

void mkv_fat_plan_done(struct mkv_fat_plan *plan)
{
	for (size_t i = 0; i < plan->n_nodes; i++)
		free(plan->nodes[i].child_names);
	free(plan->nodes);
}

static int add_node(struct mkv_fat_plan *plan, const struct mkv_inode *inode,
		    size_t parent, struct mkv_error *err)
{
	struct mkv_fat_node *node = mkv_grow(&plan->nodes, &plan->n_nodes);
	if (!node)
		return mkv_oom(err);
	node->inode = inode;
	node->parent = parent;
	return 0;
}

static int add_children(struct mkv_fat_plan *plan, size_t at,
			struct mkv_error *err)
{
	size_t count = 0;
	const struct mkv_tree_entry *entries =
		mkv_inode_children(plan->nodes[at].inode, &count);
	int rc = mkv_fat_names(entries, count, &plan->nodes[at].child_names,
			       err);
	if (rc < 0)
		return rc;
	plan->nodes[at].first_child = plan->n_nodes;
	plan->nodes[at].n_children = count;
	for (size_t i = 0; i < count; i++) {
		mode_t mode = entries[i].inode->mode;
		if (!S_ISDIR(mode) && !S_ISREG(mode))
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"'%s' is neither a file nor a "
					"directory, which FAT can't hold",
					entries[i].name);
		rc = add_node(plan, entries[i].inode, at, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static uint64_t directory_bytes(const struct mkv_fat_plan *plan, size_t at)
{
	const struct mkv_fat_node *node = &plan->nodes[at];
	uint64_t slots = at ? 2 : plan->has_label; /* "." and ".." */
	for (size_t i = 0; i < node->n_children; i++)
		slots += mkv_fat_name_slots(&node->child_names[i]);
	return slots * ENTRY_BYTES;
}

static int allocate_clusters(struct mkv_fat_plan *plan, size_t at,
			     struct mkv_error *err)
{
	struct mkv_fat_node *node = &plan->nodes[at];
	bool directory = S_ISDIR(node->inode->mode);
	uint64_t bytes = directory ? directory_bytes(plan, at)
				   : mkv_content_size(node->inode->content);
	if (at == 0 && !plan->geometry->fat32) {
		if (bytes / ENTRY_BYTES > plan->geometry->root_entries)
			return mkv_fail(err, MKV_FAILED, ENOSPC,
					"too many entries in the root "
					"directory of a FAT16 file system");
		return 0;
	}
	if (bytes > UINT32_MAX)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"a file of %llu bytes exceeds FAT's maximum of "
				"4 GiB",
				(unsigned long long)bytes);
	if (directory && bytes == 0)
		bytes = 1;
	uint64_t each = plan->geometry->cluster_bytes;
	uint64_t clusters = (bytes + each - 1) / each;
	if (clusters > CLUSTERS_MAX - plan->next_cluster)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"the files exceed the maximum size of a FAT "
				"file system");
	node->n_clusters = (uint32_t)clusters;
	node->first_cluster = clusters ? plan->next_cluster : 0;
	plan->next_cluster += node->n_clusters;
	return 0;
}

int mkv_fat_plan(const struct mkv_tree *tree, struct mkv_fat_plan *plan,
		 struct mkv_error *err)
{
	plan->next_cluster = MKV_FAT_ROOT_CLUSTER;
	int rc = add_node(plan, mkv_tree_root(tree), 0, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < plan->n_nodes; i++) {
		if (S_ISDIR(plan->nodes[i].inode->mode)) {
			rc = add_children(plan, i, err);
			if (rc < 0)
				return rc;
		}
		rc = allocate_clusters(plan, i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Section "Date and Time Formats": UTC, clamped to 1980 to 2107. `all`: also
 * the times of creation and last access. */
static void put_times(uint8_t *entry, int64_t time_s, bool all)
{
	static const int64_t min_s = 315532800, max_s = 4354819199;
	time_t clamped = time_s < min_s	  ? min_s
			 : time_s > max_s ? max_s
					  : time_s;
	struct tm tm;
	(void)gmtime_r(&clamped, &tm);
	uint16_t date = (uint16_t)((tm.tm_year - 80) << 9 |
				   (tm.tm_mon + 1) << 5 | tm.tm_mday);
	uint16_t clock =
		(uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
	mkv_le_put16(entry + 22, clock);
	mkv_le_put16(entry + 24, date);
	if (!all)
		return;
	entry[13] = tm.tm_sec % 2 ? 100 : 0;
	mkv_le_put16(entry + 14, clock);
	mkv_le_put16(entry + 16, date);
	mkv_le_put16(entry + 18, date);
}

static void put_short(struct mkv_buf *into, const uint8_t alias[11],
		      const struct mkv_fat_node *node, uint32_t cluster)
{
	uint8_t entry[ENTRY_BYTES] = {0};
	bool directory = S_ISDIR(node->inode->mode);
	memcpy(entry, alias, 11);
	entry[11] = directory ? ATTR_DIRECTORY : ATTR_ARCHIVE;
	put_times(entry, node->inode->mtime_s, true);
	mkv_le_put16(entry + 20, (uint16_t)(cluster >> 16));
	mkv_le_put16(entry + 26, (uint16_t)cluster);
	if (!directory)
		mkv_le_put32(entry + 28,
			     (uint32_t)mkv_content_size(node->inode->content));
	mkv_buf_add(into, entry, sizeof(entry));
}

static void put_label(struct mkv_buf *into,
		      const struct mkv_fat_options *options)
{
	uint8_t entry[ENTRY_BYTES] = {0};
	memcpy(entry, options->label, 11);
	entry[11] = ATTR_LABEL;
	put_times(entry, options->epoch_s, false);
	mkv_buf_add(into, entry, sizeof(entry));
}

static void put_directory(const struct mkv_fat_plan *plan, size_t at,
			  const struct mkv_fat_options *options,
			  struct mkv_buf *into)
{
	const struct mkv_fat_node *node = &plan->nodes[at];
	if (at == 0 && plan->has_label)
		put_label(into, options);
	if (at != 0) {
		const struct mkv_fat_node *parent = &plan->nodes[node->parent];
		put_short(into, (const uint8_t *)".          ", node,
			  node->first_cluster);
		/* ".." to the root has cluster 0 (section "FAT Directory
		 * Structure"). */
		put_short(into, (const uint8_t *)"..         ", parent,
			  node->parent ? parent->first_cluster : 0);
	}
	for (size_t i = 0; i < node->n_children; i++) {
		const struct mkv_fat_node *child =
			&plan->nodes[node->first_child + i];
		mkv_fat_name_put_long(&node->child_names[i], into);
		put_short(into, node->child_names[i].alias, child,
			  child->first_cluster);
	}
}

static int write_directory(const struct mkv_fat_plan *plan, size_t node,
			   const struct mkv_fat_options *options, int fd,
			   uint64_t offset, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	put_directory(plan, node, options, &buf);
	int rc = mkv_buf_check(&buf, err);
	return rc < 0 ? rc
		      : mkv_pwrite_all(fd, buf.data, buf.size, offset, err);
}

int mkv_fat_write_data(const struct mkv_fat_plan *plan, int fd, uint64_t offset,
		       const struct mkv_fat_options *options,
		       struct mkv_error *err)
{
	const struct mkv_fat_geometry *g = plan->geometry;
	for (size_t i = 0; i < plan->n_nodes; i++) {
		const struct mkv_fat_node *node = &plan->nodes[i];
		uint64_t sector = g->root_sector;
		if (node->first_cluster)
			sector = g->data_sector +
				 (uint64_t)(node->first_cluster -
					    MKV_FAT_ROOT_CLUSTER) *
					 g->sectors_per_cluster;
		uint64_t at = offset + sector * MKV_FAT_SECTOR;
		int rc = 0;
		if (S_ISDIR(node->inode->mode))
			rc = write_directory(plan, i, options, fd, at, err);
		else if (node->n_clusters)
			rc = mkv_content_copy_to(node->inode->content, fd, at,
						 err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
