/* SPDX-License-Identifier: MIT */
#include "builder/format/ext4/ext4_internal.h"

#include <ext2fs/ext3_extents.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/io.h"

static int add_run(struct ext4_runs *runs, blk64_t start, blk64_t count,
		   struct mkv_error *err)
{
	struct ext4_run *run = mkv_grow(&runs->items, &runs->count);
	if (!run)
		return mkv_oom(err);
	*run = (struct ext4_run){start, count};
	return 0;
}

/* Shorter gaps between tables stay free: for small files that are created
 * later.
 */
enum { SHORT_RUN_BLOCKS = 64 };

int ext4_allocate(struct ext4_builder *builder, uint64_t blocks,
		  struct mkv_error *err)
{
	ext2_filsys fs = builder->fs;
	blk64_t last = ext2fs_blocks_count(fs->super) - 1;
	builder->runs.count = 0;
	while (blocks > 0) {
		blk64_t start, used;
		if (builder->next > last ||
		    ext2fs_find_first_zero_block_bitmap2(
			    fs->block_map, builder->next, last, &start))
			return mkv_fail(err, MKV_FAILED, ENOSPC,
					"the file tree doesn't fit in a file "
					"system of %llu bytes",
					(unsigned long long)
						builder->options->size_bytes);
		blk64_t end = last - start < blocks ? last : start + blocks - 1;
		if (end - start >= EXT4_EXTENT_BLOCKS_MAX)
			end = start + EXT4_EXTENT_BLOCKS_MAX - 1;
		if (!ext2fs_find_first_set_block_bitmap2(fs->block_map, start,
							 end, &used))
			end = used - 1;
		blk64_t count = end - start + 1;
		builder->next = end + 1;
		if (count < SHORT_RUN_BLOCKS && count < blocks)
			continue;
		int rc = add_run(&builder->runs, start, count, err);
		if (rc < 0)
			return rc;
		ext2fs_block_alloc_stats_range(fs, start, (blk_t)count, +1);
		blocks -= count;
	}
	return 0;
}

/* Bits 32 and 33 of the seconds, in the two low bits; the nanoseconds in the
 * other bits are 0. */
static uint32_t extra_of(int64_t seconds)
{
	return (uint32_t)((seconds - (int32_t)(uint32_t)seconds) >> 32) &
	       EXT4_EPOCH_MASK;
}

void ext4_set_times(const struct ext4_builder *builder, int64_t mtime_s,
		    struct ext2_inode_large *to)
{
	int64_t epoch_s = builder->options->epoch_s;
	to->i_mtime = (uint32_t)mtime_s;
	to->i_mtime_extra = extra_of(mtime_s);
	to->i_atime = to->i_ctime = to->i_crtime = (uint32_t)epoch_s;
	to->i_atime_extra = to->i_ctime_extra = to->i_crtime_extra =
		extra_of(epoch_s);
}

void ext4_set_inode(const struct ext4_builder *builder,
		    const struct mkv_inode *from, struct ext2_inode_large *to)
{
	to->i_mode = (uint16_t)from->mode;
	to->i_uid = (uint16_t)from->uid;
	to->osd2.linux2.l_i_uid_high = (uint16_t)(from->uid >> 16);
	to->i_gid = (uint16_t)from->gid;
	to->osd2.linux2.l_i_gid_high = (uint16_t)(from->gid >> 16);
	to->i_links_count = (uint16_t)from->entries;
	to->i_extra_isize = sizeof(*to) - EXT2_GOOD_OLD_INODE_SIZE;
	ext4_set_times(builder, from->mtime_s, to);
}

static int write_inode(struct ext4_builder *builder, ext2_ino_t number,
		       struct ext2_inode_large *inode, struct mkv_error *err)
{
	union {
		struct ext2_inode_large large;
		char bytes[256];
	} whole = {.bytes = {0}};
	whole.large = *inode;
	errcode_t code = ext2fs_write_inode_full(
		builder->fs, number, (struct ext2_inode *)&whole.large,
		sizeof(whole));
	return code ? ext4_fail(err, code, "write an inode") : 0;
}

/* Stores at most four extents in the inode itself. */
static void map_inside(const struct ext4_runs *runs,
		       struct ext2_inode_large *inode)
{
	struct {
		struct ext3_extent_header header;
		struct ext3_extent extents[4];
	} map = {.header = {.eh_magic = EXT3_EXT_MAGIC,
			    .eh_entries = (uint16_t)runs->count,
			    .eh_max = 4}};
	_Static_assert(sizeof(map) == sizeof(inode->i_block), "60 bytes");
	blk64_t logical = 0;
	for (size_t i = 0; i < runs->count; i++) {
		const struct ext4_run *run = &runs->items[i];
		map.extents[i] = (struct ext3_extent){
			.ee_block = (uint32_t)logical,
			.ee_len = (uint16_t)run->count,
			.ee_start = (uint32_t)run->start,
			.ee_start_hi = (uint16_t)(run->start >> 32)};
		logical += run->count;
	}
	memcpy(inode->i_block, &map, sizeof(map));
}

/* Lets libext2fs build an extent tree in blocks of its own, which it allocates
 * after the last allocated block. */
static int map_outside(struct ext4_builder *builder, ext2_ino_t number,
		       struct ext2_inode_large *inode, struct mkv_error *err)
{
	ext2_extent_handle_t handle = NULL;
	const struct ext4_runs *runs = &builder->runs;
	errcode_t code = ext2fs_extent_open2(
		builder->fs, number, (struct ext2_inode *)inode, &handle);
	blk64_t logical = 0;
	for (size_t i = 0; i < runs->count && !code; i++) {
		struct ext2fs_extent extent = {
			.e_pblk = runs->items[i].start,
			.e_lblk = logical,
			.e_len = (uint32_t)runs->items[i].count};
		code = ext2fs_extent_insert(handle, EXT2_EXTENT_INSERT_AFTER,
					    &extent);
		if (!code)
			code = ext2fs_extent_fix_parents(handle);
		logical += runs->items[i].count;
	}
	if (handle)
		ext2fs_extent_free(handle);
	return code ? ext4_fail(err, code, "map a large file") : 0;
}

