/* SPDX-License-Identifier: MIT */
#pragma once
/* The tables of a recipe's schema, one file per part. */

#include "builder/input/recipe/schema_rows.h"

extern const struct mkv_table mkv_schema_vlan, mkv_schema_time,
	mkv_schema_settings, mkv_schema_host, mkv_schema_image,
	mkv_schema_service, mkv_schema_oci, mkv_schema_container,
	mkv_schema_docker, mkv_schema_hypervisor, mkv_schema_experiment;
