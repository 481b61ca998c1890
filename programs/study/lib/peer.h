/* SPDX-License-Identifier: MIT */
#pragma once
/* Another service, asked over HTTP by libcurl: connections are kept, every call
 * has a time limit, is a client span unless told otherwise, and passes its
 * trace on. */

#include "programs/study/lib/trace.h"
#include "programs/study/lib/tracestate.h"

/* A row for a table of settings; `absent`: as it would be written. A caller
 * waits longer than whom it asks may queue and work (docs/SERVICES.md, "Who
 * waits how long"), and so each has its own. */
#define MKV_PEER_TIMEOUT(absent)                                               \
	((struct mkv_service_setting){                                         \
		"PEER_TIMEOUT_MS", MKV_SETTING_INTEGER, absent, 10, 600000,    \
		.doc = "milliseconds that another service may take to answer", \
		.number = &mkv_peer_timeout_ms})
extern int64_t mkv_peer_timeout_ms;

struct mkv_peer;
/* `role` "user": MKVBENCH_USER_URL, else port 8080 (the collector's: 4318) of
 * MKVBENCH_ADDRESS_USER, else of 127.0.0.1. PEER_TIMEOUT_MS limits
 * a call. */
int mkv_peer_new(const char *role, struct mkv_peer **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_peer_free(struct mkv_peer *peer);

struct mkv_peer_call {
	const char *span;   /* "PUT user"; NULL: it isn't traced */
	const char *method; /* "GET" */
	const char *path;   /* "/users/7" */
	const char *body;   /* JSON, or NULL */
	const struct mkv_trace_context *parent;
	const struct mkv_tracestate
		*tracestate; /* that came with it, or NULL */
};
/* An answer of any status is 0; no answer in time is -EHOSTDOWN. The answer's
 * body, at most 1 MiB, goes to `reply` (or NULL). */
int mkv_peer_ask(struct mkv_peer *peer, const struct mkv_peer_call *call,
		 unsigned *ret_status, struct mkv_buf *reply,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 5);
