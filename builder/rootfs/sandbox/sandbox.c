/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/sandbox/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "builder/rootfs/sandbox/sandbox_internal.h"
#include "lib/clock.h"

enum { TIMEOUT_S = 3600 };

static const char host_name[] = "mkvbench";
static const char domain_name[] = "localdomain";

/* Inherited by the processes of the sandbox. */
struct start {
	mkv_sandbox_main *main;
	void *context;
	int control_fd; /* the intermediate process's end of the socket */
	int report_fd;	/* socket for struct mkv_report */
};

static void send_report(int fd, const struct mkv_report *message)
{
	ssize_t sent;
	do
		sent = send(fd, message, sizeof(*message), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
}

static void report_result(int fd, int rc, const struct mkv_error *err)
{
	struct mkv_report message = {.kind = MKV_REPORT_RESULT, .rc = rc};
	if (rc < 0) {
		message.error_kind = (int)err->kind;
		message.error_code = err->code;
		memcpy(message.text, err->message, sizeof(message.text));
	}
	send_report(fd, &message);
}

static void report_text(struct mkv_sandbox *sandbox, enum mkv_report_kind kind,
			uint64_t bytes, const char *format, va_list arguments)
{
	struct mkv_report message = {.kind = kind, .bytes = bytes};
	(void)vsnprintf(message.text, sizeof(message.text), format, arguments);
	send_report(sandbox->report_fd, &message);
}

void mkv_sandbox_begin(struct mkv_sandbox *sandbox, uint64_t total_bytes,
		       const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	report_text(sandbox, MKV_REPORT_BEGIN, total_bytes, format, arguments);
	va_end(arguments);
}

void mkv_sandbox_note(struct mkv_sandbox *sandbox, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	report_text(sandbox, MKV_REPORT_NOTE, 0, format, arguments);
	va_end(arguments);
}

void mkv_sandbox_advance(struct mkv_sandbox *sandbox, uint64_t bytes)
{
	send_report(sandbox->report_fd, &(struct mkv_report){
						.kind = MKV_REPORT_ADVANCE,
						.bytes = bytes,
					});
}

void mkv_sandbox_end(struct mkv_sandbox *sandbox, int rc)
{
	send_report(sandbox->report_fd, &(struct mkv_report){
						.kind = MKV_REPORT_END,
						.rc = rc,
					});
}

int mkv_sandbox_root_fd(const struct mkv_sandbox *sandbox)
{
	return sandbox->root_fd;
}

int mkv_sandbox_stage_fd(const struct mkv_sandbox *sandbox)
{
	return sandbox->stage_fd;
}

/* Sets ids, umask, host name and signal mask of the worker. */
static int set_identity(struct mkv_error *err)
{
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
	    setresuid(0, 0, 0) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"sandbox: switch to its user 0: %m");
	/* setresuid(2) cleared both. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
	    prctl(PR_SET_DUMPABLE, 1) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "prctl: %m");
	(void)umask(022);
	if (sethostname(host_name, sizeof(host_name) - 1) < 0 ||
	    setdomainname(domain_name, sizeof(domain_name) - 1) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"sandbox: set host name: %m");
	sigset_t child;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	return 0;
}

static int set_up_and_run(const struct start *start,
			  struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	int rc = set_identity(err);
	if (rc < 0)
		return rc;
	rc = mkv_sandbox_mount(sandbox, err);
	return rc < 0 ? rc : start->main(sandbox, start->context, err);
}

static _Noreturn void run_worker(const struct start *start)
{
	struct mkv_error err = {0};
	struct mkv_sandbox sandbox = {
		.root_fd = -1,
		.stage_fd = -1,
		.log_fd = -1,
		.report_fd = start->report_fd,
	};
	int rc = set_up_and_run(start, &sandbox, &err);
	report_result(start->report_fd, rc, &err);
	/* Not exit(): the caller's stdio buffers were copied by fork(). */
	_exit(rc < 0 ? 1 : 0);
}

static const int namespaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID |
			      CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC |
			      CLONE_NEWCGROUP;

/* The process between the caller and the worker: creates the namespaces, waits
 * until its ids are mapped, forks the worker and exits with the worker's
 * status. */
