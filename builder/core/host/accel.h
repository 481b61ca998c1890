/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether KVM works here, and not only opens. */

#include <stdbool.h>

#include "lib/error.h"

enum mkv_accel {
	MKV_ACCEL_AUTO, /* decided by mkv_accel_probe_kvm() */
	MKV_ACCEL_KVM,
	MKV_ACCEL_TCG,
};

/* /dev/kvm may be there, may open and may even run a few instructions, while
 * real guests hang in it (nested virtualisation that is half there). So this
 * boots a real kernel in it, without a disk, and waits until it panics for lack
 * of a root file system, ten seconds at most. `ret_why` says in a few
 * words what was found. */
int mkv_accel_probe_kvm(const char *kernel, bool *ret_works, char ret_why[128],
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* "auto", "kvm" or "tcg"; anything else is MKV_BAD_USAGE. */
int mkv_accel_parse(const char *text, enum mkv_accel *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
