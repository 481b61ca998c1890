/* SPDX-License-Identifier: MIT */
#pragma once
/* Reads metrics.json.zst: the answer of Prometheus' query API (HTTP API v1,
 * "Instant queries") to a range selector, a matrix of raw samples, compressed
 * by Zstandard. It is read as a stream: memory is bounded by the labels of one
 * series. Native histograms are skipped. Input may be hostile. */

#include "lib/buf.h"

/* Of one run, decompressed; of a text; of the labels of a series. */
#define MKV_SAMPLES_LIMIT_BYTES (UINT64_C(64) << 30)
enum { MKV_SAMPLES_TEXT_MAX = 16 * 1024, MKV_SAMPLES_LABELS_MAX = 128 };

struct mkv_samples_label {
	const char *name, *value; /* UTF-8 without NUL */
};
struct mkv_samples_visitor {
	/* A series begins: its labels, __name__ among them. */
	int (*series)(const struct mkv_samples_label *labels, size_t count,
		      void *context, struct mkv_error *err);
	/* A sample of it: seconds since 1970 as a decimal number, and a value
	 * as Prometheus prints it ("1e+06", "NaN", "+Inf"). */
	int (*sample)(const char *time_s, const char *value, void *context,
		      struct mkv_error *err);
};
int mkv_samples_read(int fd, const struct mkv_samples_visitor *visitor,
		     void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 4);
