/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/services.h"

#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "programs/campaign/agent/child.h"
#include "programs/campaign/agent/clean_up.h"
#include "programs/campaign/agent/health.h"

enum { POLL_MS = 100 };

/* A container may be restricted to hosts with certain roles. */
static bool runs_as_container(const struct mkv_agent *agent, const char *name)
{
	if (!agent->image ||
	    !mkv_contract_strings_have(&agent->host->containers, name))
		return false;
	for (size_t i = 0; i < agent->image->docker.n_containers; i++) {
		const struct mkv_contract_container *container =
			&agent->image->docker.containers[i];
		if (strcmp(container->name, name) == 0)
			return container->roles.count == 0 ||
			       mkv_contract_strings_have(&container->roles,
							 mkv_agent_role(agent));
	}
	return false;
}

bool mkv_agent_service_next(const struct mkv_agent *agent, size_t *at,
			    struct mkv_agent_service *ret)
{
	const struct mkv_contract_experiment *experiment =
		&agent->contract->experiment;
	while (*at < experiment->n_services) {
		const struct mkv_contract_experiment_service *row =
			&experiment->services[(*at)++];
		if (strcmp(row->role, mkv_agent_role(agent)) != 0)
			continue;
		*ret = (struct mkv_agent_service){
			.row = row,
			.is_container = runs_as_container(agent, row->name),
		};
		return true;
	}
	return false;
}

/* A clean-up may need what has just been started, such as a database: it is
 * repeated until it succeeds or the time for a service's health has passed. */
int mkv_agent_service_clean(struct mkv_agent_job *job,
			    const struct mkv_agent_service *service,
			    struct mkv_error *err)
{
	int64_t until = mkv_monotonic_ms() + job->agent->health_s * 1000;
	if (service->row->clean_up.count == 0)
		return 0;
	mkv_agent_detail(job, "cleaning up %s", service->row->name);
	for (;;) {
		int rc = service->is_container
				 ? mkv_agent_clean_container(job->agent,
							     service, err)
				 : mkv_agent_clean_unit(job->agent, service,
							err);
		if (rc == 0)
			return 0;
		if (mkv_monotonic_ms() >= until)
			return mkv_wrap(err, rc, "clean-up of %s",
					service->row->name);
		rc = mkv_agent_check_cancelled(job, err);
		if (rc < 0)
			return rc;
		(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
}

static int restart_unit(const struct mkv_agent *agent, const char *unit,
			struct mkv_error *err)
{
	struct mkv_error ignored;
	/* Else the restarts of short runs would reach the unit's start limit,
	 * and a unit that failed before has fewer left. A unit that isn't
	 * loaded yet can't be reset and has no count. */
	int rc =
		mkv_agent_run(agent,
			      (const char *const[]){"systemctl", "reset-failed",
						    "--", unit, NULL},
			      NULL, &ignored);
	(void)rc;
	return mkv_agent_run(
		agent,
		(const char *const[]){"systemctl", "restart", "--", unit, NULL},
		NULL, err);
}

static int wait_healthy(struct mkv_agent_job *job,
			const struct mkv_contract_experiment_service *row,
			struct mkv_error *err)
{
	const struct mkv_agent *agent = job->agent;
	int64_t until = mkv_monotonic_ms() + agent->health_s * 1000;
	mkv_agent_detail(job, "waiting until %s is healthy", row->name);
	for (;;) {
		int rc = mkv_agent_health(agent->address, row->port,
					  row->health, err);
		if (rc == 0)
			return 0;
		if (mkv_monotonic_ms() >= until)
			return mkv_wrap(err, rc, "not healthy after %lld s",
					(long long)agent->health_s);
		rc = mkv_agent_check_cancelled(job, err);
		if (rc < 0)
			return rc;
		(void)nanosleep(
			&(struct timespec){.tv_nsec = POLL_MS * MKV_NS_PER_MS},
			NULL);
	}
}

int mkv_agent_service_restart(struct mkv_agent_job *job,
			      const struct mkv_agent_service *service,
			      struct mkv_error *err)
{
	const struct mkv_contract_experiment_service *row = service->row;
	mkv_agent_detail(job, "restarting %s", row->name);
	int rc = service->is_container
			 ? mkv_agent_run(job->agent,
					 (const char *const[]){
						 "docker", "restart",
						 "--time=30", row->name, NULL},
					 NULL, err)
			 : restart_unit(job->agent, row->unit, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s", row->name);
	if (!row->health)
		return 0;
	rc = wait_healthy(job, row, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s", row->name) : 0;
}
