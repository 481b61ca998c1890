/* SPDX-License-Identifier: MIT */
#include "verify/receipt/receipt.h"

#include <math.h>
#include <string.h>

#include "verify/receipt/standing.h"

/* The size of a console. */
enum { SCREEN_LINES = 24, SCREEN_COLUMNS = 80 };

/* From the most to the least detail; the first that fits on a screen is used.
 */
static const struct detail {
	bool names_passes; /* false: only their number */
	int findings;	   /* of each check that doesn't pass; -1: name only */
} details[] = {{true, 3},  {false, 3}, {false, 2},
	       {false, 1}, {false, 0}, {false, -1}};
enum { DETAILS = sizeof(details) / sizeof(details[0]) };

char *mkv_receipt_clean(const char *text)
{
	char *copy = strdup(text);
	for (char *at = copy; at && *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
			*at = *at == '\n' || *at == '\t' ? ' ' : '?';
	return copy;
}

/* "  pass  a, b, c", wrapped. */
static void list_checks(const struct mkv_receipt *receipt,
			enum mkv_result result, const char *title,
			struct mkv_buf *into)
{
	size_t column = 0;
	for (size_t i = 0; i < receipt->count; i++) {
		const struct mkv_receipt_row *row = &receipt->rows[i];
		if (row->result != result)
			continue;
		size_t length = strlen(row->check->name) + 2;
		if (column == 0 || column + length > SCREEN_COLUMNS - 2) {
			mkv_buf_printf(into, "%s  %-15s ", column ? ",\n" : "",
				       column ? "" : title);
			column = 18;
		} else {
			mkv_buf_str(into, ", ");
		}
		mkv_buf_str(into, row->check->name);
		column += length;
	}
	if (column)
		mkv_buf_char(into, '\n');
}

static void add_clean(struct mkv_buf *into, const char *text, size_t limit)
{
	auto_free char *copy = mkv_receipt_clean(text ? text : "nothing");
	if (copy && strlen(copy) > limit)
		memcpy(copy + limit - 3, "...", 4);
	mkv_buf_str(into, copy ? copy : "?");
}

static void add_finding(const struct mkv_finding *finding, struct mkv_buf *into)
{
	mkv_buf_str(into, "      ");
	add_clean(into, finding->what, 48);
	mkv_buf_str(into, ": expected ");
	add_clean(into, finding->expected, 100);
	mkv_buf_str(into, ", observed ");
	add_clean(into, finding->observed, 160);
	mkv_buf_str(into, " [");
	add_clean(into, finding->source, 64);
	mkv_buf_str(into, "]\n");
}

/* A check that doesn't pass, with up to `findings` of its findings. */
static void add_row(const struct mkv_receipt_row *row, unsigned findings,
		    struct mkv_buf *into)
{
	unsigned shown = 0;
	mkv_buf_printf(into, "  %-15s %s: %s\n", mkv_result_name(row->result),
		       row->check->name, row->check->why);
	for (size_t i = 0; findings && i < row->answer.count; i++) {
		const struct mkv_finding *finding = &row->answer.items[i];
		if (finding->result < MKV_NOT_ESTABLISHED)
			continue;
		if (shown++ == findings) {
			mkv_buf_str(into, "      more in receipt.json\n");
			break;
		}
		add_finding(finding, into);
	}
	if (row->accepted) {
		mkv_buf_str(into, "      accepted by the recipe: ");
		add_clean(into, row->accepted, 100);
		mkv_buf_char(into, '\n');
	}
}

/* All checks that don't pass, with up to `findings` of each; below 0: their
 * names only. */
static void add_rows(const struct mkv_receipt *receipt, int findings,
		     struct mkv_buf *into)
{
	if (findings < 0) {
		list_checks(receipt, MKV_NOT_ESTABLISHED, "not-established",
			    into);
		list_checks(receipt, MKV_FAIL, "fail", into);
	}
	for (size_t i = 0; findings >= 0 && i < receipt->count; i++)
		if (receipt->rows[i].result >= MKV_NOT_ESTABLISHED)
			add_row(&receipt->rows[i], (unsigned)findings, into);
	if (findings <= 0 && receipt->result != MKV_PASS)
		mkv_buf_str(into, "  findings omitted to fit one screen: see "
				  "/run/mkvbench/receipt.json\n");
}

/* Counts lines as a console wraps them. */
static size_t count_lines(const struct mkv_buf *text)
{
	size_t lines = 0;
	for (const char *at = text->data; at && *at;) {
		size_t length = strcspn(at, "\n");
		lines += length ? (length + SCREEN_COLUMNS - 1) / SCREEN_COLUMNS
				: 1;
		at += length + (at[length] == '\n');
	}
	return lines;
}

static void add_verdict(const struct mkv_receipt *receipt, struct mkv_buf *into)
{
	static const char *const verdicts[] = {
		[MKV_NOT_PROMISED] = "no check ran",
		[MKV_PASS] = "the running system keeps its contract",
		[MKV_NOT_ESTABLISHED] =
			"not every promise of the contract was established",
		[MKV_FAIL] = "the running system breaks its contract",
	};
	const char *then = "";
	if (receipt->env->phase == MKV_PHASE_BOOT &&
	    receipt->result != MKV_PASS)
		then = mkv_receipt_lets_start(receipt)
			       ? "; services start anyway (mode: warn)"
			       : "; services do not start";
	double clock_s = 0;
	for (size_t i = 0; i < receipt->count; i++)
		if (strcmp(receipt->rows[i].check->name, "clock") == 0)
			clock_s = receipt->rows[i].took_s;
	mkv_buf_printf(into, "  %s%s (%.1f s", verdicts[receipt->result], then,
		       receipt->took_s);
	if (clock_s >= 0.1)
		mkv_buf_printf(into, ", %.1f s of that for the clock", clock_s);
	mkv_buf_str(into, ")\n");
}

static void add_signature(const struct mkv_receipt *receipt,
			  struct mkv_buf *into)
{
	if (receipt->is_signed) {
		mkv_buf_printf(into, "  signed by this machine's TPM, key %s\n",
			       receipt->signer);
		return;
	}
	mkv_buf_str(into, "  unsigned evidence: ");
	add_clean(into, receipt->unsigned_because, 160);
	mkv_buf_char(into, '\n');
}

static void count_checks(const struct mkv_receipt *receipt,
			 enum mkv_result result, const char *title,
			 struct mkv_buf *into)
{
	size_t count = 0;
	for (size_t i = 0; i < receipt->count; i++)
		count += receipt->rows[i].result == result;
	if (count)
		mkv_buf_printf(into, "  %-15s %zu check%s\n", title, count,
			       count == 1 ? "" : "s");
}

static void add_screen(const struct mkv_receipt *receipt,
		       const struct detail *detail, struct mkv_buf *into)
{
	const struct mkv_contract *contract = receipt->env->contract;
	const char *sha = receipt->trusted->sha256;
	mkv_buf_printf(into, "mkvbench-verify: %s, host ",
		       contract ? contract->name : "no contract");
	add_clean(into, receipt->host, 64);
	if (receipt->env->host)
		mkv_buf_printf(into, " (role %s, image %s)",
			       receipt->env->host->role,
			       receipt->env->host->image);
	mkv_buf_printf(into, ", contract %.16s\n", sha[0] ? sha : "unread");
	void (*name)(const struct mkv_receipt *receipt, enum mkv_result result,
		     const char *title, struct mkv_buf *into) =
		detail->names_passes ? list_checks : count_checks;
	name(receipt, MKV_PASS, "pass", into);
	name(receipt, MKV_NOT_PROMISED, "not promised", into);
	add_rows(receipt, detail->findings, into);
	add_verdict(receipt, into);
	add_signature(receipt, into);
	const char *marker = receipt->env->phase == MKV_PHASE_BOOT
				     ? "mkvbench-receipt"
				     : "mkvbench-receipt-later";
	mkv_buf_printf(into, "%s: %s host=", marker, mkv_receipt_word(receipt));
	add_clean(into, receipt->host, 64);
	mkv_buf_printf(into, " contract=%s\n%s-end\n", sha[0] ? sha : "none",
		       marker);
}

void mkv_receipt_text(const struct mkv_receipt *receipt, struct mkv_buf *into)
{
	for (size_t i = 0;; i++) {
		auto_buf struct mkv_buf text = {0};
		add_screen(receipt, &details[i], &text);
		if (i + 1 < DETAILS && count_lines(&text) > SCREEN_LINES)
			continue;
		mkv_buf_add(into, text.data, text.size);
		into->failed = into->failed || text.failed;
		return;
	}
}

static void add_figure(struct mkv_buf *into, const char *name, const char *help,
		       double value)
{
	if (isfinite(value))
		mkv_buf_printf(into, "# HELP %s %s\n# TYPE %s gauge\n%s %.9g\n",
			       name, help, name, name, value);
}

static void add_number(struct mkv_buf *into, const char *name, const char *help,
		       int64_t value)
{
	mkv_buf_printf(into, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name,
		       help, name, name, (long long)value);
}

void mkv_receipt_metrics(const struct mkv_receipt *receipt,
			 const struct mkv_standing *standing,
			 struct mkv_buf *into)
{
	mkv_buf_str(into, "# HELP mkvbench_check Whether a check has this "
			  "result.\n# TYPE mkvbench_check gauge\n");
	for (size_t i = 0; i < receipt->count; i++)
		mkv_buf_printf(into,
			       "mkvbench_check{check=\"%s\",result=\"%s\"} 1\n",
			       receipt->rows[i].check->name,
			       mkv_result_name(receipt->rows[i].result));
	/* A pass of this run's checks doesn't undo an earlier failure. */
	add_figure(into, "mkvbench_verified",
		   "1 when the boot's receipt passed, no later run broke it, "
		   "and the last run passed.",
		   standing->boot_passed && !standing->is_broken &&
			   receipt->result == MKV_PASS);
	add_figure(into, "mkvbench_boot_verified",
		   "1 when the boot's receipt passed.", standing->boot_passed);
	add_figure(into, "mkvbench_receipt_broken",
		   "1 when a later run of this boot broke its receipt.",
		   standing->is_broken);
	add_number(into, "mkvbench_last_look_timestamp_seconds",
		   "When the last run started, since 1970.",
		   receipt->started_s);
	add_number(into, "mkvbench_watch_looks",
		   "Runs of the timer in this boot.", standing->watches);
	add_number(into, "mkvbench_watch_established",
		   "Runs of the timer that established every check.",
		   standing->established);
	add_figure(into, "mkvbench_watch_widest_bound_seconds",
		   "The widest bound of the clock in all runs of the timer.",
		   standing->widest_bound_s);
	add_figure(into, "mkvbench_receipt_signed",
		   "1 when the machine's TPM signed the receipt.",
		   receipt->is_signed);
	add_figure(into, "mkvbench_clock_offset_seconds",
		   "System clock against chronyd's estimate of the reference.",
		   receipt->figures.clock_offset_s);
	add_figure(into, "mkvbench_clock_bound_seconds",
		   "Bound of the clock's distance from the VLAN's server.",
		   receipt->figures.clock_bound_s);
	add_figure(into, "mkvbench_sntp_offset_seconds",
		   "Server's clock minus the local one, by SNTP.",
		   receipt->figures.sntp_offset_s);
	add_figure(into, "mkvbench_sntp_delay_seconds",
		   "Round trip of the SNTP exchange.",
		   receipt->figures.sntp_delay_s);
}
