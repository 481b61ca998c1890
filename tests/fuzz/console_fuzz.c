/* SPDX-License-Identifier: MIT */
/* A guest's console: output is limited and printable, and no verdict is a pass
 * without the word. */

#include <stddef.h>
#include <stdint.h>

#include "builder/run/boot/console.h"

static const char *const fuzz_seeds[] = {"tests/unit/boot_test.c",
					 "tests/boot/610-*/run", NULL};
static const char *const fuzz_words[] = {"mkvbench-verify: ",
					 "mkvbench-receipt: pass host=",
					 "mkvbench-receipt: fail",
					 "mkvbench-receipt-end\n",
					 "mkvbench-receipt-later: warn\n",
					 "mkvbench-receipt-later-end\n",
					 "\n",
					 "\r\n",
					 "\033[",
					 "\033]0;",
					 "\x9b",
					 NULL};

#include "tests/fuzz/driver.h"

static void on_line(const char *line, void *context)
{
	(void)context;
	for (const char *c = line; *c; c++)
		if ((*c > 0 && *c < ' ' && *c != '\t') || *c == 0x7f)
			abort();
	if (strlen(line) > MKV_CONSOLE_LINE_MAX)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_console console = MKV_CONSOLE_INIT;
	size_t half = size / 2;
	mkv_console_feed(&console, (const char *)data, half, on_line, NULL);
	mkv_console_feed(&console, (const char *)data + half, size - half,
			 on_line, NULL);
	if (console.boot.complete && console.boot.verdict == MKV_VERDICT_NONE)
		abort();
	/* Only the printable bytes of the lines count; a pass needs at least
	 * the bytes of the word. */
	if (console.boot.verdict == MKV_VERDICT_PASS && size < 22)
		abort();
	mkv_console_done(&console);
	return 0;
}
