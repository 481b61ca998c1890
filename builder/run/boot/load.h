/* SPDX-License-Identifier: MIT */
#pragma once
/* The load phase: the appliance's own load generator sends orders once all
 * hosts are up, and the collector's spans are fetched afterwards. A credential
 * starts the generator (mkvbench-loadgen-at-boot.service), which prints its
 * summary on its console. */

#include "builder/run/boot/gateway.h"

enum { MKV_LOAD_FORWARDS = 4 };

struct mkv_boot_load {
	unsigned count; /* orders; 0: no load is requested */
	const struct mkv_contract_host *generator;
	/* The collector, then the services that export spans to it. */
	struct mkv_forward *forwards;
	size_t n_forwards;
	char *summary;	  /* the generator's, JSON; NULL until it is printed */
	bool is_answered; /* every order was answered with status 200 */
	bool is_exported; /* no service has a span left to export */
	uint64_t spans;	  /* exported by the services */
	uint64_t dropped; /* by the services, as last reported */
	uint64_t dropped_by_generator;
	char *traces;	/* path of the spans, once fetched */
	double query_s; /* time of the last query of the services; 0: none */
};
void mkv_load_done(struct mkv_boot_load *load) mkv_nonnull(1);
/* Whether every order was answered and no span was lost. */
bool mkv_load_is_good(const struct mkv_boot_load *load) mkv_nonnull(1);

/* Sets the generator, and in `forwards` the collector and the services. `load`
 * keeps a pointer to `forwards`. MKV_BAD_USAGE when the contract has no host
 * for one of the roles. */
int mkv_load_plan(const struct mkv_contract *contract,
		  struct mkv_boot_load *load,
		  struct mkv_forward forwards[static MKV_LOAD_FORWARDS],
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);

/* Appends the credential "mkvbench.load" in base64 to `ret`. */
int mkv_load_credential(const struct mkv_boot_load *load, struct mkv_buf *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Takes a line of the generator's console. Returns whether it was the summary.
 */
bool mkv_load_take_line(struct mkv_boot_load *load, const char *line)
	mkv_nonnull(1, 2);

/* Polls the load phase at the current time. Returns 1 while it is running; 0
 * once it is over, i.e. all services have exported or dropped their spans and
 * the spans are fetched into DIRECTORY/traces.pb, or `end_s` (monotonic) has
 * passed; a negative errno when the phase is over and fetching failed. */
int mkv_load_poll(struct mkv_boot_load *load, const char *directory,
		  double end_s, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);

/* Adds the span counters in the text of one service's /metrics to `spans` and
 * `dropped`. Returns whether the service has no span left to export. */
bool mkv_load_add_metrics(struct mkv_boot_load *load, const char *text)
	mkv_nonnull(1, 2);
