/* SPDX-License-Identifier: MIT */
#pragma once
/* Containers of services, by docker(1). */

#include "programs/campaign/agent/agent.h"

/* Starts a container that does not run, for its clean-up. An error if there is
 * none of that name. */
int mkv_agent_container_wake(const struct mkv_agent *agent,
			     const char *container,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Writes a file, root's and of mode 0644, into a container by docker-cp(1).
 * Directories of its absolute path that are missing are created; those that
 * exist are not changed. */
int mkv_agent_container_put(const struct mkv_agent *agent,
			    const char *container, const char *path,
			    const struct mkv_buf *text,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
