/* SPDX-License-Identifier: MIT */
#pragma once
/* The files of the current attempt: RUN_DIR/agent/files/DIRECTORY/FILE, and the
 * results of the load generator. The list is made at the end of each step, so
 * that a request costs nothing on a host that is measured, and indexes are
 * stable in between. */

#include "programs/campaign/agent/agent.h"

void mkv_agent_files_done(struct mkv_agent_files *files) mkv_nonnull(1);
/* Lists and hashes the files. */
int mkv_agent_files_list(const struct mkv_agent *agent, const char *run,
			 int64_t attempt, struct mkv_agent_files *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* Opens a listed file. -ESTALE: it is missing or has another size. */
int mkv_agent_file_open(const struct mkv_agent_file *file, int *ret_fd,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Removes the files of earlier attempts. */
int mkv_agent_files_clear(const struct mkv_agent *agent,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Opens a file below a directory, whose path may have links. The load generator
 * is an unprivileged program: no link below the directory is followed, and
 * anything but a regular file is refused. */
int mkv_agent_open_below(const char *directory, const char *path, int *ret_fd,
			 uint64_t *ret_size,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
