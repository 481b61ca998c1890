/* SPDX-License-Identifier: MIT */
#pragma once
/* Requests of one connection, by libcurl. What can be done before a request is
 * due is done by mkv_load_request_prepare(). */

#include "lib/buf.h"
#include "programs/campaign/loadgen/load.h"

/* Checks method, URL, templates and headers of the options. MKV_BAD_USAGE. */
int mkv_load_request_check(const struct mkv_load_options *options,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

struct mkv_load_request;
int mkv_load_request_new(const struct mkv_load_options *options,
			 struct mkv_load_request **ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_load_request_free(struct mkv_load_request *request);

/* Prepares request `number` with a trace of its own. */
int mkv_load_request_prepare(struct mkv_load_request *request, size_t number,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);
/* Sends it and waits for the answer. Sets all times, the status, the order and
 * the trace of the sample. `due_ns` is its intended start (CLOCK_MONOTONIC). An
 * answer with another status than the options' is an error, too, which
 * describes it. */
int mkv_load_request_send(struct mkv_load_request *request, int64_t due_ns,
			  struct mkv_load_sample *sample,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
