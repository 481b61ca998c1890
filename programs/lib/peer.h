/* SPDX-License-Identifier: MIT */
#pragma once
/* Client of another service over HTTP (libcurl): connections are kept open;
 * every call has a time limit and, unless disabled, a client span whose trace
 * context is sent with the request. */

#include "programs/lib/trace.h"
#include "programs/lib/tracestate.h"

/* A row for a table of settings; the default is a text. Each program has its
 * own default: a caller must wait longer than the called service may queue and
 * work (docs/SERVICES.md, "Timeouts along the call chain"). */
#define MKV_PEER_TIMEOUT(default_text)                                         \
	((struct mkv_service_setting){                                         \
		"PEER_TIMEOUT_MS", MKV_SETTING_INTEGER, default_text, 10,      \
		600000,                                                        \
		.doc = "milliseconds that a call to another service may take", \
		.number = &mkv_peer_timeout_ms})
extern int64_t mkv_peer_timeout_ms;

/* The URL for role "user", without a '/' at its end: MKVBENCH_USER_URL, else
 * port 8080 (collector: 4318) of MKVBENCH_ADDRESS_USER, else of 127.0.0.1. The
 * caller frees it. */
int mkv_peer_find_url(const char *role, char **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

struct mkv_peer;
/* A client of mkv_peer_find_url(). PEER_TIMEOUT_MS limits each call. */
int mkv_peer_new(const char *role, struct mkv_peer **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_peer_free(struct mkv_peer *peer);

struct mkv_peer_call {
	const char *span;   /* "PUT user"; NULL: no span */
	const char *method; /* "GET" */
	const char *path;   /* "/users/7" */
	const char *body;   /* JSON, or NULL */
	const struct mkv_trace_context *parent;
	const struct mkv_tracestate
		*tracestate; /* received with the parent, or NULL */
};
/* Sends a request and waits for the answer. 0: an answer of any status, whose
 * body of at most 1 MiB is appended to `reply` (may be NULL). -EHOSTDOWN: no
 * answer within the time limit. */
int mkv_peer_ask(struct mkv_peer *peer, const struct mkv_peer_call *call,
		 unsigned *ret_status, struct mkv_buf *reply,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 5);
