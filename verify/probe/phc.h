/* SPDX-License-Identifier: MIT */
#pragma once
/* The clock of a network card (PTP hardware clock), whose time stamps say when
 * a packet was on the wire, in that clock's own time: Documentation/networking/
 * timestamping.rst, linux/ptp_clock.h, linux/ethtool.h. Cards are only read:
 * whether they stamp packets at all is chronyd's matter (hwtimestamp). */

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* The card's clock minus the system's, give or take the error. */
struct mkv_phc_offset {
	int64_t offset_ns, error_ns;
};

/* The clock of the card that a connected socket sends by, as a descriptor; -1
 * when it has none, or doesn't stamp what is sent and all that is received. */
int mkv_phc_open(int socket);
/* Compares both clocks, now. */
bool mkv_phc_compare(int phc, struct mkv_phc_offset *ret) mkv_nonnull(2);

/* The best of readings [system, card, system]: the narrowest. False when none
 * makes sense. */
bool mkv_phc_best(const int64_t (*readings)[3], size_t count,
		  struct mkv_phc_offset *ret) mkv_nonnull(1, 3);

/* Replaces the kernel's times of sending and receiving by the card's, in the
 * system's time and each moved apart by the error, so that what follows from
 * them stays a bound. Both clocks were compared before and after the exchange.
 * False, and nothing is changed, when the comparisons contradict each other or
 * the card's times don't lie between the kernel's: then a clock was set. */
bool mkv_phc_narrow(const struct mkv_phc_offset *before,
		    const struct mkv_phc_offset *after, int64_t card_sent_ns,
		    int64_t card_received_ns, int64_t *sent_ns,
		    int64_t *received_ns) mkv_nonnull(1, 2, 5, 6);
