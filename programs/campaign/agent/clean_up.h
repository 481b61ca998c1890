/* SPDX-License-Identifier: MIT */
#pragma once
/* The clean-up of a service: the argument vector of the contract, run in the
 * place of the service. */

#include "programs/campaign/agent/services.h"

/* By docker-exec(1). */
int mkv_agent_clean_container(const struct mkv_agent *agent,
			      const struct mkv_agent_service *service,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* As the user of the unit's main process, with its environment and in its mount
 * namespace: the directories of a unit with DynamicUser= belong to a user that
 * exists only while the unit runs. A unit that does not run is started. */
int mkv_agent_clean_unit(const struct mkv_agent *agent,
			 const struct mkv_agent_service *service,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
