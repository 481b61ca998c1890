/* SPDX-License-Identifier: MIT */
#pragma once
/* The agent's requests (docs/AGENT.md):
 *
 *     POST /v1/command         a signed command
 *     GET /v1/state            what the agent does
 *     GET /v1/files            files of the current attempt
 *     GET /v1/files/{index}    the content of one */

#include "programs/campaign/agent/agent.h"
#include "programs/lib/http.h"

/* Their context is a struct mkv_agent. */
extern const struct mkv_http_route mkv_agent_routes[];
