/* SPDX-License-Identifier: MIT */
#include "builder/cmd/boot_print.h"

#include <stdio.h>
#include <string.h>

#include "builder/cmd/report.h"
#include "lib/display.h"

/* A copy that is fit for a terminal; NULL when out of memory or for NULL. */
static char *copy_clean(const char *text, const char *keep)
{
	char *copy = text ? strdup(text) : NULL;
	if (copy)
		mkv_display_clean(copy, keep);
	return copy;
}

void mkv_boot_print_line(const char *host, const char *line, void *context)
{
	const struct mkv_boot_printer *printer = context;
	if (host && !printer->is_verbose)
		return;
	if (printer->is_json) {
		mkv_report_line(host ? "console" : "note", host, line);
		return;
	}
	auto_free char *clean = copy_clean(line, "\t");
	if (clean && host)
		(void)fprintf(stderr, "%s| %s\n", host, clean);
	else if (clean)
		(void)fprintf(stderr, "boot: %s\n", clean);
}

/* Takes ownership of `line`; NULL prints nothing. */
static void print_json_line(json_t *line)
{
	auto_json json_t *own = line;
	if (!own)
		return;
	(void)json_dumpf(own, stdout, JSON_COMPACT);
	(void)putchar('\n');
}

/* JSON null for NULL. */
static json_t *text_json(const char *text)
{
	return text ? mkv_report_text(text) : json_null();
}

static void print_receipt_json(const struct mkv_boot_result *result)
{
	print_json_line(json_pack(
		"{s:s, s:s, s:f, s:o, s:o}", "host", result->host, "verdict",
		mkv_verdict_name(result->verdict), "seconds", result->seconds,
		"console", text_json(result->console ? result->console : ""),
		"receipt", text_json(result->receipt)));
}

static void print_receipt_text(const struct mkv_boot_result *result)
{
	auto_free char *receipt = copy_clean(result->receipt, "\n\t");
	auto_free char *diagnosis = copy_clean(result->diagnosis, "\n\t");
	(void)printf("%s: %s after %.0f s%s\n", result->host,
		     mkv_verdict_name(result->verdict), result->seconds,
		     result->died ? ": QEMU exited" : "");
	if (receipt)
		(void)fputs(receipt, stdout);
	if (diagnosis)
		(void)printf("  QEMU: %s", diagnosis);
	if (result->verdict == MKV_VERDICT_NONE && result->console)
		(void)printf("  console: %s\n", result->console);
}

void mkv_boot_print_receipt(const struct mkv_boot_result *result, void *context)
{
	const struct mkv_boot_printer *printer = context;
	if (printer->is_json)
		print_receipt_json(result);
	else
		print_receipt_text(result);
	(void)fflush(stdout);
}

static void print_load_json(const struct mkv_boot_load *load)
{
	print_json_line(json_pack(
		"{s:o, s:b, s:I, s:b, s:I, s:o}", "load",
		text_json(load->summary), "answered", load->is_answered,
		"spans", (json_int_t)load->spans, "exported", load->is_exported,
		"dropped",
		(json_int_t)(load->dropped + load->dropped_by_generator),
		"traces", text_json(load->traces)));
}

static void print_load_text(const struct mkv_boot_load *load)
{
	auto_free char *summary = copy_clean(load->summary, "");
	unsigned long long dropped = load->dropped + load->dropped_by_generator;
	(void)printf("load: %s\n",
		     !load->summary ? "the load generator printed no summary"
		     : load->is_answered ? "every order was answered"
					 : "not every order was answered");
	if (summary)
		(void)printf("  %s\n", summary);
	if (dropped)
		(void)printf("  %llu spans were dropped\n", dropped);
	if (load->summary && !load->is_exported)
		(void)printf("  not all spans were exported\n");
	if (load->traces)
		(void)printf("  %llu spans of the services are in %s\n",
			     (unsigned long long)load->spans, load->traces);
}

void mkv_boot_print_load(const struct mkv_boot_load *load, void *context)
{
	struct mkv_boot_printer *printer = context;
	printer->load_failed = !mkv_load_is_good(load);
	if (printer->is_json)
		print_load_json(load);
	else
		print_load_text(load);
	(void)fflush(stdout);
}
