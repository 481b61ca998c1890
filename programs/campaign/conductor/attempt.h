/* SPDX-License-Identifier: MIT */
#pragma once
/* The course of one attempt of a run, as a state machine without I/O: it is
 * given a view of all hosts and answers what to do next. docs/CONDUCTOR.md has
 * the stages and what ends them.
 *
 * Times are nanoseconds of CLOCK_MONOTONIC unless their name says realtime. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/auto.h"
#include "programs/campaign/conductor/reason.h"

/* As reported by GET /v1/state. */
enum mkv_attempt_phase {
	MKV_PHASE_IDLE,
	MKV_PHASE_PREPARE,
	MKV_PHASE_WARM_UP,
	MKV_PHASE_MEASURED,
	MKV_PHASE_DRAIN,
	MKV_PHASE_COLLECT,
	MKV_PHASE_COMPLETE, /* ran to its end, valid or not */
	MKV_PHASE_FAILED,   /* given up */
	MKV_PHASES,
};
const char *mkv_phase_name(enum mkv_attempt_phase phase);

enum mkv_action {
	MKV_ACTION_WAIT,
	MKV_ACTION_PREPARE, /* send this command to each host that has not begun
			       its step */
	MKV_ACTION_MARK,    /* note where the spans of the run begin */
	MKV_ACTION_LOAD,
	MKV_ACTION_METRICS, /* fetch Prometheus' samples */
	MKV_ACTION_FINISH,
	MKV_ACTION_ABORT,
	MKV_ACTION_COLLECT, /* spans and the files of all hosts */
	MKV_ACTION_SEAL,    /* write run.json and give the result its place */
	MKV_ACTION_END,
};

enum mkv_stage {
	MKV_STAGE_CHECK,
	MKV_STAGE_PREPARE,
	MKV_STAGE_MARK,
	MKV_STAGE_LOAD,
	MKV_STAGE_DRAIN,
	MKV_STAGE_METRICS,
	MKV_STAGE_FINISH,
	MKV_STAGE_ABORT,
	MKV_STAGE_COLLECT,
	MKV_STAGE_SEAL,
	MKV_STAGE_END,
};

enum mkv_receipt_state {
	MKV_RECEIPT_NONE,
	MKV_RECEIPT_PASS,
	MKV_RECEIPT_WARN,
	MKV_RECEIPT_FAIL,
	MKV_RECEIPT_BROKEN,
};

enum mkv_step_state {
	MKV_STEP_IDLE,
	MKV_STEP_WORKING,
	MKV_STEP_DONE,
	MKV_STEP_FAILED,
};

/* What the agent of a host said last. */
struct mkv_host_view {
	const char *name;
	bool answers;	  /* it answered when asked for this view */
	int64_t heard_ns; /* of its last answer, or of the attempt's begin */
	bool is_other;	  /* another boot or contract than ordered */
	const char *mismatch; /* what differs, of is_other */
	enum mkv_receipt_state receipt;
	int step; /* of this attempt: enum mkv_command_step; -1: none */
	enum mkv_step_state step_state;
	const char *error;   /* of a failed step; NULL */
	const char *refused; /* how it refused the last command; NULL */
	int refused_step;    /* the step of that command */
};

enum mkv_load_phase {
	MKV_LOAD_NONE,
	MKV_LOAD_WARM_UP,
	MKV_LOAD_MEASURED,
	MKV_LOAD_DONE, /* the load generator wrote its results */
};

struct mkv_view {
	int64_t now_ns, realtime_ns;
	const struct mkv_host_view *hosts;
	size_t n_hosts;
	enum mkv_load_phase load;
	uint64_t load_count; /* requests that were answered or failed */
	/* All services answer, and have exported or dropped all spans. */
	bool spans_settled;
	const char *spans_detail; /* what is not settled */
	const char *restarted;	  /* a service that lost its counts; NULL */
	/* What ends the attempt whatever the hosts say; NULL: nothing. */
	const char *stop, *disk_full, *clock_stepped;
};

struct mkv_attempt_limits {
	int64_t silent_ns, prepare_ns, drain_ns, finish_ns, abort_ns;
	int64_t stall_ns;  /* of the load without any answer */
	int64_t scrape_ns; /* Prometheus' scrape interval */
};

struct mkv_phase_time {
	enum mkv_attempt_phase phase;
	int64_t start_realtime_ns, end_realtime_ns; /* end 0: not ended */
};

struct mkv_attempt {
	struct mkv_attempt_limits limits;
	enum mkv_stage stage;
	int64_t stage_ns; /* when it began */
	unsigned reasons; /* set of enum mkv_reason */
	bool gave_up;
	char error[512]; /* the first that went wrong, or "" */
	struct mkv_phase_time phases[MKV_PHASES];
	size_t n_phases;
	uint64_t load_count; /* of the load's last progress */
	int64_t load_ns;     /* when it was, or the load ended */
};

void mkv_attempt_begin(struct mkv_attempt *attempt,
		       const struct mkv_attempt_limits *limits, int64_t now_ns,
		       int64_t realtime_ns) mkv_nonnull(1, 2);
/* An attempt that a conductor before this one began: it is only ended. */
void mkv_attempt_resume(struct mkv_attempt *attempt,
			const struct mkv_attempt_limits *limits, int64_t now_ns,
			int64_t realtime_ns) mkv_nonnull(1, 2);

/* Moves through the stages as far as the view allows. After an action other
 * than WAIT and the commands, mkv_attempt_acted() must follow. */
enum mkv_action mkv_attempt_next(struct mkv_attempt *attempt,
				 const struct mkv_view *view) mkv_nonnull(1, 2);
/* The action of this stage succeeded, or failed for this reason. */
void mkv_attempt_acted(struct mkv_attempt *attempt, const struct mkv_view *view,
		       bool succeeded, enum mkv_reason reason,
		       const char *message) mkv_nonnull(1, 2);

enum mkv_attempt_phase mkv_attempt_phase(const struct mkv_attempt *attempt)
	mkv_nonnull(1);
/* Adds a reason, and keeps the message unless there is an earlier one. */
void mkv_attempt_note(struct mkv_attempt *attempt, enum mkv_reason reason,
		      const char *format, ...) mkv_nonnull(1, 3)
	mkv_printf(3, 4);
