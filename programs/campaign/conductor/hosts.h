/* SPDX-License-Identifier: MIT */
#pragma once
/* The agents of the hosts that take part, asked and commanded in parallel. */

#include "programs/campaign/conductor/ask.h"
#include "programs/campaign/conductor/attempt.h"
#include "programs/campaign/conductor/order.h"

struct mkv_conducted_host {
	const struct mkv_contract_host *host; /* of the contract */
	char url[64];			      /* "http://10.77.0.11:9180" */
	json_t *state;			      /* its last answer; NULL: none */
	/* The attempt was prepared there: what the agent lists are its files,
	 * not those of an earlier one. */
	bool was_prepared;
	char mismatch[160], refused[256];
	/* Its CLOCK_REALTIME minus ours, and how far that may be off. */
	bool has_offset;
	int64_t offset_ns, uncertainty_ns;
};

struct mkv_hosts {
	struct mkv_conducted_host *items;
	struct mkv_host_view *views; /* of the same indexes */
	size_t count;
	char clock_stepped[160]; /* "": no clock stepped since the begin */
};

/* The hosts of an order, or (NULL) all hosts of the contract that have an
 * address. Borrows both. */
int mkv_hosts_init(struct mkv_hosts *hosts, const struct mkv_self *self,
		   const struct mkv_run_order *order,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);
void mkv_hosts_done(struct mkv_hosts *hosts) mkv_nonnull(1);
#define auto_hosts __attribute__((cleanup(mkv_hosts_done)))

/* Asks all agents for their state and updates the views. */
int mkv_hosts_poll(struct mkv_hosts *hosts, const struct mkv_self *self,
		   const struct mkv_run_order *order,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);
/* Sends a step's command to the hosts that have not begun it. A refusal is in
 * their views; without an answer nothing is. */
int mkv_hosts_send(struct mkv_hosts *hosts, const struct mkv_run_order *order,
		   enum mkv_command_step step,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);

/* CLOCK_REALTIME of this host minus CLOCK_MONOTONIC. */
int64_t mkv_hosts_clock_offset(void);

/* The load's progress, from the load generator's host. */
enum mkv_load_phase mkv_hosts_load(const struct mkv_hosts *hosts,
				   uint64_t *ret_count, json_t **ret_progress)
	mkv_nonnull(1, 2, 3);
/* {"order":{state},"user":null} */
json_t *mkv_hosts_pack(const struct mkv_hosts *hosts) mkv_nonnull(1);
