/* SPDX-License-Identifier: MIT */
/* A time server whose distance from this machine's clock a test sets:
 *
 *     ntp_server ADDRESS PORT SETTINGS
 *
 * answers NTP clients (RFC 5905, basic mode) with CLOCK_REALTIME plus an
 * offset. SETTINGS is a file that is read again for each request; the test
 * replaces it as a whole (rename). It has three numbers in nanoseconds:
 *
 *     OFFSET FORTH BACK
 *
 * the server's clock minus this machine's, and additional delays of the request
 * and of the answer: the bound of an offset must cover unequal delays. The
 * server really waits, so that the timestamps of an answer are always true. */
#include <arpa/inet.h>
#include <linux/net_tstamp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lib/auto.h"

enum { PACKET = 48 };

struct settings {
	long long offset, forth, back;
};

static int64_t to_ns(const struct timespec *at)
{
	return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

static int64_t now_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return to_ns(&now);
}

static void wait_ns(int64_t ns)
{
	for (int64_t until = now_ns() + ns; ns > 0 && now_ns() < until;)
		;
}

static void put64(uint8_t *at, uint64_t value)
{
	for (int i = 7; i >= 0; i--, value >>= 8)
		at[i] = (uint8_t)value;
}

static uint64_t ntp_time(int64_t ns)
{
	uint64_t seconds = (uint64_t)(ns / 1000000000) + 2208988800u;
	return seconds << 32 | ((uint64_t)(ns % 1000000000) << 32) / 1000000000;
}

/* A missing or unreadable file leaves the settings unchanged. */
static void read_settings(const char *path, struct settings *s)
{
	struct settings read;
	auto_file FILE *file = fopen(path, "re");
	if (file && fscanf(file, "%lld %lld %lld", &read.offset, &read.forth,
			   &read.back) == 3)
		*s = read;
}

/* Returns the request's size; *ret_at: when the kernel received it. */
static ssize_t receive(int fd, uint8_t *packet, size_t size,
		       struct sockaddr_in *from, int64_t *ret_at)
{
	union {
		char bytes[256];
		struct cmsghdr align;
	} control;
	struct iovec part = {.iov_base = packet, .iov_len = size};
	struct msghdr message = {.msg_name = from,
				 .msg_namelen = sizeof(*from),
				 .msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(fd, &message, 0);
	*ret_at = now_ns();
	if (got < 0)
		return got;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c;
	     c = CMSG_NXTHDR(&message, c)) {
		struct timespec stamp;
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		*ret_at = to_ns(&stamp);
	}
	return got;
}

static void answer(int fd, const char *path, struct settings *s)
{
	uint8_t q[256], a[PACKET] = {0};
	struct sockaddr_in from = {0};
	int64_t received;
	ssize_t size = receive(fd, q, sizeof(q), &from, &received);
	if (size < PACKET || (q[0] & 7) != 3)
		return;
	read_settings(path, s);
	if (s->forth > 0) {
		wait_ns(s->forth);
		received = now_ns();
	}
	a[0] = (uint8_t)((q[0] & 0x38) | 4);
	a[1] = 1;    /* stratum */
	a[2] = q[2]; /* poll */
	a[3] = (uint8_t)-24;
	a[11] = 1; /* root dispersion: 15 us */
	memcpy(a + 12, "TEST", 4);
	put64(a + 16, ntp_time(received + s->offset - 1000000000));
	memcpy(a + 24, q + 40, 8);
	put64(a + 32, ntp_time(received + s->offset));
	put64(a + 40, ntp_time(now_ns() + s->offset));
	wait_ns(s->back);
	(void)sendto(fd, a, sizeof(a), 0, (struct sockaddr *)&from,
		     sizeof(from));
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		(void)fprintf(stderr,
			      "usage: ntp_server ADDRESS PORT SETTINGS\n");
		return 2;
	}
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(argv[2], NULL, 10)),
	};
	struct settings settings = {0};
	const int yes = 1;
	auto_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || inet_pton(AF_INET, argv[1], &at.sin_addr) != 1 ||
	    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)) < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0) {
		perror(argv[1]);
		return 1;
	}
	for (;;)
		answer(fd, argv[3], &settings);
}
