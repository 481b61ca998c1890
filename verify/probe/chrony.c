/* SPDX-License-Identifier: MIT */
#include "verify/probe/chrony.h"

#include <arpa/inet.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/bytes.h"

enum {
	VERSION = 6,
	TYPE_REQUEST = 1,
	TYPE_REPLY = 2,
	REQ_TRACKING = 33,
	REQ_NTP_DATA = 57,
	RPY_TRACKING = 5,
	RPY_NTP_DATA = 16,
	RPY_NTP_DATA2 = 26,
	REQUEST_HEADER = 20,
	REPLY_HEADER = 28,
	/* A request is at least as long as its reply; chronyd takes longer. */
	REQUEST_SIZE = 256,
	REPLY_MAX = 1024,
	TRACKING_SIZE = 76,
	NTP_DATA_SIZE = 112, /* as far as both forms of the reply agree */
	FAMILY_INET4 = 1,
	FAMILY_INET6 = 2,
	TIMEOUT_MS = 2000,
};

double mkv_chrony_float(uint32_t bits)
{
	int exponent = (int)(bits >> 25);
	if (exponent >= 64)
		exponent -= 128;
	int coefficient = (int)(bits & 0x1ffffff);
	if (coefficient >= 1 << 24)
		coefficient -= 1 << 25;
	return ldexp(coefficient, exponent - 25);
}

static double get_float(const uint8_t *at)
{
	return mkv_chrony_float(mkv_be_get32(at));
}

static void get_address(const uint8_t *at,
			char ret[static MKV_CHRONY_ADDRESS_MAX])
{
	unsigned family = mkv_be_get16(at + 16);
	ret[0] = '\0';
	if (family == FAMILY_INET4)
		(void)inet_ntop(AF_INET, at, ret, MKV_CHRONY_ADDRESS_MAX);
	else if (family == FAMILY_INET6)
		(void)inet_ntop(AF_INET6, at, ret, MKV_CHRONY_ADDRESS_MAX);
}

/* Seconds since 1970 from high and low words and nanoseconds. */
static double get_time(const uint8_t *at)
{
	uint32_t high = mkv_be_get32(at);
	if (high == 0x7fffffff) /* the protocol's "no high word" */
		high = 0;
	return (double)high * 4294967296.0 + (double)mkv_be_get32(at + 4) +
	       (double)mkv_be_get32(at + 8) * 1e-9;
}

static int check_reply(const uint8_t *reply, size_t size, uint32_t sequence,
		       unsigned command, struct mkv_error *err)
{
	if (size < REPLY_HEADER || reply[0] != VERSION ||
	    reply[1] != TYPE_REPLY || mkv_be_get16(reply + 4) != command ||
	    mkv_be_get32(reply + 16) != sequence)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"not a reply to our request");
	if (mkv_be_get16(reply + 8) != 0)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"chronyd answers with status %u",
				mkv_be_get16(reply + 8));
	return 0;
}

static int reject(const char *what, struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, EBADMSG, "%s reply makes no sense",
			what);
}

int mkv_chrony_parse_tracking(const uint8_t *reply, size_t size,
			      uint32_t sequence,
			      struct mkv_chrony_tracking *ret,
			      struct mkv_error *err)
{
	int rc = check_reply(reply, size, sequence, REQ_TRACKING, err);
	if (rc < 0)
		return rc;
	if (mkv_be_get16(reply + 6) != RPY_TRACKING ||
	    size < (size_t)REPLY_HEADER + TRACKING_SIZE)
		return reject("tracking", err);
	const uint8_t *at = reply + REPLY_HEADER;
	struct mkv_chrony_tracking t = {
		.ref_id = mkv_be_get32(at),
		.stratum = mkv_be_get16(at + 24),
		.leap = mkv_be_get16(at + 26),
		.ref_time_s = get_time(at + 28),
		.system_offset_s = get_float(at + 40),
		.last_offset_s = get_float(at + 44),
		.rms_offset_s = get_float(at + 48),
		.frequency_ppm = get_float(at + 52),
		.residual_ppm = get_float(at + 56),
		.skew_ppm = get_float(at + 60),
		.root_delay_s = get_float(at + 64),
		.root_dispersion_s = get_float(at + 68),
		.update_interval_s = get_float(at + 72),
	};
	get_address(at + 4, t.address);
	if (t.leap > 3 || t.skew_ppm < 0 || t.root_delay_s < 0 ||
	    t.root_dispersion_s < 0 || t.update_interval_s < 0)
		return reject("tracking", err);
	*ret = t;
	return 0;
}

int mkv_chrony_parse_ntpdata(const uint8_t *reply, size_t size,
			     uint32_t sequence, struct mkv_chrony_ntpdata *ret,
			     struct mkv_error *err)
{
	int rc = check_reply(reply, size, sequence, REQ_NTP_DATA, err);
	if (rc < 0)
		return rc;
	unsigned form = mkv_be_get16(reply + 6);
	if ((form != RPY_NTP_DATA && form != RPY_NTP_DATA2) ||
	    size < (size_t)REPLY_HEADER + NTP_DATA_SIZE)
		return reject("ntpdata", err);
	const uint8_t *at = reply + REPLY_HEADER;
	struct mkv_chrony_ntpdata d = {
		.leap = at[42],
		.stratum = at[45],
		.offset_s = get_float(at + 72),
		.peer_delay_s = get_float(at + 76),
		.peer_dispersion_s = get_float(at + 80),
		.tx_stamp = (char)at[94],
		.rx_stamp = (char)at[95],
		.good_count = mkv_be_get32(at + 108),
	};
	get_address(at, d.address);
	if (d.tx_stamp < 'A' || d.tx_stamp > 'Z')
		d.tx_stamp = '?';
	if (d.rx_stamp < 'A' || d.rx_stamp > 'Z')
		d.rx_stamp = '?';
	if (d.peer_delay_s < 0 || d.peer_dispersion_s < 0)
		return reject("ntpdata", err);
	*ret = d;
	return 0;
}

