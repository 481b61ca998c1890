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
	(void)setpgid(0, 0);
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

/* Reports the program's exit once, and leaves it a zombie: until the guard
 * exits, no other process group can get the group's id. */
static bool report_exit(pid_t pid, int report)
{
	siginfo_t info = {0};
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
	    info.si_pid != pid)
		return false;
	send_report(report, 0,
		    info.si_code == CLD_EXITED ? W_EXITCODE(info.si_status, 0)
					       : W_EXITCODE(0, info.si_status));
	return true;
}

/* Orphans of the group are children of the guard, the subreaper: the guard
 * waits until all of them are gone. */
static _Noreturn void kill_group(pid_t group)
{
	(void)kill(-group, SIGKILL);
	while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
		continue;
	_exit(0);
}

static _Noreturn void serve_caller(pid_t pid, int report)
{
	static const int awaited[] = {SIGCHLD,		SIGINT,
				      SIGQUIT,		SIGHUP,
				      MKV_PROCESS_KILL, MKV_PROCESS_DONE};
	sigset_t set;
	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof(awaited) / sizeof(awaited[0]); i++)
		(void)sigaddset(&set, awaited[i]);
	for (bool reported = false;;) {
		int number = 0;
		if (!reported)
			reported = report_exit(pid, report);
		if (sigwait(&set, &number) != 0 || number == SIGCHLD)
			continue;
		if (number == MKV_PROCESS_KILL)
			kill_group(pid);
		if (number == MKV_PROCESS_DONE) {
			(void)waitpid(pid, NULL, 0);
			_exit(0);
		}
		(void)kill(-pid, number);
	}
}

void mkv_process_guard(const struct mkv_process *process,
		       const struct mkv_process_ends *ends)
{
	sigset_t all;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	/* With SIGCHLD ignored, as inherited, no status could be waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ||
	    prctl(PR_SET_PDEATHSIG, MKV_PROCESS_KILL) < 0 ||
	    getppid() != ends->caller)
		_exit(127);
	pid_t pid = _Fork();
	if (pid == 0)
		exec_program(process, ends);
	if (pid < 0) {
		send_report(ends->report, errno, 0);
		_exit(127);
	}
	/* The program makes the same call: the first of the two counts. */
	(void)setpgid(pid, pid);
	close_all_but(ends->report);
	serve_caller(pid, ends->report);
}
