/* SPDX-License-Identifier: MIT */
#pragma once
/* Boots an appliance's hosts under QEMU on a private network, and collects the
 * receipts that their verifiers print. The images stay as they are. */

#include "builder/run/boot/console.h"
#include "builder/run/boot/load.h"
#include "builder/run/boot/machine.h"

struct mkv_boot_result {
	const char *host; /* the contract's */
	enum mkv_verdict verdict;
	bool died;	 /* QEMU ended before there was a receipt */
	double seconds;	 /* from the start to the receipt or the end */
	char *receipt;	 /* its text; NULL: none */
	char *console;	 /* path of all that the host printed */
	char *diagnosis; /* what QEMU itself said, where it died; else NULL */
};

struct mkv_boot_forward {
	const char *host; /* by name */
	unsigned port;
};

struct mkv_boot_options {
	const char *appliance; /* the folder */
	const struct mkv_contract *contract;
	const char *const *hosts; /* by name; count 0: all but hypervisors */
	size_t n_hosts;
	enum mkv_accel accel;
	const char *cpu_model; /* NULL: what comes nearest */
	const char *(*model_for)(const struct mkv_contract_image *image,
				 void *context); /* may be NULL or say NULL */
	void *model_context;
	uint64_t memory_bytes; /* 0: the contract's, as far as it fits */
	bool uefi;
	const char *tpm_folder; /* HOST/ below it is a host's TPM; NULL: none */
	unsigned timeout_s;	/* 0: what the contract's clock needs, plus
				   ten minutes, and three a host under emulation */
	const char *console_folder; /* exists; takes HOST.console, HOST.qemu */
	/* Ports of hosts that are wanted on 127.0.0.1: notes say where. */
	const struct mkv_boot_forward *forwards;
	size_t n_forwards;
	unsigned load_count; /* orders, once all hosts passed; 0: none */
	/* A line of a host's console, a note of our own (host NULL), a receipt
	 * that came in, the load's end (no summary: it didn't come to one).
	 * Each may be NULL. */
	void (*on_line)(const char *host, const char *line, void *context);
	void (*on_receipt)(const struct mkv_boot_result *result, void *context);
	void (*on_load)(const struct mkv_boot_load *load, void *context);
	void *context;
	bool stay; /* until interrupted, after the receipts */
};

struct mkv_boot_results {
	struct mkv_boot_result *items;
	size_t count;
};
void mkv_boot_results_done(struct mkv_boot_results *results) mkv_nonnull(1);
#define auto_boot_results __attribute__((cleanup(mkv_boot_results_done)))

/* Runs until every host has its receipt, has ended, or time is up, and the load
 * has its end, or as much time again is up; then ends
 * all that it started. SIGINT, SIGTERM and SIGHUP do the same and are -EINTR.
 * What the receipts say is in the results, not in the return. */
int mkv_boot_run(const struct mkv_boot_options *options,
		 struct mkv_boot_results *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
