/* SPDX-License-Identifier: MIT */
#include "lib/process_internal.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static void send_report(int fd, int code, int status)
{
	const struct mkv_process_report report = {code, status};
	ssize_t ignored = write(fd, &report, sizeof(report));
	(void)ignored;
}

static _Noreturn void exec_program(const struct mkv_process *process,
				   const struct mkv_process_ends *ends)
{
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* For a guard that is killed itself. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(ends->in, 0) >= 0 && dup2(ends->out, 1) >= 0 &&
	    dup2(ends->errors, 2) >= 0) {
		if (process->environment)
			execvpe(process->argv[0], (char *const *)process->argv,
				(char *const *)process->environment);
		else
			execvp(process->argv[0], (char *const *)process->argv);
	}
	send_report(ends->report, errno, 0);
	_exit(127);
}

/* The caller's descriptors include locks and the ends of pipes that other
 * threads wait for. */
static void close_all_but(int kept)
{
	if (kept > 0)
		(void)syscall(SYS_close_range, 0U, (unsigned)kept - 1, 0U);
	(void)syscall(SYS_close_range, (unsigned)kept + 1, ~0U, 0U);
}

static _Noreturn void await_program(pid_t pid, int report)
{
	sigset_t awaited;
	(void)sigemptyset(&awaited);
	(void)sigaddset(&awaited, SIGCHLD);
	(void)sigaddset(&awaited, SIGTERM);
	for (;;) {
		int status = 0, number = 0;
		pid_t got = waitpid(pid, &status, WNOHANG);
		if (got == pid) {
			send_report(report, 0, status);
			_exit(0);
		}
		if (got < 0 && errno != EINTR)
			_exit(127);
		if (sigwait(&awaited, &number) == 0 && number == SIGTERM)
			(void)kill(0, SIGKILL);
	}
}

void mkv_process_guard(const struct mkv_process *process,
		       const struct mkv_process_ends *ends)
{
	sigset_t all;
	(void)setpgid(0, 0);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	/* With SIGCHLD ignored, as inherited, no status could be waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != ends->caller)
		_exit(127);
	pid_t pid = _Fork();
	if (pid == 0)
		exec_program(process, ends);
	if (pid < 0) {
		send_report(ends->report, errno, 0);
		_exit(127);
	}
	close_all_but(ends->report);
	await_program(pid, ends->report);
}
