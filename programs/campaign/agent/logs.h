/* SPDX-License-Identifier: MIT */
#pragma once
/* What the services of this host logged during an attempt. */

#include "programs/campaign/agent/agent.h"

/* Writes RUN_DIR/agent/files/logs/SERVICE.log for each service, and for the
 * load generator, with the lines since the attempt's prepare. A log that can't
 * be read is reported to our own log: it decides nothing. */
void mkv_agent_logs_copy(struct mkv_agent_job *job) mkv_nonnull(1);
