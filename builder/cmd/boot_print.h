/* SPDX-License-Identifier: MIT */
#pragma once
/* The output of `mkvbench boot`: notes and console lines on stderr, receipts
 * and the result of the load on stdout. Guests are hostile: their bytes are
 * cleaned before they reach a terminal. */

#include "builder/run/boot/boot.h"

struct mkv_boot_printer {
	bool is_json, is_verbose;
	bool load_failed; /* set by mkv_boot_print_load() */
};

/* The callbacks of struct mkv_boot_options; `context` is the printer. Console
 * lines are printed with --verbose only. */
void mkv_boot_print_line(const char *host, const char *line, void *context)
	mkv_nonnull(2, 3);
void mkv_boot_print_receipt(const struct mkv_boot_result *result, void *context)
	mkv_nonnull(1, 2);
void mkv_boot_print_load(const struct mkv_boot_load *load, void *context)
	mkv_nonnull(1, 2);
