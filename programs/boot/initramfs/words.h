/* SPDX-License-Identifier: MIT */
#pragma once
/* The kernel's command line (kernel, admin-guide/kernel-parameters): the words
 * that concern the root file system. */

#include <stdbool.h>

enum { WORDS_MOST = 4096, WAIT_DEFAULT_S = 30, WAIT_LONG_S = 180 };

struct words {
	char text[WORDS_MOST]; /* cut into words */
	const char *root;      /* NULL: not given */
	const char *root_type; /* rootfstype= */
	const char *root_flags;
	const char *init;
	bool writable;
	int wait_s;  /* rootwait: 180, rootwait=N: N, else 30 */
	int panic_s; /* panic=: 0 stay, > 0 wait, < 0 at once */
};

/* Cuts a command line; quotes hold words together, "--" ends it, later words
 * win. */
void words_parse(const char *line, struct words *ret);

/* Parameters of a module, "NAME.KEY=VALUE" without the name, joined by spaces:
 * as modprobe does it. `-` and `_` in names are the same. */
void words_module(const struct words *words, const char *module, char *ret,
		  unsigned long size);
