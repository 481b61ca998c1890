/* SPDX-License-Identifier: MIT */
#include "builder/boot/console.h"

#include <string.h>

static const char marker[] = "mkvbench-receipt: ";

void mkv_console_done(struct mkv_console *console)
{
	mkv_buf_done(&console->receipt);
}

const char *mkv_verdict_name(enum mkv_verdict verdict)
{
	switch (verdict) {
	case MKV_VERDICT_PASS:
		return "pass";
	case MKV_VERDICT_FAIL:
		return "fail";
	case MKV_VERDICT_NOT_ESTABLISHED:
		return "not established";
	case MKV_VERDICT_NONE:
		break;
	}
	return "no receipt";
}

static bool is_word(const char *text, const char *word)
{
	size_t length = strlen(word);
	return strncmp(text, word, length) == 0 &&
	       strspn(text + length, " ") == strlen(text + length);
}

static void take_marker(struct mkv_console *console, const char *word)
{
	enum mkv_verdict verdict =
		is_word(word, "pass")		   ? MKV_VERDICT_PASS
		: is_word(word, "fail")		   ? MKV_VERDICT_FAIL
		: is_word(word, "not-established") ? MKV_VERDICT_NOT_ESTABLISHED
						   : MKV_VERDICT_NONE;
	if (verdict != MKV_VERDICT_NONE) {
		console->verdict = verdict;
		console->in_receipt = true;
	} else if (is_word(word, "begin")) {
		console->in_receipt = true;
	} else if (is_word(word, "end") &&
		   console->verdict != MKV_VERDICT_NONE) {
		console->in_receipt = false;
		console->complete = true;
	}
}

static void end_line(struct mkv_console *console, mkv_console_line *on_line,
		     void *context)
{
	console->line[console->used] = '\0';
	console->used = 0;
	const char *found = strstr(console->line, marker);
	if (found && !console->complete)
		take_marker(console, found + sizeof(marker) - 1);
	else if (console->in_receipt &&
		 console->receipt.size < MKV_RECEIPT_MOST_BYTES)
		mkv_buf_printf(&console->receipt, "%s\n", console->line);
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
		if (byte == '\n' || console->used == MKV_CONSOLE_LINE_MOST)
			end_line(console, on_line, context);
		if (byte == '\t' || (byte >= ' ' && byte != 0x7f) ||
		    (unsigned char)byte >= 0xa0)
			console->line[console->used++] = byte;
	}
}
