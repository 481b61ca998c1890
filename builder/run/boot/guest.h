/* SPDX-License-Identifier: MIT */
#pragma once
/* One running host of an appliance: its QEMU process, its TPM, and its console
 * output so far. */

#include "builder/core/host/child.h"
#include "builder/run/boot/console.h"
#include "builder/run/boot/machine.h"
#include "builder/run/boot/tpm.h"

struct mkv_boot_guest {
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	struct mkv_child child;
	struct mkv_boot_tpm tpm; /* running if the host has one */
	struct mkv_console console;
	int console_fd; /* the console log, for reading */
	uint64_t console_bytes;
	char *directory, *console_path, *log_path;
	bool settled;  /* the host has its result */
	bool stumbled; /* the boot failed because of the emulator */
	unsigned restarts;
};

/* HOST.console and HOST.qemu will be written into `directory`. `host` must
 * outlive the guest. */
int mkv_guest_init(struct mkv_boot_guest *guest,
		   const struct mkv_contract *contract,
		   const struct mkv_contract_host *host, const char *appliance,
		   const char *directory, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6);
/* Kills QEMU and the TPM if they are running, and frees the contents. */
void mkv_guest_done(struct mkv_boot_guest *guest) mkv_nonnull(1);

/* Starts QEMU as `machine` describes; a running guest is killed and restarted.
 * Unless `tpm_directory` is NULL, its HOST/ is the state of the software TPM.
 */
int mkv_guest_start(struct mkv_boot_guest *guest,
		    const struct mkv_boot_machine *machine,
		    const char *tpm_directory,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);

/* Reads what was appended to the console log since the last call. A guest that
 * has written more than 64 MiB is killed: -EFBIG. */
int mkv_guest_read(struct mkv_boot_guest *guest, mkv_console_line *on_line,
		   void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);

/* Whether the host has printed all receipts that it will print. */
bool mkv_guest_is_complete(const struct mkv_boot_guest *guest) mkv_nonnull(1);
enum mkv_verdict mkv_guest_verdict(const struct mkv_boot_guest *guest)
	mkv_nonnull(1);
/* Text of the receipts, owned by the caller; NULL: none. */
char *mkv_guest_receipts(const struct mkv_boot_guest *guest) mkv_nonnull(1);
/* The end of QEMU's own log, owned by the caller; NULL: empty. */
char *mkv_guest_diagnosis(const struct mkv_boot_guest *guest) mkv_nonnull(1);
