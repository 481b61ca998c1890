/* SPDX-License-Identifier: MIT */
#pragma once
/* One host of an appliance while it runs: its QEMU, its console, and what they
 * have said so far. */

#include "builder/core/host/child.h"
#include "builder/run/boot/console.h"
#include "builder/run/boot/machine.h"
#include "builder/run/boot/tpm.h"

struct mkv_boot_guest {
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	struct mkv_child child;
	struct mkv_boot_tpm tpm; /* where it has one */
	struct mkv_console console;
	int console_fd; /* our own end for reading */
	uint64_t console_bytes;
	char *folder, *console_path, *log_path;
	bool settled;  /* has its result */
	bool stumbled; /* over the emulator, not over the image */
	unsigned restarts;
};

/* `folder` takes HOST.console and HOST.qemu. */
int mkv_guest_init(struct mkv_boot_guest *guest,
		   const struct mkv_contract *contract,
		   const struct mkv_contract_host *host, const char *appliance,
		   const char *folder, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6);
/* Ends it when it still runs. */
void mkv_guest_done(struct mkv_boot_guest *guest) mkv_nonnull(1);

/* `machine` says how; a guest that ran before begins anew. With a `tpm_folder`,
 * HOST/ below that is its software TPM. */
int mkv_guest_start(struct mkv_boot_guest *guest,
		    const struct mkv_boot_machine *machine,
		    const char *tpm_folder,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);

/* Takes what its console's file gained since. One that writes more than 64 MiB
 * is ended: -EFBIG. */
int mkv_guest_read(struct mkv_boot_guest *guest, mkv_console_line *on_line,
		   void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);

/* Whether all receipts are there that this host will give. */
bool mkv_guest_is_complete(const struct mkv_boot_guest *guest) mkv_nonnull(1);
enum mkv_verdict mkv_guest_verdict(const struct mkv_boot_guest *guest)
	mkv_nonnull(1);
/* Its receipts' text, owned by the caller; NULL: there is none. */
char *mkv_guest_receipts(const struct mkv_boot_guest *guest) mkv_nonnull(1);
/* The end of what QEMU itself said, owned by the caller; NULL: nothing. */
char *mkv_guest_diagnosis(const struct mkv_boot_guest *guest) mkv_nonnull(1);
