/* SPDX-License-Identifier: MIT */
/* Directories: a single block is a linear list in the order of names; larger
 * ones get an index by hash (Linux kernel documentation, filesystems/ext4/,
 * "Hash Tree Directories"), built at once from all names, so that it does not
 * depend on an order of insertion. */
#include "builder/format/ext4/ext4_internal.h"

#include <string.h>

enum {
	TAIL = sizeof(struct ext2_dir_entry_tail),
	ENTRIES_SIZE = EXT4_BLOCK - TAIL, /* bytes for entries in a block */
	DOTS = 24,			  /* bytes of "." and ".." */
	ROOT_LIMIT = (EXT4_BLOCK - DOTS - 8 - 8) / 8,
	NODE_LIMIT = (EXT4_BLOCK - 8 - 8) / 8,
};

/* An entry of a directory. */
struct item {
	const char *name;
	unsigned length;
	ext2_ino_t number;
	unsigned type;
	ext2_dirhash_t hash, minor;
};

/* A block of entries under construction. */
struct filler {
	char *block;
	struct ext2_dir_entry *last;
	unsigned used;
};

static unsigned entry_size(size_t length)
{
	return (unsigned)(8 + length + 3) & ~3U;
}

static unsigned type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return EXT2_FT_DIR;
	case S_IFREG:
		return EXT2_FT_REG_FILE;
	case S_IFLNK:
		return EXT2_FT_SYMLINK;
	case S_IFCHR:
		return EXT2_FT_CHRDEV;
	case S_IFBLK:
		return EXT2_FT_BLKDEV;
	case S_IFIFO:
		return EXT2_FT_FIFO;
	default:
		return EXT2_FT_UNKNOWN;
	}
}

static void append_entry(struct filler *filler, const char *name,
			 unsigned length, ext2_ino_t number, unsigned type)
{
	struct ext2_dir_entry *entry =
		(struct ext2_dir_entry *)(filler->block + filler->used);
	entry->inode = number;
	entry->rec_len = (uint16_t)entry_size(length);
	entry->name_len = (uint16_t)(length | type << 8);
	memcpy(entry->name, name, length);
	filler->last = entry;
	filler->used += entry->rec_len;
}

/* Extends the last entry up to the tail, which holds the checksum. */
static void finish_block(struct filler *filler)
{
	if (!filler->last) {
		filler->last = (struct ext2_dir_entry *)filler->block;
		filler->last->rec_len = 0;
	}
	filler->last->rec_len =
		(uint16_t)(filler->last->rec_len + ENTRIES_SIZE - filler->used);
	struct ext2_dir_entry_tail *tail =
		EXT2_DIRENT_TAIL(filler->block, EXT4_BLOCK);
	tail->det_rec_len = TAIL;
	tail->det_reserved_name_len = EXT2_DIR_NAME_LEN_CSUM;
}

static char *add_block(struct ext4_builder *builder, size_t *count,
		       struct mkv_error *err)
{
	size_t need = (*count + 1) * EXT4_BLOCK;
	if (need > builder->blocks_size) {
		size_t size = need * 2;
		char *grown = realloc(builder->blocks, size);
		if (!grown) {
			(void)mkv_oom(err);
			return NULL;
		}
		builder->blocks = grown;
		builder->blocks_size = size;
	}
	char *block = builder->blocks + *count * EXT4_BLOCK;
	memset(block, 0, EXT4_BLOCK);
	++*count;
	return block;
}

/* Appends "." and ".." to the first block. */
static void append_dots(struct filler *filler, const struct ext4_node *node)
{
	append_entry(filler, ".", 1, node->number, EXT2_FT_DIR);
	append_entry(filler, "..", 2, node->parent, EXT2_FT_DIR);
}

static int pack_linear(struct ext4_builder *builder,
		       const struct ext4_node *node, const struct item *items,
		       size_t n_items, size_t min_blocks, size_t *ret,
		       struct mkv_error *err)
{
	size_t count = 0;
	struct filler filler = {.block = add_block(builder, &count, err)};
	if (!filler.block)
		return -ENOMEM;
	append_dots(&filler, node);
	for (size_t i = 0; i < n_items; i++)
		append_entry(&filler, items[i].name, items[i].length,
			     items[i].number, items[i].type);
	finish_block(&filler);
	while (count < min_blocks) {
		filler = (struct filler){
			.block = add_block(builder, &count, err)};
		if (!filler.block)
			return -ENOMEM;
		finish_block(&filler);
	}
	*ret = count;
	return 0;
}

