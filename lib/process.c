/* SPDX-License-Identifier: MIT */
#include "lib/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/clock.h"

enum { KILL_MS = 5000 };

/* One captured stream of the child. */
struct stream {
	int fd; /* to read from; -1: closed */
	struct mkv_buf *into;
	size_t limit_bytes;
};

/* Called between fork and exec, so only async-signal-safe functions are used.
 */
static _Noreturn void exec_program(const struct mkv_process *process, int in,
				   int out, int errs, int report)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(in, 0) >= 0 && (out < 0 || dup2(out, 1) >= 0) &&
	    (errs < 0 || dup2(errs, 2) >= 0)) {
		if (process->environment)
			execvpe(process->argv[0], (char *const *)process->argv,
				(char *const *)process->environment);
		else
			execvp(process->argv[0], (char *const *)process->argv);
	}
	int code = errno;
	ssize_t ignored = write(report, &code, sizeof(code));
	(void)ignored;
	_exit(127);
}

static int drain_stream(struct stream *stream)
{
	char chunk[16384];
	ssize_t got = read(stream->fd, chunk, sizeof(chunk));
	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (got == 0) {
		mkv_auto_close_(&stream->fd);
		stream->fd = -1;
		return 0;
	}
	if (stream->into->size > stream->limit_bytes ||
	    (size_t)got > stream->limit_bytes - stream->into->size)
		return -EFBIG;
	mkv_buf_add(stream->into, chunk, (size_t)got);
	return stream->into->failed ? -ENOMEM : 0;
}

/* Reads both streams to their ends, or until the deadline. */
static int collect_streams(struct stream streams[2], int64_t deadline_ms)
{
	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		struct pollfd polled[2] = {
			{.fd = streams[0].fd, .events = POLLIN},
			{.fd = streams[1].fd, .events = POLLIN},
		};
		int wait_ms = -1;
		if (deadline_ms) {
			int64_t left = deadline_ms - mkv_monotonic_ms();
			if (left <= 0)
				return -ETIMEDOUT;
			wait_ms = left > 60000 ? 60000 : (int)left;
		}
		if (poll(polled, 2, wait_ms) < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < 2; i++) {
			if (streams[i].fd < 0 || !polled[i].revents)
				continue;
			int rc = drain_stream(&streams[i]);
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* Waits for the child to exit; polls if there is a deadline. */
static int reap_child(pid_t pid, int64_t deadline_ms, int *status)
{
	for (;;) {
		pid_t got = waitpid(pid, status, deadline_ms ? WNOHANG : 0);
		if (got == pid)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (!deadline_ms)
			continue;
		if (mkv_monotonic_ms() >= deadline_ms)
			return -ETIMEDOUT;
		(void)poll(NULL, 0, 10);
	}
}

/* Reads the streams, closes them, and waits for the child to exit. */
static int wait_for_child(pid_t pid, struct stream streams[2],
			  int64_t deadline_ms, int *status)
{
	int rc = collect_streams(streams, deadline_ms);
	mkv_auto_close_(&streams[0].fd);
	mkv_auto_close_(&streams[1].fd);
	return rc < 0 ? rc : reap_child(pid, deadline_ms, status);
}

/* The end of a program's stderr, for a message. */
static const char *trim_to_tail(const struct mkv_buf *text)
{
	enum { TAIL = 700 };
	if (!text->size)
		return "";
	while (text->size && strchr("\r\n ", text->data[text->size - 1])) {
		((struct mkv_buf *)text)->data[text->size - 1] = '\0';
		((struct mkv_buf *)text)->size--;
	}
	return text->data + (text->size > TAIL ? text->size - TAIL : 0);
}

static int report_status(const char *program, int status,
			 const struct mkv_buf *errors, int *ret_status,
			 struct mkv_error *err)
{
	if (WIFEXITED(status)) {
		if (ret_status)
			*ret_status = WEXITSTATUS(status);
		if (WEXITSTATUS(status) == 0)
			return 0;
		return mkv_fail(err, MKV_FAILED, EIO,
				"%s exited with status %d%s%s", program,
				WEXITSTATUS(status), errors->size ? ": " : "",
				trim_to_tail(errors));
	}
	return mkv_fail(err, MKV_FAILED, EIO,
			"%s was killed by signal %d (%s)%s%s", program,
			WTERMSIG(status), strsignal(WTERMSIG(status)),
			errors->size ? ": " : "", trim_to_tail(errors));
}

int mkv_process_run(const struct mkv_process *process, int *ret_status,
		    struct mkv_error *err)
{
	const char *program = process->argv[0];
	if (ret_status)
		*ret_status = -1;
	int out[2] = {-1, -1}, errs[2] = {-1, -1}, report[2] = {-1, -1};
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0 || pipe2(report, O_CLOEXEC) < 0 ||
	    pipe2(errs, O_CLOEXEC) < 0 ||
	    (process->output && pipe2(out, O_CLOEXEC) < 0))
		return mkv_fail(err, MKV_FAILED, errno, "pipe: %m");
	pid_t pid = fork();
	if (pid == 0)
		exec_program(
			process, process->stdin_fd ? process->stdin_fd : null,
			process->output ? out[1] : null, errs[1], report[1]);
	int fork_code = errno;
	mkv_auto_close_(&out[1]);
	mkv_auto_close_(&errs[1]);
	mkv_auto_close_(&report[1]);
	auto_fd int report_fd = report[0];
	auto_buf struct mkv_buf own_errors = {0};
	struct mkv_buf *errors =
		process->errors ? process->errors : &own_errors;
	size_t limit = process->output_limit_bytes ? process->output_limit_bytes
						   : (size_t)16 << 20;
	struct stream streams[2] = {{out[0], process->output, limit},
				    {errs[0], errors, limit}};
	if (pid < 0) {
		mkv_auto_close_(&out[0]);
		mkv_auto_close_(&errs[0]);
		return mkv_fail(err, MKV_FAILED, fork_code, "fork: %m");
	}
	int64_t deadline_ms =
		process->timeout_s
			? mkv_monotonic_ms() + process->timeout_s * 1000LL
			: 0;
	int status = 0;
	int rc = wait_for_child(pid, streams, deadline_ms, &status);
	if (rc < 0) {
		(void)kill(pid, SIGKILL);
		/* A process that hangs inside a driver ignores even SIGKILL. */
		(void)reap_child(pid, mkv_monotonic_ms() + KILL_MS, &status);
		return mkv_fail(err, MKV_FAILED, rc, "%s: %m", program);
	}
	int code = 0;
	if (read(report_fd, &code, sizeof(code)) == sizeof(code))
		return mkv_fail(err,
				code == ENOENT ? MKV_HOST_CANNOT : MKV_FAILED,
				code, "run '%s': %m", program);
	return report_status(program, status, errors, ret_status, err);
}

bool mkv_process_exists(const char *program)
{
	const char *path = getenv("PATH");
	if (!path)
		path = "/usr/sbin:/usr/bin:/sbin:/bin";
	while (*path) {
		size_t length = strcspn(path, ":");
		char candidate[4096];
		int used = snprintf(candidate, sizeof(candidate), "%.*s/%s",
				    (int)length, path, program);
		struct stat st;
		if (used > 0 && (size_t)used < sizeof(candidate) &&
		    access(candidate, X_OK) == 0 && stat(candidate, &st) == 0 &&
		    S_ISREG(st.st_mode))
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}
