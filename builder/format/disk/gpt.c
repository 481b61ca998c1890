/* SPDX-License-Identifier: MIT */
#include "builder/format/disk/gpt.h"

#include <string.h>
#include <zlib.h> /* crc32() */

#include "builder/format/disk/utf16.h"
#include "lib/bytes.h"
#include "lib/io.h"

enum {
	HEADER_BYTES = 92,
	ENTRY_BYTES = 128,
	NAME_UNITS = 36,
	ARRAY_BYTES = ENTRY_BYTES * MKV_GPT_ENTRIES,
	ARRAY_SECTORS = ARRAY_BYTES / MKV_GPT_SECTOR_BYTES,
	FIRST_USABLE_LBA = 2 + ARRAY_SECTORS,
	ALIGN_SECTORS = MKV_GPT_ALIGN_BYTES / MKV_GPT_SECTOR_BYTES,
};

const uint8_t mkv_gpt_type_esp[16] = {0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f,
				      0x11, 0xd2, 0xba, 0x4b, 0x00, 0xa0,
				      0xc9, 0x3e, 0xc9, 0x3b};
const uint8_t mkv_gpt_type_root_x86_64[16] = {
	0x4f, 0x68, 0xbc, 0xe3, 0xe8, 0xcd, 0x4d, 0xb1,
	0x96, 0xe7, 0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09};
const uint8_t mkv_gpt_type_linux[16] = {0x0f, 0xc6, 0x3d, 0xaf, 0x84, 0x83,
					0x47, 0x72, 0x8e, 0x79, 0x3d, 0x69,
					0xd8, 0x47, 0x7d, 0xe4};

/* Appendix A: the first three fields of a GUID are stored little-endian. */
static void put_guid(uint8_t *at, const uint8_t uuid[16])
{
	static const uint8_t order[16] = {3, 2, 1,  0,	5,  4,	7,  6,
					  8, 9, 10, 11, 12, 13, 14, 15};
	for (int i = 0; i < 16; i++)
		at[i] = uuid[order[i]];
}

static int check_partition(const struct mkv_gpt_partition *p, size_t number,
			   uint64_t first_free_lba, uint64_t last_usable_lba,
			   struct mkv_error *err)
{
	if (p->first_lba % ALIGN_SECTORS)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"partition %zu starts at sector %llu, which is "
				"not a multiple of 1 MiB",
				number, (unsigned long long)p->first_lba);
	if (p->first_lba < first_free_lba || p->last_lba < p->first_lba ||
	    p->last_lba > last_usable_lba)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"partition %zu, sectors %llu to %llu, is not "
				"inside the free sectors %llu to %llu",
				number, (unsigned long long)p->first_lba,
				(unsigned long long)p->last_lba,
				(unsigned long long)first_free_lba,
				(unsigned long long)last_usable_lba);
	return 0;
}

static int fill_entry(uint8_t *entry, const struct mkv_gpt_partition *p,
		      struct mkv_error *err)
{
	put_guid(entry, p->type);
	put_guid(entry + 16, p->unique);
	mkv_le_put64(entry + 32, p->first_lba);
	mkv_le_put64(entry + 40, p->last_lba);
	mkv_le_put64(entry + 48, p->attributes);
	uint16_t name[NAME_UNITS];
	int units =
		mkv_utf16_from_utf8(p->name ? p->name : "", name, NAME_UNITS);
	if (units < 0)
		return mkv_fail(err, MKV_FAILED, units,
				"partition name '%s': %m", p->name);
	for (int i = 0; i < units; i++)
		mkv_le_put16(entry + 56 + 2 * i, name[i]);
	return 0;
}

static int fill_array(uint8_t *array, const struct mkv_gpt_partition *parts,
		      size_t count, uint64_t last_usable_lba,
		      struct mkv_error *err)
{
	uint64_t first_free_lba = FIRST_USABLE_LBA;
	for (size_t i = 0; i < count; i++) {
		int rc = check_partition(&parts[i], i + 1, first_free_lba,
					 last_usable_lba, err);
		if (rc < 0)
			return rc;
		for (size_t other = 0; other < i; other++)
			if (memcmp(parts[i].unique, parts[other].unique, 16) ==
			    0)
				return mkv_fail(err, MKV_FAILED, EINVAL,
						"partitions %zu and %zu have "
						"the same id",
						other + 1, i + 1);
		rc = fill_entry(array + i * ENTRY_BYTES, &parts[i], err);
		if (rc < 0)
			return rc;
		first_free_lba = parts[i].last_lba + 1;
	}
	return 0;
}

