/* SPDX-License-Identifier: MIT */
#include "builder/format/ext4/ext4_internal.h"

#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include "lib/grow.h"
#include "lib/io.h"

static void register_messages(void)
{
	initialize_ext2_error_table();
}

int ext4_fail(struct mkv_error *err, errcode_t code, const char *what)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	(void)pthread_once(&once, register_messages);
	bool is_full = code == EXT2_ET_BLOCK_ALLOC_FAIL ||
		       code == EXT2_ET_INODE_ALLOC_FAIL ||
		       code == EXT2_ET_TOOSMALL || code == ENOSPC;
	int number = is_full		       ? ENOSPC
		     : code > 0 && code < 4096 ? (int)code
					       : EIO;
	return mkv_fail(err, MKV_FAILED, number, "ext4: %s: %s", what,
			error_message(code));
}

/* The defaults of mke2fs. */
blk64_t ext4_journal_blocks(blk64_t blocks)
{
	if (blocks < 32768)
		return 1024;
	if (blocks < 256 * 1024)
		return 4096;
	if (blocks < 512 * 1024)
		return 8192;
	if (blocks < 4096 * 1024)
		return 16384;
	return 32768;
}

static void set_parameters(const struct mkv_ext4_options *options,
			   uint64_t n_inodes, struct ext2_super_block *super)
{
	uint64_t blocks = options->size_bytes / EXT4_BLOCK;
	ext2fs_blocks_count_set(super, blocks);
	super->s_rev_level = EXT2_DYNAMIC_REV;
	super->s_log_block_size = 2;
	super->s_log_cluster_size = 2;
	super->s_inode_size = 256;
	super->s_first_ino = EXT2_GOOD_OLD_FIRST_INO;
	super->s_desc_size = 64;
	super->s_min_extra_isize = super->s_want_extra_isize = 32;
	super->s_log_groups_per_flex = 4;
	super->s_errors = EXT2_ERRORS_CONTINUE;
	super->s_max_mnt_count = -1;
	/* One for 16 KiB, and at least 25 % more than the tree has. */
	uint64_t wanted = n_inodes + n_inodes / 4 + 64;
	if (wanted < blocks / 4)
		wanted = blocks / 4;
	super->s_inodes_count =
		wanted > UINT32_MAX ? UINT32_MAX : (uint32_t)wanted;
	super->s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL |
				  EXT2_FEATURE_COMPAT_EXT_ATTR |
				  EXT2_FEATURE_COMPAT_RESIZE_INODE |
				  EXT2_FEATURE_COMPAT_DIR_INDEX;
	super->s_feature_incompat =
		EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS |
		EXT4_FEATURE_INCOMPAT_64BIT | EXT4_FEATURE_INCOMPAT_FLEX_BG;
	super->s_feature_ro_compat = EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER |
				     EXT2_FEATURE_RO_COMPAT_LARGE_FILE |
				     EXT4_FEATURE_RO_COMPAT_HUGE_FILE |
				     EXT4_FEATURE_RO_COMPAT_DIR_NLINK |
				     EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE |
				     EXT4_FEATURE_RO_COMPAT_METADATA_CSUM;
}

/* Sets all fields that libext2fs derives from the clock, the host or random
 * numbers. */
static void set_identity(ext2_filsys fs, const struct mkv_ext4_options *options)
{
	struct ext2_super_block *super = fs->super;
	fs->now = (time_t)options->epoch_s;
	memcpy(super->s_uuid, options->uuid, sizeof(super->s_uuid));
	memcpy(super->s_hash_seed, options->hash_seed,
	       sizeof(super->s_hash_seed));
	if (options->label)
		memcpy(super->s_volume_name, options->label,
		       strnlen(options->label, sizeof(super->s_volume_name)));
	super->s_def_hash_version = EXT2_HASH_HALF_MD4;
	super->s_flags = EXT2_FLAGS_SIGNED_HASH;
	super->s_creator_os = EXT2_OS_LINUX;
	super->s_checksum_type = EXT2_CRC32C_CHKSUM;
	super->s_default_mount_opts = EXT2_DEFM_XATTR_USER | EXT2_DEFM_ACL;
	super->s_mkfs_time = super->s_wtime = super->s_lastcheck =
		(uint32_t)options->epoch_s;
	super->s_mkfs_time_hi = super->s_wtime_hi = super->s_lastcheck_hi = 0;
	super->s_mtime = 0;
	super->s_kbytes_written = 0;
	super->s_checkinterval = 0;
	super->s_max_mnt_count = -1;
	super->s_min_extra_isize = super->s_want_extra_isize = 32;
	ext2fs_init_csum_seed(fs);
}

