/* SPDX-License-Identifier: MIT */
#pragma once
/* HTTP requests to agents, services, the collector and Prometheus (libcurl):
 * several at the same time with one deadline, or one whose answer is streamed.
 * Proxies of the environment are ignored, redirections are not followed. */

#include "lib/buf.h"
#include "lib/json.h"

enum { MKV_ASK_REPLY_MAX = 4 * 1024 * 1024 };

struct mkv_ask {
	const char *url;
	const char *body; /* NULL: GET; else POST of JSON */
	size_t body_size;
	/* Answer: */
	unsigned status; /* 0: none, see `error` */
	struct mkv_buf reply;
	char error[160];
	int64_t sent_ns, answered_ns; /* CLOCK_MONOTONIC */
};

/* Sends all requests and waits until each is answered or `timeout_ms` have
 * passed. Replies of earlier requests are freed. */
int mkv_ask_all(struct mkv_ask *asks, size_t count, unsigned timeout_ms,
		struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);
void mkv_ask_done(struct mkv_ask *ask) mkv_nonnull(1);
/* GET of a JSON document, which the caller owns. -EHOSTDOWN: no answer, or
 * another status than 200. */
int mkv_ask_json(const char *url, unsigned timeout_ms, json_t **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

struct mkv_fetch {
	const char *url;
	const char *range;  /* "0-499", or NULL */
	const char *form;   /* application/x-www-form-urlencoded: POST */
	unsigned silence_s; /* without a byte, after which it fails */
	/* Takes the next bytes of the answer's body. Not 0: stops. */
	int (*take)(void *context, const void *data, size_t size,
		    struct mkv_error *err);
	void *context;
};
/* -EREMOTEIO: another status than 200, or 206 for a range; the message has the
 * beginning of the answer. -EHOSTDOWN: no or an incomplete answer. */
int mkv_fetch(const struct mkv_fetch *fetch,
	      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* Makes requests in progress, and later ones, fail within a second: the program
 * stops. */
void mkv_ask_cancel(void);
