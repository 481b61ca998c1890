/* SPDX-License-Identifier: MIT */
#include "verify/probe/sntp.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/bytes.h"
#include "lib/clock.h"
#include "verify/probe/phc.h"

enum { ANSWER_MS = 400, STAMP_MS = 20, PAUSE_NS = 4000000 };

static const uint64_t era_offset_s = 2208988800; /* 1900 to 1970 */

static uint64_t to_ntp(int64_t ns)
{
	uint64_t fraction = ((uint64_t)(ns % 1000000000) << 32) / 1000000000;
	return ((uint64_t)(ns / 1000000000) + era_offset_s) << 32 | fraction;
}

/* A difference of NTP timestamps, which wrap, in nanoseconds. */
static int64_t span_ns(uint64_t from, uint64_t to)
{
	__int128 span = (int64_t)(to - from);
	return (int64_t)((span * 1000000000) >> 32);
}

int mkv_sntp_parse(const uint8_t *p, size_t size, uint64_t nonce, uint64_t t1,
		   uint64_t t4, struct mkv_sntp_sample *ret,
		   struct mkv_error *err)
{
	if (size < MKV_SNTP_SIZE || mkv_be_get64(p + 24) != nonce)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"not a response to this request");
	unsigned leap = p[0] >> 6, version = p[0] >> 3 & 7, mode = p[0] & 7;
	uint64_t t2 = mkv_be_get64(p + 32), t3 = mkv_be_get64(p + 40);
	if (mode != 4 || version < 3 || version > 4 || t2 == 0 || t3 == 0)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"an invalid response");
	if (p[1] == 0 || p[1] > 15 || leap == 3)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"the server is not synchronised");
	int64_t away = span_ns(t1, t4), inside = span_ns(t2, t3);
	int64_t forth = span_ns(t1, t2), back = span_ns(t4, t3);
	if (inside < 0 || away < 0 || inside > away)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"impossible times: the server claims %lld ns "
				"of a round trip of %lld ns",
				(long long)inside, (long long)away);
	*ret = (struct mkv_sntp_sample){
		.offset_ns = forth / 2 + back / 2,
		.delay_ns = away - inside,
		.stratum = p[1],
		.leap = leap,
	};
	return 0;
}

int64_t mkv_sntp_bound_ns(const struct mkv_sntp_sample *sample)
{
	return llabs(sample->offset_ns) + (sample->delay_ns + 1) / 2;
}

static int open_socket(const char *address, uint16_t port, int *ret,
		       struct mkv_error *err)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET,
				 .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(port)};
	const struct sockaddr *to = (const struct sockaddr *)&v4;
	socklen_t length = sizeof(v4);
	if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) {
		to = (const struct sockaddr *)&v6;
		length = sizeof(v6);
	} else if (inet_pton(AF_INET, address, &v4.sin_addr) != 1) {
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not an IP address", address);
	}
	auto_fd int fd = socket(to->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socket: %m");
	if (connect(fd, to, length) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "connect: %m");
	*ret = mkv_take_fd(&fd);
	return 0;
}

/* If this fails, the program takes the times itself: the bound is wider, but
 * valid. */
static void enable_stamps(int fd, bool by_card)
{
	unsigned flags =
		SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE |
		SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_OPT_TSONLY;
	if (by_card)
		flags |= SOF_TIMESTAMPING_TX_HARDWARE |
			 SOF_TIMESTAMPING_RX_HARDWARE |
			 SOF_TIMESTAMPING_RAW_HARDWARE |
			 SOF_TIMESTAMPING_OPT_TX_SWHW;
	(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags,
			 sizeof(flags));
}

/* When a packet passed, since 1970, by the system's clock and by the card's; 0:
 * no stamp. */
struct stamps {
	int64_t kernel_ns, card_ns;
};

/* Receives from the socket or its error queue, and stores the stamps of the
 * packet. */
static ssize_t receive_packet(int fd, int flags, uint8_t *packet, size_t size,
			      struct stamps *stamps)
{
	union {
		char bytes[512];
		struct cmsghdr align;
	} control;
	struct iovec part = {.iov_base = packet, .iov_len = size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(fd, &message, flags | MSG_DONTWAIT);
	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c;
	     c = CMSG_NXTHDR(&message, c)) {
		struct scm_timestamping taken;
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPING ||
		    c->cmsg_len < CMSG_LEN(sizeof(taken)))
			continue;
		memcpy(&taken, CMSG_DATA(c), sizeof(taken));
		if (taken.ts[0].tv_sec)
			stamps->kernel_ns = mkv_timespec_ns(&taken.ts[0]);
		if (taken.ts[2].tv_sec || taken.ts[2].tv_nsec)
			stamps->card_ns = mkv_timespec_ns(&taken.ts[2]);
	}
	return got;
}

/* One request and its response. */
struct exchange {
	uint8_t answer[256];
	ssize_t size; /* below 0: no response */
	struct stamps sent, received;
	int64_t sent_ns, received_ns; /* taken by the program */
};

/* Waits for the response, and then a short time for the stamps of the request.
 */
