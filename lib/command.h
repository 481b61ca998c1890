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

#include "lib/plan.h"
#include "lib/sig.h"

#define MKV_PREDICATE_COMMAND "urn:mkvbench:command:1"
#define MKV_COMMAND_SUBJECT "plan.json"

enum {
	MKV_COMMAND_BUNDLE_MAX = 256 * 1024,
	MKV_COMMAND_HOSTS_MAX = 1000,
};

enum mkv_command_step {
	MKV_STEP_PREPARE,
	MKV_STEP_LOAD,
	MKV_STEP_FINISH,
	MKV_STEP_ABORT,
	MKV_STEP_DISCARD,
	MKV_STEPS,
};

struct mkv_command {
	struct mkv_sha256 plan_sha256;	   /* of plan.json's bytes */
	struct mkv_sha256 contract_sha256; /* of the bytes in the images */
	const char *run;		   /* an id of the plan */
	int64_t attempt;		   /* 1 to MKV_PLAN_ATTEMPTS_MAX */
	enum mkv_command_step step;
	int64_t sequence; /* from 1 */
	/* Host -> boot id, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" in lower
	 * case. */
	struct mkv_contract_pairs boots;
	/* Overrides; a value is one line of a file. */
	struct mkv_plan_settings settings;
	const char *tracing;	   /* "otlp", "file", "off" */
	struct mkv_plan_load load; /* with its seed */
	json_t *document;	   /* owns the strings */
};

/* Verifies a bundle and reads its command. -EFBIG: over
 * MKV_COMMAND_BUNDLE_MAX bytes. -EINVAL: not JSON, or a signed statement that
 * is no valid command. -EBADMSG (MKV_UNVERIFIED): not signed by this key. */
int mkv_command_verify(const char *bundle, size_t size,
		       const struct mkv_public_key *key,
		       struct mkv_command **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);
/* Reads the statement of a bundle that was verified. Any mistake is -EINVAL. */
int mkv_command_parse(const char *statement, size_t size,
		      struct mkv_command **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
void mkv_command_free(struct mkv_command *command);
MKV_DEFINE_AUTO(command, struct mkv_command *, mkv_command_free)
#define auto_command mkv_auto(command)

/* Whether the command is for this contract: the digest of its bytes, hosts that
 * it has, settings that its experiment may vary, a request to a host that it
 * has. Otherwise MKV_UNVERIFIED, -EACCES. */
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
