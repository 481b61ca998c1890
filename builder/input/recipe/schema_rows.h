/* SPDX-License-Identifier: MIT */
#pragma once
/* The macros that rows of a schema are written with, and rows that recipes and
 * campaigns share. */

#include <stddef.h>

#include "builder/input/recipe/patterns.h"

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

/* The rows of an HTTP request: the members of a struct mkv_request, which is
 * `member` of `type`. */
#define REQUEST_ROWS(type, member)                                             \
	ROWS({"method", MKV_ROW_TEXT, AT(type, member.method),                 \
	      .default_value = "GET", .words = MKV_WORDS_METHODS,              \
	      .doc = "HTTP method"},                                           \
	     {"role", MKV_ROW_TEXT, AT(type, member.role), .required = true,   \
	      .pattern = &pattern_name,                                        \
	      .doc = "Role of the only host that gets the requests, at its "   \
		     "address in the VLAN"},                                   \
	     {"port", MKV_ROW_COUNT, AT(type, member.port), .required = true,  \
	      .min = 1, .max = 65535, .doc = "TCP port"},                      \
	     {"path", MKV_ROW_TEXT, AT(type, member.path), .required = true,   \
	      .pattern = &pattern_url_path,                                    \
	      .doc = "Path and query. `{n}` is the number of the request, "    \
		     "`{NAME}` the value of a field, `{{` a brace"},           \
	     {"headers", MKV_ROW_MAP, AT(type, member.headers),                \
	      .table = SETTINGS(pattern_header),                               \
	      .doc = "Headers, with placeholders in their values, besides "    \
		     "those that the load generator sets"},                    \
	     {"body", MKV_ROW_TEXT, AT(type, member.body),                     \
	      .pattern = &pattern_body,                                        \
	      .doc = "Body, with the same placeholders as the path"},          \
	     {"status", MKV_ROW_COUNT, AT(type, member.status),                \
	      .default_value = "200", .min = 200, .max = 599,                  \
	      .doc = "Status of a successful answer"})
