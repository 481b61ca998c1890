/* SPDX-License-Identifier: MIT */
#include "verify/probe/docker.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"

enum { ANSWER_MAX = 8 << 20, TIMEOUT_MS = 60000 };

int mkv_http_parse(const char *answer, size_t size, unsigned *ret_status,
		   const char **ret_body, size_t *ret_size,
		   struct mkv_error *err)
{
	const char *end = memmem(answer, size, "\r\n\r\n", 4);
	unsigned status = 0;
	char line[32] = {0};
	memcpy(line, answer, size < sizeof(line) - 1 ? size : sizeof(line) - 1);
	if (!end || sscanf(line, "HTTP/1.%*1u %3u", &status) != 1 ||
	    status < 100)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"not an HTTP response");
	/* A server must not chunk its response to an HTTP/1.0 request. */
	for (const char *at = answer; at < end;) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (strncasecmp(at, "Transfer-Encoding:", 18) == 0)
			return mkv_fail(err, MKV_FAILED, EBADMSG,
					"a chunked response");
		if (!newline)
			break;
		at = newline + 1;
	}
	*ret_status = status;
	*ret_body = end + 4;
	*ret_size = size - (size_t)(end + 4 - answer);
	return 0;
}

/* Receives until the peer closes the connection. */
static int receive_all(int fd, struct mkv_buf *into, struct mkv_error *err)
{
	int64_t deadline = mkv_monotonic_ms() + TIMEOUT_MS;
	char chunk[16384];
	for (;;) {
		int64_t left = deadline - mkv_monotonic_ms();
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return mkv_fail(err, MKV_FAILED,
					ready ? errno : ETIMEDOUT,
					"no whole response: %m");
		ssize_t got = recv(fd, chunk, sizeof(chunk), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno, "receive: %m");
		if (got == 0)
			return mkv_buf_check(into, err);
		if (into->size + (size_t)got > ANSWER_MAX)
			return mkv_fail(err, MKV_FAILED, EFBIG,
					"a response over %d bytes", ANSWER_MAX);
		mkv_buf_add(into, chunk, (size_t)got);
	}
}

static int connect_to(const char *socket_path, int *ret, struct mkv_error *err)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	if (strlen(socket_path) >= sizeof(to.sun_path))
		return mkv_fail(err, MKV_FAILED, ENAMETOOLONG, "%m");
	memcpy(to.sun_path, socket_path, strlen(socket_path) + 1);
	auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socket: %m");
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		int rc = mkv_fail(err, MKV_FAILED, errno, "connect: %m");
		return rc == -ENOENT ? -ECONNREFUSED : rc;
	}
	*ret = mkv_take_fd(&fd);
	return 0;
}

static int exchange_http(const char *socket_path, const char *path,
			 struct mkv_buf *ret_answer, struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = connect_to(socket_path, &fd, err);
	if (rc < 0)
		return rc;
	auto_buf struct mkv_buf request = {0};
	mkv_buf_printf(&request, "GET %s HTTP/1.0\r\nHost: docker\r\n\r\n",
		       path);
	rc = mkv_buf_check(&request, err);
	if (rc < 0)
		return rc;
	if (send(fd, request.data, request.size, MSG_NOSIGNAL) !=
	    (ssize_t)request.size)
		return mkv_fail(err, MKV_FAILED, errno, "send: %m");
	return receive_all(fd, ret_answer, err);
}

static int get_json(const char *socket_path, const char *path, json_t **ret,
		    struct mkv_error *err)
{
	auto_buf struct mkv_buf answer = {0};
	int rc = exchange_http(socket_path, path, &answer, err);
	if (rc < 0)
		return rc;
	unsigned status = 0;
	const char *body = NULL;
	size_t size = 0;
	rc = mkv_http_parse(answer.data ? answer.data : "", answer.size,
			    &status, &body, &size, err);
	if (rc < 0)
		return rc;
	if (status != 200)
		return mkv_fail(err, MKV_FAILED,
				status == 404 ? ENOENT : EREMOTEIO,
				"HTTP status %u", status);
	return mkv_json_load(body, size, ret, err);
}

int mkv_docker_get(const char *socket_path, const char *path, json_t **ret,
		   struct mkv_error *err)
{
	int rc = get_json(socket_path, path, ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s: %s", socket_path, path) : 0;
}

/* Decodes the octal escapes of mountinfo in place. */
static void decode_octal(char *text)
{
	char *to = text;
	for (const char *from = text; *from;) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
		    from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 |
				       (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
}

static bool is_below(const char *path, const char *mount)
{
	size_t length = strlen(mount);
	if (length == 1 && mount[0] == '/')
		return path[0] == '/';
	return strncmp(path, mount, length) == 0 &&
	       (path[length] == '\0' || path[length] == '/');
}

bool mkv_mount_type(const char *mountinfo, const char *path,
		    char ret_type[static 32], char *ret_mount)
{
	size_t best = 0;
	bool found = false;
	for (const char *at = mountinfo; *at;) {
		size_t length = strcspn(at, "\n");
		auto_free char *line = strndup(at, length);
		at += length + (at[length] == '\n');
		if (!line)
			return false;
		/* id parent major:minor root MOUNT options... - TYPE source */
		char *rest = line, *mount = NULL;
		for (int field = 0; field < 5; field++)
			mount = strsep(&rest, " ");
		char *dash = rest ? strstr(rest, " - ") : NULL;
		if (!mount || mount[0] != '/' || !dash ||
		    strlen(mount) >= PATH_MAX)
			continue;
		decode_octal(mount);
		char *type = dash + 3;
		type[strcspn(type, " ")] = '\0';
		/* A later mount at the same path hides the earlier one. */
		if (!is_below(path, mount) || strlen(mount) < best)
			continue;
		best = strlen(mount);
		found = true;
		(void)snprintf(ret_type, 32, "%.31s", type);
		if (ret_mount)
			memcpy(ret_mount, mount, best + 1);
	}
	return found;
}
