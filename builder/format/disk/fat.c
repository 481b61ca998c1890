/* SPDX-License-Identifier: MIT */
#include "builder/format/disk/fat.h"

#include <string.h>

#include "builder/format/disk/fat_internal.h"
#include "lib/bytes.h"
#include "lib/io.h"

enum {
	MIB = 1 << 20,
	/* Section "FAT Type Determination". */
	FAT16_CLUSTERS_MIN = 4085,
	FAT32_CLUSTERS_MIN = 65525,
	FAT32_CLUSTERS_MAX = 0x0ffffff5 - 2,
	FAT16_ROOT_ENTRIES = 512,
	FAT32_RESERVED_SECTORS = 32,
	FAT32_BACKUP_SECTOR = 6,
	MEDIA_FIXED = 0xf8,
	FAT32_MIB_MIN = 34,
	SPARE_BYTES = MIB,
};

/* Section "FAT Type Determination". The size of the FAT is that for all
 * sectors, which is enough for those that remain behind the FATs. False: the
 * number of clusters is not in the range of this type. */
static bool try_geometry(uint64_t sectors, unsigned per_cluster, bool fat32,
			 struct mkv_fat_geometry *ret)
{
	uint32_t reserved = fat32 ? FAT32_RESERVED_SECTORS : 1;
	uint32_t root = fat32 ? 0 : FAT16_ROOT_ENTRIES * 32 / MKV_FAT_SECTOR;
	uint64_t entry_bytes = fat32 ? 4 : 2;
	uint64_t max = (sectors - reserved - root) / per_cluster;
	uint64_t fat_sectors =
		((max + 2) * entry_bytes + MKV_FAT_SECTOR - 1) / MKV_FAT_SECTOR;
	uint64_t before = reserved + root + 2 * fat_sectors;
	if (before >= sectors)
		return false;
	uint64_t clusters = (sectors - before) / per_cluster;
	if (fat32 ? clusters < FAT32_CLUSTERS_MIN + 16 ||
			    clusters > FAT32_CLUSTERS_MAX
		  : clusters < FAT16_CLUSTERS_MIN + 16 ||
			    clusters >= FAT32_CLUSTERS_MIN - 16)
		return false;
	*ret = (struct mkv_fat_geometry){
		.fat32 = fat32,
		.sectors = (uint32_t)sectors,
		.sectors_per_cluster = per_cluster,
		.cluster_bytes = per_cluster * MKV_FAT_SECTOR,
		.reserved_sectors = reserved,
		.fat_sectors = (uint32_t)fat_sectors,
		.root_entries = fat32 ? 0 : FAT16_ROOT_ENTRIES,
		.root_sector = reserved + 2 * (uint32_t)fat_sectors,
		.data_sector = (uint32_t)before,
		.clusters = (uint32_t)clusters,
	};
	return true;
}

/* FAT32 wherever the size allows it, as firmware expects of an ESP, with the
 * largest possible cluster up to 4 KiB (larger clusters from 8 GiB on); else
 * FAT16. */
static int choose_geometry(uint64_t size_bytes, struct mkv_fat_geometry *ret,
			   struct mkv_error *err)
{
	uint64_t sectors = size_bytes / MKV_FAT_SECTOR;
	if (size_bytes == 0 || size_bytes % MIB || sectors > UINT32_MAX)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"a FAT file system can't have %llu bytes",
				(unsigned long long)size_bytes);
	unsigned max = 8;
	while (max < 64 && sectors / max > 2 * MIB)
		max *= 2;
	for (unsigned each = max; each; each /= 2)
		if (try_geometry(sectors, each, true, ret))
			return 0;
	for (unsigned each = 1; each <= 64; each *= 2)
		if (try_geometry(sectors, each, false, ret))
			return 0;
	return mkv_fail(err, MKV_FAILED, EINVAL,
			"a FAT file system of %llu bytes is too small: the "
			"minimum is 3 MiB",
			(unsigned long long)size_bytes);
}

