/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/console.h"

#include <string.h>

#include "lib/display.h"
#include "lib/utf8.h"

static const char head[] = "mkvbench-verify: ";
static const char marker[] = "mkvbench-receipt";

void mkv_console_done(struct mkv_console *console)
{
	mkv_buf_done(&console->text);
	mkv_buf_done(&console->boot.text);
	mkv_buf_done(&console->later.text);
}

const char *mkv_verdict_name(enum mkv_verdict verdict)
{
	static const char *const names[] = {
		[MKV_VERDICT_PASS] = "pass",
		[MKV_VERDICT_WARN] = "warn",
		[MKV_VERDICT_NOT_ESTABLISHED] = "not established",
		[MKV_VERDICT_FAIL] = "fail",
		[MKV_VERDICT_NONE] = "no receipt",
	};
	return names[verdict];
}

static enum mkv_verdict parse_verdict_word(const char *word, size_t length)
{
	static const struct {
		const char *word;
		enum mkv_verdict verdict;
	} rows[] = {
		{"pass", MKV_VERDICT_PASS},
		{"warn", MKV_VERDICT_WARN},
		{"fail", MKV_VERDICT_FAIL},
		{"not-established", MKV_VERDICT_NOT_ESTABLISHED},
		{"not-promised", MKV_VERDICT_NOT_ESTABLISHED},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].word) == length &&
		    memcmp(rows[i].word, word, length) == 0)
			return rows[i].verdict;
	return MKV_VERDICT_NONE;
}

/* "VERDICT host=NAME ..." */
static void parse_verdict(struct mkv_console_receipt *receipt, const char *rest)
{
	static const char key[] = " host=";
	receipt->verdict = parse_verdict_word(rest, strcspn(rest, " "));
	const char *host = strstr(rest, key);
	if (!host)
		return;
	host += sizeof(key) - 1;
	(void)snprintf(receipt->host, sizeof(receipt->host), "%.*s",
		       (int)strcspn(host, " "), host);
}

static void finish_receipt(struct mkv_console *console,
			   struct mkv_console_receipt *receipt)
{
	console->in_receipt = false;
	if (receipt->verdict == MKV_VERDICT_NONE)
		return;
	receipt->complete = true;
	receipt->text = console->text;
	console->text = (struct mkv_buf){0};
}

/* Handles the text after the marker. Of each kind of receipt only the first
 * complete one is kept. */
static void handle_marker(struct mkv_console *console, const char *rest)
{
	static const char later[] = "-later";
	struct mkv_console_receipt *receipt = &console->boot;
	if (strncmp(rest, later, sizeof(later) - 1) == 0) {
		receipt = &console->later;
		rest += sizeof(later) - 1;
	}
	if (receipt->complete)
		return;
	if (strncmp(rest, ": ", 2) == 0)
		parse_verdict(receipt, rest + 2);
	else if (strncmp(rest, "-end", 4) == 0)
		finish_receipt(console, receipt);
}

/* Skips systemd's animation of a waiting job: "[ ***  ] A start job is
 * running ..." */
static const char *skip_animation(const char *line)
{
	size_t stars = line[0] == '[' ? strspn(line + 1, "* ") : 0;
	if (stars < 3 || line[stars + 1] != ']')
		return line;
	return line + stars + 2 + strspn(line + stars + 2, " ");
}

static void end_line(struct mkv_console *console, mkv_console_line *on_line,
		     void *context)
{
	console->line[console->used] = '\0';
	console->used = 0;
	mkv_display_clean(console->line, "\t");
	const char *found = strstr(console->line, marker);
	if (strstr(console->line, head)) {
		mkv_buf_done(&console->text);
		console->in_receipt = true;
	}
	if (found)
		handle_marker(console, found + sizeof(marker) - 1);
	else if (console->in_receipt &&
		 console->text.size < MKV_RECEIPT_MAX_BYTES)
		mkv_buf_printf(&console->text, "%s\n", console->line);
	if (console->line[strspn(console->line, " \t")]) {
		(void)snprintf(console->last, sizeof(console->last), "%s",
			       skip_animation(console->line));
		mkv_utf8_drop_cut(console->last);
	}
	if (on_line && console->line[0])
		on_line(console->line, context);
}

/* Control sequences (ECMA-48, 5.4) are dropped: ESC [ ... letter, ESC x. */
static bool is_escape(struct mkv_console *console, char byte)
{
	if (byte == '\033') {
		console->escape = 1;
		return true;
	}
	if (console->escape == 1) {
		console->escape = byte == '[' ? 2 : 0;
		return true;
	}
	if (console->escape == 2) {
		if (byte >= '@' && byte <= '~')
			console->escape = 0;
		return true;
	}
	return false;
}

void mkv_console_feed(struct mkv_console *console, const char *data,
		      size_t size, mkv_console_line *on_line, void *context)
{
	for (size_t i = 0; i < size; i++) {
		char byte = data[i];
		if (byte == '\n')
			console->escape = 0;
		if (is_escape(console, byte))
			continue;
		/* Text after a carriage return overwrites the line. */
		if (console->returned && byte != '\n' && byte != '\r')
			console->used = 0;
		console->returned = byte == '\r';
		if (byte == '\n' || console->used == MKV_CONSOLE_LINE_MAX)
			end_line(console, on_line, context);
		if (byte == '\t' ||
		    ((unsigned char)byte >= ' ' && byte != 0x7f))
			console->line[console->used++] = byte;
	}
}
