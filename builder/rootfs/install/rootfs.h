/* SPDX-License-Identifier: MIT */
#pragma once
/* Installs .debs into a root file tree with the result that dpkg would give, in
 * a sandbox without network, and normalises the tree: it depends only on the
 * packages, their order and the options. */

#include <stdbool.h>
#include <stdint.h>

#include "builder/core/progress/progress.h"

/* To be increased whenever the tree of equal packages and options changes; part
 * of the step's key. */
enum { MKV_ROOTFS_VERSION = 3 };

/* A .deb and the identity that its control file must state. */
struct mkv_rootfs_package {
	const char *name, *version, *architecture;
	int deb_fd; /* kept by the caller; verified; read by pread() only */
};

struct mkv_rootfs_options {
	int64_t epoch_s;   /* no time in the tree is later */
	const char *suite; /* "trixie" or "bookworm" */
	/* A container image: documentation, manual pages and translations are
	 * left out, and dpkg's configuration in the image excludes them too
	 * (dpkg --verify still reports them as missing). */
	bool container;
	/* The first `n_base` packages are installed already, in the tree of the
	 * pack `base_fd`, which is kept by the caller, verified, and read by
	 * pread() only. */
	size_t n_base;
	int base_fd;
	unsigned threads;   /* 0: the number of online CPUs */
	unsigned timeout_s; /* of the whole installation; 0: one hour */
};

/* Chooses the packages of the base, which is installed first and by itself: for
 * containers the essential packages, for machines (sets with a kernel) also
 * kernel, init, udev, dbus, iproute2 and required packages, with all their
 * dependencies. Membership and order in the base do not depend on the other
 * packages, so that different sets share a base. *ret_order takes `count`
 * indexes: the *ret_count packages of the base in their order of configuration,
 * then the other packages in the given order. */
int mkv_rootfs_base(const struct mkv_rootfs_package *packages, size_t count,
		    size_t *ret_order, size_t *ret_count,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* Installs the packages, given in the order of configuration (dependencies
 * first; dynamic user ids are allocated in this order), and writes the tree as
 * a pack (builder/core/tree/pack.h) into the empty file `pack_fd`, which the
 * caller keeps. Needs root, or subordinate ids and newuidmap: otherwise
 * MKV_HOST_CANNOT. -ENOSPC when the files need more than the sandbox's tmpfs
 * holds. */
int mkv_rootfs_build(const struct mkv_rootfs_package *packages, size_t count,
		     const struct mkv_rootfs_options *options, int pack_fd,
		     struct mkv_progress *progress,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 6);
