/* SPDX-License-Identifier: MIT */
#pragma once
/* The steps whose results the store keeps: root file systems, layers,
 * initramfs. Each finds its result by the key of its inputs, or makes and keeps
 * it. The code in this directory, with everything that it calls, is an input of
 * every step (mkv_steps_code, Makefile). */

#include "builder/build/build.h"
#include "builder/format/oci/layer.h"

/* Layers are stored, not compressed: under emulation a blob loads faster than
 * it decompresses, and stored blocks do not depend on the version of zlib. */
#define MKV_BUILD_LAYER_LEVEL MKV_GZIP_STORED

/* A root file system of the lock ("image/dut", "oci/postgres"), as dpkg
 * installed it and nothing else: from the store, else built. `ret_sha256` is
 * the digest of its pack. The tree is the caller's to edit. */
int mkv_build_rootfs(const struct mkv_build *build, const char *set,
		     struct mkv_tree **ret, struct mkv_sha256 *ret_sha256,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* The base of such a root (builder/rootfs/install/rootfs.h), into the store;
 * its step tells which bases are the same. Both open the packages. */
int mkv_build_rootfs_base(const struct mkv_build *build, const char *set,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
int mkv_build_rootfs_base_step(const struct mkv_build *build, const char *set,
			       struct mkv_step *ret,
			       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* The step alone, for a plan. */
int mkv_build_rootfs_step(const struct mkv_build *build, const char *set,
			  struct mkv_step *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Likewise those that are made of a root file system's pack: an image's
 * initramfs (kernel_release NULL: the lock's), the layer of what packages
 * install. */
int mkv_build_initramfs_step(const struct mkv_build *build, const char *image,
			     const char *kernel_release,
			     const struct mkv_sha256 *pack,
			     struct mkv_step *ret,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 6);
int mkv_build_layer_step(const struct mkv_sha256 *pack, struct mkv_step *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The layer of what packages install: `tree` is the root file system with the
 * digest `pack`. The layer is the caller's and borrows the tree. */
int mkv_build_package_layer(const struct mkv_build *build,
			    const struct mkv_sha256 *pack,
			    struct mkv_tree *tree, struct mkv_oci_layer **ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* The initramfs of an image: `tree` holds the kernel's modules, as the packages
 * installed them. The content is the caller's. */
int mkv_build_initramfs(const struct mkv_build *build, const char *image,
			const char *kernel_release,
			const struct mkv_sha256 *pack,
			const struct mkv_tree *tree, struct mkv_content **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6, 7);
