/* SPDX-License-Identifier: MIT */
#pragma once
/* State and functions shared by the phases of a boot: boot.c sets up and tears
 * down, start.c starts hosts, watch.c follows them to their results. */

#include <signal.h>

#include "builder/run/boot/boot.h"
#include "builder/run/boot/guest.h"
#include "builder/run/boot/load.h"
#include "builder/run/boot/network.h"

struct mkv_boot_run {
	const struct mkv_boot_options *options;
	struct mkv_boot_guest *guests;
	size_t count;
	struct mkv_boot_result *results;
	double start_s;
	int signals; /* signalfd(2); -1: not yet */
	sigset_t old_mask;
	struct mkv_network *network;
	const char *firmware, *variables;
	struct mkv_child gateway;
	struct mkv_forward *forwards;
	size_t n_forwards;
	struct mkv_boot_load load;
	double load_end_s; /* 0: the load phase has not begun */
	bool load_is_over;
	int console_lock;
	double status_s; /* time of the last status report */
};

/* Passes a line about the boot itself to the caller. */
void mkv_boot_note(const struct mkv_boot_run *run, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
/* Sets the firmware when the hosts boot by UEFI. */
int mkv_boot_find_firmware(struct mkv_boot_run *run,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Starts, or restarts, the QEMU of a host. */
int mkv_boot_start_guest(struct mkv_boot_run *run, struct mkv_boot_guest *guest,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Reads the consoles of started hosts until all hosts have results or the time
 * limit has passed, then until the load phase is over and, with options->stay,
 * all hosts have exited. -EINTR after a signal. */
int mkv_boot_watch(struct mkv_boot_run *run,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