/* Section "Boot Sector and BPB Structure", with the fields of FAT16 or FAT32.
 */
static void fill_boot_sector(uint8_t *sector, const struct mkv_fat_geometry *g,
			     const struct mkv_fat_options *options)
{
	memcpy(sector, g->fat32 ? "\xeb\x58\x90" : "\xeb\x3c\x90", 3);
	memcpy(sector + 3, "MKVBENCH", 8);
	mkv_le_put16(sector + 11, MKV_FAT_SECTOR);
	sector[13] = (uint8_t)g->sectors_per_cluster;
	mkv_le_put16(sector + 14, (uint16_t)g->reserved_sectors);
	sector[16] = 2;
	mkv_le_put16(sector + 17, (uint16_t)g->root_entries);
	if (!g->fat32 && g->sectors <= UINT16_MAX)
		mkv_le_put16(sector + 19, (uint16_t)g->sectors);
	else
		mkv_le_put32(sector + 32, g->sectors);
	sector[21] = MEDIA_FIXED;
	mkv_le_put16(sector + 24, 63); /* CHS geometry, unused */
	mkv_le_put16(sector + 26, 255);
	mkv_le_put32(sector + 28, options->hidden_sectors);
	uint8_t *extended = sector + 36;
	if (g->fat32) {
		mkv_le_put32(sector + 36, g->fat_sectors);
		mkv_le_put32(sector + 44, MKV_FAT_ROOT_CLUSTER);
		mkv_le_put16(sector + 48, 1); /* FSInfo */
		mkv_le_put16(sector + 50, FAT32_BACKUP_SECTOR);
		extended = sector + 64;
	} else {
		mkv_le_put16(sector + 22, (uint16_t)g->fat_sectors);
	}
	extended[0] = 0x80;
	extended[2] = 0x29;
	mkv_le_put32(extended + 3, options->volume_id);
	memcpy(extended + 7, options->label[0] ? options->label : "NO NAME    ",
	       11);
	memcpy(extended + 18, g->fat32 ? "FAT32   " : "FAT16   ", 8);
	/* Boot code for a BIOS: int 18h, then halt. */
	memcpy(extended + 26, "\xcd\x18\xf4\xeb\xfd", 5);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

/* Section "FAT32 FSInfo Sector Structure". */
static void fill_fsinfo(uint8_t *sector, const struct mkv_fat_geometry *g,
			uint32_t used)
{
	mkv_le_put32(sector, 0x41615252);
	mkv_le_put32(sector + 484, 0x61417272);
	mkv_le_put32(sector + 488, g->clusters - used);
	mkv_le_put32(sector + 492, used < g->clusters
					   ? MKV_FAT_ROOT_CLUSTER + used
					   : UINT32_MAX);
	mkv_le_put32(sector + 508, 0xaa550000);
}

static int write_reserved(int fd, uint64_t offset,
			  const struct mkv_fat_geometry *g,
			  const struct mkv_fat_options *options, uint32_t used,
			  struct mkv_error *err)
{
	enum { BACKUP = FAT32_BACKUP_SECTOR * MKV_FAT_SECTOR };
	uint8_t area[BACKUP + 3 * MKV_FAT_SECTOR] = {0};
	fill_boot_sector(area, g, options);
	if (!g->fat32)
		return mkv_pwrite_all(fd, area, MKV_FAT_SECTOR, offset, err);
	fill_fsinfo(area + MKV_FAT_SECTOR, g, used);
	area[3 * MKV_FAT_SECTOR - 2] = 0x55;
	area[3 * MKV_FAT_SECTOR - 1] = 0xaa;
	memcpy(area + BACKUP, area, 3 * MKV_FAT_SECTOR);
	return mkv_pwrite_all(fd, area, sizeof(area), offset, err);
}

static void set_fat_entry(const struct mkv_fat_geometry *g, uint8_t *fat,
			  uint32_t cluster, uint32_t value)
{
	if (g->fat32)
		mkv_le_put32(fat + (size_t)4 * cluster, value);
	else
		mkv_le_put16(fat + (size_t)2 * cluster, (uint16_t)value);
}

/* Both FATs, up to the last used cluster. Every chain is one run. */
static int write_fats(int fd, uint64_t offset, const struct mkv_fat_geometry *g,
		      const struct mkv_fat_plan *plan, struct mkv_error *err)
{
	enum { END = 0x0fffffff };
	size_t size = (size_t)plan->next_cluster * (g->fat32 ? 4 : 2);
	auto_free uint8_t *fat = calloc(1, size);
	if (!fat)
		return mkv_oom(err);
	set_fat_entry(g, fat, 0, 0x0fffff00 | MEDIA_FIXED);
	set_fat_entry(g, fat, 1, END);
	for (uint32_t i = MKV_FAT_ROOT_CLUSTER; i < plan->next_cluster; i++)
		set_fat_entry(g, fat, i, i + 1);
	for (size_t i = 0; i < plan->n_nodes; i++) {
		const struct mkv_fat_node *node = &plan->nodes[i];
		if (node->n_clusters)
			set_fat_entry(g, fat,
				      node->first_cluster + node->n_clusters -
					      1,
				      END);
	}
	for (unsigned copy = 0; copy < 2; copy++) {
		uint64_t sector = g->reserved_sectors + copy * g->fat_sectors;
		int rc = mkv_pwrite_all(fd, fat, size,
					offset + sector * MKV_FAT_SECTOR, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_fat_write(const struct mkv_tree *tree, int fd, uint64_t offset,
		  const struct mkv_fat_options *options, struct mkv_error *err)
{
	struct mkv_fat_geometry g;
	int rc = choose_geometry(options->size_bytes, &g, err);
	if (rc < 0)
		return rc;
	auto_fat_plan struct mkv_fat_plan plan = {
		.geometry = &g, .has_label = options->label[0] != '\0'};
	rc = mkv_fat_plan(tree, &plan, err);
	if (rc < 0)
		return rc;
	uint32_t used = plan.next_cluster - MKV_FAT_ROOT_CLUSTER;
	if (used > g.clusters)
		return mkv_fail(err, MKV_FAILED, ENOSPC,
				"the files need %llu bytes and the FAT file "
				"system has %llu",
				(unsigned long long)used * g.cluster_bytes,
				(unsigned long long)g.clusters *
					g.cluster_bytes);
	rc = write_reserved(fd, offset, &g, options, used, err);
	if (rc < 0)
		return rc;
	rc = write_fats(fd, offset, &g, &plan, err);
	if (rc < 0)
		return rc;
	return mkv_fat_write_data(&plan, fd, offset, options, err);
}

int mkv_fat_size(const struct mkv_tree *tree, uint64_t *ret_bytes,
		 struct mkv_error *err)
{
	uint64_t size = (uint64_t)FAT32_MIB_MIN * MIB;
	for (;;) {
		struct mkv_fat_geometry g;
		int rc = choose_geometry(size, &g, err);
		if (rc < 0)
			return rc;
		auto_fat_plan struct mkv_fat_plan plan = {.geometry = &g,
							  .has_label = true};
		rc = mkv_fat_plan(tree, &plan, err);
		if (rc < 0)
			return rc;
		uint64_t need =
			(uint64_t)(plan.next_cluster - MKV_FAT_ROOT_CLUSTER) *
				g.cluster_bytes +
			SPARE_BYTES;
		uint64_t have = (uint64_t)g.clusters * g.cluster_bytes;
		if (need <= have) {
			*ret_bytes = size;
			return 0;
		}
		size += (need - have + MIB - 1) / MIB * MIB;
	}
}
