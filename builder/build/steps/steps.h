/* SPDX-License-Identifier: MIT */
#pragma once
/* The steps whose results the store keeps: root file systems, layers,
 * initramfs. Each step finds its result by the key of its inputs, or builds and
 * stores the result. The code in this directory, with all code that it calls,
 * is an input of every step (mkv_steps_code, Makefile). */

#include "builder/build/build.h"
#include "builder/format/oci/layer.h"

/* Layers are not compressed: in an emulated machine reading an uncompressed
 * layer is faster than decompressing, and the bytes don't depend on zlib's
 * version. */
#define MKV_BUILD_LAYER_LEVEL MKV_GZIP_STORED

/* A root file system of the lock ("image/dut", "oci/postgres"), exactly as dpkg
 * installed it, from the store or built. `ret_sha256` is the digest of its
 * pack. The caller owns the tree and may edit it. */
int mkv_build_rootfs(const struct mkv_build *build, const char *set,
		     struct mkv_tree **ret, struct mkv_sha256 *ret_sha256,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Builds the base of such a root file system (builder/rootfs/install/rootfs.h)
 * into the store. Equal bases have equal keys of their steps. Both functions
 * open the packages. */
int mkv_build_rootfs_base(const struct mkv_build *build, const char *set,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
int mkv_build_rootfs_base_step(const struct mkv_build *build, const char *set,
			       struct mkv_step *ret,
			       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* The step of a root file system, without building it, for a plan. */
int mkv_build_rootfs_step(const struct mkv_build *build, const char *set,
			  struct mkv_step *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* The steps whose input is a root file system's pack: an image's initramfs
 * (kernel_release NULL: the release in the lock) and the layer of packages. */
int mkv_build_initramfs_step(const struct mkv_build *build, const char *image,
			     const char *kernel_release,
			     const struct mkv_sha256 *pack,
			     struct mkv_step *ret,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5, 6);
int mkv_build_layer_step(const struct mkv_sha256 *pack, struct mkv_step *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The layer of packages: `tree` is the root file system with the digest `pack`.
 * The caller owns the layer, which borrows the tree. */
int mkv_build_package_layer(const struct mkv_build *build,
			    const struct mkv_sha256 *pack,
			    struct mkv_tree *tree, struct mkv_oci_layer **ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* The initramfs of an image: `tree` has the kernel's modules as the packages
 * installed them. The caller owns the content. */
int mkv_build_initramfs(const struct mkv_build *build, const char *image,
			const char *kernel_release,
			const struct mkv_sha256 *pack,
			const struct mkv_tree *tree, struct mkv_content **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6, 7);
