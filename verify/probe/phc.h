/* SPDX-License-Identifier: MIT */
#pragma once
/* The PTP hardware clock of a network card. The card stamps packets on the wire
 * in the time of this clock: Documentation/networking/timestamping.rst,
 * linux/ptp_clock.h, linux/ethtool.h. Cards are only read; chronyd configures
 * them to stamp packets (hwtimestamp). */

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

/* The card's clock minus the system's, +- the error. */
struct mkv_phc_offset {
	int64_t offset_ns, error_ns;
};

/* Opens the clock of the card that a connected socket uses. Returns a
 * descriptor, or -1: the card has no clock, or doesn't stamp all sent and
 * received packets.
 */
int mkv_phc_open(int socket);
/* Compares both clocks now. False: the kernel can't, or no reading is valid. */
bool mkv_phc_compare(int phc, struct mkv_phc_offset *ret) mkv_nonnull(2);

/* The narrowest of readings [system, card, system]. False: none is valid. */
bool mkv_phc_best(const int64_t (*readings)[3], size_t count,
		  struct mkv_phc_offset *ret) mkv_nonnull(1, 3);

/* Replaces the kernel's send and receive times by the card's, converted to the
 * system's time. Each is moved outwards by the error of the conversion, so that
 * a bound computed from them stays valid. `before` and `after` compare both
 * clocks before and after the exchange. False, with nothing changed, when a
 * clock was set meanwhile: the comparisons contradict each other, or the card's
 * times are not between the kernel's. */
bool mkv_phc_narrow(const struct mkv_phc_offset *before,
		    const struct mkv_phc_offset *after, int64_t card_sent_ns,
		    int64_t card_received_ns, int64_t *sent_ns,
		    int64_t *received_ns) mkv_nonnull(1, 2, 5, 6);
