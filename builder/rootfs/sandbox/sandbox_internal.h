/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of this directory: sandbox.c starts and supervises the
 * worker, view.c sets up its file systems, exec.c runs programs in them, ids.c
 * maps user ids. */

#include <sys/types.h>

#include "builder/rootfs/sandbox/sandbox.h"

struct mkv_sandbox {
	int root_fd, stage_fd; /* directories of the tmpfs */
	int log_fd;	       /* an unnamed file: output of the program */
	int report_fd;	       /* socket to the calling process */
	bool has_mounts;
};

/* Messages of the worker to the calling process. Each is one packet that holds
 * a whole struct, so that messages of different threads don't mix. */
enum mkv_report_kind {
	MKV_REPORT_BEGIN,
	MKV_REPORT_ADVANCE,
	MKV_REPORT_END,
	MKV_REPORT_NOTE,
	MKV_REPORT_RESULT,
};
struct mkv_report {
	enum mkv_report_kind kind;
	int rc; /* of a step or of the worker; the latter with error_* and text
		 */
	int error_kind, error_code;
	uint64_t bytes;
	char text[MKV_ERROR_MESSAGE_MAX];
};

/* Maps ids 0 to 65535 of the new user namespace of a process. */
int mkv_sandbox_map_ids(pid_t pid, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2);

/* Mounts the tmpfs and makes it the root of the calling process, which must be
 * alone in its mount namespace. */
int mkv_sandbox_mount(struct mkv_sandbox *sandbox,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
