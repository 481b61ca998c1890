/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <string.h>

#include "builder/evidence/audit/audit_internal.h"

void mkv_audit_report_done(struct mkv_audit_report *report)
{
	for (size_t i = 0; i < report->n_findings; i++) {
		free(report->findings[i].path);
		free(report->findings[i].text);
	}
	free(report->findings);
	*report = (struct mkv_audit_report){0};
}

/* Names in an appliance may be hostile: no control byte reaches a terminal. */
static char *escape_controls(const char *text)
{
	auto_buf struct mkv_buf out = {0};
	for (const char *c = text; *c; c++) {
		unsigned char byte = (unsigned char)*c;
		if (byte < ' ' || byte >= 0x7f)
			mkv_buf_printf(&out, "%%%02X", byte);
		else
			mkv_buf_char(&out, *c);
	}
	return mkv_buf_take(&out);
}

static bool reserve_finding(struct mkv_audit_report *report)
{
	if (report->n_findings < report->capacity)
		return true;
	size_t capacity = report->capacity ? 2 * report->capacity : 16;
	struct mkv_audit_finding *findings =
		reallocarray(report->findings, capacity, sizeof(*findings));
	if (!findings)
		return false;
	report->findings = findings;
	report->capacity = capacity;
	return true;
}

void mkv_audit_add(struct mkv_audit_report *report, const char *path,
		   const char *format, ...)
{
	if (report->n_findings == MKV_FINDINGS_MAX) {
		report->omitted++;
		return;
	}
	auto_free char *raw = NULL;
	va_list arguments;
	va_start(arguments, format);
	int length = vasprintf(&raw, format, arguments);
	va_end(arguments);
	if (length < 0)
		raw = NULL;
	auto_free char *text = raw ? escape_controls(raw) : NULL;
	auto_free char *where = escape_controls(path);
	if (!text || !where || !reserve_finding(report)) {
		report->failed = true;
		return;
	}
	report->findings[report->n_findings++] =
		(struct mkv_audit_finding){mkv_take(where), mkv_take(text)};
}

void mkv_audit_merge(struct mkv_audit_report *report,
		     struct mkv_audit_report *from)
{
	report->signatures += from->signatures;
	report->entries += from->entries;
	report->omitted += from->omitted;
	report->failed |= from->failed;
	for (size_t i = 0; i < from->n_findings; i++) {
		if (report->n_findings == MKV_FINDINGS_MAX) {
			report->omitted++;
		} else if (!reserve_finding(report)) {
			report->failed = true;
		} else {
			report->findings[report->n_findings++] =
				from->findings[i];
			from->findings[i] = (struct mkv_audit_finding){0};
		}
	}
	mkv_audit_report_done(from);
}

uint64_t mkv_audit_count(const struct mkv_audit_report *report)
{
	return report->n_findings + report->omitted;
}

void mkv_audit_end_step(struct mkv_progress_step *step,
			const struct mkv_audit_report *report, uint64_t before,
			int rc)
{
	uint64_t found = mkv_audit_count(report) - before;
	if (rc < 0 || found == 0)
		mkv_progress_end(step, rc, NULL);
	else
		mkv_progress_end(step, 0, "%ju finding%s", (uintmax_t)found,
				 found == 1 ? "" : "s");
}

static int compare_findings(const void *a, const void *b)
{
	const struct mkv_audit_finding *x = a, *y = b;
	int order = strcmp(x->path, y->path);
	return order ? order : strcmp(x->text, y->text);
}

void mkv_audit_sort(struct mkv_audit_report *report)
{
	if (report->n_findings)
		qsort(report->findings, report->n_findings,
		      sizeof(*report->findings), compare_findings);
}
