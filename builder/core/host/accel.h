/* SPDX-License-Identifier: MIT */
#pragma once
/* Whether KVM can run a guest on this machine. */

#include <stdbool.h>

#include "lib/error.h"

enum mkv_accel {
	MKV_ACCEL_AUTO, /* decided by mkv_accel_probe_kvm() */
	MKV_ACCEL_KVM,
	MKV_ACCEL_TCG,
};

/* /dev/kvm may exist and open, and a few instructions may run, while real
 * guests hang (incomplete nested virtualisation). This function therefore boots
 * `kernel` (a path) under KVM without a disk and waits, at most ten seconds,
 * until it panics because it has no root file system. *ret_works is the result,
 * `ret_why` its reason in a few words. An error means that the probe itself
 * could not run. */
int mkv_accel_probe_kvm(const char *kernel, bool *ret_works, char ret_why[128],
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* "auto", "kvm" or "tcg"; anything else is MKV_BAD_USAGE. */
int mkv_accel_parse(const char *text, enum mkv_accel *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
