/* SPDX-License-Identifier: MIT */
#pragma once
/* How `mkvbench run` shows a campaign: on a terminal a screen that is redrawn,
 * elsewhere a line when the run or its phase changes and once a minute, with
 * --json a JSON object a second. The same object is kept in the bundle's
 * directory as .status.json for `mkvbench run --status`. */

#include "builder/run/campaign/conduct.h"

struct mkv_run_printer {
	const struct mkv_plan *plan;
	const char *bundle_path;
	bool is_json, is_quiet, is_terminal;
	unsigned drawn; /* lines of the screen that is drawn */
	char last[256]; /* the last plain line's run and phase */
	int64_t last_ns;
};

void mkv_run_printer_init(struct mkv_run_printer *printer,
			  const struct mkv_plan *plan, const char *bundle_path,
			  bool is_json, bool is_quiet) mkv_nonnull(1, 2, 3);
/* Callbacks of struct mkv_conduct; `context` is the printer. */
void mkv_run_print_status(const struct mkv_conduct_status *status,
			  void *context);
void mkv_run_print_note(const char *text, void *context);
/* Removes the screen and .status.json. */
void mkv_run_printer_done(struct mkv_run_printer *printer) mkv_nonnull(1);

/* Appends the screen of a status object, which may be hostile: text fit for a
 * terminal, lines that end with a newline. */
void mkv_run_print_screen(const json_t *status, struct mkv_buf *into)
	mkv_nonnull(1, 2);
