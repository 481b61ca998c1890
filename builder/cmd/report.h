/* SPDX-License-Identifier: MIT */
#pragma once
/* Errors and diagnostics on stderr: a line of text, or, with --json, an event
 * like those of progress:
 *
 *     {"event":"error","kind":"usage","status":2,"message":"..."}
 *
 * with "file", "line" and "column" for a diagnostic of a recipe, and with
 * "suggestion" where a mistyped word has a likely correction. */

#include "builder/input/recipe/recipe.h"
#include "lib/json.h"

/* Makes this process report as JSON from now on. */
void mkv_report_as_json(void);

/* Prints nothing when the message is empty: it was reported already. */
void mkv_report_error(const struct mkv_error *err) mkv_nonnull(1);
void mkv_report_diagnostic(const struct mkv_diagnostic *diagnostic)
	mkv_nonnull(1);
/* Prints a line of text as an event of that name. `host` may be NULL. */
void mkv_report_line(const char *event, const char *host, const char *text)
	mkv_nonnull(1, 3);

/* A JSON string of any bytes: in text that is not UTF-8, '?' replaces bytes
 * that are not ASCII. NULL when out of memory. */
json_t *mkv_report_text(const char *text) mkv_must_check mkv_nonnull(1);

/* The diagnostic as an object without the event's keys; NULL when out of
 * memory.
 */
json_t *mkv_report_diagnostic_json(const struct mkv_diagnostic *diagnostic)
	mkv_must_check mkv_nonnull(1);
