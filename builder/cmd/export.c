/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/evidence/bundle/export.h"
#include "lib/io.h"
#include "lib/json.h"

typedef int exporter(const char *bundle, int fd, struct mkv_export_counts *ret,
		     struct mkv_error *err);

static int export_to(exporter *export, const char *bundle, const char *path,
		     struct mkv_export_counts *ret, struct mkv_error *err)
{
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	if (strcmp(path, "-") == 0)
		return export(bundle, STDOUT_FILENO, ret, err);
	int rc = mkv_newfile_open(path, 0644, &file, err);
	if (rc < 0)
		return rc;
	rc = export(bundle, file.fd, ret, err);
	return rc < 0 ? rc : mkv_newfile_commit(&file, err);
}

static void print_counts(const char *path, const char *format,
			 const struct mkv_export_counts *counts, bool json)
{
	if (strcmp(path, "-") == 0)
		return;
	if (json)
		(void)printf("{\"format\":\"%s\",\"items\":%ju,\"runs\":%ju}\n",
			     format, (uintmax_t)counts->items,
			     (uintmax_t)counts->runs);
	else
		(void)printf("%s: %ju %s of %ju runs\n", path,
			     (uintmax_t)counts->items,
			     strcmp(format, "otlp") == 0 ? "requests"
							 : "samples",
			     (uintmax_t)counts->runs);
}

int mkv_cmd_export(int argc, char **argv, struct mkv_error *err)
{
	const char *otlp = NULL, *openmetrics = NULL;
	bool json = false, done = false;
	const struct mkv_option table[] = {
		{"--otlp", "FILE",
		 "write spans as OTLP JSON lines (-: standard output)", &otlp,
		 NULL},
		{"--openmetrics", "FILE",
		 "write Prometheus' samples as OpenMetrics text (-: standard "
		 "output)",
		 &openmetrics, NULL},
		{"--json", NULL, "print the counts as JSON", NULL, &json},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "BUNDLE --otlp FILE | --openmetrics FILE",
		.description =
			"Writes the data of a result bundle in formats that other tools read, of all valid\n"
			"runs in the order of the plan. OTLP is for OpenTelemetry's collector, Jaeger and\n"
			"others; OpenMetrics for `promtool tsdb create-blocks-from openmetrics`. Spans have\n"
			"the resource attributes mkvbench.run and mkvbench.attempt, samples the label\n"
			"mkvbench_run. Signatures are not verified: run `mkvbench audit BUNDLE` first.",
		.options = table,
		.min_operands = 1,
		.max_operands = 1,
	};
	int operands = 0;
	struct mkv_export_counts counts = {0};
	int rc = mkv_options_parse("export", &usage, argc, argv, &operands,
				   &done, err);
	if (rc < 0 || done)
		return rc;
	if (!otlp == !openmetrics)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"export: exactly one of --otlp and "
				"--openmetrics is needed; usage: mkvbench "
				"export %s",
				usage.synopsis);
	rc = otlp ? export_to(mkv_bundle_export_otlp, argv[0], otlp, &counts,
			      err)
		  : export_to(mkv_bundle_export_openmetrics, argv[0],
			      openmetrics, &counts, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "export");
	print_counts(otlp ? otlp : openmetrics, otlp ? "otlp" : "openmetrics",
		     &counts, json);
	return 0;
}
