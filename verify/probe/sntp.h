/* SPDX-License-Identifier: MIT */
#pragma once
/* The time of an NTP server, asked independently of any time daemon: client
 * mode exchanges (RFC 5905, sections 7.3 and 8) whose send and receive times
 * the card takes where it stamps packets, else the kernel
 * (Documentation/networking/timestamping.rst). */

#include <stdint.h>

#include "lib/error.h"

/* Who took the times of sending and receiving. */
enum mkv_sntp_stamps {
	MKV_STAMPS_PROGRAM,
	MKV_STAMPS_KERNEL,
	MKV_STAMPS_HARDWARE, /* the card, in the system's time */
};

struct mkv_sntp_sample {
	/* The server's clock minus ours, as measured. The truth lies within
	 * half the delay of it, however unequal the two ways are. */
	int64_t offset_ns;
	int64_t delay_ns; /* both ways, the server's own time taken off */
	unsigned stratum, leap;
	enum mkv_sntp_stamps stamps;
	unsigned exchanges; /* good ones that this is the best of */
};

/* Asks `count` times and returns the exchange with the least delay. The address
 * is numeric. -ETIMEDOUT when no answer came, -EBADMSG when none made sense. */
int mkv_sntp_ask(const char *address, uint16_t port, unsigned count,
		 struct mkv_sntp_sample *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 5);

enum { MKV_SNTP_SIZE = 48 };
/* Judges an answer to a request that was sent with `nonce` at t1 and received
 * at t4 (both NTP timestamps, 32.32 bits of seconds). -EBADMSG for nonsense. */
int mkv_sntp_parse(const uint8_t *packet, size_t size, uint64_t nonce,
		   uint64_t t1, uint64_t t4, struct mkv_sntp_sample *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 6, 7);
