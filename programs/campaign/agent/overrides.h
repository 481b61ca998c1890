/* SPDX-License-Identifier: MIT */
#pragma once
/* Overrides of settings (programs/lib/settings.h): OVERRIDES_DIR/NAME.env on
 * the host and, for a service in a container, at the same path in it. */

#include "programs/campaign/agent/services.h"

/* The lines of a service: what the command sets, and its tracing. Empty: the
 * service runs with its own settings. */
void mkv_agent_overrides_service(const struct mkv_agent_service *service,
				 const struct mkv_command *command,
				 const char *state_dir, struct mkv_buf *ret)
	mkv_nonnull(1, 2, 3, 4);
/* The lines of the load generator. */
void mkv_agent_overrides_load(const struct mkv_agent *agent,
			      const struct mkv_command *command,
			      struct mkv_buf *ret) mkv_nonnull(1, 2, 3);

/* Writes OVERRIDES_DIR/NAME.env; without lines removes it. */
int mkv_agent_overrides_write(const struct mkv_agent *agent, const char *name,
			      const struct mkv_buf *lines,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Puts the file of a container into it; without lines an empty one. */
int mkv_agent_overrides_copy(const struct mkv_agent *agent, const char *name,
			     const struct mkv_buf *lines,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
