/* SPDX-License-Identifier: MIT */
#include "builder/format/ext4/ext4_internal.h"

#include <string.h>

/* Attributes with other prefixes would be stored under names that Linux does
 * not find. */
static bool is_known_xattr(const char *name)
{
	static const char *const spaces[] = {"user.", "trusted.", "security."};
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (strncmp(name, spaces[i], strlen(spaces[i])) == 0)
			return true;
	return strcmp(name, "system.posix_acl_access") == 0 ||
	       strcmp(name, "system.posix_acl_default") == 0;
}

/* Fails when ext4 can't represent the inode. */
static int check_inode(const char *path, const struct mkv_inode *inode,
		       struct mkv_error *err)
{
	mode_t type = inode->mode & S_IFMT;
	if (type != S_IFDIR && type != S_IFREG && type != S_IFLNK &&
	    type != S_IFCHR && type != S_IFBLK && type != S_IFIFO)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s': ext4 can't store mode %o", path,
				inode->mode);
	if (inode->mtime_s < INT32_MIN ||
	    inode->mtime_s > INT32_MAX + (3LL << 32))
		return mkv_fail(err, MKV_FAILED, ERANGE,
				"'%s': ext4 can't store the time %lld", path,
				(long long)inode->mtime_s);
	if (!inode->children && inode->entries > EXT4_LINKS_MAX)
		return mkv_fail(
			err, MKV_FAILED, EMLINK,
			"'%s': ext4 can't store %u hard links to a file", path,
			inode->entries);
	if (inode->target &&
	    (strlen(inode->target) >= EXT4_BLOCK || !inode->target[0]))
		return mkv_fail(
			err, MKV_FAILED, ENAMETOOLONG,
			"'%s': ext4 can't store a link target that is empty or "
			"longer than 4095 bytes",
			path);
	if ((type == S_IFCHR || type == S_IFBLK) &&
	    (inode->major > 0xfff || inode->minor > 0xfffff))
		return mkv_fail(err, MKV_FAILED, ERANGE,
				"'%s': ext4 can't store device %u:%u", path,
				inode->major, inode->minor);
	for (size_t i = 0; i < inode->n_xattrs; i++)
		if (!is_known_xattr(inode->xattrs[i].name))
			return mkv_fail(
				err, MKV_FAILED, EOPNOTSUPP,
				"'%s': ext4 can't store extended attribute '%s'",
				path, inode->xattrs[i].name);
	if (inode->content && mkv_content_size(inode->content) >= (uint64_t)16
									  << 40)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"'%s' is too large for ext4", path);
	return 0;
}

static int count_inode(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	struct ext4_need *need = context;
	if (inode->mark)
		return 0;
	inode->mark = 1;
	int rc = check_inode(path, inode, err);
	if (rc < 0)
		return rc;
	uint64_t blocks = 0;
	if (inode->children)
		rc = ext4_dir_blocks(inode, strcmp(path, "/lost+found") == 0,
				     &blocks, err);
	else if (inode->content)
		blocks = (mkv_content_size(inode->content) + EXT4_BLOCK - 1) /
			 EXT4_BLOCK;
	else if (inode->target && strlen(inode->target) >= 60)
		blocks = 1;
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	need->inodes++;
	/* One block for 340 extents, and one for attributes. */
	need->blocks +=
		blocks + (inode->n_xattrs ? 1 : 0) + blocks / (340 * 4096);
	return 0;
}

int ext4_count(const struct mkv_tree *tree, struct ext4_need *ret,
	       struct mkv_error *err)
{
	*ret = (struct ext4_need){.inodes = EXT2_GOOD_OLD_FIRST_INO};
	mkv_tree_clear_marks(tree);
	return mkv_tree_walk(tree, count_inode, ret, err);
}

/* The free blocks of an empty file system of `blocks`. */
static int count_free_blocks(uint64_t blocks, uint64_t n_inodes, uint64_t *ret,
			     struct mkv_error *err)
{
	struct mkv_ext4_options options = {.epoch_s = 1,
					   .size_bytes = blocks * EXT4_BLOCK};
	ext2_filsys fs;
	int rc = ext4_open(&options, n_inodes, -1, 0, &fs, err);
	if (rc < 0)
		return rc;
	uint64_t taken = ext4_journal_blocks(ext2fs_blocks_count(fs->super)) +
			 1 /* the resize inode's */;
	uint64_t available = ext2fs_free_blocks_count(fs->super);
	*ret = available > taken ? available - taken : 0;
	ext2fs_free(fs);
	return 0;
}

int mkv_ext4_size(const struct mkv_tree *tree, uint64_t *ret_min_bytes,
		  struct mkv_error *err)
{
	enum { MIB_BLOCKS = (1 << 20) / EXT4_BLOCK, SPARE_MIB = 32 };
	struct ext4_need need;
	int rc = ext4_count(tree, &need, err);
	if (rc < 0)
		return rc;
	uint64_t wanted = need.blocks + need.blocks / 10 +
			  SPARE_MIB * MIB_BLOCKS + EXT4_LOST_FOUND_BLOCKS;
	uint64_t blocks = wanted;
	for (;;) {
		blocks = (blocks + MIB_BLOCKS - 1) / MIB_BLOCKS * MIB_BLOCKS;
		uint64_t available;
		rc = count_free_blocks(blocks, need.inodes, &available, err);
		if (rc < 0)
			return rc;
		if (available >= wanted)
			break;
		blocks += wanted - available;
	}
	*ret_min_bytes = blocks * EXT4_BLOCK;
	return 0;
}
