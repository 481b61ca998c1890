/* SPDX-License-Identifier: MIT */
#pragma once
/* What the parts of the load generator share. */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/template.h"
#include "programs/campaign/loadgen/arrivals.h"

struct mkv_load_options {
	int64_t rate, connections, warm_up, count, seed;
	int64_t arrivals; /* enum mkv_arrivals */
	int64_t status;	  /* of a good answer */
	int64_t timeout_ms;
	int64_t spin_us; /* before a request is due */
	/* The request; `path`, `body` and `headers` are templates. */
	const char *method, *path;
	const char *body;    /* NULL: none */
	const char *headers; /* lines "Name: value" */
	char *url;	     /* without the path; owned */
	char *span;	     /* name of the client spans; owned */
	struct mkv_template_fields fields;
	const char *directory, *run;
};

static inline size_t mkv_load_total(const struct mkv_load_options *options)
{
	return (size_t)(options->warm_up + options->count);
}

/* A request that was sent. */
struct mkv_load_sample {
	int64_t intended_ns; /* since the start of the run */
	int64_t sent_ns;     /* CLOCK_REALTIME */
	int64_t late_ns;     /* from the intended start to the send */
	int64_t latency_ns;  /* from the intended start to the answer's end */
	int64_t order;	     /* `id` of a JSON answer; 0: none */
	uint8_t trace_id[16];
	unsigned status;     /* HTTP status; 0: no answer */
	unsigned connection; /* from 1 */
	/* No connection was free when it was due, and no more were allowed. */
	bool is_blocked;
	atomic_bool is_complete;
};