int ext4_open(const struct mkv_ext4_options *options, uint64_t n_inodes, int fd,
	      uint64_t offset, ext2_filsys *ret, struct mkv_error *err)
{
	struct ext2_super_block super;
	memset(&super, 0, sizeof(super));
	set_parameters(options, n_inodes, &super);
	char name[64];
	(void)snprintf(name, sizeof(name), "%d:%" PRIu64, fd, offset);
	ext2_filsys fs = NULL;
	errcode_t code = ext2fs_initialize(name, EXT2_FLAG_64BITS, &super,
					   &ext4_io_manager, &fs);
	if (code)
		return ext4_fail(err, code, "lay out the file system");
	set_identity(fs, options);
	code = ext2fs_allocate_tables(fs);
	if (code) {
		ext2fs_free(fs);
		return ext4_fail(err, code, "lay out the inode tables");
	}
	for (dgrp_t group = 0; group < fs->group_desc_count; group++)
		ext2fs_bg_flags_set(fs, group, EXT2_BG_INODE_ZEROED);
	*ret = fs;
	return 0;
}

static void builder_done(struct ext4_builder *builder)
{
	free(builder->nodes);
	free(builder->runs.items);
	free(builder->blocks);
	if (builder->fs)
		ext2fs_free(builder->fs);
}

static int add_node(struct ext4_builder *builder, struct mkv_inode *inode,
		    ext2_ino_t number, ext2_ino_t parent, struct mkv_error *err)
{
	struct ext4_node *node = mkv_grow(&builder->nodes, &builder->n_nodes);
	if (!node)
		return mkv_oom(err);
	inode->mark = number;
	*node = (struct ext4_node){inode, number, parent};
	return 0;
}

/* Numbers all entries of a directory, then those of each subdirectory, so that
 * inodes of one directory are adjacent. */