static _Noreturn void run_intermediate(const struct start *start, pid_t parent)
{
	struct mkv_error err = {0};
	char go = 0;
	int status = 0;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	if (unshare(namespaces) < 0) {
		(void)mkv_fail(&err, MKV_HOST_CANNOT, errno,
			       "the kernel refuses to create namespaces: "
			       "unshare: %m");
		report_result(start->report_fd, -err.code, &err);
		_exit(1);
	}
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(start->control_fd, "u", 1) != 1 ||
	    read(start->control_fd, &go, 1) != 1)
		_exit(1);
	pid_t pid = fork();
	if (pid == 0)
		run_worker(start);
	if (pid < 0) {
		(void)mkv_fail(&err, MKV_FAILED, errno, "fork: %m");
		report_result(start->report_fd, -err.code, &err);
		_exit(1);
	}
	(void)close(start->report_fd);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

static void forward_progress(struct mkv_report *message,
			     struct mkv_progress *progress,
			     struct mkv_progress_step *step)
{
	message->text[sizeof(message->text) - 1] = '\0';
	switch (message->kind) {
	case MKV_REPORT_BEGIN:
		*step = mkv_progress_begin(progress, message->bytes, "%s",
					   message->text);
		break;
	case MKV_REPORT_ADVANCE:
		mkv_progress_advance(progress, message->bytes);
		break;
	case MKV_REPORT_END:
		mkv_progress_end(step, message->rc, NULL);
		break;
	case MKV_REPORT_NOTE:
		mkv_progress_note(progress, "%s", message->text);
		break;
	case MKV_REPORT_RESULT:
		break;
	}
}

/* Forwards progress until the worker's result arrives. */
static int receive_reports(int fd, int64_t deadline_ms,
			   struct mkv_progress *progress, struct mkv_error *err)
{
	auto_progress_step struct mkv_progress_step step = {0};
	for (;;) {
		struct pollfd polled = {.fd = fd, .events = POLLIN};
		int64_t left = deadline_ms - mkv_monotonic_ms();
		if (left <= 0)
			return mkv_fail(err, MKV_FAILED, ETIMEDOUT,
					"the sandbox exceeded its timeout");
		int ready = poll(&polled, 1, left > 60000 ? 60000 : (int)left);
		if (ready < 0 && errno != EINTR)
			return mkv_fail(err, MKV_FAILED, errno, "poll: %m");
		if (ready <= 0)
			continue;
		struct mkv_report message;
		ssize_t got = recv(fd, &message, sizeof(message), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got != sizeof(message))
			return mkv_fail(err, MKV_FAILED, ECHILD,
					"the sandbox was killed (possibly out "
					"of memory)");
		forward_progress(&message, progress, &step);
		if (message.kind != MKV_REPORT_RESULT)
			continue;
		if (message.rc < 0)
			return mkv_fail(err,
					(enum mkv_error_kind)message.error_kind,
					message.error_code, "%s", message.text);
		return 0;
	}
}

static int supervise(pid_t pid, int control_fd, int report_fd,
		     const struct mkv_sandbox_options *options,
		     struct mkv_progress *progress, struct mkv_error *err)
{
	unsigned timeout_s =
		options->timeout_s ? options->timeout_s : (unsigned)TIMEOUT_S;
	int64_t deadline_ms = mkv_monotonic_ms() + (int64_t)timeout_s * 1000;
	char unshared;
	if (read(control_fd, &unshared, 1) == 1) {
		int rc = mkv_sandbox_map_ids(pid, err);
		if (rc < 0)
			return rc;
		if (send(control_fd, "g", 1, MSG_NOSIGNAL) != 1)
			return mkv_fail(err, MKV_FAILED, errno,
					"start the sandbox: %m");
	}
	return receive_reports(report_fd, deadline_ms, progress, err);
}

int mkv_sandbox_run(const struct mkv_sandbox_options *options,
		    mkv_sandbox_main *main, void *context,
		    struct mkv_progress *progress, struct mkv_error *err)
{
	int control[2], reports[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, control) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socketpair: %m");
	auto_fd int control_ours = control[0];
	auto_fd int control_theirs = control[1];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, reports) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socketpair: %m");
	auto_fd int reports_ours = reports[0];
	auto_fd int reports_theirs = reports[1];
	struct start start = {main, context, control_theirs, reports_theirs};
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		(void)close(control_ours);
		(void)close(reports_ours);
		run_intermediate(&start, parent);
	}
	if (pid < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fork: %m");
	mkv_auto_close_(&control_theirs);
	control_theirs = -1;
	mkv_auto_close_(&reports_theirs);
	reports_theirs = -1;
	int rc = supervise(pid, control_ours, reports_ours, options, progress,
			   err);
	if (rc < 0)
		(void)kill(pid, SIGKILL); /* PDEATHSIG kills the worker */
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return rc;
}
