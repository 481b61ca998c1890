/* SPDX-License-Identifier: MIT */
#pragma once
/* One host of an appliance as a QEMU command line (qemu(1)): what its contract
 * promises, as far as an emulator on this machine can show it. */

#include "builder/core/host/accel.h"
#include "lib/argv.h"
#include "lib/contract.h"

struct mkv_boot_machine {
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	const char *folder;    /* of the image: disk.raw, boot/ */
	const char *console;   /* the file that takes the serial line */
	enum mkv_accel accel;  /* not AUTO */
	const char *cpu_model; /* QEMU's; NULL: what comes nearest */
	uint64_t memory_bytes;
	const char *firmware; /* OVMF's code; NULL: direct kernel boot */
	const char *firmware_variables;
	const char *tpm; /* a software TPM's socket; NULL: none */
	unsigned port;	 /* of the hosts' private network on 127.0.0.1 */
	const char *
		load; /* the credential "mkvbench.load" as base64; NULL: none */
};

/* Names and addresses that may stand in paths and in QEMU's option lists: a
 * manifest may be hostile. */
int mkv_boot_check_host(const struct mkv_contract_host *host,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

int mkv_boot_machine_argv(const struct mkv_boot_machine *machine,
			  struct mkv_argv *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* QEMU's model for a processor that is promised: by its brand where that is one
 * of QEMU's own, else by its vendor. */
const char *mkv_boot_cpu_model(const struct mkv_contract_cpu *cpu)
	mkv_nonnull(1);
