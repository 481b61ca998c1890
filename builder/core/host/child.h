/* SPDX-License-Identifier: MIT */
#pragma once
/* A program that runs beside us: watched through a pidfd, ended when we end. */

#include <stdbool.h>
#include <sys/types.h>

#include "lib/error.h"

struct mkv_child {
	pid_t pid;
	int pidfd; /* readable when it has ended; -1: not running */
};
#define MKV_CHILD_INIT ((struct mkv_child){.pid = -1, .pidfd = -1})

/* Starts argv with nothing on stdin and both outputs in `output_fd`. The child
 * gets SIGKILL when the calling thread ends, however it ends. */
int mkv_child_start(char *const *argv, int output_fd, struct mkv_child *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);

/* False while it runs. Then its wait status. */
bool mkv_child_reap(struct mkv_child *child, int *ret_status) mkv_nonnull(1, 2);

/* SIGTERM, then, after two seconds, SIGKILL; returns when it is gone. */
void mkv_child_end(struct mkv_child *child) mkv_nonnull(1);
#define auto_child __attribute__((cleanup(mkv_child_end)))
