/* SPDX-License-Identifier: MIT */
#pragma once
/* The services of the contract's experiment that run on this host, as systemd
 * units or as containers. */

#include "programs/campaign/agent/agent.h"

struct mkv_agent_service {
	const struct mkv_contract_experiment_service *row;
	bool is_container; /* of the service's name; else its unit */
};

/* The next service of this host from index *at, which is moved behind it; false
 * at the end. */
bool mkv_agent_service_next(const struct mkv_agent *agent, size_t *at,
			    struct mkv_agent_service *ret) mkv_nonnull(1, 2, 3);

/* Runs the clean-up of a service as its user, with the environment, the files
 * and the network that the service has. */
int mkv_agent_service_clean(struct mkv_agent_job *job,
			    const struct mkv_agent_service *service,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Restarts a service and waits until it is healthy. */
int mkv_agent_service_restart(struct mkv_agent_job *job,
			      const struct mkv_agent_service *service,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
