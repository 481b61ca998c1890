/* SPDX-License-Identifier: MIT */
#pragma once
/* From .debs to a root file tree, as dpkg itself would have installed them, in
 * a sandbox without network, then normalised so that it depends on nothing but
 * the packages, their order and the options. */

#include <stdbool.h>
#include <stdint.h>

#include "builder/core/progress/progress.h"

/* Counts up whenever the same packages would give another tree; belongs to the
 * key of the step. */
enum { MKV_ROOTFS_VERSION = 3 };

/* What the .deb must say of itself, and the .deb. */
struct mkv_rootfs_package {
	const char *name, *version, *architecture;
	int deb_fd; /* the caller's; verified; only pread() is used */
};

struct mkv_rootfs_options {
	int64_t epoch_s;   /* no time in the tree is later */
	const char *suite; /* "trixie" or "bookworm" */
	/* A container's: without documentation, manual pages and translations,
	 * which dpkg in it is told of (dpkg --verify still names them as
	 * missing). */
	bool container;
	/* The first `n_base` packages are installed already, in the tree of the
	 * pack `base_fd`, which is the caller's, verified, and only read by
	 * pread(). */
	size_t n_base;
	int base_fd;
	unsigned threads;   /* 0: as many as CPUs are online */
	unsigned timeout_s; /* for everything; 0: an hour */
};

/* Tells which of the packages make the base, which is to be installed by itself
 * first: of containers what is essential, of machines also kernel, init and
 * their like, with all that these depend on. What is a base's depends on its
 * own packages only, not on the rest of a set, so that sets share bases.
 * *ret_order
 * (`count` numbers) gets the base's packages in their order of configuration,
 * which is the same in every set, and behind them the rest as they were given.
 */
int mkv_rootfs_base(const struct mkv_rootfs_package *packages, size_t count,
		    size_t *ret_order, size_t *ret_count,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* Installs the packages, given in the order of configuration (dependencies
 * first; the order decides which user ids are handed out), and writes the tree
 * as a pack (builder/core/tree/pack.h) into the empty file `pack_fd`, which
 * stays the caller's. Needs root, or subordinate ids and newuidmap: otherwise
 * MKV_HOST_CANNOT. */
int mkv_rootfs_build(const struct mkv_rootfs_package *packages, size_t count,
		     const struct mkv_rootfs_options *options, int pack_fd,
		     struct mkv_progress *progress,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 6);
