/* SPDX-License-Identifier: MIT */
#pragma once
/* What the initramfs has to say, to the kernel's log or to the console. */

#include "lib/auto.h"

/* A line of the kernel's log: shown unless `quiet`. */
void say_log(const char *format, ...) mkv_printf(1, 2);
/* A line on the console, whatever the log level. */
void say_error(const char *format, ...) mkv_printf(1, 2);
