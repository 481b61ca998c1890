/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files that audit one disk. */

#include "builder/evidence/audit/audit_internal.h"
#include "builder/evidence/audit/gpt.h"
#include "builder/evidence/audit/guest.h"
#include "builder/evidence/audit/table.h"

struct mkv_audit_of_disk {
	struct mkv_audit *audit;
	const char *name;	/* "dut/disk.raw" */
	const char *path;	/* by which other processes can open it */
	const char *image_name; /* in the contract, or NULL: unknown */
	const struct mkv_contract *contract;
	const struct mkv_contract_image *image;
	struct mkv_audit_partition partitions[MKV_AUDIT_PARTITIONS_MAX];
	size_t n_partitions;
	const struct mkv_audit_partition *root;
	struct mkv_audit_guest *guest;
};

/* Adds a finding at a path inside the disk; "" for the disk itself. */
void mkv_disk_add(const struct mkv_audit_of_disk *disk, const char *path,
		  const char *text) mkv_nonnull(1, 2, 3);
/* Turns an error into a finding and returns 1; -ENOMEM stays an error. */
int mkv_disk_unreadable(const struct mkv_audit_of_disk *disk, const char *path,
			int rc, const struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* The ESP: its unified kernel image holds the contract's command line and
 * initramfs, the kernel of the root file system and the appliance's own boot
 * files; the command line names this disk's root file system. */
int mkv_disk_check_boot(struct mkv_audit_of_disk *disk,
			const struct mkv_audit_table *root,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The image's other formats, where the appliance has them: IMAGE/rootfs.tar
 * against the list of files, IMAGE/disk.qcow2 against the disk. */
int mkv_disk_check_copies(struct mkv_audit_of_disk *disk,
			  const struct mkv_audit_table *want,
			  const char *const *except,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Partitions other than root and ESP hold an empty file system. */
int mkv_disk_check_partitions(struct mkv_audit_of_disk *disk,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
