/* SPDX-License-Identifier: MIT */
#pragma once
/* plan.json (docs/CAMPAIGNS.md): the runs of a campaign in their order, with
 * everything that is decided before the first run. Read from bytes that may be
 * hostile: unknown members and inconsistent values are errors.
 *
 * Everything is owned by the plan, strings included. */

#include "lib/contract.h"

enum {
	MKV_PLAN_LIMIT_BYTES = 8 * 1024 * 1024,
	MKV_PLAN_ARMS_MAX = 64,
	MKV_PLAN_BLOCKS_MAX = 99,
	MKV_PLAN_ATTEMPTS_MAX = 10,
	MKV_PLAN_ARM_MAX = 40, /* bytes of an arm's name */
	MKV_PLAN_ID_MAX = 80,  /* bytes of a run's id, with its NUL */
};
/* The largest seed, 2^53 - 1: every JSON reader keeps it exact. */
#define MKV_PLAN_SEED_MAX ((INT64_C(1) << 53) - 1)
#define MKV_PLAN_TYPE "urn:mkvbench:plan:1"

/* A decimal fraction from 0 to 1, such as "0.001". */
struct mkv_plan_fraction {
	const char *text;
	int64_t ppb; /* parts per 10^9 */
};

/* Values of settings, by service. */
struct mkv_plan_settings {
	struct mkv_contract_service *services; /* sorted by name */
	size_t count;
};

/* The load of a run; also part of a command. */
struct mkv_plan_load {
	unsigned rate;
	const char *arrivals;
	unsigned connections;
	unsigned warm_up, measured;
	int64_t timeout_ns;
	int64_t seed;	  /* of a command's load; -1 in a plan */
	bool has_request; /* false: the contract's request */
	struct mkv_contract_request request;
};

struct mkv_plan_arm {
	const char *name;
	const char *appliance; /* the contract's name */
	const char *scenario;
	const char *contract_sha256;
	bool is_baseline;
	const char *same_as; /* arm that this one repeats (A/A); NULL */
	const char *tracing; /* "otlp", "file", "off" */
	struct mkv_plan_settings settings;
};

struct mkv_plan_run {
	const char *id;	      /* "03-2-kvm-docker" */
	unsigned block, slot; /* from 1 */
	size_t arm;	      /* index into arms */
	int64_t seed;	      /* of the arrivals */
};

struct mkv_plan {
	const char *name;
	int64_t seed;
	const char *campaign_sha256; /* of the campaign file's bytes */
	const char *tool_version, *key_id;
	bool is_trial;
	const char *scale;	   /* "1", of a trial "0.002" */
	bool boots_each_run;	   /* false: runs of an arm may share a boot */
	struct mkv_plan_arm *arms; /* sorted by name */
	size_t n_arms;
	struct mkv_plan_load load;
	struct {
		int64_t lateness_ns;
		struct mkv_plan_fraction rate;
		unsigned attempts;
	} limits;
	struct {
		struct mkv_plan_fraction delta, alpha;
	} analysis;
	int64_t scrape_interval_ns;
	struct mkv_plan_run *runs; /* in the order to be run */
	size_t n_runs;
	json_t *document; /* owns the strings */
};

int mkv_plan_parse(const char *text, size_t size, struct mkv_plan **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Reads a parsed document. The plan takes a reference to the document, which
 * must not be changed afterwards. */
int mkv_plan_from_json(json_t *document, struct mkv_plan **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_plan_free(struct mkv_plan *plan);
MKV_DEFINE_AUTO(plan, struct mkv_plan *, mkv_plan_free)
#define auto_plan mkv_auto(plan)

/* NULL when the plan has none of that id or name. */
const struct mkv_plan_run *mkv_plan_find_run(const struct mkv_plan *plan,
					     const char *id) mkv_nonnull(1, 2);
const struct mkv_plan_arm *mkv_plan_find_arm(const struct mkv_plan *plan,
					     const char *name)
	mkv_nonnull(1, 2);
/* Whether a text is a run's id by its pattern BB-S-ARM: never a path. */
bool mkv_plan_is_run_id(const char *id) mkv_nonnull(1);

/* Whether a name is valid for an arm: lower-case letters, digits and single
 * hyphens. */
bool mkv_plan_is_arm(const char *name) mkv_nonnull(1);

/* "0", "1", or "0." and up to nine digits of which the last is not 0; -EINVAL
 * for any other text. */
int mkv_plan_parse_fraction(const char *text, int64_t *ret_ppb) mkv_must_check
	mkv_nonnull(1, 2);
/* Prints the only text that mkv_plan_parse_fraction() reads as `ppb`. */
void mkv_plan_print_fraction(int64_t ppb, char ret[static 16]) mkv_nonnull(2);

/* The parts that a command (lib/command.h) has, too. After a mistake, which the
 * reader keeps, the values are empty; the caller calls the _done function in
 * either case. */
void mkv_plan_read_load(struct mkv_json_reader *r, const json_t *object,
			bool has_seed, struct mkv_plan_load *ret)
	mkv_nonnull(1, 4);
void mkv_plan_load_done(struct mkv_plan_load *load) mkv_nonnull(1);
/* The member `key`, which must be an object: {"payment":{"SLEEP":"50us"}} */
void mkv_plan_read_settings(struct mkv_json_reader *r, const json_t *object,
			    const char *key, struct mkv_plan_settings *ret)
	mkv_nonnull(1, 3, 4);
void mkv_plan_settings_done(struct mkv_plan_settings *settings) mkv_nonnull(1);
/* "otlp", "file" or "off" */
const char *mkv_plan_read_tracing(struct mkv_json_reader *r,
				  const json_t *object) mkv_nonnull(1);

/* Records a mistake if a setting of `settings` is not one that the contract's
 * experiment may vary. */
void mkv_plan_check_settings(struct mkv_json_reader *r,
			     const struct mkv_contract *contract,
			     const struct mkv_plan_settings *settings)
	mkv_nonnull(1, 2, 3);
