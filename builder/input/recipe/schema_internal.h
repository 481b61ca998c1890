/* SPDX-License-Identifier: MIT */
#pragma once
/* The tables of the schema, one file per part of a recipe, and the macros that
 * their rows are written with. */

#include <stddef.h>

#include "builder/input/recipe/schema.h"

/* The member that a row decodes into, and the bool that a present key sets. */
#define AT(type, member) .offset = offsetof(struct type, member)
#define PRESENT(type, member) .present = offsetof(struct type, member)
/* Rows and words, with their terminators. */
#define ROWS(...) ((const struct mkv_row[]){__VA_ARGS__, {0}})
#define WORDS(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define US 1000ULL
#define S (1000000 * US)

/* The table of a map from names to one line of text each. `names` is the
 * pattern of the names. */
#define SETTINGS(names)                                                        \
	(&(const struct mkv_table){                                            \
		.name = "NAME",                                                \
		.rows = ROWS({"", MKV_ROW_ANY, AT(mkv_setting, value),         \
			      .required = true, .pattern = &pattern_value}),   \
		.size = sizeof(struct mkv_setting),                            \
		.key_offset = offsetof(struct mkv_setting, key),               \
		.key_pattern = &(names)})

/* Clock sources of Linux on x86. */
#define CLOCKSOURCES                                                           \
	WORDS("tsc", "kvm-clock", "hpet", "acpi_pm",                           \
	      "hyperv_clocksource_tsc_page", "xen")

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
