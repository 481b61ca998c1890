/* SPDX-License-Identifier: MIT */
#pragma once
/* A guest's console: complete lines, and the verifier's receipt among them. The
 * receipt begins and ends with lines that hold
 *
 *     mkvbench-receipt: pass | fail | not-established
 *     mkvbench-receipt: end
 *
 * and what is between them is its text. A verdict may also close the text: the
 * last one before the end counts. Guests are hostile: lines and receipts are
 * bounded, and only printable bytes are kept. */

#include <stdbool.h>

#include "lib/buf.h"

enum { MKV_CONSOLE_LINE_MOST = 1024, MKV_RECEIPT_MOST_BYTES = 256 * 1024 };

enum mkv_verdict {
	MKV_VERDICT_NONE, /* no receipt yet */
	MKV_VERDICT_PASS,
	MKV_VERDICT_FAIL,
	MKV_VERDICT_NOT_ESTABLISHED,
};

struct mkv_console {
	char line[MKV_CONSOLE_LINE_MOST + 1]; /* what isn't complete yet */
	size_t used;
	unsigned escape; /* inside a terminal's escape sequence */
	bool in_receipt, complete;
	enum mkv_verdict verdict;
	struct mkv_buf receipt; /* its lines */
};
void mkv_console_done(struct mkv_console *console) mkv_nonnull(1);

/* A complete line, without its end. */
typedef void mkv_console_line(const char *line, void *context);

/* Takes what the guest wrote. `on_line` may be NULL. */
void mkv_console_feed(struct mkv_console *console, const char *data,
		      size_t size, mkv_console_line *on_line, void *context)
	mkv_nonnull(1);

/* "pass", "fail", "not established", "no receipt" */
const char *mkv_verdict_name(enum mkv_verdict verdict);
