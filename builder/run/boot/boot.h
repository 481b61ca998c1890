/* SPDX-License-Identifier: MIT */
#pragma once
/* Boots an appliance's hosts under QEMU on a private network, and collects the
 * receipts that their verifiers print. The images are not modified. */

#include "builder/run/boot/console.h"
#include "builder/run/boot/load.h"
#include "builder/run/boot/machine.h"

struct mkv_boot_result {
	const char *host; /* owned by the contract */
	enum mkv_verdict verdict;
	bool died;	 /* QEMU exited before the last receipt */
	double seconds;	 /* from the start to the receipt or to QEMU's exit */
	char *receipt;	 /* text of the receipts; NULL: none */
	char *console;	 /* path of the host's console log */
	char *diagnosis; /* end of QEMU's own log if QEMU died; else NULL */
};

struct mkv_boot_forward {
	const char *host; /* name */
	unsigned port;
};

struct mkv_boot_options {
	const char *appliance; /* directory */
	const struct mkv_contract *contract;
	const char *const *hosts; /* names; count 0: all but hypervisors */
	size_t n_hosts;
	enum mkv_accel accel;  /* not MKV_ACCEL_AUTO */
	const char *cpu_model; /* NULL: chosen by mkv_boot_cpu_model() */
	const char *(*model_for)(
		const struct mkv_contract_image *image,
		void *context); /* may be NULL or return NULL */
	void *model_context;
	uint64_t memory_bytes; /* of each host; 0: the contract's, limited to a
				  share of this machine's memory */
	bool uefi;
	const char *
		tpm_directory; /* parent of HOST/, a host's TPM; NULL: no TPM */
	unsigned timeout_s; /* 0: the contract's clock settle and dwell times,
			       plus 10 min, plus 3 min a host under emulation */
	const char *console_directory; /* exists; HOST.console and HOST.qemu are
				       written into it */
	/* Ports of hosts to forward from 127.0.0.1; notes report the local
	 * ports. */
	const struct mkv_boot_forward *forwards;
	size_t n_forwards;
	unsigned load_count; /* orders sent once all hosts passed; 0: no load */
	/* Callbacks, each of which may be NULL. on_line: a line of a host's
	 * console, or a note of this module (host NULL). on_receipt: a host has
	 * its result. on_load: the load phase ended, without a summary if it
	 * failed. */
	void (*on_line)(const char *host, const char *line, void *context);
	void (*on_receipt)(const struct mkv_boot_result *result, void *context);
	void (*on_load)(const struct mkv_boot_load *load, void *context);
	void *context;
	bool stay; /* keep hosts running after the receipts until interrupted */
};

struct mkv_boot_results {
	struct mkv_boot_result *items;
	size_t count;
};
void mkv_boot_results_done(struct mkv_boot_results *results) mkv_nonnull(1);
#define auto_boot_results __attribute__((cleanup(mkv_boot_results_done)))

/* Boots the hosts and waits until each has its receipts, has exited, or the
 * timeout has passed. The load phase, if requested, then has the same timeout
 * again. Every process that was started is killed before the function returns.
 * SIGINT, SIGTERM and SIGHUP stop the boot with -EINTR. Verdicts are in the
 * results and do not change the return value. */
int mkv_boot_run(const struct mkv_boot_options *options,
		 struct mkv_boot_results *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
