/* SPDX-License-Identifier: MIT */
#pragma once
/* A software TPM 2.0 (swtpm) for one guest. Its state, including its seeds, is
 * kept in a directory: a guest that gets the directory again has the same TPM.
 */

#include "builder/core/host/child.h"

struct mkv_boot_tpm {
	struct mkv_child child;
	char *socket; /* path, for QEMU's `emulator` backend */
	int lock;     /* descriptor of the locked directory; -1: none */
};
#define MKV_BOOT_TPM_INIT                                                      \
	((struct mkv_boot_tpm){.child = MKV_CHILD_INIT, .lock = -1})

/* Makes a missing directory, starts swtpm, and returns once QEMU can connect.
 * swtpm exits with QEMU. -EBUSY while another boot uses the directory. */
int mkv_boot_tpm_start(const char *directory, int log_fd,
		       struct mkv_boot_tpm *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_boot_tpm_end(struct mkv_boot_tpm *tpm) mkv_nonnull(1);
