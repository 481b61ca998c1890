/* SPDX-License-Identifier: MIT */
#include "builder/cmd/run_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "builder/cmd/report.h"
#include "lib/clock.h"
#include "lib/display.h"
#include "lib/io.h"

enum { AGAIN_S = 60, COLUMNS_DEFAULT = 80, LINES_MAX = 16 };
#define STATUS_FILE ".status.json"

void mkv_run_printer_init(struct mkv_run_printer *printer,
			  const struct mkv_plan *plan, const char *bundle_path,
			  bool is_json, bool is_quiet)
{
	const char *term = getenv("TERM");
	*printer = (struct mkv_run_printer){
		.plan = plan,
		.bundle_path = bundle_path,
		.is_json = is_json,
		.is_quiet = is_quiet,
		.is_terminal = !is_json && !is_quiet && isatty(STDERR_FILENO) &&
			       term && strcmp(term, "dumb") != 0,
	};
}

static json_t *hosts_json(const struct mkv_state *state)
{
	json_t *hosts = json_object();
	for (size_t i = 0; hosts && state && i < state->n_hosts; i++) {
		const char *receipt = state->hosts[i].receipt;
		json_object_set_new(hosts, state->hosts[i].name,
				    json_string(!state->hosts[i].boot_id
							? "silent"
						: receipt ? receipt
							  : "none"));
	}
	return hosts;
}

static json_t *spans_json(const struct mkv_state *state)
{
	return !state ? json_object()
		      : json_pack("{s:I, s:I, s:I}", "received",
				  (json_int_t)state->spans_received, "expected",
				  (json_int_t)state->spans_expected, "dropped",
				  (json_int_t)state->spans_dropped);
}

static json_t *status_json(const struct mkv_run_printer *printer,
			   const struct mkv_conduct_status *status)
{
	const struct mkv_plan *plan = printer->plan;
	const struct mkv_state *state = status->state;
	const json_t *progress = state ? state->progress : NULL;
	unsigned blocks = 0;
	for (size_t i = 0; i < plan->n_runs; i++)
		if (plan->runs[i].block > blocks)
			blocks = plan->runs[i].block;
	return json_pack(
		"{s:s, s:b, s:I, s:I, s:I, s:s, s:s, s:i, s:i, s:i, s:s, s:I, "
		"s:i, s:o, s:o, s:o, s:I}",
		"campaign", plan->name, "trial", plan->is_trial, "done",
		(json_int_t)status->done, "total", (json_int_t)status->total,
		"invalid", (json_int_t)status->invalid, "run", status->run->id,
		"arm", status->arm->name, "block", (int)status->run->block,
		"blocks", (int)blocks, "attempt", (int)status->attempt, "phase",
		status->phase, "left_s", (json_int_t)status->left_s,
		"rate_asked", (int)plan->load.rate, "progress",
		progress ? json_deep_copy(progress) : json_object(), "spans",
		spans_json(state), "receipts", hosts_json(state), "time_ns",
		(json_int_t)mkv_realtime_ns());
}

static const char *word(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text ? text : "-";
}

static json_int_t number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static double milliseconds(const json_t *object, const char *key)
{
	return (double)number(object, key) / MKV_NS_PER_MS;
}

static void print_left(json_int_t left_s, struct mkv_buf *into)
{
	if (left_s < 0)
		return;
	if (left_s >= 3600)
		mkv_buf_printf(into, "; about %lld h %lld min left",
			       (long long)left_s / 3600,
			       (long long)left_s % 3600 / 60);
	else
		mkv_buf_printf(into, "; about %lld min %lld s left",
			       (long long)left_s / 60, (long long)left_s % 60);
}

static void print_progress(const json_t *status, struct mkv_buf *into)
{
	const json_t *progress = json_object_get(status, "progress");
	const json_t *latency = json_object_get(progress, "latency_ns");
	const json_t *late = json_object_get(progress, "late_ns");
	if (json_object_size(progress) == 0)
		return;
	mkv_buf_printf(
		into, "  requests   %lld of %lld sent, %lld failed (%s)\n",
		(long long)number(progress, "sent"),
		(long long)number(progress, "total"),
		(long long)number(progress, "failed"), word(progress, "phase"));
	mkv_buf_printf(into, "  rate       %s of %lld requests per second\n",
		       word(progress, "rate_achieved"),
		       (long long)number(status, "rate_asked"));
	mkv_buf_printf(into, "  latency    p50 %.2f ms, p99 %.2f ms\n",
		       milliseconds(latency, "p50"),
		       milliseconds(latency, "p99"));
	mkv_buf_printf(into, "  lateness   p99 %.3f ms, maximum %.3f ms\n",
		       milliseconds(late, "p99"), milliseconds(late, "max"));
}

