/* SPDX-License-Identifier: MIT */
#pragma once
/* A bundle's data in formats of others, of all valid runs in the order of the
 * plan. Memory doesn't grow with the number and length of the runs. Signatures
 * are not verified: that is the audit's work. */

#include <stdint.h>

#include "lib/error.h"

struct mkv_export_counts {
	uint64_t runs, items; /* requests, or samples */
};

/* Writes OTLP JSON lines (OpenTelemetry specification, "OpenTelemetry Protocol
 * File Exporter"): one ExportTraceServiceRequest per line. Each resource gets
 * the attributes mkvbench.run and mkvbench.attempt. */
int mkv_bundle_export_otlp(const char *bundle, int fd,
			   struct mkv_export_counts *ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Writes OpenMetrics text 1.0 with a timestamp on every sample and the label
 * mkvbench_run on every series. Families have the type unknown, because
 * Prometheus' query API doesn't give types. The format wants all series of a
 * family together, so samples go through an unnamed temporary file in TMPDIR
 * (/var/tmp). */
int mkv_bundle_export_openmetrics(const char *bundle, int fd,
				  struct mkv_export_counts *ret,
				  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
