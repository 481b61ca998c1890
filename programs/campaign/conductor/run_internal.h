/* SPDX-License-Identifier: MIT */
#pragma once
/* The parts of an attempt's execution: looking at the hosts (run_look.c) and
 * performing actions (run_act.c). */

#include "programs/campaign/conductor/gather.h"
#include "programs/campaign/conductor/hosts.h"
#include "programs/campaign/conductor/run.h"
#include "programs/campaign/conductor/seal.h"
#include "programs/campaign/conductor/services.h"

struct mkv_running {
	const struct mkv_run_options *options;
	const struct mkv_self *self;
	const struct mkv_run_order *order;
	struct mkv_attempt attempt;
	struct mkv_hosts hosts;
	struct mkv_services services;
	struct mkv_gather_mark mark;
	bool has_mark, counts_spans;
	struct mkv_span_facts spans;
	bool spans_settled;
	int64_t drain_began_ns, drain_ns;
	int64_t realtime_offset_ns; /* of the last look */
	char clock_stepped[96], directory[4096];
	enum mkv_stage logged;
	unsigned looks;
	struct mkv_buf log; /* conductor.log of the result */
};

/* Adds a line to the result's log. */
void mkv_run_note(struct mkv_running *run, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* Asks all hosts, and the services where their spans are waited for. The view
 * borrows from `run`. */
struct mkv_view mkv_run_look(struct mkv_running *run) mkv_nonnull(1);

/* Performs an action and tells the attempt how it went. An error ends the
 * attempt without a result. */
int mkv_run_perform(struct mkv_running *run, enum mkv_action action,
		    const struct mkv_view *view,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
