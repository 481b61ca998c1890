/* SPDX-License-Identifier: MIT */
#pragma once
/* Builds the QEMU command line (qemu(1)) of one host of an appliance: the
 * hardware that its contract promises, as far as QEMU can provide it. */

#include "builder/core/host/accel.h"
#include "lib/argv.h"
#include "lib/contract.h"

struct mkv_boot_machine {
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	const char *directory; /* of the image: disk.raw, boot/ */
	const char *console;   /* file for the output of the serial port */
	enum mkv_accel accel;  /* not MKV_ACCEL_AUTO */
	const char *cpu_model; /* QEMU's; NULL: mkv_boot_cpu_model() */
	uint64_t memory_bytes;
	const char *firmware; /* OVMF's code; NULL: direct kernel boot */
	const char *firmware_variables;
	const char *tpm; /* a software TPM's socket; NULL: none */
	unsigned port;	 /* of the hosts' private network on 127.0.0.1 */
	const char *
		load; /* the credential "mkvbench.load" as base64; NULL: none */
};

/* Refuses names and addresses that must not be used in paths and QEMU's option
 * lists, with MKV_UNVERIFIED: a manifest may be hostile. */
int mkv_boot_check_host(const struct mkv_contract_host *host,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* `ret` is owned by the caller. */
int mkv_boot_machine_argv(const struct mkv_boot_machine *machine,
			  struct mkv_argv *ret,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* QEMU's CPU model for a promised processor: the model with the promised brand
 * if QEMU has one, else a model of the vendor. The string is static. */
const char *mkv_boot_cpu_model(const struct mkv_contract_cpu *cpu)
	mkv_nonnull(1);
