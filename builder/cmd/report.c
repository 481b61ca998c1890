/* SPDX-License-Identifier: MIT */
#include "builder/cmd/report.h"

#include <stdio.h>
#include <string.h>

#include "lib/utf8.h"

/* Set once per process, by --json. */
static bool as_json;

void mkv_report_as_json(void)
{
	as_json = true;
}

static const char *kind_name(enum mkv_error_kind kind)
{
	switch (kind) {
	case MKV_FAILED:
		return "failed";
	case MKV_BAD_USAGE:
		return "usage";
	case MKV_BAD_RECIPE:
		return "recipe";
	case MKV_HOST_CANNOT:
		return "host";
	case MKV_UNVERIFIED:
		return "unverified";
	}
	return "failed";
}

/* Takes ownership of `event`. Each line is one write, as in progress.c. */
static void print_event(json_t *event)
{
	char *line = event ? json_dumps(event, JSON_COMPACT) : NULL;
	json_decref(event);
	if (line)
		(void)fprintf(stderr, "%s\n", line);
	free(line);
}

json_t *mkv_report_text(const char *text)
{
	auto_free char *own = strdup(text);
	if (!own)
		return NULL;
	mkv_utf8_make_valid(own);
	return json_string(own);
}

void mkv_report_error(const struct mkv_error *err)
{
	enum mkv_error_kind kind = err->kind ? err->kind : MKV_FAILED;
	if (!err->message[0])
		return;
	if (!as_json) {
		(void)fprintf(stderr, "mkvbench: %s\n", err->message);
		return;
	}
	json_t *event =
		json_pack("{s:s, s:s, s:i, s:o}", "event", "error", "kind",
			  kind_name(kind), "status", mkv_exit_status(kind),
			  "message", mkv_report_text(err->message));
	if (event && err->suggestion[0])
		(void)json_object_set_new(event, "suggestion",
					  mkv_report_text(err->suggestion));
	print_event(event);
}

json_t *mkv_report_diagnostic_json(const struct mkv_diagnostic *c)
{
	json_t *object = json_pack("{s:o, s:i, s:i, s:o}", "file",
				   mkv_report_text(c->file), "line",
				   (int)c->line, "column", (int)c->column,
				   "message", mkv_report_text(c->message));
	if (object && c->suggestion)
		(void)json_object_set_new(object, "suggestion",
					  mkv_report_text(c->suggestion));
	return object;
}

void mkv_report_diagnostic(const struct mkv_diagnostic *c)
{
	if (!as_json) {
		(void)fprintf(stderr, "%s:%u:%u: %s\n", c->file, c->line,
			      c->column, c->message);
		return;
	}
	json_t *event = json_pack("{s:s, s:s, s:i}", "event", "error", "kind",
				  kind_name(MKV_BAD_RECIPE), "status",
				  mkv_exit_status(MKV_BAD_RECIPE));
	auto_json json_t *diagnostic = mkv_report_diagnostic_json(c);
	if (event && diagnostic)
		(void)json_object_update(event, diagnostic);
	print_event(event);
}

void mkv_report_line(const char *event, const char *host, const char *text)
{
	print_event(json_pack("{s:s, s:s*, s:o}", "event", event, "host", host,
			      "text", mkv_report_text(text)));
}
