/* SPDX-License-Identifier: MIT */
#pragma once
/* A small HTTP/1.1 server around libmicrohttpd: routes in a table, keep-alive,
 * bounded bodies, JSON errors, a server span per request, and metrics in
 * Prometheus' text format. One thread reads and writes all connections; a fixed
 * number of worker threads runs the handlers. */

#include <jansson.h>

#include "lib/buf.h"
#include "programs/lib/trace.h"
#include "programs/lib/tracestate.h"

enum {
	MKV_HTTP_BODY_MAX = 64 * 1024, /* default of body_max */
	MKV_HTTP_PARAMETERS_MAX = 3,
	MKV_HTTP_ROUTES_MAX = 16,
};

struct mkv_http_request {
	const char *body; /* NUL-terminated */
	size_t body_size;
	const char *body_type,
		*body_encoding; /* values of its headers; "": absent */
	/* Values of the {...} of the route, in order. */
	int64_t parameters[MKV_HTTP_PARAMETERS_MAX];
	struct mkv_span
		span; /* of the request; parent of the handler's spans */
	/* Received with a valid traceparent; passed on in struct
	 * mkv_peer_call. */
	struct mkv_tracestate tracestate;
	/* Value of "settled" in an error: how far the request got before it
	 * failed. NULL: it changed nothing. */
	const char *settled;
	/* The answer: */
	unsigned status;
	struct mkv_buf reply;
	const char *content_type; /* JSON unless set */
	/* With a nonzero size, that many bytes of a file are sent instead of
	 * `reply`; to a request with a Range header (http_range.h) only these,
	 * with status 206, or 416. The server closes the file. */
	int file_fd;
	uint64_t file_size;
};

/* Sets the answer of `request`. */
typedef void mkv_http_handler(struct mkv_http_request *request, void *context);

struct mkv_http_route {
	const char *method;
	const char *
		pattern; /* "/users/{id}": {..} is a number of 1 to 18 digits */
	mkv_http_handler *handler;
	bool untraced; /* /healthz, /metrics */
};

/* Answers {"error":{"code":CODE,"message":...,"settled":...}}; a status of 500
 * or more marks the span as an error. */
void mkv_http_error(struct mkv_http_request *request, unsigned status,
		    const char *code, const char *format, ...)
	mkv_nonnull(1, 3, 4) mkv_printf(4, 5);
/* Answers a document, whose reference it takes. NULL: status 500. */
void mkv_http_json(struct mkv_http_request *request, unsigned status,
		   json_t *document) mkv_nonnull(1);
/* Parses the body as a JSON object, owned by the caller. Otherwise answers 400
 * and returns NULL. */
json_t *mkv_http_body(struct mkv_http_request *request) mkv_nonnull(1);

struct mkv_http_options {
	const char *address; /* NULL: all */
	uint16_t port;	     /* 0: any */
	unsigned threads;    /* that run handlers */
	unsigned queue_ms;   /* a request that waited longer is answered 503 */
	unsigned connections;
	unsigned address_connections; /* of them from one address; 0: all */
	unsigned idle_s;
	/* A connection is closed if so many seconds after its start, or after
	 * its last answer, no further request has arrived as a whole; 0: no
	 * limit. */
	unsigned receive_s;
	size_t body_max;   /* 0: MKV_HTTP_BODY_MAX */
	size_t bodies_max; /* of all requests in progress; 0: no limit */
	const struct mkv_http_route *routes; /* ends with a NULL method */
	void *context;			     /* of the handlers */
	/* Appends further lines to /metrics; may be NULL. */
	void (*metrics)(struct mkv_buf *into, void *context);
};

struct mkv_http;
int mkv_http_start(const struct mkv_http_options *options,
		   struct mkv_http **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
uint16_t mkv_http_port(const struct mkv_http *http) mkv_nonnull(1);
/* Stops accepting connections, waits up to `limit_s` seconds for requests in
 * progress, and frees the server. NULL is allowed. */
void mkv_http_stop(struct mkv_http *http, unsigned limit_s);
