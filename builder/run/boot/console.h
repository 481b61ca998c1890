/* SPDX-License-Identifier: MIT */
#pragma once
/* A guest's console: complete lines, and the verifier's receipts among them. A
 * receipt is what stands between a line that begins "mkvbench-verify: " and
 *
 *     mkvbench-receipt: VERDICT host=NAME contract=SHA-256
 *     mkvbench-receipt-end
 *
 * with VERDICT pass, fail, not-established, not-promised or warn (not a pass,
 * but the contract says that services start all the same). The later look, when
 * containers run, writes "mkvbench-receipt-later" instead. Guests are hostile:
 * lines and receipts are bounded, and only printable UTF-8 is kept: see
 * mkv_display_clean(). */

#include <stdbool.h>

#include "lib/buf.h"

enum {
	MKV_CONSOLE_LINE_MOST = 1024,
	MKV_RECEIPT_MOST_BYTES = 256 * 1024,
	MKV_RECEIPT_HOST_SIZE = 65,
};

/* From good to bad. */
enum mkv_verdict {
	MKV_VERDICT_PASS,
	MKV_VERDICT_WARN,
	MKV_VERDICT_NOT_ESTABLISHED,
	MKV_VERDICT_FAIL,
	MKV_VERDICT_NONE, /* no receipt */
};

struct mkv_console_receipt {
	bool complete;
	enum mkv_verdict verdict;
	char host[MKV_RECEIPT_HOST_SIZE];
	struct mkv_buf text;
};

struct mkv_console {
	char line[MKV_CONSOLE_LINE_MOST + 1]; /* what isn't complete yet */
	size_t used;
	char last[80];	 /* the beginning of the last line that isn't empty,
			    without systemd's animation */
	unsigned escape; /* inside a terminal's escape sequence */
	bool returned;	 /* the last byte was a carriage return */
	bool in_receipt;
	struct mkv_buf text; /* of the receipt that is being read */
	struct mkv_console_receipt boot, later;
};
#define MKV_CONSOLE_INIT                                                       \
	((struct mkv_console){.boot.verdict = MKV_VERDICT_NONE,                \
			      .later.verdict = MKV_VERDICT_NONE})
void mkv_console_done(struct mkv_console *console) mkv_nonnull(1);

/* A complete line, without its end. */
typedef void mkv_console_line(const char *line, void *context);

/* Takes what the guest wrote. `on_line` may be NULL. */
void mkv_console_feed(struct mkv_console *console, const char *data,
		      size_t size, mkv_console_line *on_line, void *context)
	mkv_nonnull(1);

/* "pass", "warn", "not established", "fail", "no receipt" */
const char *mkv_verdict_name(enum mkv_verdict verdict);