static int number_children(struct ext4_builder *builder, struct mkv_inode *dir,
			   ext2_ino_t *next, struct mkv_error *err)
{
	size_t count;
	const struct mkv_tree_entry *entries = mkv_inode_children(dir, &count);
	for (size_t i = 0; i < count; i++) {
		if (entries[i].inode->mark)
			continue;
		int rc = add_node(builder, entries[i].inode, (*next)++,
				  (ext2_ino_t)dir->mark, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < count; i++) {
		if (!entries[i].inode->children)
			continue;
		int rc = number_children(builder, entries[i].inode, next, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int number_all(struct ext4_builder *builder, struct mkv_error *err)
{
	struct mkv_inode *root = mkv_tree_root(builder->tree);
	struct mkv_inode *lost = mkv_tree_lookup(builder->tree, "/lost+found");
	ext2_ino_t next = EXT2_GOOD_OLD_FIRST_INO + 1;
	mkv_tree_clear_marks(builder->tree);
	int rc = add_node(builder, root, EXT2_ROOT_INO, EXT2_ROOT_INO, err);
	if (rc < 0)
		return rc;
	rc = add_node(builder, lost, EXT2_GOOD_OLD_FIRST_INO, EXT2_ROOT_INO,
		      err);
	return rc < 0 ? rc : number_children(builder, root, &next, err);
}

/* Searches the path of an inode. */
struct search {
	const struct mkv_inode *inode;
	char path[1024];
};

static int match_inode(const char *path, struct mkv_inode *inode, void *context,
		       struct mkv_error *err)
{
	struct search *search = context;
	(void)err;
	if (inode != search->inode)
		return 0;
	(void)snprintf(search->path, sizeof(search->path), "%s", path);
	return -EEXIST;
}

/* Adds the path of a node to an error about it. */
static int wrap_path(const struct ext4_builder *builder,
		     const struct ext4_node *node, int rc,
		     struct mkv_error *err)
{
	struct search search = {.inode = node->inode};
	struct mkv_error ignored;
	if (err->code == ENOSPC || err->code == ENOMEM)
		return rc;
	if (mkv_tree_walk(builder->tree, match_inode, &search, &ignored) < 0)
		return mkv_wrap(err, rc, "'%s'", search.path);
	return rc;
}

static int write_nodes(struct ext4_builder *builder, struct mkv_error *err)
{
	/* All directories first, so that their blocks are adjacent. */
	for (size_t i = 0; i < builder->n_nodes; i++) {
		const struct ext4_node *node = &builder->nodes[i];
		int rc = node->inode->children
				 ? ext4_write_dir(builder, node, err)
				 : 0;
		if (rc < 0)
			return wrap_path(builder, node, rc, err);
	}
	for (size_t i = 0; i < builder->n_nodes; i++) {
		const struct ext4_node *node = &builder->nodes[i];
		int rc = node->inode->children
				 ? 0
				 : ext4_write_node(builder, node, err);
		if (rc < 0)
			return wrap_path(builder, node, rc, err);
		rc = ext4_write_xattrs(builder, node, err);
		if (rc < 0)
			return wrap_path(builder, node, rc, err);
	}
	return 0;
}

/* Marks the inodes below the first free one as used and writes them empty, with
 * their checksums. */
static int write_reserved(struct ext4_builder *builder, struct mkv_error *err)
{
	ext2_filsys fs = builder->fs;
	char empty[256] = {0};
	for (ext2_ino_t number = 1; number < EXT2_GOOD_OLD_FIRST_INO;
	     number++) {
		ext2fs_inode_alloc_stats2(fs, number, +1,
					  number == EXT2_ROOT_INO);
		errcode_t code = ext2fs_write_inode_full(
			fs, number, (struct ext2_inode *)(void *)empty,
			sizeof(empty));
		if (code)
			return ext4_fail(err, code, "write reserved inodes");
	}
	return 0;
}

/* The resize inode reserves blocks for further group descriptors, so that the
 * file system can grow while it is mounted. */
static int write_resize_inode(struct ext4_builder *builder,
			      struct mkv_error *err)
{
	struct ext2_inode_large inode = {0};
	errcode_t code = ext2fs_create_resize_inode(builder->fs);
	if (!code)
		code = ext2fs_read_inode_full(builder->fs, EXT2_RESIZE_INO,
					      (struct ext2_inode *)&inode,
					      sizeof(inode));
	if (code)
		return ext4_fail(err, code, "write the resize inode");
	ext4_set_times(builder, builder->options->epoch_s, &inode);
	inode.i_extra_isize = sizeof(inode) - EXT2_GOOD_OLD_INODE_SIZE;
	code = ext2fs_write_inode_full(builder->fs, EXT2_RESIZE_INO,
				       (struct ext2_inode *)&inode,
				       sizeof(inode));
	return code ? ext4_fail(err, code, "write the resize inode") : 0;
}

static int write_journal_superblock(struct ext4_builder *builder,
				    blk64_t blocks, struct mkv_error *err)
{
	ext2_filsys fs = builder->fs;
	char *journal = NULL;
	errcode_t code = ext2fs_create_journal_superblock(fs, (uint32_t)blocks,
							  0, &journal);
	if (!code)
		code = io_channel_write_blk64(
			fs->io, builder->runs.items[0].start, 1, journal);
	ext2fs_free_mem(&journal);
	return code ? ext4_fail(err, code, "write the journal") : 0;
}

/* An empty journal: all blocks after its superblock are zeros already. */
static int write_journal(struct ext4_builder *builder, struct mkv_error *err)
{
	struct ext2_super_block *super = builder->fs->super;
	blk64_t blocks = ext4_journal_blocks(ext2fs_blocks_count(super));
	int rc = ext4_allocate(builder, blocks, err);
	if (rc < 0)
		return rc;
	rc = write_journal_superblock(builder, blocks, err);
	if (rc < 0)
		return rc;
	struct ext2_inode_large inode = {
		.i_mode = S_IFREG | 0600,
		.i_links_count = 1,
		.i_extra_isize = sizeof(inode) - EXT2_GOOD_OLD_INODE_SIZE,
	};
	ext4_set_times(builder, builder->options->epoch_s, &inode);
	rc = ext4_write_mapped(builder, EXT2_JOURNAL_INO, &inode,
			       blocks * EXT4_BLOCK, err);
	if (rc < 0)
		return rc;
	super->s_journal_inum = EXT2_JOURNAL_INO;
	memcpy(super->s_jnl_blocks, inode.i_block, sizeof(inode.i_block));
	super->s_jnl_blocks[15] = inode.i_size_high;
	super->s_jnl_blocks[16] = inode.i_size;
	super->s_jnl_backup_type = EXT3_JNL_BACKUP_BLOCKS;
	ext2fs_mark_super_dirty(builder->fs);
	return 0;
}

static int check_options(const struct mkv_ext4_options *options,
			 struct mkv_error *err)
{
	if (options->epoch_s < 1 || options->epoch_s > UINT32_MAX)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"ext4: the time %" PRId64
				" is out of range (1 to %" PRIu32 ")",
				options->epoch_s, UINT32_MAX);
	if (options->label && strlen(options->label) > EXT2_LABEL_LEN)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"ext4: the label '%s' is longer than 16 bytes",
				options->label);
	return 0;
}

static int close_fs(struct ext4_builder *builder, struct mkv_error *err)
{
	ext2_filsys fs = mkv_take(builder->fs);
	errcode_t code = ext2fs_set_gdt_csum(fs);
	if (code == 0)
		code = ext2fs_flush2(fs, EXT2_FLAG_FLUSH_NO_SYNC);
	if (code == 0)
		code = io_channel_flush(fs->io);
	ext2fs_free(fs);
	return code ? ext4_fail(err, code, "write the tables") : 0;
}

/* e2fsck needs /lost+found: *ret is a copy of the tree with it, or NULL when
 * the tree has it already. */
static int add_lost_found(const struct mkv_tree *tree,
			  const struct mkv_ext4_options *options,
			  struct mkv_tree **ret, struct mkv_error *err)
{
	const struct mkv_inode *existing = mkv_tree_lookup(tree, "/lost+found");
	if (existing && existing->children) {
		*ret = NULL;
		return 0;
	}
	if (existing)
		return mkv_fail(err, MKV_FAILED, ENOTDIR,
				"ext4: '/lost+found' is not a directory");
	auto_tree struct mkv_tree *copy = NULL;
	auto_inode struct mkv_inode *lost =
		mkv_inode_new(S_IFDIR | 0700, 0, 0, options->epoch_s);
	if (!lost)
		return mkv_oom(err);
	int rc = mkv_tree_clone(tree, &copy, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_put(copy, "/lost+found", lost, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(copy);
	return 0;
}

static int write_fs(struct ext4_builder *builder, struct mkv_error *err)
{
	struct ext4_need need;
	int rc = ext4_count(builder->tree, &need, err);
	if (rc < 0)
		return rc;
	rc = ext4_open(builder->options, need.inodes, builder->fd,
		       builder->offset, &builder->fs, err);
	if (rc < 0)
		return rc;
	rc = number_all(builder, err);
	if (rc < 0)
		return rc;
	rc = write_reserved(builder, err);
	if (rc < 0)
		return rc;
	rc = write_resize_inode(builder, err);
	if (rc < 0)
		return rc;
	rc = write_journal(builder, err);
	if (rc < 0)
		return rc;
	rc = write_nodes(builder, err);
	return rc < 0 ? rc : close_fs(builder, err);
}

int mkv_ext4_write(const struct mkv_tree *tree, int fd, uint64_t offset,
		   const struct mkv_ext4_options *options,
		   struct mkv_error *err)
{
	auto_tree struct mkv_tree *own_tree = NULL;
	int rc = check_options(options, err);
	if (rc < 0)
		return rc;
	rc = add_lost_found(tree, options, &own_tree, err);
	if (rc < 0)
		return rc;
	__attribute__((cleanup(builder_done))) struct ext4_builder builder = {
		.tree = own_tree ? own_tree : tree,
		.options = options,
		.fd = fd,
		.offset = offset,
	};
	return write_fs(&builder, err);
}
