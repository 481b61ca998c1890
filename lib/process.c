/* SPDX-License-Identifier: MIT */
#include "lib/process_internal.h"

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

/* For poll(2): -1 without a deadline, 0 when it has passed. */
static int choose_wait(int64_t deadline_ms)
{
	if (!deadline_ms)
		return -1;
	int64_t left = deadline_ms - mkv_monotonic_ms();
	return left <= 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* Reads both streams to their ends, or until the deadline. */
static int collect_streams(struct stream streams[2], int64_t deadline_ms)
{
	while (streams[0].fd >= 0 || streams[1].fd >= 0) {
		struct pollfd polled[2] = {
			{.fd = streams[0].fd, .events = POLLIN},
			{.fd = streams[1].fd, .events = POLLIN},
		};
		int wait_ms = choose_wait(deadline_ms);
		if (wait_ms == 0)
			return -ETIMEDOUT;
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

/* Waits for the guard to exit; polls if there is a deadline. */
static int reap_guard(pid_t pid, int64_t deadline_ms)
{
	for (;;) {
		pid_t got = waitpid(pid, NULL, deadline_ms ? WNOHANG : 0);
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

/* Ends the guard by a signal, or by SIGKILL if it does not exit: a process that
 * hangs inside a driver ignores even SIGKILL, and the guard waits for it. */
static void end_guard(pid_t pid, int number)
{
	(void)kill(pid, number);
	if (reap_guard(pid, mkv_monotonic_ms() + KILL_MS) == 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)reap_guard(pid, 0);
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

/* Reads what the guard or its program reports about the program's exit. */
static int await_report(int fd, int64_t deadline_ms,
			struct mkv_process_report *ret)
{
	for (;;) {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		int wait_ms = choose_wait(deadline_ms);
		if (wait_ms == 0)
			return -ETIMEDOUT;
		int ready = poll(&polled, 1, wait_ms);
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready <= 0)
			continue;
		ssize_t got = read(fd, ret, sizeof(*ret));
		if (got == sizeof(*ret))
			return 0;
		if (got >= 0)
			return -ECHILD; /* the guard was killed */
		if (errno != EINTR)
			return -errno;
	}
}

/* A program with its guard, as the caller sees them. */
struct running {
	pid_t guard;
	int report_fd;
	struct stream streams[2]; /* stdout, stderr */
};

static void close_running(struct running *running)
{
	mkv_auto_close_(&running->report_fd);
	mkv_auto_close_(&running->streams[0].fd);
	mkv_auto_close_(&running->streams[1].fd);
}

/* Forks the guard; the streams and the report are then open in *running. */
static int start_guard(const struct mkv_process *process,
		       struct running *running, struct mkv_error *err)
{
	auto_fd int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int report[2] = {-1, -1}, out[2] = {-1, -1}, errors[2] = {-1, -1};
	bool ready = null >= 0 && pipe2(report, O_CLOEXEC) == 0 &&
		     pipe2(errors, O_CLOEXEC) == 0 &&
		     (!process->output || pipe2(out, O_CLOEXEC) == 0);
	int code = errno;
	auto_fd int report_in = report[1], out_in = out[1];
	auto_fd int errors_in = errors[1];
	running->report_fd = report[0];
	running->streams[0].fd = out[0];
	running->streams[1].fd = errors[0];
	if (!ready)
		return mkv_fail(err, MKV_FAILED, code, "pipe: %m");
	const struct mkv_process_ends ends = {
		.in = process->stdin_fd ? process->stdin_fd : null,
		.out = process->output ? out_in : null,
		.errors = errors_in,
		.report = report_in,
		.caller = getpid(),
	};
	running->guard = fork();
	if (running->guard < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fork: %m");
	if (running->guard == 0)
		mkv_process_guard(process, &ends);
	return 0;
}

static int run_guarded(const struct mkv_process *process,
		       struct running *running, struct mkv_process_report *ret,
		       struct mkv_error *err)
{
	int rc = start_guard(process, running, err);
	if (rc < 0)
		return rc;
	int64_t deadline_ms =
		process->timeout_s
			? mkv_monotonic_ms() + process->timeout_s * 1000LL
			: 0;
	rc = collect_streams(running->streams, deadline_ms);
	rc = rc < 0 ? rc : await_report(running->report_fd, deadline_ms, ret);
	end_guard(running->guard, rc < 0 ? MKV_PROCESS_KILL : MKV_PROCESS_DONE);
	return rc < 0 ? mkv_fail(err, MKV_FAILED, rc, "%s: %m",
				 process->argv[0])
		      : 0;
}

int mkv_process_run(const struct mkv_process *process, int *ret_status,
		    struct mkv_error *err)
{
	auto_buf struct mkv_buf own_errors = {0};
	struct mkv_buf *errors =
		process->errors ? process->errors : &own_errors;
	size_t limit = process->output_limit_bytes ? process->output_limit_bytes
						   : (size_t)16 << 20;
	struct running running = {
		.report_fd = -1,
		.streams = {{-1, process->output, limit}, {-1, errors, limit}},
	};
	if (ret_status)
		*ret_status = -1;
	struct mkv_process_report report;
	int rc = run_guarded(process, &running, &report, err);
	close_running(&running);
	if (rc < 0)
		return rc;
	if (report.code)
		return mkv_fail(err,
				report.code == ENOENT ? MKV_HOST_CANNOT
						      : MKV_FAILED,
				report.code, "run '%s': %m", process->argv[0]);
	return report_status(process->argv[0], report.status, errors,
			     ret_status, err);
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
