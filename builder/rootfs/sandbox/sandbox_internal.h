/* SPDX-License-Identifier: MIT */
#pragma once
/* What the sandbox's files share: sandbox.c starts and watches it from outside,
 * view.c furnishes it, exec.c runs programs in it, ids.c maps user ids. */

#include <sys/types.h>

#include "builder/rootfs/sandbox/sandbox.h"

struct mkv_sandbox {
	int root_fd, stage_fd; /* folders of the tmpfs */
	int log_fd;	       /* an unnamed file: what a program writes */
	int report_fd;	       /* to outside */
	bool has_mounts;
};

/* Messages to outside. Each is one write of a whole struct, so that threads
 * don't mix them. */
enum mkv_report_kind {
	MKV_REPORT_BEGIN,
	MKV_REPORT_ADVANCE,
	MKV_REPORT_END,
	MKV_REPORT_NOTE,
	MKV_REPORT_RESULT,
};
struct mkv_report {
	enum mkv_report_kind kind;
	int rc; /* of a result, with its error's kind and code */
	int error_kind, error_code;
	uint64_t bytes;
	char text[MKV_ERROR_MESSAGE_MAX];
};

/* Maps ids 0 to 65535 of the process's new user namespace. */
int mkv_sandbox_map_ids(pid_t pid, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2);

/* Makes the tmpfs the whole world of the calling process, alone in its mount
 * namespace. */
int mkv_sandbox_furnish(struct mkv_sandbox *sandbox,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
