/* SPDX-License-Identifier: MIT */
#include "builder/format/disk/disk.h"

#include <string.h>

#include "builder/format/disk/fat.h"
#include "builder/format/disk/gpt.h"
#include "builder/format/disk/uki.h"
#include "builder/format/ext4/ext4.h"

enum { MIB = 1 << 20, PARTITIONS_MAX = MKV_GPT_ENTRIES, LABEL_SIZE = 11 };

static int min_size(const struct mkv_disk_partition *p, uint64_t *ret,
		    struct mkv_error *err)
{
	if (p->size_bytes == 0)
		return p->format == MKV_DISK_FAT
			       ? mkv_fat_size(p->tree, ret, err)
			       : mkv_ext4_size(p->tree, ret, err);
	if (p->size_bytes % MIB)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"size of %llu bytes is not a multiple of "
				"1 MiB",
				(unsigned long long)p->size_bytes);
	*ret = p->size_bytes;
	return 0;
}

/* Places the partitions at their minimum sizes, one behind the other from the
 * first MiB on. */
static int lay_out(const struct mkv_disk *disk, struct mkv_disk_extent *extents,
		   uint64_t *ret_total, struct mkv_error *err)
{
	uint64_t at = MKV_GPT_RESERVE_BYTES;
	for (size_t i = 0; i < disk->n_partitions; i++) {
		const struct mkv_disk_partition *p = &disk->partitions[i];
		uint64_t size = 0;
		int rc = min_size(p, &size, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "partition '%s'", p->name);
		extents[i] = (struct mkv_disk_extent){at, size};
		if (size > INT64_MAX - MKV_GPT_RESERVE_BYTES - at)
			return mkv_fail(
				err, MKV_FAILED, EFBIG,
				"the partitions exceed the maximum size of a "
				"file");
		at += size;
	}
	uint64_t need = at + MKV_GPT_RESERVE_BYTES;
	*ret_total = disk->size_bytes ? disk->size_bytes : need;
	if (*ret_total % MIB || *ret_total < need)
		return mkv_fail(err, MKV_FAILED, ENOSPC,
				"the partitions need %llu MiB and the disk has "
				"%llu MiB",
				(unsigned long long)(need / MIB),
				(unsigned long long)(*ret_total / MIB));
	return 0;
}

/* Gives the remaining space to the last partition without a size of its own and
 * moves the partitions behind it. */
static void distribute_remaining(const struct mkv_disk *disk,
				 struct mkv_disk_extent *extents,
				 uint64_t total)
{
	size_t last = disk->n_partitions;
	uint64_t end = MKV_GPT_RESERVE_BYTES;
	for (size_t i = 0; i < disk->n_partitions; i++) {
		end += extents[i].size_bytes;
		if (disk->partitions[i].size_bytes == 0)
			last = i;
	}
	uint64_t left = total - MKV_GPT_RESERVE_BYTES - end;
	if (last == disk->n_partitions || left == 0)
		return;
	extents[last].size_bytes += left;
	for (size_t i = last + 1; i < disk->n_partitions; i++)
		extents[i].offset_bytes += left;
}

static int write_table(const struct mkv_disk *disk, int fd, uint64_t total,
		       const struct mkv_disk_extent *extents,
		       struct mkv_error *err)
{
	struct mkv_gpt_partition rows[PARTITIONS_MAX] = {0};
	for (size_t i = 0; i < disk->n_partitions; i++) {
		const struct mkv_disk_partition *p = &disk->partitions[i];
		uint64_t first = extents[i].offset_bytes / MKV_GPT_SECTOR_BYTES;
		memcpy(rows[i].type, p->type, sizeof(rows[i].type));
		memcpy(rows[i].unique, p->partition_uuid,
		       sizeof(rows[i].unique));
		rows[i].name = p->name;
		rows[i].first_lba = first;
		rows[i].last_lba = first - 1 +
				   extents[i].size_bytes / MKV_GPT_SECTOR_BYTES;
	}
	return mkv_gpt_write(fd, total, disk->uuid, rows, disk->n_partitions,
			     err);
}