static int wait_for_answer(int fd, uint64_t nonce, bool by_card,
			   struct exchange *x, struct mkv_error *err)
{
	int64_t deadline = mkv_monotonic_ms() + ANSWER_MS;
	for (;;) {
		uint8_t spare[256];
		struct stamps stamps = {0};
		int64_t left = deadline - mkv_monotonic_ms();
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		if (left <= 0 || (x->size >= 0 && x->sent.kernel_ns &&
				  (x->sent.card_ns || !by_card)))
			return 0;
		int ready = poll(&wait, 1,
				 x->size >= 0 && left > STAMP_MS ? STAMP_MS
								 : (int)left);
		if (ready < 0 && errno != EINTR)
			return mkv_fail(err, MKV_FAILED, errno, "poll: %m");
		if (ready == 0 && x->size >= 0)
			return 0;
		(void)receive_packet(fd, MSG_ERRQUEUE, spare, sizeof(spare),
				     &x->sent);
		if (x->size >= 0)
			continue;
		ssize_t got = receive_packet(fd, 0, x->answer,
					     sizeof(x->answer), &stamps);
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return mkv_fail(err, MKV_FAILED, errno, "receive: %m");
		if (got >= MKV_SNTP_SIZE &&
		    mkv_be_get64(x->answer + 24) == nonce) {
			x->received_ns = mkv_realtime_ns();
			x->received = stamps;
			x->size = got;
		}
	}
}

/* Computes the sample from the best stamps that are consistent. */
static int evaluate_exchange(const struct exchange *x, uint64_t nonce,
			     const struct mkv_phc_offset *before,
			     const struct mkv_phc_offset *after,
			     struct mkv_sntp_sample *ret, struct mkv_error *err)
{
	int64_t sent = x->sent.kernel_ns ? x->sent.kernel_ns : x->sent_ns;
	int64_t received =
		x->received.kernel_ns ? x->received.kernel_ns : x->received_ns;
	struct mkv_sntp_sample sample;
	int rc = mkv_sntp_parse(x->answer, (size_t)x->size, nonce, to_ntp(sent),
				to_ntp(received), &sample, err);
	if (rc < 0)
		return rc;
	sample.stamps = x->sent.kernel_ns && x->received.kernel_ns
				? MKV_STAMPS_KERNEL
				: MKV_STAMPS_PROGRAM;
	*ret = sample;
	struct mkv_error ignored;
	if (before && after && x->sent.card_ns && x->received.card_ns &&
	    mkv_phc_narrow(before, after, x->sent.card_ns, x->received.card_ns,
			   &sent, &received) &&
	    mkv_sntp_parse(x->answer, (size_t)x->size, nonce, to_ntp(sent),
			   to_ntp(received), &sample, &ignored) == 0) {
		*ret = sample;
		ret->stamps = MKV_STAMPS_HARDWARE;
	}
	return 0;
}

/* One exchange; `phc` is the card's clock or -1. */
static int query_once(int fd, int phc, struct mkv_sntp_sample *ret,
		      struct mkv_error *err)
{
	uint8_t packet[MKV_SNTP_SIZE] = {4 << 3 | 3}, spare[256];
	struct stamps none;
	struct exchange x = {.size = -1};
	if (getrandom(packet + 40, 8, 0) != 8)
		return mkv_fail(err, MKV_FAILED, errno, "getrandom: %m");
	uint64_t nonce = mkv_be_get64(packet + 40);
	while (receive_packet(fd, MSG_ERRQUEUE, spare, sizeof(spare), &none) >=
		       0 ||
	       receive_packet(fd, 0, spare, sizeof(spare), &none) >= 0)
		; /* late responses to earlier requests */
	struct mkv_phc_offset before, after;
	bool compared = phc >= 0 && mkv_phc_compare(phc, &before);
	x.sent_ns = mkv_realtime_ns();
	if (send(fd, packet, sizeof(packet), 0) != sizeof(packet))
		return mkv_fail(err, MKV_FAILED, errno, "send: %m");
	int rc = wait_for_answer(fd, nonce, phc >= 0, &x, err);
	if (rc < 0)
		return rc;
	if (x.size < 0)
		return mkv_fail(err, MKV_FAILED, ETIMEDOUT, "no response");
	compared = compared && mkv_phc_compare(phc, &after);
	return evaluate_exchange(&x, nonce, compared ? &before : NULL,
				 compared ? &after : NULL, ret, err);
}

int mkv_sntp_query(const char *address, uint16_t port, unsigned count,
		   struct mkv_sntp_sample *ret, struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = open_socket(address, port, &fd, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "NTP server %s", address);
	auto_fd int phc = mkv_phc_open(fd);
	enable_stamps(fd, phc >= 0);
	struct mkv_sntp_sample best = {0};
	unsigned good = 0, silent = 0;
	for (unsigned i = 0; i < count && silent < 2; i++) {
		struct mkv_sntp_sample sample;
		rc = query_once(fd, phc, &sample, err);
		silent += rc == -ETIMEDOUT;
		if (rc >= 0 && (good++ == 0 || sample.delay_ns < best.delay_ns))
			best = sample;
		struct timespec pause = {.tv_nsec = PAUSE_NS};
		(void)nanosleep(&pause, NULL);
	}
	if (good == 0)
		return mkv_wrap(err, rc < 0 ? rc : -ETIMEDOUT, "NTP server %s",
				address);
	best.exchanges = good;
	*ret = best;
	return 0;
}
