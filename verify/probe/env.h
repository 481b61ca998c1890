/* SPDX-License-Identifier: MIT */
#pragma once
/* What checks and probes may read: the contract, the phase, the system's files.
 */

#include "lib/contract.h"
#include "verify/probe/cpuid.h"

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
	bool unattended;    /* run by a unit, not by a person */
	bool every_file;    /* --files */
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
