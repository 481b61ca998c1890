/* SPDX-License-Identifier: MIT */
#pragma once
/* Parses a guest's console output into complete lines and the verifier's
 * receipts. A receipt consists of the lines from one that begins
 * "mkvbench-verify: " to
 *
 *     mkvbench-receipt: VERDICT host=NAME contract=SHA-256
 *     mkvbench-receipt-end
 *
 * with VERDICT pass, fail, not-established, not-promised or warn (not a pass,
 * but the contract lets services start). The second verifier run, once
 * containers are running, writes "mkvbench-receipt-later" instead. Guests may
 * be hostile: lines and receipts have a maximum size, and only printable UTF-8
 * is kept (see mkv_display_clean()). */

#include <stdbool.h>

#include "lib/buf.h"

enum {
	MKV_CONSOLE_LINE_MAX = 2048,
	MKV_RECEIPT_MAX_BYTES = 256 * 1024,
	MKV_RECEIPT_HOST_SIZE = 65,
};

/* From best to worst. */
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
	char line[MKV_CONSOLE_LINE_MAX + 1]; /* the incomplete line */
	size_t used;
	char last[80];	 /* the beginning of the last non-empty line, without
			    systemd's animation */
	unsigned escape; /* inside a terminal's escape sequence */
	bool returned;	 /* the last byte was a carriage return */
	bool in_receipt;
	struct mkv_buf text; /* of the receipt being read */
	struct mkv_console_receipt boot, later;
};
#define MKV_CONSOLE_INIT                                                       \
	((struct mkv_console){.boot.verdict = MKV_VERDICT_NONE,                \
			      .later.verdict = MKV_VERDICT_NONE})
void mkv_console_done(struct mkv_console *console) mkv_nonnull(1);

/* Called with each complete line, without its newline. */
typedef void mkv_console_line(const char *line, void *context);

/* Parses `size` bytes of the guest's output. `on_line` may be NULL. */
void mkv_console_feed(struct mkv_console *console, const char *data,
		      size_t size, mkv_console_line *on_line, void *context)
	mkv_nonnull(1);

/* "pass", "warn", "not established", "fail", "no receipt" */
const char *mkv_verdict_name(enum mkv_verdict verdict);
