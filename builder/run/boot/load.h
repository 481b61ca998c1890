/* SPDX-License-Identifier: MIT */
#pragma once
/* Orders that the appliance's own load generator sends once all is up, and the
 * spans that its collector then holds. The generator is told by a credential
 * (mkvbench-loadgen-at-boot.service) and says its summary on its console. */

#include "builder/run/boot/gateway.h"

enum { MKV_LOAD_FORWARDS = 4 };

struct mkv_boot_load {
	unsigned count; /* orders; 0: no load is wanted */
	const struct mkv_contract_host *generator;
	/* The collector, and those whose spans it waits for. */
	struct mkv_forward *forwards;
	size_t n_forwards;
	char *summary;	  /* the generator's, JSON */
	bool is_answered; /* every order, with 200 */
	bool is_exported; /* no service has a span left to export */
	uint64_t spans;	  /* that the services exported */
	uint64_t dropped; /* by them, as they last said */
	uint64_t dropped_by_generator;
	char *traces; /* path of the spans, once fetched */
};
void mkv_load_done(struct mkv_boot_load *load) mkv_nonnull(1);
/* Whether every order was answered and every span came to be kept. */
bool mkv_load_is_good(const struct mkv_boot_load *load) mkv_nonnull(1);

/* Who generates, and `forwards` (MKV_LOAD_FORWARDS, NULL host: nobody) for who
 * collects and works. MKV_BAD_USAGE when the contract lacks one. */
int mkv_load_plan(const struct mkv_contract *contract,
		  struct mkv_boot_load *load,
		  struct mkv_forward forwards[static MKV_LOAD_FORWARDS],
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);

/* The credential "mkvbench.load", as base64. */
int mkv_load_credential(const struct mkv_boot_load *load, struct mkv_buf *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* A line of the generator's console; true when it was the summary. */
bool mkv_load_take_line(struct mkv_boot_load *load, const char *line)
	mkv_nonnull(1, 2);

/* After the summary: asks the services what became of their spans, and whether
 * each has been exported, or dropped. What can't be asked now is no. */
bool mkv_load_ask_exported(struct mkv_boot_load *load) mkv_nonnull(1);

/* Adds what one service's /metrics say to `spans` and `dropped`; whether it has
 * no span left. */
bool mkv_load_add_metrics(struct mkv_boot_load *load, const char *text)
	mkv_nonnull(1, 2);

/* The collector's spans into FOLDER/traces.pb: OTLP requests, each behind its
 * length as a varint. */
int mkv_load_fetch(struct mkv_boot_load *load, const char *folder,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
