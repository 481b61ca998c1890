/* SPDX-License-Identifier: MIT */
#pragma once
/* The kernel command line (kernel, admin-guide/kernel-parameters): parameters
 * of the root file system and of modules. */

#include <stdbool.h>

enum { CMDLINE_MAX = 4096, WAIT_DEFAULT_S = 30, WAIT_LONG_S = 180 };

struct cmdline {
	char text[CMDLINE_MAX]; /* the parameters, each ends with NUL */
	const char *root;	/* NULL: absent */
	const char *root_type;	/* rootfstype= */
	const char *root_flags;
	const char *init;
	bool writable;
	int wait_s;  /* rootwait: 180, rootwait=N: N, else 30 */
	int panic_s; /* panic=: 0 halt, > 0 delay before the reboot, < 0 reboot
		      * at once
		      */
};

/* Parses a command line: quotes protect spaces, "--" ends the kernel's part,
 * the last of several values wins. */
void cmdline_parse(const char *line, struct cmdline *ret);

/* Collects the parameters of a module as modprobe does: "NAME.KEY=VALUE"
 * without the name, joined by spaces. `-` and `_` in names are equal.
 * Parameters that do not fit into `size` bytes are left out. */
void cmdline_module(const struct cmdline *cmdline, const char *module,
		    char *ret, unsigned long size);
