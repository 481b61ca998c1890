/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/monitor.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/buf.h"
#include "lib/json.h"

enum { WAIT_S = 60, LINE_MAX_BYTES = 1 << 20 };

static int fail_monitor(int code, struct mkv_error *err)
{
	if (code == EPIPE || code == ECONNRESET)
		return mkv_fail(err, MKV_HOST_CANNOT, code,
				"QEMU exited before it answered");
	if (code == EAGAIN)
		return mkv_fail(err, MKV_FAILED, ETIMEDOUT,
				"QEMU's monitor sent no answer within %d s",
				WAIT_S);
	return mkv_fail(err, MKV_FAILED, code, "QEMU's monitor: %m");
}

static int send_text(int fd, const char *text, size_t size,
		     struct mkv_error *err)
{
	while (size > 0) {
		ssize_t sent = send(fd, text, size, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return fail_monitor(errno, err);
		text += sent;
		size -= (size_t)sent;
	}
	return 0;
}

/* Reads byte by byte, so that no byte of the next line is consumed. */
static int read_line(int fd, struct mkv_buf *ret, struct mkv_error *err)
{
	for (char c = '\0'; c != '\n';) {
		ssize_t got = recv(fd, &c, 1, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return fail_monitor(got == 0 ? EPIPE : errno, err);
		if (ret->size == LINE_MAX_BYTES)
			return mkv_fail(
				err, MKV_FAILED, EMSGSIZE,
				"QEMU's monitor: an answer is longer than 1 MiB");
		mkv_buf_char(ret, c);
	}
	return mkv_buf_check(ret, err);
}

/* Reads the next answer and skips greetings and events. */
static int read_answer(int fd, json_t **ret, struct mkv_error *err)
{
	for (;;) {
		auto_buf struct mkv_buf line = {0};
		auto_json json_t *object = NULL;
		int rc = read_line(fd, &line, err);
		if (rc < 0)
			return rc;
		rc = mkv_json_load(line.data, line.size, &object, err);
		if (rc < 0)
			return rc;
		json_t *value = json_object_get(object, "return");
		if (value) {
			*ret = json_incref(value);
			return 0;
		}
		json_t *failure = json_object_get(object, "error");
		const char *why =
			json_string_value(json_object_get(failure, "desc"));
		if (failure)
			return mkv_fail(
				err, MKV_FAILED, EPROTO, "QEMU's monitor: %s",
				why ? why : "error without a description");
	}
}

static int send_request(int fd, const json_t *request, json_t **ret,
			struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	if (!request)
		return mkv_oom(err);
	int rc = mkv_json_dump_compact(request, &text, err);
	if (rc < 0)
		return rc;
	rc = send_text(fd, text.data, text.size, err);
	return rc < 0 ? rc : read_answer(fd, ret, err);
}

int mkv_monitor_run(int fd, const char *command, char **ret,
		    struct mkv_error *err)
{
	const struct timeval timeout = {.tv_sec = WAIT_S};
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) <
	    0)
		return mkv_fail(err, MKV_FAILED, errno, "QEMU's monitor: %m");
	auto_json json_t *begin =
		json_pack("{s:s}", "execute", "qmp_capabilities");
	auto_json json_t *run =
		json_pack("{s:s, s:{s:s}}", "execute", "human-monitor-command",
			  "arguments", "command-line", command);
	auto_json json_t *nothing = NULL;
	auto_json json_t *printed = NULL;
	int rc = send_request(fd, begin, &nothing, err);
	if (rc < 0)
		return rc;
	rc = send_request(fd, run, &printed, err);
	if (rc < 0)
		return rc;
	const char *text = json_string_value(printed);
	if (!text)
		return mkv_fail(err, MKV_FAILED, EPROTO,
				"QEMU's monitor: '%s' printed nothing",
				command);
	*ret = strdup(text);
	return *ret ? 0 : mkv_oom(err);
}
