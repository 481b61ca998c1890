/* SPDX-License-Identifier: MIT */
#pragma once
/* The environment of checks and probes: the contract, the phase, and access to
 * the system's files. */

#include "lib/contract.h"
#include "verify/probe/cpuid.h"

/* When the verifier runs. */
enum mkv_phase {
	MKV_PHASE_BOOT,	       /* the gate, before services start */
	MKV_PHASE_AFTER_START, /* once the containers have started */
	MKV_PHASE_WATCH,       /* every minute: results that can change */
};

/* Whether the contract is trusted. */
enum mkv_trust {
	MKV_TRUST_VERIFIED,  /* signed by the image's key */
	MKV_TRUST_UNCHECKED, /* a file of --contract, without a signature */
	MKV_TRUST_BROKEN,    /* signature, key or contract is invalid */
};

/* Numbers for the metrics; NAN: not measured. */
struct mkv_figures {
	double clock_offset_s, clock_bound_s;
	double sntp_offset_s, sntp_delay_s;
};

/* Tests set a directory as `root`, and recordings instead of registers. */
struct timex;
struct mkv_env {
	const char *root; /* "" or a directory that replaces "/" */
	enum mkv_trust trust;
	const char *trust_text; /* the key that signed, or the error */
	const struct mkv_contract *contract;
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	const struct mkv_cpuid_dump *cpuid; /* NULL: not readable */
	const char *chrony_socket, *docker_socket;
	const char *tpm; /* a device or a socket; NULL: /dev/tpmrm0 */
	uint16_t ntp_port;
	const struct timex *kernel_clock; /* NULL: call adjtimex(2) */
	int64_t settle_ns; /* how long the check `clock` waits for a pass */
	int64_t dwell_ns;  /* how long the clock must then keep passing */
	enum mkv_phase phase;
	int64_t started_ns; /* by CLOCK_MONOTONIC; 0: with the first check */
	bool unattended;    /* run by a unit, not by a person */
	bool every_file;    /* --files */
	struct mkv_figures *figures; /* written by checks; may be NULL */
	struct mkv_buf *clock_log;   /* gets every reading; may be NULL */
};

/* Reads a file of up to 1 MiB below the root, without trailing newlines and
 * spaces. Owned by the caller; NULL with errno: not readable, or with a NUL
 * byte. The path begins with '/'. */
char *mkv_env_read(const struct mkv_env *env, const char *format,
		   ...) mkv_must_check mkv_nonnull(1, 2) mkv_printf(2, 3);
/* The path below the root, owned by the caller. */
char *mkv_env_path(const struct mkv_env *env, const char *format,
		   ...) mkv_must_check mkv_nonnull(1, 2) mkv_printf(2, 3);
/* Reads a list of CPUs ("0-3,8") from such a file. False: not readable. */
bool mkv_env_read_cpus(const struct mkv_env *env, struct mkv_cpuset *ret,
		       const char *format, ...) mkv_nonnull(1, 2, 3)
	mkv_printf(3, 4);
/* Reads a decimal number from such a file; -1: not readable, or negative. */
int64_t mkv_env_read_number(const struct mkv_env *env, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* The value of the image's setting; NULL: not promised. */
const char *mkv_env_setting(const struct mkv_env *env, const char *key)
	mkv_nonnull(1, 2);
/* True when this host is the time server of the VLAN. */
bool mkv_env_is_time_server(const struct mkv_env *env) mkv_nonnull(1);
/* True when the contract places the container on this host. */
bool mkv_env_runs(const struct mkv_env *env,
		  const struct mkv_contract_container *container)
	mkv_nonnull(1, 2);
