/* SPDX-License-Identifier: MIT */
#pragma once
/* The command line of mkvbench-verify. */

#include "lib/completion.h"
#include "verify/check/check.h"

enum { MKV_VERIFY_CHECKS_MAX = 64 };

enum mkv_verify_action {
	MKV_VERIFY_RUN,
	MKV_VERIFY_LIST,
	MKV_VERIFY_CAPTURE,
	MKV_VERIFY_RECORD,
	MKV_VERIFY_TPM_KEY,
	MKV_VERIFY_HELP,
	MKV_VERIFY_VERSION,
	MKV_VERIFY_COMPLETION,
};

struct mkv_verify_options {
	enum mkv_verify_action action;
	enum mkv_shell shell; /* whose completion script is printed */
	enum mkv_phase phase;
	/* --boot, --after-start, --watch: write receipts and metrics. */
	bool service;
	bool json, every_file;
	const char *contract; /* a file; NULL: the image's own */
	const char *host;     /* NULL: determined by the machine's files */
	const char *root;     /* "" or a directory that replaces "/" */
	const char *out;      /* the directory for receipts */
	const char *metrics;  /* the file for node_exporter */
	const char *console;  /* NULL: none */
	const char *cpuid;    /* a recording to use; NULL: read registers */
	const char *chrony_socket, *docker_socket;
	const char *tpm; /* NULL: /dev/tpmrm0 */
	uint16_t ntp_port;
	const char *checks[MKV_VERIFY_CHECKS_MAX];
	size_t n_checks; /* 0: all */
};

int mkv_verify_options(int argc, char **argv, struct mkv_verify_options *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Appends the output of --help. */
void mkv_verify_help(struct mkv_buf *into) mkv_nonnull(1);
/* Appends the output of --completion. */
void mkv_verify_completion(enum mkv_shell shell, struct mkv_buf *into)
	mkv_nonnull(2);