static int compare_hashes(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	if (x->minor != y->minor)
		return x->minor < y->minor ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int hash_items(struct ext4_builder *builder, struct item *items,
		      size_t count, struct mkv_error *err)
{
	const struct ext2_super_block *super = builder->fs->super;
	for (size_t i = 0; i < count; i++) {
		errcode_t code = ext2fs_dirhash2(
			super->s_def_hash_version, items[i].name,
			(int)items[i].length, NULL, 0, super->s_hash_seed,
			&items[i].hash, &items[i].minor);
		if (code)
			return ext4_fail(err, code, "hash a file name");
	}
	qsort(items, count, sizeof(*items), compare_hashes);
	return 0;
}

/* An index entry: a block and its lowest hash, with bit 0 set when the previous
 * block ends with the same hash. */
struct index {
	ext2_dirhash_t hash;
	uint32_t block;
};

static int pack_leaves(struct ext4_builder *builder, const struct item *items,
		       size_t n_items, size_t *count, struct index *leaves,
		       size_t *ret, struct mkv_error *err)
{
	struct filler filler = {0};
	size_t n_leaves = 0;
	for (size_t i = 0; i < n_items; i++) {
		if (!filler.block ||
		    filler.used + entry_size(items[i].length) > ENTRIES_SIZE) {
			if (filler.block)
				finish_block(&filler);
			bool is_continued =
				i && items[i - 1].hash == items[i].hash;
			leaves[n_leaves++] = (struct index){
				items[i].hash | (is_continued ? 1 : 0),
				(uint32_t)*count};
			filler = (struct filler){
				.block = add_block(builder, count, err)};
			if (!filler.block)
				return -ENOMEM;
		}
		append_entry(&filler, items[i].name, items[i].length,
			     items[i].number, items[i].type);
	}
	finish_block(&filler);
	*ret = n_leaves;
	return 0;
}

/* Writes the entries of an index block. The hash of the first entry is implied:
 * its bytes hold limit and count. */
static void write_index(char *at, unsigned limit, const struct index *entries,
			size_t count)
{
	struct ext2_dx_entry *to = (struct ext2_dx_entry *)at;
	for (size_t i = 0; i < count; i++)
		to[i] = (struct ext2_dx_entry){entries[i].hash,
					       entries[i].block};
	struct ext2_dx_countlimit counts = {(uint16_t)limit, (uint16_t)count};
	memcpy(at, &counts, sizeof(counts));
}

static void write_root(struct ext4_builder *builder,
		       const struct ext4_node *node, unsigned levels,
		       const struct index *entries, size_t count)
{
	struct filler filler = {.block = builder->blocks};
	append_dots(&filler, node);
	filler.last->rec_len = EXT4_BLOCK - 12;
	struct ext2_dx_root_info info = {
		.hash_version = builder->fs->super->s_def_hash_version,
		.info_length = sizeof(info),
		.indirect_levels = (uint8_t)levels};
	memcpy(builder->blocks + DOTS, &info, sizeof(info));
	write_index(builder->blocks + DOTS + sizeof(info), ROOT_LIMIT, entries,
		    count);
}

static void write_node(char *block, const struct index *entries, size_t count)
{
	struct ext2_dir_entry *cover = (struct ext2_dir_entry *)block;
	cover->rec_len = EXT4_BLOCK;
	write_index(block + 8, NODE_LIMIT, entries, count);
}

/* Blocks in this order: the root, the index nodes if one index block is too
 * small, the leaves. */
static int pack_indexed(struct ext4_builder *builder,
			const struct ext4_node *node, struct item *items,
			size_t n_items, uint64_t n_nodes, size_t *ret,
			struct mkv_error *err)
{
	int rc = hash_items(builder, items, n_items, err);
	if (rc < 0)
		return rc;
	auto_free struct index *leaves = calloc(n_items, sizeof(*leaves));
	if (!leaves)
		return mkv_oom(err);
	size_t count = 0, n_leaves = 0;
	for (uint64_t i = 0; i < 1 + n_nodes; i++)
		if (!add_block(builder, &count, err))
			return -ENOMEM;
	rc = pack_leaves(builder, items, n_items, &count, leaves, &n_leaves,
			 err);
	if (rc < 0)
		return rc;
	*ret = count;
	if (n_nodes == 0 && n_leaves <= ROOT_LIMIT) {
		write_root(builder, node, 0, leaves, n_leaves);
		return 0;
	}
	if (n_leaves > n_nodes * NODE_LIMIT)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"a directory of %zu names is too large",
				n_items);
	struct index tops[ROOT_LIMIT];
	for (size_t i = 0; i < n_nodes; i++) {
		size_t from = n_leaves * i / (size_t)n_nodes;
		size_t to = n_leaves * (i + 1) / (size_t)n_nodes;
		write_node(builder->blocks + (1 + i) * EXT4_BLOCK,
			   leaves + from, to - from);
		tops[i] = (struct index){leaves[from].hash, (uint32_t)(1 + i)};
	}
	write_root(builder, node, 1, tops, (size_t)n_nodes);
	return 0;
}

/* The number of index nodes below the root for the maximum number of leaves.
 * The actual number of leaves depends on hashes, the maximum does not. */
