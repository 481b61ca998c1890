/* SPDX-License-Identifier: MIT */
#pragma once
/* What the files about one disk share. */

#include "builder/evidence/audit/audit_internal.h"
#include "builder/evidence/audit/gpt.h"
#include "builder/evidence/audit/guest.h"
#include "builder/evidence/audit/table.h"

struct mkv_audit_of_disk {
	struct mkv_audit *audit;
	const char *name;	/* "dut/disk.raw" */
	const char *path;	/* where it can be opened by other programs */
	const char *image_name; /* of the contract, or NULL: not known */
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
 * files; and the command line names this root file system. */
int mkv_disk_check_boot(struct mkv_audit_of_disk *disk,
			const struct mkv_audit_table *root,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The other forms of the same image, IMAGE/rootfs.tar against the list of files
 * and IMAGE/disk.qcow2 against the disk, where the appliance has them. */
int mkv_disk_check_copies(struct mkv_audit_of_disk *disk,
			  const struct mkv_audit_table *want,
			  const char *const *except,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Other partitions hold an empty file system. */
int mkv_disk_check_partitions(struct mkv_audit_of_disk *disk,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
