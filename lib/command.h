/* SPDX-License-Identifier: MIT */
#pragma once
/* A command (docs/AGENT.md): the signed order for one step of one attempt of a
 * run, as one typed value, read from bytes that may be hostile.
 *
 * It travels as a DSSE bundle (lib/dsse.h) around an in-toto statement whose
 * only subject is plan.json with the plan's digest and whose predicate has
 * exactly the members of struct mkv_command. An unknown, missing or duplicate
 * member is an error.
 *
 * Everything is owned by the command that mkv_command_verify() returns, strings
 * included; lists are sorted by their names. */

#include "lib/contract.h"
#include "lib/sig.h"

#define MKV_PREDICATE_COMMAND "urn:mkvbench:command:1"
#define MKV_COMMAND_SUBJECT "plan.json"

enum {
	MKV_COMMAND_BUNDLE_MAX = 256 * 1024,
	MKV_COMMAND_RUN_MAX = 80, /* characters of a run's id */
	MKV_COMMAND_ATTEMPT_MAX = 100,
	MKV_COMMAND_HOSTS_MAX = 1000,
	MKV_COMMAND_SETTINGS_MAX = 64, /* services, and settings of one */
	MKV_COMMAND_NAME_MAX = 64,     /* of a host, service or setting */
	MKV_COMMAND_VALUE_MAX = 1024,  /* of a setting, in bytes */
	MKV_COMMAND_RATE_MAX = 100000, /* requests per second */
	MKV_COMMAND_CONNECTIONS_MAX = 4096,
	MKV_COMMAND_REQUESTS_MAX = 10000000, /* of each phase */
};
#define MKV_COMMAND_TIMEOUT_MAX_NS (INT64_C(600) * 1000000000)

enum mkv_command_step {
	MKV_STEP_PREPARE,
	MKV_STEP_LOAD,
	MKV_STEP_FINISH,
	MKV_STEP_ABORT,
	MKV_STEP_DISCARD,
	MKV_STEPS,
};

struct mkv_command_load {
	int64_t rate;	      /* requests per second, from 1 */
	const char *arrivals; /* "constant", "jittered", "poisson" */
	int64_t connections;  /* the maximum, from 1 */
	int64_t warm_up;      /* requests, from 0 */
	int64_t measured;     /* requests, from 1 */
	int64_t timeout_ns;   /* from 1 ms */
	int64_t seed;	      /* of the arrivals, from 0 */
};

struct mkv_command {
	struct mkv_sha256 plan_sha256;	   /* of plan.json's bytes */
	struct mkv_sha256 contract_sha256; /* of the bytes in the images */
	/* BLOCK-SLOT-ARM: two to four digits, one to four digits, and a name of
	 * lower-case letters, digits and single hyphens. */
	const char *run;
	int64_t attempt; /* from 1 */
	enum mkv_command_step step;
	int64_t sequence; /* from 1 */
	/* Host -> boot id, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in lower
	 * case. */
	struct mkv_contract_pairs boots;
	/* Overrides: capital letters, digits and underscores -> one line of
	 * printable UTF-8, which may be empty. */
	struct mkv_contract_service *settings;
	size_t n_settings;
	const char *tracing; /* "otlp", "file", "off" */
	struct mkv_command_load load;
	json_t *document; /* owns the strings */
};

/* Verifies a bundle and reads its command. -EFBIG: over
 * MKV_COMMAND_BUNDLE_MAX bytes. -EINVAL: not JSON, or a signed statement that
 * is no valid command. -EBADMSG (MKV_UNVERIFIED): not signed by this key. */
int mkv_command_verify(const char *bundle, size_t size,
		       const struct mkv_public_key *key,
		       struct mkv_command **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);
void mkv_command_free(struct mkv_command *command);
MKV_DEFINE_AUTO(command, struct mkv_command *, mkv_command_free)
#define auto_command mkv_auto(command)

/* Whether the command is for this contract: the digest of its bytes; hosts that
 * it has; services of its experiment and settings that they may vary. Otherwise
 * MKV_UNVERIFIED, -EACCES. */
int mkv_command_check(const struct mkv_command *command,
		      const struct mkv_contract *contract,
		      const struct mkv_sha256 *contract_sha256,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* "prepare", "load", "finish", "abort", "discard" */
const char *mkv_command_step_name(enum mkv_command_step step);
/* The boot id of a host, borrowed; NULL: the host takes no part. */
const char *mkv_command_boot(const struct mkv_command *command,
			     const char *host) mkv_nonnull(1, 2);
/* The overrides of a service; NULL: none. */
const struct mkv_contract_service *
mkv_command_settings(const struct mkv_command *command, const char *service)
	mkv_nonnull(1, 2);
/* Whether `text` is the id of a run, as `run` above. */
bool mkv_command_is_run(const char *text) mkv_nonnull(1);
