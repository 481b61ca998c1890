/* SPDX-License-Identifier: MIT */
#pragma once
/* The state of a conductor (GET /v1/state, docs/CONDUCTOR.md), read from an
 * answer that may be hostile. */

#include "lib/error.h"
#include "lib/json.h"

struct mkv_state_host {
	const char *name;
	const char *boot_id; /* NULL: its agent does not answer */
	const char
		*receipt; /* "pass", "warn", "fail", "none", "broken"; NULL */
};

struct mkv_state {
	const char *contract_sha256;
	const char *run; /* NULL: none yet */
	unsigned attempt;
	const char *phase;	/* "idle", ..., "complete", "failed" */
	const char *error;	/* NULL */
	const json_t *progress; /* the load generator's; NULL */
	int64_t spans_received, spans_expected, spans_dropped; /* -1 unknown */
	int64_t realtime_ns; /* of the collector's clock */
	struct mkv_state_host *hosts;
	size_t n_hosts;
	json_t *document; /* owns the strings */
};

/* Takes the reference to `document`, also on failure. */
int mkv_state_parse(json_t *document, struct mkv_state *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_state_done(struct mkv_state *state) mkv_nonnull(1);
#define auto_state __attribute__((cleanup(mkv_state_done)))

/* Whether the conductor works on an attempt. */
bool mkv_state_is_working(const struct mkv_state *state) mkv_nonnull(1);