/* Our end of the conversation: a datagram socket bound beside the daemon's, by
 * the name that chrony's own client uses (confinement rules know it). */
struct end {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void end_done(struct end *end)
{
	mkv_auto_close_(&end->fd);
	if (end->path[0])
		(void)unlink(end->path);
}
#define auto_end __attribute__((cleanup(end_done)))

static int end_open(const char *path, struct end *end, struct mkv_error *err)
{
	struct sockaddr_un us = {.sun_family = AF_UNIX};
	struct sockaddr_un daemon = {.sun_family = AF_UNIX};
	const char *slash = strrchr(path, '/');
	int used = snprintf(us.sun_path, sizeof(us.sun_path),
			    "%.*s/chronyc.%ld.sock",
			    slash ? (int)(slash - path) : 1, slash ? path : ".",
			    (long)getpid());
	if (used < 0 || (size_t)used >= sizeof(us.sun_path) ||
	    strlen(path) >= sizeof(daemon.sun_path))
		return mkv_fail(err, MKV_FAILED, ENAMETOOLONG, "%m");
	memcpy(daemon.sun_path, path, strlen(path) + 1);
	end->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (end->fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socket: %m");
	(void)unlink(us.sun_path);
	/* chronyd has given its rights away and must be able to answer. By
	 * umask, not by chmod(): the folder is the daemon's, which could put a
	 * link in the socket's place. */
	mode_t mask = umask(0);
	int bound = bind(end->fd, (struct sockaddr *)&us, sizeof(us));
	int code = errno;
	(void)umask(mask);
	if (bound < 0)
		return mkv_fail(err, MKV_FAILED, code, "bind '%s': %m",
				us.sun_path);
	memcpy(end->path, us.sun_path, sizeof(end->path));
	if (connect(end->fd, (struct sockaddr *)&daemon, sizeof(daemon)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "connect: %m");
	return 0;
}

/* Sends the request whose data is filled in; `reply` holds REPLY_MAX bytes. */
static int exchange(const char *path, uint8_t *request, unsigned command,
		    uint32_t *ret_sequence, uint8_t *reply, size_t *ret_size,
		    struct mkv_error *err)
{
	auto_end struct end end = {.fd = -1};
	int rc = end_open(path, &end, err);
	if (rc < 0)
		return rc;
	uint32_t sequence;
	if (getrandom(&sequence, sizeof(sequence), 0) != sizeof(sequence))
		return mkv_fail(err, MKV_FAILED, errno, "getrandom: %m");
	request[0] = VERSION;
	request[1] = TYPE_REQUEST;
	mkv_be_put16(request + 4, (uint16_t)command);
	mkv_be_put32(request + 8, sequence);
	if (send(end.fd, request, REQUEST_SIZE, 0) != REQUEST_SIZE)
		return mkv_fail(err, MKV_FAILED, errno, "send: %m");
	struct pollfd wait = {.fd = end.fd, .events = POLLIN};
	int ready = poll(&wait, 1, TIMEOUT_MS);
	if (ready <= 0)
		return mkv_fail(err, MKV_FAILED, ready ? errno : ETIMEDOUT,
				"no answer: %m");
	ssize_t got = recv(end.fd, reply, REPLY_MAX, 0);
	if (got < 0)
		return mkv_fail(err, MKV_FAILED, errno, "receive: %m");
	*ret_size = (size_t)got;
	*ret_sequence = sequence;
	return 0;
}

int mkv_chrony_tracking(const char *path, struct mkv_chrony_tracking *ret,
			struct mkv_error *err)
{
	uint8_t request[REQUEST_SIZE] = {0}, reply[REPLY_MAX];
	size_t size = 0;
	uint32_t sequence = 0;
	int rc = exchange(path, request, REQ_TRACKING, &sequence, reply, &size,
			  err);
	if (rc == 0)
		rc = mkv_chrony_parse_tracking(reply, size, sequence, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s", path) : 0;
}

int mkv_chrony_ntpdata(const char *path, const char *address,
		       struct mkv_chrony_ntpdata *ret, struct mkv_error *err)
{
	uint8_t request[REQUEST_SIZE] = {0}, reply[REPLY_MAX];
	uint8_t *into = request + REQUEST_HEADER;
	if (inet_pton(AF_INET, address, into) == 1)
		mkv_be_put16(into + 16, FAMILY_INET4);
	else if (inet_pton(AF_INET6, address, into) == 1)
		mkv_be_put16(into + 16, FAMILY_INET6);
	else
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' isn't an address", address);
	size_t size = 0;
	uint32_t sequence = 0;
	int rc = exchange(path, request, REQ_NTP_DATA, &sequence, reply, &size,
			  err);
	if (rc == 0)
		rc = mkv_chrony_parse_ntpdata(reply, size, sequence, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s", path) : 0;
}
