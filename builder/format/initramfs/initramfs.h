/* SPDX-License-Identifier: MIT */
#pragma once
/* The initramfs of an image: the static /init (programs/boot/initramfs), kernel
 * modules for disks and ext4, and their load order. */

#include "builder/core/tree/tree.h"

/* Builds the tree of the initramfs from an image's root tree:
 *
 *   /init              `init`, the program
 *   /modules           one line for each driver: the files of its modules in
 *                      load order, dependencies first; for a driver that is
 *                      loaded on demand, then `for` and its device aliases
 *   /lib/NAME.ko       the modules, decompressed
 *   /dev, /proc, /sys, /root   mount points of /init
 *
 * Modules come from /usr/lib/modules/RELEASE (or /lib/modules/RELEASE):
 * virtio-pci, -blk, -scsi, NVMe, AHCI, the SCSI disk driver with the usual
 * server controllers, and ext4, with their dependencies in modules.dep. Drivers
 * that the kernel has built in or lacks are left out. -ENOENT for a kernel with
 * ext4 neither as a module nor built in, and for a missing module file. */
int mkv_initramfs_build(const struct mkv_tree *root, const char *kernel_release,
			struct mkv_content *init, int64_t epoch_s,
			struct mkv_tree **ret_tree,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* The tree in the kernel's format: cpio, compressed with zstd at a fixed level
 * in one thread, so that equal trees give equal bytes. */
int mkv_initramfs_pack(const struct mkv_tree *tree, struct mkv_content **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
