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
	/* A request must be as long as its reply; chronyd accepts longer ones.
	 */
	REQUEST_SIZE = 256,
	REPLY_MAX = 1024,
	TRACKING_SIZE = 76,
	NTP_DATA_SIZE = 112, /* the part that both forms of the reply share */
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
	if (high == 0x7fffffff) /* "no high word" in the protocol */
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
				"not a reply to this request");
	if (mkv_be_get16(reply + 8) != 0)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"chronyd refused the request: status %u",
				mkv_be_get16(reply + 8));
	return 0;
}

static int fail_invalid(const char *what, struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, EBADMSG, "invalid %s reply", what);
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
		return fail_invalid("tracking", err);
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
		return fail_invalid("tracking", err);
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
		return fail_invalid("ntpdata", err);
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
		return fail_invalid("ntpdata", err);
	*ret = d;
	return 0;
}

/* The client's datagram socket, bound in the directory of the daemon's under
 * the name that chronyc uses (AppArmor profiles allow that name). */
struct client {
	int fd;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

static void client_done(struct client *client)
{
	mkv_auto_close_(&client->fd);
	if (client->path[0])
		(void)unlink(client->path);
}
#define auto_client __attribute__((cleanup(client_done)))

static int open_client(const char *path, struct client *client,
		       struct mkv_error *err)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	struct sockaddr_un daemon = {.sun_family = AF_UNIX};
	const char *slash = strrchr(path, '/');
	int used = snprintf(own.sun_path, sizeof(own.sun_path),
			    "%.*s/chronyc.%ld.sock",
			    slash ? (int)(slash - path) : 1, slash ? path : ".",
			    (long)getpid());
	if (used < 0 || (size_t)used >= sizeof(own.sun_path) ||
	    strlen(path) >= sizeof(daemon.sun_path))
		return mkv_fail(err, MKV_FAILED, ENAMETOOLONG, "%m");
	memcpy(daemon.sun_path, path, strlen(path) + 1);
	client->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socket: %m");
	(void)unlink(own.sun_path);
	/* chronyd runs without root's rights and must be able to reply. umask()
	 * sets the mode, not chmod(): the daemon owns the directory and could
	 * replace the socket by a symbolic link. */
	mode_t mask = umask(0);
	int bound = bind(client->fd, (struct sockaddr *)&own, sizeof(own));
	int code = errno;
	(void)umask(mask);
	if (bound < 0)
		return mkv_fail(err, MKV_FAILED, code, "bind '%s': %m",
				own.sun_path);
	memcpy(client->path, own.sun_path, sizeof(client->path));
	if (connect(client->fd, (struct sockaddr *)&daemon, sizeof(daemon)) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "connect: %m");
	return 0;
}

/* Completes the header of the request, whose data is in place, sends it and
 * receives the reply. `reply` has REPLY_MAX bytes. */
static int exchange_packets(const char *path, uint8_t *request,
			    unsigned command, uint32_t *ret_sequence,
			    uint8_t *reply, size_t *ret_size,
			    struct mkv_error *err)
{
	auto_client struct client client = {.fd = -1};
	int rc = open_client(path, &client, err);
	if (rc < 0)
		return rc;
	uint32_t sequence;
	if (getrandom(&sequence, sizeof(sequence), 0) != sizeof(sequence))
		return mkv_fail(err, MKV_FAILED, errno, "getrandom: %m");
	request[0] = VERSION;
	request[1] = TYPE_REQUEST;
	mkv_be_put16(request + 4, (uint16_t)command);
	mkv_be_put32(request + 8, sequence);
	if (send(client.fd, request, REQUEST_SIZE, 0) != REQUEST_SIZE)
		return mkv_fail(err, MKV_FAILED, errno, "send: %m");
	struct pollfd wait = {.fd = client.fd, .events = POLLIN};
	int ready = poll(&wait, 1, TIMEOUT_MS);
	if (ready <= 0)
		return mkv_fail(err, MKV_FAILED, ready ? errno : ETIMEDOUT,
				"no reply: %m");
	ssize_t got = recv(client.fd, reply, REPLY_MAX, 0);
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
	int rc = exchange_packets(path, request, REQ_TRACKING, &sequence, reply,
				  &size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s", path);
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
				"'%s' is not an IP address", address);
	size_t size = 0;
	uint32_t sequence = 0;
	int rc = exchange_packets(path, request, REQ_NTP_DATA, &sequence, reply,
				  &size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s", path);
	rc = mkv_chrony_parse_ntpdata(reply, size, sequence, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s", path) : 0;
}
