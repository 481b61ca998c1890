/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes a GUID partition table: protective MBR, primary and backup header and
 * entry array (UEFI specification 2.10, sections 5.2.3 and 5.3). The output
 * depends only on the arguments. Sectors have 512 bytes, the array has 128
 * entries, and partitions start at a multiple of 1 MiB.
 *
 * UUIDs are 16 bytes in the order of their text (RFC 9562); the writer converts
 * them to the table's mixed-endian form. */

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
	MKV_GPT_SECTOR_BYTES = 512,
	MKV_GPT_ALIGN_BYTES = 1 << 20,
	MKV_GPT_ENTRIES = 128,
	/* Reserved at each end of the disk for the table, rounded up to 1 MiB:
	 * the offset of the first partition, and the distance between the end
	 * of the last partition and the disk's end. */
	MKV_GPT_RESERVE_BYTES = 1 << 20,
};

/* Discoverable Partitions Specification (UAPI group, DPS): partition types. */
extern const uint8_t mkv_gpt_type_esp[16]; /* EFI system partition */
extern const uint8_t mkv_gpt_type_root_x86_64[16];
extern const uint8_t mkv_gpt_type_linux[16]; /* any Linux data */

struct mkv_gpt_partition {
	uint8_t type[16];
	uint8_t unique[16];
	const char *name;    /* UTF-8; at most 36 UTF-16 code units */
	uint64_t first_lba;  /* a multiple of 2048 */
	uint64_t last_lba;   /* inclusive */
	uint64_t attributes; /* table 5.21; 0 for none */
};

/* Writes the table of a disk of `disk_bytes` (a multiple of 512) at the start
 * and at the end of `fd`; the sectors between are not written. Partitions must
 * be in ascending order without overlap, inside the header's usable range, and
 * have different ids: else -EINVAL. */
int mkv_gpt_write(int fd, uint64_t disk_bytes, const uint8_t disk_uuid[16],
		  const struct mkv_gpt_partition *partitions, size_t count,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(3, 6);
