/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/ready.h"

#include <string.h>

static const struct mkv_state_host *find_host(const struct mkv_state *state,
					      const char *name)
{
	for (size_t i = 0; i < state->n_hosts; i++)
		if (strcmp(state->hosts[i].name, name) == 0)
			return &state->hosts[i];
	return NULL;
}

static void print_obstacle(const struct mkv_contract_host *host,
			   const struct mkv_state_host *seen,
			   const struct mkv_boots *used, struct mkv_buf *into)
{
	const char *separator = into->size ? ", " : "";
	bool is_up = seen && seen->boot_id;
	if (!is_up && host->guests.count > 0)
		return;
	if (!is_up)
		mkv_buf_printf(into, "%s%s: no answer", separator, host->name);
	else if (!seen->receipt || strcmp(seen->receipt, "pass") != 0)
		mkv_buf_printf(into, "%s%s: receipt '%s'", separator,
			       host->name,
			       seen->receipt ? seen->receipt : "none");
	else if (used && mkv_strings_has(&used->ids, seen->boot_id))
		mkv_buf_printf(into, "%s%s: not booted since its last run",
			       separator, host->name);
}

void mkv_ready_print_obstacles(const struct mkv_contract *contract,
			       const struct mkv_state *state,
			       const struct mkv_boots *used,
			       struct mkv_buf *into)
{
	for (size_t i = 0; i < contract->n_hosts; i++)
		print_obstacle(&contract->hosts[i],
			       find_host(state, contract->hosts[i].name), used,
			       into);
}
