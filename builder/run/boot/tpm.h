/* SPDX-License-Identifier: MIT */
#pragma once
/* A software TPM 2.0 (swtpm) for one guest. What makes it that TPM, its seeds,
 * lies in a folder: who gives the same folder again gives the same TPM. */

#include "builder/core/host/child.h"

struct mkv_boot_tpm {
	struct mkv_child child;
	char *socket; /* where QEMU's `emulator` finds it */
};
#define MKV_BOOT_TPM_INIT ((struct mkv_boot_tpm){.child = MKV_CHILD_INIT})

/* Makes the folder if it isn't there; returns once QEMU may connect. It ends
 * with QEMU. */
int mkv_boot_tpm_start(const char *folder, int log_fd, struct mkv_boot_tpm *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_boot_tpm_end(struct mkv_boot_tpm *tpm) mkv_nonnull(1);
