/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/sandbox/sandbox_internal.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"

enum { OUTPUT_LIMIT = 4 << 20, OUTPUT_FILE_LIMIT = 64 << 20, TAIL = 1500 };

/* The environment of every program; the tool's own is not passed on. */
static const char *const fixed_environment[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"HOME=/root",
	"LC_ALL=C.UTF-8",
	"LANG=C.UTF-8",
	"TZ=UTC",
	"TERM=dumb",
	"SHELL=/bin/sh",
	"USER=root",
	"LOGNAME=root",
};

/* The capabilities that maintainer scripts need. CAP_SYS_ADMIN is not among
 * them: no program can mount, or make a read-only mount writable. */
static const int capabilities[] = {
	CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,	CAP_FSETID,
	CAP_KILL,    CAP_SETGID,       CAP_SETUID,	CAP_SETPCAP,
	CAP_SETFCAP, CAP_SYS_CHROOT,   CAP_AUDIT_WRITE, CAP_MKNOD,
};

static bool is_kept(int capability)
{
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(*capabilities);
	     i++)
		if (capabilities[i] == capability)
			return true;
	return false;
}

/* Runs between fork and exec: async-signal-safe calls only. */
static bool confine_process(void)
{
	struct sigaction default_action = {.sa_handler = SIG_DFL};
	sigset_t none;
	(void)sigemptyset(&none);
	(void)sigaction(SIGPIPE, &default_action, NULL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	(void)umask(022);
	struct rlimit core = {0, 0}, files = {1024, 4096};
	if (setrlimit(RLIMIT_CORE, &core) < 0 ||
	    setrlimit(RLIMIT_NOFILE, &files) < 0)
		return false;
	if (chroot("/root") < 0 || chdir("/") < 0)
		return false;
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		if (!is_kept(i) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0 &&
		    errno != EINVAL)
			return false;
	return syscall(SYS_close_range, 3U, ~0U,
		       4U /* CLOSE_RANGE_CLOEXEC */) == 0;
}

static _Noreturn void exec_program(const struct mkv_sandbox *sandbox,
				   const char *const *argv,
				   const char *const *environment, int report)
{
	/* exec closes the report, as every descriptor above 2. */
	if (confine_process()) {
		int null = open("/dev/null", O_RDONLY);
		if (null >= 0 && dup2(null, 0) == 0 &&
		    dup2(sandbox->log_fd, 1) == 1 &&
		    dup2(sandbox->log_fd, 2) == 2) {
			if (null > 2)
				(void)close(null);
			execve(argv[0], (char *const *)argv,
			       (char *const *)environment);
		}
	}
	int code = errno;
	ssize_t ignored = write(report, &code, sizeof(code));
	(void)ignored;
	_exit(127);
}

/* Reaps processes until the program exits. The worker is process 1 of its pid
 * namespace and becomes the parent of orphans. */
static int await_program(const struct mkv_sandbox *sandbox, pid_t pid,
			 int64_t deadline_ms, int *ret_status)
{
	sigset_t child;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	for (;;) {
		pid_t got = waitpid(-1, ret_status, WNOHANG);
		if (got == pid)
			return 0;
		if (got > 0)
			continue;
		if (got < 0 && errno != EINTR)
			return -errno;
		struct stat log;
		if (deadline_ms && mkv_monotonic_ms() >= deadline_ms)
			return -ETIMEDOUT;
		if (fstat(sandbox->log_fd, &log) == 0 &&
		    log.st_size > OUTPUT_FILE_LIMIT)
			return -EFBIG;
		struct timespec wait = {.tv_nsec = 200 * 1000 * 1000};
		(void)sigtimedwait(&child, NULL, &wait);
	}
}

/* Kills and reaps every other process of the pid namespace. */
static void kill_all(void)
{
	while (kill(-1, SIGKILL) == 0 || errno == EPERM)
		if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
			break;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static int read_log(const struct mkv_sandbox *sandbox, struct mkv_buf *output,
		    char tail[static TAIL + 1])
{
	struct mkv_error ignored;
	struct stat log;
	tail[0] = '\0';
	if (fstat(sandbox->log_fd, &log) < 0)
		return -errno;
	uint64_t size = (uint64_t)log.st_size;
	if (output && size <= OUTPUT_LIMIT && size > 0) {
		void *into = mkv_buf_extend(output, (size_t)size);
		if (into)
			(void)!mkv_pread_all(sandbox->log_fd, into,
					     (size_t)size, 0, &ignored);
	}
	uint64_t from = size > TAIL ? size - TAIL : 0;
	if (mkv_pread_all(sandbox->log_fd, tail, (size_t)(size - from), from,
			  &ignored) < 0)
		return -EIO;
	size_t length = (size_t)(size - from);
	while (length > 0 && strchr("\r\n ", tail[length - 1]))
		length--;
	tail[length] = '\0';
	/* Whole lines, without control characters for the terminal. */
	char *line = from ? strchr(tail, '\n') : NULL;
	if (line && line[1])
		memmove(tail, line + 1, strlen(line + 1) + 1);
	for (char *at = tail; *at; at++)
		if ((unsigned char)*at < ' ' && *at != '\n' && *at != '\t')
			*at = '?';
	return 0;
}

/* The result of a program: `rc` of waiting for it, else its wait status. */
static int check_exit(const struct mkv_sandbox *sandbox, const char *name,
		      int rc, int status, struct mkv_buf *output,
		      struct mkv_error *err)
{
	char tail[TAIL + 1];
	if (read_log(sandbox, output, tail) < 0)
		tail[0] = '\0';
	const char *colon = tail[0] ? ":\n" : "";
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, rc, "%s: %m%s%s", name, colon,
				tail);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		return mkv_fail(err, MKV_FAILED, EIO,
				"%s exited with status %d%s%s", name,
				WEXITSTATUS(status), colon, tail);
	return mkv_fail(err, MKV_FAILED, EIO, "%s was killed by signal %d%s%s",
			name, WTERMSIG(status), colon, tail);
}

/* The fixed environment and `more`, as borrowed pointers; the caller frees the
 * array. */
static const char **join_environment(const char *const *more)
{
	size_t fixed = sizeof(fixed_environment) / sizeof(*fixed_environment);
	size_t count = 0;
	while (more && more[count])
		count++;
	const char **all = calloc(fixed + count + 1, sizeof(*all));
	if (!all)
		return NULL;
	memcpy(all, fixed_environment, sizeof(fixed_environment));
	if (count)
		memcpy(all + fixed, more, count * sizeof(*more));
	return all;
}

int mkv_sandbox_exec(struct mkv_sandbox *sandbox,
		     const struct mkv_sandbox_program *program,
		     struct mkv_buf *output, struct mkv_error *err)
{
	const char *name = program->argv[0];
	auto_free const char **environment =
		join_environment(program->environment);
	int report[2];
	if (!environment)
		return mkv_oom(err);
	if (ftruncate(sandbox->log_fd, 0) < 0 ||
	    lseek(sandbox->log_fd, 0, SEEK_SET) < 0 ||
	    pipe2(report, O_CLOEXEC) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "run '%s': %m", name);
	/* SIGCHLD is blocked in every thread of the worker and stays pending
	 * for await_program(). */
	pid_t pid = fork();
	if (pid == 0)
		exec_program(sandbox, program->argv, environment, report[1]);
	int fork_code = errno;
	mkv_auto_close_(&report[1]);
	auto_fd int report_fd = report[0];
	if (pid < 0)
		return mkv_fail(err, MKV_FAILED, fork_code, "fork: %m");
	int code = 0, status = 0;
	bool failed = read(report_fd, &code, sizeof(code)) == sizeof(code);
	int64_t deadline_ms =
		program->timeout_s
			? mkv_monotonic_ms() + program->timeout_s * 1000LL
			: 0;
	int rc = await_program(sandbox, pid, deadline_ms, &status);
	kill_all();
	if (failed)
		return mkv_fail(err, MKV_FAILED, code, "run '%s': %m", name);
	return check_exit(sandbox, name, rc, status, output, err);
}
