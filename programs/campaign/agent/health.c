/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/health.h"

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/buf.h"
#include "lib/clock.h"

enum { TIMEOUT_MS = 5000, STATUS_LINE_MAX = 64 };

/* 0 when the socket can be read or written before the deadline. */
static int wait_for(int fd, short events, int64_t until_ms)
{
	for (;;) {
		struct pollfd wait = {.fd = fd, .events = events};
		int64_t left = until_ms - mkv_monotonic_ms();
		int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

static int connect_to(const char *address, unsigned port, int64_t until_ms,
		      int *ret)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return -EINVAL;
	auto_fd int fd =
		socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 &&
	    errno != EINPROGRESS)
		return -errno;
	int rc = wait_for(fd, POLLOUT, until_ms);
	if (rc < 0)
		return rc;
	int code = 0;
	socklen_t size = sizeof(code);
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		return -errno;
	if (code)
		return -code;
	*ret = mkv_take_fd(&fd);
	return 0;
}

/* The beginning of the answer, as far as the status. */
static int read_status(int fd, int64_t until_ms, unsigned *ret)
{
	char line[STATUS_LINE_MAX] = {0};
	size_t size = 0;
	while (size < 12) {
		int rc = wait_for(fd, POLLIN, until_ms);
		if (rc < 0)
			return rc;
		ssize_t got = recv(fd, line + size, sizeof(line) - 1 - size, 0);
		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (got == 0)
			return -ECONNRESET;
		size += got > 0 ? (size_t)got : 0;
	}
	return sscanf(line, "HTTP/1.%*1u %3u", ret) == 1 ? 0 : -EBADMSG;
}

static int ask(const char *address, unsigned port, const char *path,
	       unsigned *ret_status)
{
	int64_t until_ms = mkv_monotonic_ms() + TIMEOUT_MS;
	auto_buf struct mkv_buf request = {0};
	auto_fd int fd = -1;
	mkv_buf_printf(&request,
		       "GET %s HTTP/1.1\r\nHost: %s:%u\r\n"
		       "Connection: close\r\n\r\n",
		       path, address, port);
	if (request.failed)
		return -ENOMEM;
	int rc = connect_to(address, port, until_ms, &fd);
	if (rc < 0)
		return rc;
	/* It fits into the buffer of a new connection. */
	if (send(fd, request.data, request.size, MSG_NOSIGNAL) !=
	    (ssize_t)request.size)
		return -EPIPE;
	return read_status(fd, until_ms, ret_status);
}

int mkv_agent_health(const char *address, unsigned port, const char *path,
		     struct mkv_error *err)
{
	unsigned status = 0;
	int rc = ask(strcmp(address, "0.0.0.0") == 0 ? "127.0.0.1" : address,
		     port, path, &status);
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, EHOSTDOWN,
				"GET %s of port %u: %s", path, port,
				strerror(-rc));
	if (status != 200)
		return mkv_fail(err, MKV_FAILED, EHOSTDOWN,
				"GET %s of port %u: status %u", path, port,
				status);
	return 0;
}
