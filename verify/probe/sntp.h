/* SPDX-License-Identifier: MIT */
#pragma once
/* Queries an NTP server independently of any time daemon: client mode exchanges
 * (RFC 5905, sections 7.3 and 8). The send and receive times are taken by the
 * card where it stamps packets, else by the kernel
 * (Documentation/networking/timestamping.rst). */

#include <stdint.h>

#include "lib/error.h"

/* The source of the send and receive times. */
enum mkv_sntp_stamps {
	MKV_STAMPS_PROGRAM,
	MKV_STAMPS_KERNEL,
	MKV_STAMPS_HARDWARE, /* the card, converted to the system's time */
};

struct mkv_sntp_sample {
	/* The server's clock minus the local one, as measured. The true offset
	 * is within half the delay of it, whatever the asymmetry of the path.
	 */
	int64_t offset_ns;
	int64_t delay_ns; /* round trip without the server's processing time */
	unsigned stratum, leap;
	enum mkv_sntp_stamps stamps;
	unsigned exchanges; /* valid exchanges that this one is the best of */
};

/* Makes `count` exchanges and returns the one with the least delay. The address
 * is numeric. -ETIMEDOUT: no response; -EBADMSG: no valid response. */
int mkv_sntp_query(const char *address, uint16_t port, unsigned count,
		   struct mkv_sntp_sample *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

/* The largest distance of both clocks that the sample allows: |offset| plus
 * half the delay, rounded up. */
int64_t mkv_sntp_bound_ns(const struct mkv_sntp_sample *sample) mkv_nonnull(1);

enum { MKV_SNTP_SIZE = 48 };
/* Decodes the response, received at t4, to a request that was sent at t1 with
 * `nonce` (both NTP timestamps, 32.32 bits of seconds). -EBADMSG: invalid. */
int mkv_sntp_parse(const uint8_t *packet, size_t size, uint64_t nonce,
		   uint64_t t1, uint64_t t4, struct mkv_sntp_sample *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 6, 7);
