/* SPDX-License-Identifier: MIT */
#pragma once
/* What went wrong, to stderr: a line for people, or, once --json was asked for,
 * an event like those of progress:
 *
 *     {"event":"error","kind":"usage","status":2,"message":"..."}
 *
 * with "file", "line" and "column" for a complaint about a recipe, and
 * "suggestion" where the message has one. */

#include "builder/input/recipe/recipe.h"
#include "lib/json.h"

/* From now on as JSON. */
void mkv_report_as_json(void);

/* Nothing when the message is empty: it was reported already. */
void mkv_report_error(const struct mkv_error *err) mkv_nonnull(1);
void mkv_report_complaint(const struct mkv_diagnostic *complaint)
	mkv_nonnull(1);
/* A line of text as an event of that name, of a host or not (NULL). */
void mkv_report_line(const char *event, const char *host, const char *text)
	mkv_nonnull(1, 3);

/* A string of any bytes: in one that isn't UTF-8 '?' replaces what isn't ASCII.
 * NULL out of memory. */
json_t *mkv_report_text(const char *text) mkv_must_check mkv_nonnull(1);

/* The complaint itself, without the event; NULL out of memory. */
json_t *
mkv_report_complaint_json(const struct mkv_diagnostic *complaint) mkv_must_check
	mkv_nonnull(1);
