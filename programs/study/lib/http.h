/* SPDX-License-Identifier: MIT */
#pragma once
/* A small HTTP/1.1 server around libmicrohttpd: routes in a table, keep-alive,
 * bounded bodies, JSON errors, a server span per request and its figures in
 * Prometheus' text format. One thread reads and writes all connections; a fixed
 * number of others runs the handlers. */

#include <jansson.h>

#include "lib/buf.h"
#include "programs/study/lib/trace.h"
#include "programs/study/lib/tracestate.h"

enum {
	MKV_HTTP_BODY_MAX = 64 * 1024, /* unless the options say otherwise */
	MKV_HTTP_PARAMETERS_MAX = 3,
	MKV_HTTP_ROUTES_MAX = 16,
};

struct mkv_http_request {
	const char *body; /* NUL-terminated */
	size_t body_size;
	const char *body_type, *body_encoding; /* its headers; "" for none */
	/* What stood for {...} in the route, in order; decimal numbers. */
	int64_t parameters[MKV_HTTP_PARAMETERS_MAX];
	struct mkv_span span; /* the request's own: parent of what follows */
	/* Beside a valid traceparent, to be passed on: see struct
	 * mkv_peer_call. */
	struct mkv_tracestate tracestate;
	/* What an error adds as "settled": how far it may have gone all the
	 * same. NULL: nothing was done. */
	const char *settled;
	/* The answer: */
	unsigned status;
	struct mkv_buf reply;
	const char *content_type; /* JSON unless set */
	/* With a size not 0: so many bytes of a file instead of `reply`. The
	 * server closes it. */
	int file_fd;
	uint64_t file_size;
};

/* Fills the answer. */
typedef void mkv_http_handler(struct mkv_http_request *request, void *context);

struct mkv_http_route {
	const char *method;
	const char *
		pattern; /* "/users/{id}": {..} is a number of 1 to 18 digits */
	mkv_http_handler *handler;
	bool untraced; /* /healthz, /metrics */
};

/* Answers {"error":{"code":CODE,"message":...,"settled":...}}. */
void mkv_http_error(struct mkv_http_request *request, unsigned status,
		    const char *code, const char *format, ...)
	mkv_nonnull(1, 3, 4) mkv_printf(4, 5);
/* Answers a document; takes the reference. */
void mkv_http_json(struct mkv_http_request *request, unsigned status,
		   json_t *document) mkv_nonnull(1);
/* The body as a JSON object, or an answer of 400 and NULL. */
json_t *mkv_http_body(struct mkv_http_request *request) mkv_nonnull(1);

struct mkv_http_options {
	const char *address; /* NULL: all */
	uint16_t port;	     /* 0: any */
	unsigned threads;    /* that run handlers */
	unsigned queue_ms;   /* a request that waited longer is answered 503 */
	unsigned connections;
	unsigned idle_s;
	size_t body_max;   /* 0: MKV_HTTP_BODY_MAX */
	size_t bodies_max; /* of all requests under way; 0: no limit */
	const struct mkv_http_route *routes; /* ends with a NULL method */
	void *context;			     /* of the handlers */
	/* More lines for /metrics. */
	void (*metrics)(struct mkv_buf *into, void *context);
};

struct mkv_http;
int mkv_http_start(const struct mkv_http_options *options,
		   struct mkv_http **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
uint16_t mkv_http_port(const struct mkv_http *http) mkv_nonnull(1);
/* Takes no new connections, waits up to `limit_s` for requests under way. */
void mkv_http_stop(struct mkv_http *http, unsigned limit_s);
