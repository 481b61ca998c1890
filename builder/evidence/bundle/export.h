/* SPDX-License-Identifier: MIT */
#pragma once
/* A bundle's data in formats of others, of all valid runs in the order of the
 * plan, with memory that doesn't grow with the bundle. `path` of the output
 * "-": standard output. */

#include "lib/error.h"

/* OTLP JSON lines (opentelemetry-specification, "OpenTelemetry Protocol File
 * Exporter"): one ExportTraceServiceRequest per line. Each resource gets the
 * attributes mkvbench.run and mkvbench.attempt. */
int mkv_bundle_export_otlp(const char *bundle, const char *path,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* OpenMetrics text 1.0 with a timestamp on every sample, and a label `run`. */
int mkv_bundle_export_openmetrics(const char *bundle, const char *path,
				  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
