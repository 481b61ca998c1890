/* SPDX-License-Identifier: MIT */
#pragma once
/* chronyd's command socket: requests and replies of the command and monitoring
 * protocol, version 6, as chrony's candm.h and pktlength.c lay them out (chrony
 * 4.0 to 4.8). Only reports are requested. Replies may be hostile. */

#include <stdint.h>

#include "lib/error.h"

#define MKV_CHRONY_SOCKET "/run/chrony/chronyd.sock"

enum {
	MKV_CHRONY_ADDRESS_MAX = 46,
	/* 127.127.1.1: chronyd's reference while it follows no server. */
	MKV_CHRONY_LOCAL_REFERENCE = 0x7f7f0101,
};

struct mkv_chrony_tracking {
	uint32_t ref_id; /* or MKV_CHRONY_LOCAL_REFERENCE */
	char address[MKV_CHRONY_ADDRESS_MAX]; /* "": follows no server */
	unsigned stratum;
	unsigned leap; /* 0 normal, 1 insert, 2 delete, 3 not synchronised */
	double ref_time_s; /* of the last update, since 1970 */
	/* Still to be slewed; positive: the system clock is behind. */
	double system_offset_s;
	double last_offset_s, rms_offset_s;
	double frequency_ppm, residual_ppm, skew_ppm;
	double root_delay_s, root_dispersion_s;
	double update_interval_s;
};

struct mkv_chrony_ntpdata {
	char address[MKV_CHRONY_ADDRESS_MAX];
	unsigned leap, stratum;
	double offset_s, peer_delay_s, peer_dispersion_s;
	char tx_stamp, rx_stamp; /* 'D' daemon, 'K' kernel, 'H' hardware */
	uint32_t good_count;
};

/* One request and its reply within two seconds, over the Unix socket at `path`.
 * The client's own socket exists in the same directory meanwhile. -ENOENT or
 * -ECONNREFUSED: no chronyd; -ETIMEDOUT: no reply; -EBADMSG: an invalid reply.
 */
int mkv_chrony_tracking(const char *path, struct mkv_chrony_tracking *ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Likewise, about the NTP source with this numeric address. */
int mkv_chrony_ntpdata(const char *path, const char *address,
		       struct mkv_chrony_ntpdata *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Decode the bytes of a reply. -EBADMSG: invalid. */
int mkv_chrony_parse_tracking(const uint8_t *reply, size_t size,
			      uint32_t sequence,
			      struct mkv_chrony_tracking *ret,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
int mkv_chrony_parse_ntpdata(const uint8_t *reply, size_t size,
			     uint32_t sequence, struct mkv_chrony_ntpdata *ret,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
/* Decodes the protocol's float: 7 bits of exponent, 25 of coefficient, both
 * signed. */
double mkv_chrony_float(uint32_t bits);
