/* SPDX-License-Identifier: MIT */
#pragma once
/* Client of QEMU's monitor protocol QMP (docs/interop/qmp-spec.rst of QEMU):
 * one JSON object per line. */

#include "lib/error.h"

/* Runs a command of the human monitor over a new connection. `ret`, the printed
 * text, is owned by the caller. -ETIMEDOUT after a minute without an answer,
 * MKV_HOST_CANNOT when QEMU exits. */
int mkv_monitor_run(int fd, const char *command, char **ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3, 4);
