/* SPDX-License-Identifier: MIT */
#pragma once
/* QEMU's monitor, by its protocol QMP (docs/interop/qmp-spec.rst of QEMU): JSON
 * objects, a line each. */

#include "lib/error.h"

/* Runs a command of the human monitor over a connection that was never used,
 * and returns what it printed, owned by the caller. Waits at most a minute. */
int mkv_monitor_run(int fd, const char *command, char **ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3, 4);