static int write_fat(const struct mkv_disk_partition *p, int fd,
		     const struct mkv_disk_extent *extent, int64_t epoch_s,
		     struct mkv_error *err)
{
	const uint8_t *id = p->fs_uuid;
	struct mkv_fat_options options = {
		.size_bytes = extent->size_bytes,
		.volume_id = (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 |
			     (uint32_t)id[2] << 8 | id[3],
		.epoch_s = epoch_s,
	};
	uint64_t hidden = extent->offset_bytes / MKV_GPT_SECTOR_BYTES;
	options.hidden_sectors = hidden > UINT32_MAX ? 0 : (uint32_t)hidden;
	size_t length = p->label ? strlen(p->label) : 0;
	if (length > LABEL_SIZE)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"label '%s' is longer than 11 bytes", p->label);
	if (length) {
		memset(options.label, ' ', LABEL_SIZE);
		memcpy(options.label, p->label, length);
	}
	return mkv_fat_write(p->tree, fd, extent->offset_bytes, &options, err);
}

static int write_ext4(const struct mkv_disk_partition *p, int fd,
		      const struct mkv_disk_extent *extent, int64_t epoch_s,
		      struct mkv_error *err)
{
	struct mkv_ext4_options options = {
		.label = p->label,
		.epoch_s = epoch_s,
		.size_bytes = extent->size_bytes,
	};
	memcpy(options.uuid, p->fs_uuid, sizeof(options.uuid));
	int rc = mkv_uuid5(p->fs_uuid, "hash seed", options.hash_seed, err);
	if (rc < 0)
		return rc;
	return mkv_ext4_write(p->tree, fd, extent->offset_bytes, &options, err);
}

int mkv_disk_write(const struct mkv_disk *disk, int fd,
		   struct mkv_disk_extent *ret_extents, struct mkv_error *err)
{
	struct mkv_disk_extent extents[PARTITIONS_MAX];
	if (disk->n_partitions == 0 || disk->n_partitions > PARTITIONS_MAX)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"a disk can't have %zu partitions",
				disk->n_partitions);
	uint64_t total = 0;
	int rc = lay_out(disk, extents, &total, err);
	if (rc < 0)
		return rc;
	distribute_remaining(disk, extents, total);
	if (ftruncate(fd, (off_t)total) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"extend the disk image to %llu bytes: %m",
				(unsigned long long)total);
	rc = write_table(disk, fd, total, extents, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < disk->n_partitions; i++) {
		const struct mkv_disk_partition *p = &disk->partitions[i];
		rc = p->format == MKV_DISK_FAT
			     ? write_fat(p, fd, &extents[i], disk->epoch_s, err)
			     : write_ext4(p, fd, &extents[i], disk->epoch_s,
					  err);
		if (rc < 0)
			return mkv_wrap(err, rc, "partition '%s'", p->name);
	}
	if (ret_extents)
		memcpy(ret_extents, extents,
		       disk->n_partitions * sizeof(extents[0]));
	return 0;
}

int mkv_disk_esp_tree(struct mkv_content *uki, int64_t epoch_s,
		      struct mkv_tree **ret, struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_tree_new(epoch_s, &tree, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_make_dirs(tree, "/EFI/BOOT", err);
	if (rc < 0)
		return rc;
	auto_content struct mkv_content *held = mkv_content_ref(uki);
	auto_inode struct mkv_inode *inode =
		mkv_inode_file(0644, 0, 0, epoch_s, held);
	if (!inode)
		return mkv_oom(err);
	held = NULL; /* the inode took over the reference */
	rc = mkv_tree_put(tree, MKV_UKI_ESP_PATH, inode, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(tree);
	return 0;
}
