/* SPDX-License-Identifier: MIT */
#pragma once
/* What becomes part of a result: spans from the collector, samples from
 * Prometheus, files from agents. Everything is streamed to the disk, of which
 * the spare stays free (-ENOSPC). */

#include "programs/campaign/conductor/self.h"

/* Where the collector's next records were at a moment. */
struct mkv_gather_mark {
	struct {
		int64_t file, bytes;
	} pb, jsonl;
};

int mkv_gather_mark(const struct mkv_self *self, struct mkv_gather_mark *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Writes traces.pb.zst, all OTLP requests in protobuf since the mark, and,
 * if there are any, traces.jsonl.zst with those in JSON. *ret_spans: distinct
 * spans of the former. */
int mkv_gather_spans(const struct mkv_self *self,
		     const struct mkv_gather_mark *mark, const char *directory,
		     uint64_t *ret_spans, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

/* Writes metrics.json.zst: Prometheus' answer to a query for all samples of all
 * jobs in a window of CLOCK_REALTIME. */
int mkv_gather_metrics(const struct mkv_self *self, int64_t begin_ns,
		       int64_t end_ns, const char *directory,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
/* The longest scrape interval of Prometheus' targets. */
int mkv_gather_interval(const struct mkv_self *self, int64_t *ret_ns,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Downloads the files that an agent lists, compares their digests and gives
 * them their places in `directory`:
 *
 *     before/NAME, after/NAME   receipts/HOST/before/NAME, ...
 *     load/load.csv             load.csv
 *     load/summary.json         load-summary.json
 *     anything else             logs/HOST/...
 */
int mkv_gather_files(const struct mkv_self *self, const char *host,
		     const char *url, const char *directory,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* The place of an agent's file relative to the result; NULL with `err`: its
 * name is not a relative path of plain names. The caller frees it. */
char *mkv_gather_place(const char *host, const char *name,
		       struct mkv_error *err) mkv_nonnull(1, 2, 3);
