/* SPDX-License-Identifier: MIT */
#include "builder/core/host/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { GRACE_MS = 2000 };

/* Runs between fork and exec: only async-signal-safe calls. */
static _Noreturn void exec_child(char *const *argv, const int *fds,
				 size_t n_fds, int null_fd, int output_fd,
				 pid_t parent, int report)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	(void)setpgid(0, 0); /* a terminal's Ctrl-C goes to the parent only */
	bool ready = dup2(null_fd, 0) >= 0 && dup2(output_fd, 1) >= 0 &&
		     dup2(output_fd, 2) >= 0;
	for (size_t i = 0; ready && i < n_fds; i++)
		ready = fcntl(fds[i], F_SETFD, 0) >= 0;
	if (ready)
		(void)execvp(argv[0], argv);
	int code = errno;
	ssize_t ignored = write(report, &code, sizeof(code));
	(void)ignored;
	_exit(127);
}

int mkv_child_start(char *const *argv, int output_fd, struct mkv_child *ret,
		    struct mkv_error *err)
{
	return mkv_child_start_with(argv, NULL, 0, output_fd, ret, err);
}

int mkv_child_start_with(char *const *argv, const int *fds, size_t n_fds,
			 int output_fd, struct mkv_child *ret,
			 struct mkv_error *err)
{
	int report[2];
	auto_fd int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd < 0 || pipe2(report, O_CLOEXEC) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "pipe: %m");
	auto_fd int in = report[0];
	auto_fd int out = report[1];
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fork: %m");
	if (pid == 0)
		exec_child(argv, fds, n_fds, null_fd, output_fd, parent, out);
	mkv_auto_close_(&out);
	out = -1;
	struct mkv_child child = {.pid = pid};
	child.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int pidfd_code = errno;
	int code = 0;
	bool failed = read(in, &code, sizeof(code)) == sizeof(code);
	if (!failed && child.pidfd >= 0) {
		*ret = child;
		return 0;
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	mkv_auto_close_(&child.pidfd);
	if (!failed)
		return mkv_fail(err, MKV_HOST_CANNOT, pidfd_code,
				"pidfd_open: %m");
	return mkv_fail(err, code == ENOENT ? MKV_HOST_CANNOT : MKV_FAILED,
			code, "run '%s': %m%s", argv[0],
			code == ENOENT ? " (package qemu-system-x86)" : "");
}

bool mkv_child_reap(struct mkv_child *child, int *ret_status)
{
	if (child->pidfd < 0)
		return true;
	if (waitpid(child->pid, ret_status, WNOHANG) != child->pid)
		return false;
	(void)close(child->pidfd);
	*child = (struct mkv_child)MKV_CHILD_INIT;
	return true;
}

void mkv_child_end(struct mkv_child *child)
{
	int status;
	if (mkv_child_reap(child, &status))
		return;
	(void)kill(child->pid, SIGTERM);
	struct pollfd polled = {.fd = child->pidfd, .events = POLLIN};
	(void)poll(&polled, 1, GRACE_MS);
	if (mkv_child_reap(child, &status))
		return;
	(void)kill(child->pid, SIGKILL);
	while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
		;
	(void)close(child->pidfd);
	*child = (struct mkv_child)MKV_CHILD_INIT;
}