void mkv_run_print_screen(const json_t *status, struct mkv_buf *into)
{
	auto_buf struct mkv_buf text = {0};
	const json_t *spans = json_object_get(status, "spans");
	mkv_buf_printf(
		&text, "%s%s: %lld of %lld runs", word(status, "campaign"),
		json_is_true(json_object_get(status, "trial")) ? " (a trial)"
							       : "",
		(long long)number(status, "done"),
		(long long)number(status, "total"));
	print_left(json_is_integer(json_object_get(status, "left_s"))
			   ? number(status, "left_s")
			   : -1,
		   &text);
	mkv_buf_printf(
		&text,
		"\n  run        %s, attempt %lld (block %lld of %lld)\n"
		"  phase      %s\n",
		word(status, "run"), (long long)number(status, "attempt"),
		(long long)number(status, "block"),
		(long long)number(status, "blocks"), word(status, "phase"));
	print_progress(status, &text);
	if (json_object_size(spans) > 0 && number(spans, "received") >= 0)
		mkv_buf_printf(&text,
			       "  spans      %lld received, %lld dropped\n",
			       (long long)number(spans, "received"),
			       (long long)number(spans, "dropped"));
	const char *host;
	const json_t *receipt;
	const char *separator = "  receipts   ";
	json_object_foreach(
		(json_t *)(uintptr_t)json_object_get(status, "receipts"), host,
		receipt)
	{
		const char *result = json_string_value(receipt);
		mkv_buf_printf(&text, "%s%s %s", separator, host,
			       result ? result : "-");
		separator = ", ";
	}
	mkv_buf_str(&text, separator[0] == ',' ? "\n" : "");
	if (text.failed || !text.data)
		return;
	mkv_display_clean(text.data, "\n");
	mkv_buf_str(into, text.data);
}

static void erase_screen(struct mkv_run_printer *printer)
{
	if (printer->drawn)
		(void)fprintf(stderr, "\033[%uA\033[J", printer->drawn);
	printer->drawn = 0;
}

/* Draws at most the terminal's width: a wrapped line could not be erased. */
static void draw_screen(struct mkv_run_printer *printer, char *text)
{
	struct winsize size = {0};
	size_t columns =
		ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0
			? size.ws_col
			: COLUMNS_DEFAULT;
	erase_screen(printer);
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (!*line || printer->drawn >= LINES_MAX)
			continue;
		(void)fprintf(stderr, "%.*s\n",
			      (int)mkv_display_cut(line, columns), line);
		printer->drawn++;
	}
}

static void print_line(struct mkv_run_printer *printer,
		       const struct mkv_conduct_status *status)
{
	char now[sizeof(printer->last)];
	int64_t time_ns = mkv_monotonic_ns();
	(void)snprintf(now, sizeof(now), "%s, attempt %u: %s", status->run->id,
		       status->attempt, status->phase);
	if (strcmp(now, printer->last) == 0 &&
	    time_ns - printer->last_ns < AGAIN_S * (int64_t)MKV_NS_PER_S)
		return;
	memcpy(printer->last, now, sizeof(now));
	printer->last_ns = time_ns;
	mkv_display_clean(now, "");
	const json_t *progress = status->state ? status->state->progress : NULL;
	if (progress)
		(void)fprintf(stderr, "run: %zu of %zu: %s (%lld of %lld)\n",
			      status->done, status->total, now,
			      (long long)number(progress, "sent"),
			      (long long)number(progress, "total"));
	else
		(void)fprintf(stderr, "run: %zu of %zu: %s\n", status->done,
			      status->total, now);
}

/* Kept for --status only: a failure is none of the campaign's. */
static void keep_status(const struct mkv_run_printer *printer, const char *text)
{
	char path[4096];
	struct mkv_error ignored;
	(void)snprintf(path, sizeof(path), "%s/" STATUS_FILE,
		       printer->bundle_path);
	(void)!mkv_place_file(path, 0644, text, strlen(text), &ignored);
}

void mkv_run_print_status(const struct mkv_conduct_status *status,
			  void *context)
{
	struct mkv_run_printer *printer = context;
	struct mkv_error ignored;
	auto_json json_t *json = status_json(printer, status);
	auto_buf struct mkv_buf text = {0}, screen = {0};
	if (!json || mkv_json_dump_compact(json, &text, &ignored) < 0)
		return;
	mkv_buf_char(&text, '\n');
	if (text.failed)
		return;
	keep_status(printer, text.data);
	if (printer->is_json)
		(void)fputs(text.data, stderr);
	else if (printer->is_terminal) {
		mkv_run_print_screen(json, &screen);
		if (screen.data && !screen.failed)
			draw_screen(printer, screen.data);
	} else if (!printer->is_quiet)
		print_line(printer, status);
}

void mkv_run_print_note(const char *text, void *context)
{
	struct mkv_run_printer *printer = context;
	if (printer->is_json) {
		mkv_report_line("note", NULL, text);
		return;
	}
	auto_free char *clean = strdup(text);
	if (!clean)
		return;
	mkv_display_clean(clean, "");
	erase_screen(printer);
	(void)fprintf(stderr, "run: %s\n", clean);
}

void mkv_run_printer_done(struct mkv_run_printer *printer)
{
	char path[4096];
	erase_screen(printer);
	(void)snprintf(path, sizeof(path), "%s/" STATUS_FILE,
		       printer->bundle_path);
	(void)unlink(path);
}
