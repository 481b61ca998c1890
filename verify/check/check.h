/* SPDX-License-Identifier: MIT */
#pragma once
/* A check asks one property of the running system and answers with findings. It
 * never repairs and never prints. What it can't read it says it couldn't. */

#include "lib/contract.h"
#include "verify/probe/cpuid.h"

enum mkv_result {
	MKV_NOT_PROMISED, /* the contract says nothing about it */
	MKV_PASS,
	MKV_NOT_ESTABLISHED, /* can't be told here; never a pass */
	MKV_FAIL,
};
const char *mkv_result_name(enum mkv_result result);

/* One comparison. All text is owned; NULL when memory ran out. */
struct mkv_finding {
	enum mkv_result result;
	char *what;	/* "L3 unified" */
	char *expected; /* NULL: nothing promised */
	char *observed; /* NULL: nothing was to be seen */
	char *source;	/* where it was read: a path, a leaf, a socket */
};

/* A check's findings. */
struct mkv_answer {
	struct mkv_finding *items;
	size_t count;
	size_t capacity;
	bool failed; /* memory ran out: not established */
};
void mkv_answer_done(struct mkv_answer *answer) mkv_nonnull(1);
#define auto_answer __attribute__((cleanup(mkv_answer_done)))

/* The worst of the findings: a fail, else a not established, else a pass; no
 * finding at all is not promised. */
enum mkv_result mkv_answer_result(const struct mkv_answer *answer)
	mkv_nonnull(1);

/* Appends a finding; `expected` and `observed` may be NULL and are copied. */
void mkv_answer_add(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *observed) mkv_nonnull(1, 3, 4);
/* Compares: not promised without `expected`, not established without
 * `observed`. Returns the result. */
enum mkv_result mkv_answer_compare(struct mkv_answer *answer, const char *what,
				   const char *source, const char *expected,
				   const char *observed) mkv_nonnull(1, 2, 3);
/* The same for numbers; below zero means not promised or not seen. */
enum mkv_result mkv_answer_number(struct mkv_answer *answer, const char *what,
				  const char *source, int64_t expected,
				  int64_t observed) mkv_nonnull(1, 2, 3);
/* A finding with printed text for what was observed. */
void mkv_answer_say(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *format, ...) mkv_nonnull(1, 3, 4, 6)
	mkv_printf(6, 7);

/* When the verifier runs. */
enum mkv_phase {
	MKV_PHASE_BOOT,	       /* before the services: the gate */
	MKV_PHASE_AFTER_START, /* the containers run */
	MKV_PHASE_WATCH, /* every minute: the clock, and what can change */
};

/* Whether the contract may be believed. */
enum mkv_trust {
	MKV_TRUST_VERIFIED,  /* signed by the image's key */
	MKV_TRUST_UNCHECKED, /* given by hand, without a signature */
	MKV_TRUST_BROKEN,    /* signature, key or contract isn't right */
};

/* Figures for whoever plots them; NAN where there is none. */
struct mkv_figures {
	double clock_offset_s, clock_bound_s;
	double sntp_offset_s, sntp_delay_s;
};

/* What a check may look at. Tests put a folder in front of every path and
 * recordings in the place of registers. */
struct timex;
struct mkv_env {
	const char *root; /* "" or a folder that stands for "/" */
	enum mkv_trust trust;
	const char *trust_text; /* who signed it, or what is wrong */
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	const struct mkv_cpuid_dump *cpuid; /* NULL: couldn't be read */
	const char *chrony_socket, *docker_socket;
	const char *tpm; /* a device or a socket; NULL: /dev/tpmrm0 */
	uint16_t ntp_port;
	const struct timex *kernel_clock; /* NULL: ask the kernel */
	int64_t settle_ns,
		dwell_ns; /* how long the clock check may and must last */
	enum mkv_phase phase;
	int64_t started_ns; /* CLOCK_MONOTONIC's; 0: with the first check */
	bool unattended;	     /* run by a unit, not by a person */
	bool every_file;	     /* --files */
	struct mkv_figures *figures; /* where checks leave them; may be NULL */
	struct mkv_buf *clock_log;   /* takes every reading; may be NULL */
};

/* The trimmed text of a small file below the root, owned by the caller; NULL
 * with errno when it can't be read or holds NUL. The path begins with '/'. */
char *mkv_env_read(const struct mkv_env *env, const char *format,
		   ...) mkv_must_check mkv_nonnull(1, 2) mkv_printf(2, 3);
/* The path below the root, owned by the caller. */
char *mkv_env_path(const struct mkv_env *env, const char *format,
		   ...) mkv_must_check mkv_nonnull(1, 2) mkv_printf(2, 3);
/* A list of CPUs ("0-3,8") from such a file; false when it can't be read. */
bool mkv_env_read_cpus(const struct mkv_env *env, struct mkv_cpuset *ret,
		       const char *format, ...) mkv_nonnull(1, 2, 3)
	mkv_printf(3, 4);
/* A decimal number from such a file; -1. */
int64_t mkv_env_read_number(const struct mkv_env *env, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* The value of the image's setting, or NULL. */
const char *mkv_env_setting(const struct mkv_env *env, const char *key)
	mkv_nonnull(1, 2);
/* True when this host gives the time to the others. */
bool mkv_env_is_time_server(const struct mkv_env *env) mkv_nonnull(1);
/* True when a container of the contract runs on this host. */
bool mkv_env_runs(const struct mkv_env *env,
		  const struct mkv_contract_container *container)
	mkv_nonnull(1, 2);

struct mkv_check {
	const char *name;
	const char *why; /* why a difference matters to a measurement */
	bool watched;	 /* asked again every minute */
	void (*run)(const struct mkv_env *env, struct mkv_answer *answer);
};

/* In the order of the report; ends with a NULL name (check/table.c). */
extern const struct mkv_check mkv_checks[];
const struct mkv_check *mkv_check_find(const char *name) mkv_nonnull(1);
