/* SPDX-License-Identifier: MIT */
#pragma once
/* Messages of the initramfs. */

#include "lib/auto.h"

/* Writes a line to the kernel log, which the console shows unless `quiet`. */
void log_to_kernel(const char *format, ...) mkv_printf(1, 2);
/* Writes a line to the console, regardless of the log level. */
void log_to_console(const char *format, ...) mkv_printf(1, 2);