int ext4_write_mapped(struct ext4_builder *builder, ext2_ino_t number,
		      struct ext2_inode_large *inode, uint64_t size_bytes,
		      struct mkv_error *err)
{
	blk64_t blocks = 0;
	for (size_t i = 0; i < builder->runs.count; i++)
		blocks += builder->runs.items[i].count;
	inode->i_size = (uint32_t)size_bytes;
	inode->i_size_high = (uint32_t)(size_bytes >> 32);
	inode->i_flags |= EXT4_EXTENTS_FL;
	errcode_t code = ext2fs_iblk_set(builder->fs,
					 (struct ext2_inode *)inode, blocks);
	if (code)
		return ext4_fail(err, code, "count blocks");
	if (builder->runs.count <= 4) {
		map_inside(&builder->runs, inode);
		return write_inode(builder, number, inode, err);
	}
	map_inside(&(struct ext4_runs){0}, inode);
	int rc = write_inode(builder, number, inode, err);
	if (rc < 0)
		return rc;
	rc = map_outside(builder, number, inode, err);
	return rc < 0 ? rc : write_inode(builder, number, inode, err);
}

static int copy_content(struct ext4_builder *builder,
			const struct mkv_content *content,
			struct mkv_error *err)
{
	uint64_t done = 0, size = mkv_content_size(content);
	for (size_t i = 0; i < builder->runs.count; i++) {
		const struct ext4_run *run = &builder->runs.items[i];
		uint64_t bytes = run->count * EXT4_BLOCK;
		if (bytes > size - done)
			bytes = size - done;
		int rc = mkv_content_copy_range_to(
			content, done, bytes, builder->fd,
			builder->offset + run->start * EXT4_BLOCK, err);
		if (rc < 0)
			return rc;
		done += bytes;
	}
	return 0;
}

static int write_file(struct ext4_builder *builder,
		      const struct ext4_node *node,
		      struct ext2_inode_large *inode, struct mkv_error *err)
{
	const struct mkv_content *content = node->inode->content;
	uint64_t size = mkv_content_size(content);
	int rc = ext4_allocate(builder, (size + EXT4_BLOCK - 1) / EXT4_BLOCK,
			       err);
	if (rc < 0)
		return rc;
	rc = copy_content(builder, content, err);
	if (rc < 0)
		return rc;
	return ext4_write_mapped(builder, node->number, inode, size, err);
}

static int write_symlink(struct ext4_builder *builder,
			 const struct ext4_node *node,
			 struct ext2_inode_large *inode, struct mkv_error *err)
{
	const char *target = node->inode->target;
	size_t size = strlen(target);
	if (size < sizeof(inode->i_block)) {
		memcpy(inode->i_block, target, size);
		inode->i_size = (uint32_t)size;
		return write_inode(builder, node->number, inode, err);
	}
	int rc = ext4_allocate(builder, 1, err);
	if (rc < 0)
		return rc;
	uint64_t block = builder->runs.items[0].start;
	rc = mkv_pwrite_all(builder->fd, target, size,
			    builder->offset + block * EXT4_BLOCK, err);
	if (rc < 0)
		return rc;
	return ext4_write_mapped(builder, node->number, inode, size, err);
}

/* Linux's two encodings of device numbers: the old one when both parts fit. */
static void set_device(const struct mkv_inode *from,
		       struct ext2_inode_large *inode)
{
	if (from->major < 256 && from->minor < 256)
		inode->i_block[0] = from->major << 8 | from->minor;
	else
		inode->i_block[1] = (from->minor & 0xff) | from->major << 8 |
				    (from->minor & ~0xffU) << 12;
}

int ext4_write_node(struct ext4_builder *builder, const struct ext4_node *node,
		    struct mkv_error *err)
{
	struct ext2_inode_large inode = {0};
	ext4_set_inode(builder, node->inode, &inode);
	ext2fs_inode_alloc_stats2(builder->fs, node->number, +1, 0);
	switch (node->inode->mode & S_IFMT) {
	case S_IFREG:
		return write_file(builder, node, &inode, err);
	case S_IFLNK:
		return write_symlink(builder, node, &inode, err);
	case S_IFCHR:
	case S_IFBLK:
		set_device(node->inode, &inode);
		break;
	default:
		break;
	}
	return write_inode(builder, node->number, &inode, err);
}

int ext4_write_xattrs(struct ext4_builder *builder,
		      const struct ext4_node *node, struct mkv_error *err)
{
	const struct mkv_inode *inode = node->inode;
	if (!inode->n_xattrs)
		return 0;
	struct ext2_xattr_handle *handle = NULL;
	errcode_t code = ext2fs_xattrs_open(builder->fs, node->number, &handle);
	if (!code)
		code = ext2fs_xattrs_read(handle);
	for (size_t i = 0; i < inode->n_xattrs && !code; i++)
		code = ext2fs_xattr_set(handle, inode->xattrs[i].name,
					inode->xattrs[i].value,
					inode->xattrs[i].size);
	if (!code)
		code = ext2fs_xattrs_write(handle);
	if (handle)
		ext2fs_xattrs_close(&handle);
	return code ? ext4_fail(err, code, "write extended attributes") : 0;
}
