/* SPDX-License-Identifier: MIT */
#pragma once
/* The tables of a recipe's schema, one file per part. */

#include "builder/input/recipe/schema_rows.h"

/* Shared with campaigns. */
#define MKV_WORDS_METHODS WORDS("GET", "POST", "PUT", "PATCH", "DELETE")
#define MKV_WORDS_ARRIVALS WORDS("constant", "jittered", "poisson")
#define MKV_DOC_ARRIVALS                                                        \
	"Times between requests: `constant`; `jittered`: each request at a "    \
	"random moment of its interval; `poisson`: exponentially distributed. " \
	"Random numbers follow from the seed of the run"

extern const struct mkv_table mkv_schema_vlan, mkv_schema_time,
	mkv_schema_settings, mkv_schema_host, mkv_schema_image,
	mkv_schema_service, mkv_schema_oci, mkv_schema_container,
	mkv_schema_docker, mkv_schema_hypervisor, mkv_schema_experiment;
