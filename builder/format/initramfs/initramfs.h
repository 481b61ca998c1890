/* SPDX-License-Identifier: MIT */
#pragma once
/* The initramfs of an image: our static /init (programs/boot/initramfs), the
 * kernel modules that reach a disk and ext4, and the order to load them in. */

#include "builder/core/tree/tree.h"

/* Makes the initramfs' tree out of an image's own root tree:
 *
 *   /init              `init`, the program
 *   /modules           a driver a line: its modules' files in load order,
 *                      dependencies first; then, where it is loaded on demand
 *                      only, `for` and the aliases of the devices it drives
 *   /lib/NAME.ko       the modules, decompressed
 *   /dev, /proc, /sys, /root   where /init mounts
 *
 * Modules come from /usr/lib/modules/RELEASE (or /lib/modules/RELEASE):
 * virtio-pci, -blk, -scsi, NVMe, AHCI, the SCSI disk driver with the usual
 * server controllers, and ext4, with all that modules.dep says they need.
 * What the kernel has built in or doesn't have is left out; a tree whose kernel
 * has neither a module nor a builtin for ext4 is an error. */
int mkv_initramfs_build(const struct mkv_tree *root, const char *kernel_release,
			struct mkv_content *init, int64_t epoch_s,
			struct mkv_tree **ret_tree,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);

/* The tree as the kernel takes it: cpio, compressed with zstd at a fixed level
 * in one thread, so that equal trees give equal bytes. */
int mkv_initramfs_pack(const struct mkv_tree *tree, struct mkv_content **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
