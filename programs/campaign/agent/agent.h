/* SPDX-License-Identifier: MIT */
#pragma once
/* The agent of a host (docs/AGENT.md): its settings, its state, and the thread
 * that works on a step. */

#include <pthread.h>
#include <stdatomic.h>

#include "programs/campaign/agent/state.h"

/* A file of the current attempt that GET /v1/files lists. */
struct mkv_agent_file {
	char *name;	       /* "before/receipt.json" */
	const char *directory; /* borrowed from the agent */
	char *path;	       /* in it */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
};
struct mkv_agent_files {
	struct mkv_agent_file *items; /* sorted by name */
	size_t count;
};

struct mkv_agent {
	/* Settings: */
	const char *address; /* NULL: the host's address of the contract */
	const char *run_dir, *contract_dir, *loadgen_dir, *overrides_dir;
	const char *state_dir;	  /* parent of the services' directories */
	const char *test_boot_id; /* NULL: the kernel's */
	int64_t port, child_s, health_s, receive_s;
	/* Identity: */
	struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image; /* NULL: none is promised */
	struct mkv_sha256 contract_sha256;
	struct mkv_public_key key;
	char boot_id[37];
	char *files_dir; /* RUN_DIR/agent/files */
	/* Set before the server starts, constant afterwards. Then: */
	pthread_mutex_t lock; /* of all members below */
	struct mkv_agent_state state;
	struct mkv_agent_files files;
	bool has_worker;
	pthread_t worker;	 /* of the step accepted last */
	_Atomic int64_t aborted; /* steps up to this sequence must end */
	/* When the last attempt's prepare began, CLOCK_REALTIME; 0: never. */
	_Atomic int64_t prepared_ns;
};

/* A step in progress; owned by its thread. */
struct mkv_agent_job {
	struct mkv_agent *agent;
	struct mkv_command *command;
	bool has_previous; /* a thread that must end first */
	pthread_t previous;
};

/* Whether an abort was accepted after this step. */
bool mkv_agent_is_cancelled(const struct mkv_agent_job *job) mkv_nonnull(1);
/* -ECANCELED if so. */
int mkv_agent_check_cancelled(const struct mkv_agent_job *job,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Shown by GET /v1/state. */
void mkv_agent_detail(struct mkv_agent_job *job, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* Reads contract, key, host and boot id, and the last sequence of this boot. */
int mkv_agent_load(struct mkv_agent *agent,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_agent_done(struct mkv_agent *agent) mkv_nonnull(1);
/* The role of the agent's host. */
const char *mkv_agent_role(const struct mkv_agent *agent) mkv_nonnull(1);

/* Accepts a command, whose ownership it takes then, and starts a thread that
 * works on it. A refused command has its reason in *ret, whose status is 0
 * otherwise: the agent could not record or begin the step. */
int mkv_agent_begin(struct mkv_agent *agent, struct mkv_command **command,
		    struct mkv_agent_refusal *ret,
		    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Ends the step in progress as an abort would, and waits for it. */
void mkv_agent_stop(struct mkv_agent *agent) mkv_nonnull(1);
