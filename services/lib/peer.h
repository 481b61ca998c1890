/* SPDX-License-Identifier: MIT */
#pragma once
/* Another service, asked over HTTP by libcurl: connections are kept, every call
 * has a time limit, is a client span unless told otherwise, and passes its trace
 * on. */

#include "services/lib/trace.h"

extern const struct mkv_setting mkv_peer_settings[];

struct mkv_peer;
/* `role` "user": MKVBENCH_USER_URL, else port 8080 (the collector's: 4318) of
 * MKVBENCH_ADDRESS_USER, else of 127.0.0.1. MKVBENCH_PEER_TIMEOUT_MS (3000)
 * limits a call. */
int mkv_peer_new(const char *role, struct mkv_peer **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_peer_free(struct mkv_peer *peer);

struct mkv_peer_call {
	const char *span;   /* "PUT user"; NULL: it isn't traced */
	const char *method; /* "GET" */
	const char *path;   /* "/users/7" */
	const char *body;   /* JSON, or NULL */
	const struct mkv_trace_context *parent;
};
/* An answer of any status is 0; no answer in time is -EHOSTDOWN. The answer's
 * body, at most 1 MiB, goes to `reply` (or NULL). */
int mkv_peer_ask(struct mkv_peer *peer, const struct mkv_peer_call *call,
		 unsigned *ret_status, struct mkv_buf *reply,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 5);
