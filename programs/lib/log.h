/* SPDX-License-Identifier: MIT */
#pragma once
/* Structured logs: one JSON object per line on stderr, {"level","message",
 * "service","time"}. Control characters and quotes are escaped. */

#include "lib/auto.h"

void mkv_log_init(const char *service) mkv_nonnull(1);
void mkv_log_info(const char *format, ...) mkv_nonnull(1) mkv_printf(1, 2);
void mkv_log_error(const char *format, ...) mkv_nonnull(1) mkv_printf(1, 2);