static int index_nodes(uint64_t names_size, uint64_t *ret,
		       struct mkv_error *err)
{
	uint64_t leaves_max =
		names_size / (ENTRIES_SIZE - entry_size(255) + 4) + 1;
	*ret = leaves_max <= ROOT_LIMIT
		       ? 0
		       : (leaves_max + NODE_LIMIT - 1) / NODE_LIMIT;
	if (*ret > ROOT_LIMIT)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"the directory is too large for its index");
	return 0;
}

/* Bytes of all entries of a directory, without "." and "..". */
static uint64_t size_of_entries(const struct mkv_inode *dir)
{
	size_t n_entries;
	const struct mkv_tree_entry *entries =
		mkv_inode_children(dir, &n_entries);
	uint64_t size = 0;
	for (size_t i = 0; i < n_entries; i++)
		size += entry_size(strlen(entries[i].name));
	return size;
}

/* True when one block holds all entries. */
static bool is_linear(const struct mkv_inode *dir)
{
	return size_of_entries(dir) + DOTS <= ENTRIES_SIZE;
}

int ext4_dir_blocks(const struct mkv_inode *dir, bool is_lost_found,
		    uint64_t *ret, struct mkv_error *err)
{
	uint64_t size = size_of_entries(dir), nodes;
	if (is_linear(dir)) {
		*ret = is_lost_found ? EXT4_LOST_FOUND_BLOCKS : 1;
		return 0;
	}
	int rc = index_nodes(size, &nodes, err);
	if (rc < 0)
		return rc;
	*ret = 1 + nodes + size / (ENTRIES_SIZE - entry_size(255) + 4) + 1;
	return 0;
}

/* Sets items[] to the directory's entries; returns the number of
 * subdirectories.
 */
static unsigned collect_items(const struct mkv_inode *dir, struct item *items)
{
	size_t n_entries;
	const struct mkv_tree_entry *entries =
		mkv_inode_children(dir, &n_entries);
	unsigned n_directories = 0;
	for (size_t i = 0; i < n_entries; i++) {
		const struct mkv_inode *inode = entries[i].inode;
		items[i] = (struct item){
			.name = entries[i].name,
			.length = (unsigned)strlen(entries[i].name),
			.number = (ext2_ino_t)inode->mark,
			.type = type_of(inode->mode)};
		n_directories += inode->children != NULL;
	}
	return n_directories;
}

static int write_blocks(struct ext4_builder *builder, ext2_ino_t number,
			size_t count, struct mkv_error *err)
{
	char *block = builder->blocks;
	int rc = ext4_allocate(builder, count, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < builder->runs.count; i++) {
		const struct ext4_run *run = &builder->runs.items[i];
		for (blk64_t j = 0; j < run->count; j++) {
			errcode_t code = ext2fs_write_dir_block4(
				builder->fs, run->start + j, block, 0, number);
			if (code)
				return ext4_fail(err, code,
						 "write a directory");
			block += EXT4_BLOCK;
		}
	}
	return 0;
}

static int pack_directory(struct ext4_builder *builder,
			  const struct ext4_node *node, struct item *items,
			  size_t n_items, size_t *ret, struct mkv_error *err)
{
	uint64_t size = size_of_entries(node->inode), n_nodes;
	if (is_linear(node->inode))
		return pack_linear(builder, node, items, n_items,
				   node->number == EXT2_GOOD_OLD_FIRST_INO
					   ? EXT4_LOST_FOUND_BLOCKS
					   : 1,
				   ret, err);
	int rc = index_nodes(size, &n_nodes, err);
	return rc < 0 ? rc
		      : pack_indexed(builder, node, items, n_items, n_nodes,
				     ret, err);
}

int ext4_write_dir(struct ext4_builder *builder, const struct ext4_node *node,
		   struct mkv_error *err)
{
	size_t n_items, count = 0;
	(void)mkv_inode_children(node->inode, &n_items);
	auto_free struct item *items = calloc(n_items + 1, sizeof(*items));
	if (!items)
		return mkv_oom(err);
	unsigned n_directories = collect_items(node->inode, items);
	int rc = pack_directory(builder, node, items, n_items, &count, err);
	if (rc < 0)
		return rc;
	rc = write_blocks(builder, node->number, count, err);
	if (rc < 0)
		return rc;
	struct ext2_inode_large inode = {0};
	ext4_set_inode(builder, node->inode, &inode);
	if (!is_linear(node->inode))
		inode.i_flags |= EXT2_INDEX_FL;
	/* A count of 1 means "not counted", feature dir_nlink. */
	inode.i_links_count = n_directories + 2 < EXT4_LINKS_MAX
				      ? (uint16_t)(n_directories + 2)
				      : 1;
	if (node->number != EXT2_ROOT_INO)
		ext2fs_inode_alloc_stats2(builder->fs, node->number, +1, 1);
	return ext4_write_mapped(builder, node->number, &inode,
				 count * EXT4_BLOCK, err);
}