/* Table 5.5, the header. The CRC-32 of section 5.3.2 is that of zlib. */
static void fill_header(uint8_t *sector, uint64_t my_lba, uint64_t other_lba,
			uint64_t array_lba, uint64_t last_usable_lba,
			const uint8_t disk_uuid[16], uint32_t array_crc)
{
	memcpy(sector, "EFI PART", 8);
	mkv_le_put32(sector + 8, 0x00010000);
	mkv_le_put32(sector + 12, HEADER_BYTES);
	mkv_le_put64(sector + 24, my_lba);
	mkv_le_put64(sector + 32, other_lba);
	mkv_le_put64(sector + 40, FIRST_USABLE_LBA);
	mkv_le_put64(sector + 48, last_usable_lba);
	put_guid(sector + 56, disk_uuid);
	mkv_le_put64(sector + 72, array_lba);
	mkv_le_put32(sector + 80, MKV_GPT_ENTRIES);
	mkv_le_put32(sector + 84, ENTRY_BYTES);
	mkv_le_put32(sector + 88, array_crc);
	mkv_le_put32(sector + 16, (uint32_t)crc32(0, sector, HEADER_BYTES));
}

/* Section 5.2.3: one partition of type 0xee over the whole disk. */
static void fill_protective_mbr(uint8_t *sector, uint64_t sectors)
{
	static const uint8_t start_and_type[] = {0x00, 0x00, 0x02, 0x00,
						 0xee, 0xff, 0xff, 0xff};
	memcpy(sector + 446, start_and_type, sizeof(start_and_type));
	mkv_le_put32(sector + 454, 1);
	mkv_le_put32(sector + 458, sectors - 1 > UINT32_MAX
					   ? UINT32_MAX
					   : (uint32_t)(sectors - 1));
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

int mkv_gpt_write(int fd, uint64_t disk_bytes, const uint8_t disk_uuid[16],
		  const struct mkv_gpt_partition *partitions, size_t count,
		  struct mkv_error *err)
{
	uint64_t sectors = disk_bytes / MKV_GPT_SECTOR_BYTES;
	if (disk_bytes % MKV_GPT_SECTOR_BYTES || disk_bytes > INT64_MAX ||
	    sectors < 2 * FIRST_USABLE_LBA || count > MKV_GPT_ENTRIES)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"a disk of %llu bytes can't hold a partition "
				"table with %zu partitions",
				(unsigned long long)disk_bytes, count);
	uint64_t last_usable_lba = sectors - ARRAY_SECTORS - 2;
	/* MBR, header and array in the order of the disk, then the backup
	 * header. */
	enum { FRONT = FIRST_USABLE_LBA * MKV_GPT_SECTOR_BYTES };
	auto_free uint8_t *front = calloc(1, FRONT + MKV_GPT_SECTOR_BYTES);
	if (!front)
		return mkv_oom(err);
	uint8_t *header = front + MKV_GPT_SECTOR_BYTES;
	uint8_t *array = header + MKV_GPT_SECTOR_BYTES;
	uint8_t *backup = front + FRONT;
	int rc = fill_array(array, partitions, count, last_usable_lba, err);
	if (rc < 0)
		return rc;
	uint32_t array_crc = (uint32_t)crc32(0, array, ARRAY_BYTES);
	fill_protective_mbr(front, sectors);
	fill_header(header, 1, sectors - 1, 2, last_usable_lba, disk_uuid,
		    array_crc);
	fill_header(backup, sectors - 1, 1, last_usable_lba + 1,
		    last_usable_lba, disk_uuid, array_crc);
	rc = mkv_pwrite_all(fd, front, FRONT, 0, err);
	if (rc < 0)
		return rc;
	/* The last sectors of the disk: array and backup header. */
	uint64_t end = (last_usable_lba + 1) * MKV_GPT_SECTOR_BYTES;
	rc = mkv_pwrite_all(fd, array, ARRAY_BYTES, end, err);
	if (rc < 0)
		return rc;
	return mkv_pwrite_all(fd, backup, MKV_GPT_SECTOR_BYTES,
			      end + ARRAY_BYTES, err);
}
