/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "lib/process.h"

/* The test uses a shell for programs that misbehave. */
static int run_script(const char *script, struct mkv_process *process,
		      int *ret_status, struct mkv_error *err)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	process->argv = argv;
	int rc = mkv_process_run(process, ret_status, err);
	process->argv = NULL;
	return rc;
}

static int64_t now_s(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

static void both_streams_are_captured(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf out = {0};
	auto_buf struct mkv_buf errors = {0};
	struct mkv_process process = {.output = &out, .errors = &errors};
	int status = 99;
	assert_int_equal(run_script("echo out; echo err >&2; cat", &process,
				    &status, &err),
			 0);
	assert_int_equal(status, 0);
	assert_string_equal(out.data, "out\n");
	assert_string_equal(errors.data, "err\n");
}

static void much_on_both_streams_does_not_block(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf out = {0};
	auto_buf struct mkv_buf errors = {0};
	struct mkv_process process = {.output = &out, .errors = &errors};
	assert_int_equal(run_script("head -c 1000000 /dev/zero >&2;"
				    "head -c 1000000 /dev/zero",
				    &process, NULL, &err),
			 0);
	assert_int_equal(out.size, 1000000);
	assert_int_equal(errors.size, 1000000);
}

static void the_exit_of_a_program_is_reported(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		int status;
		const char *message;
	} rows[] = {
		{"exit 3", 3, "sh exited with status 3"},
		{"echo wrong >&2; exit 1", 1, "sh exited with status 1: wrong"},
		{"kill -TERM $$", -1,
		 "sh was killed by signal 15 (Terminated)"},
		{"echo so >&2; kill -9 $$", -1,
		 "sh was killed by signal 9 (Killed): so"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		struct mkv_process process = {0};
		int status = 99;
		assert_int_equal(
			run_script(rows[i].script, &process, &status, &err),
			-EIO);
		assert_int_equal(status, rows[i].status);
		assert_string_equal(err.message, rows[i].message);
		assert_int_equal(err.kind, MKV_FAILED);
	}
}

static void a_missing_program_is_the_hosts_fault(void **state)
{
	(void)state;
	struct mkv_error err;
	const char *const argv[] = {"mkv-no-such-program", NULL};
	struct mkv_process process = {.argv = argv};
	int status = 99;
	assert_int_equal(mkv_process_run(&process, &status, &err), -ENOENT);
	assert_int_equal(status, -1);
	assert_int_equal(err.kind, MKV_HOST_CANNOT);
	assert_string_equal(
		err.message,
		"run 'mkv-no-such-program': No such file or directory");
}

static void a_timeout_ends_the_program(void **state)
{
	(void)state;
	static const char *const scripts[] = {
		"exec sleep 30",
		"exec >/dev/null 2>&1; exec sleep 30",
		"sleep 30 & wait",
	};
	for (size_t i = 0; i < 3; i++) {
		struct mkv_error err;
		auto_buf struct mkv_buf out = {0};
		struct mkv_process process = {.output = &out, .timeout_s = 1};
		int64_t started = now_s();
		assert_int_equal(run_script(scripts[i], &process, NULL, &err),
				 -ETIMEDOUT);
		assert_true(now_s() - started < 10);
		assert_string_equal(err.message, "sh: Connection timed out");
	}
}

/* Whether the process runs; a zombie that nobody has reaped does not. */
static bool is_running(long pid)
{
	char path[64], text[512];
	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return false;
	text[got] = '\0';
	const char *state = strrchr(text, ')');
	return !state || strncmp(state, ") Z", 3) != 0;
}

/* Waits at most ten seconds until the process is gone, else kills it. */
static bool is_gone_soon(long pid)
{
	int64_t deadline_ms = mkv_monotonic_ms() + 10000;
	while (is_running(pid)) {
		if (mkv_monotonic_ms() >= deadline_ms) {
			(void)kill((pid_t)pid, SIGKILL);
			return false;
		}
		(void)poll(NULL, 0, 10);
	}
	return true;
}

static void a_limit_kills_the_programs_own_children(void **state)
{
	(void)state;
	static const struct {
		const char *script;
		int rc;
	} rows[] = {
		{"sleep 300 & echo $!; wait", -ETIMEDOUT},
		/* The program has exited, its child holds its stdout. */
		{"sleep 300 & echo $!; exit 0", -ETIMEDOUT},
		{"sleep 300 & echo $!; yes >&2", -EFBIG},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err;
		auto_buf struct mkv_buf out = {0};
		struct mkv_process process = {.output = &out,
					      .output_limit_bytes = 1000,
					      .timeout_s = 1};
		assert_int_equal(
			run_script(rows[i].script, &process, NULL, &err),
			rows[i].rc);
		assert_non_null(out.data);
		long grandchild = strtol(out.data, NULL, 10);
		assert_true(grandchild > 1);
		/* At once: the caller may remove what the group wrote to. */
		bool was_running = is_running(grandchild);
		if (was_running)
			(void)kill((pid_t)grandchild, SIGKILL);
		assert_false(was_running);
	}
}

/* What a program leaves running on purpose is not killed. */
static void a_program_may_leave_a_daemon(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf out = {0};
	struct mkv_process process = {.output = &out, .timeout_s = 20};
	assert_int_equal(run_script("sleep 300 >/dev/null 2>&1 & echo $!",
				    &process, NULL, &err),
			 0);
	long daemon = strtol(out.data, NULL, 10);
	assert_true(daemon > 1);
	bool was_running = is_running(daemon);
	(void)kill((pid_t)daemon, SIGKILL);
	assert_true(was_running);
}

/* Starts a process that runs a program that starts another one. With a
 * terminal, the process is in its foreground. */
static void start_caller(int *terminal, pid_t *ret_caller, long *ret_grandchild)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t caller = terminal ? forkpty(terminal, NULL, NULL, NULL) : fork();
	assert_true(caller >= 0);
	if (caller == 0) {
		struct mkv_error err;
		char script[128];
		(void)snprintf(script, sizeof(script),
			       "sleep 300 & echo $! >/proc/%ld/fd/%d; wait",
			       (long)getpid(), ends[1]);
		struct mkv_process process = {.timeout_s = 200};
		_exit(run_script(script, &process, NULL, &err) == 0 ? 0 : 1);
	}
	(void)close(ends[1]);
	char text[32] = "";
	ssize_t got = read(ends[0], text, sizeof(text) - 1);
	(void)close(ends[0]);
	assert_true(got > 0);
	*ret_caller = caller;
	*ret_grandchild = strtol(text, NULL, 10);
	assert_true(*ret_grandchild > 1);
}

static void a_group_ends_with_its_caller(void **state)
{
	(void)state;
	for (int with_terminal = 0; with_terminal < 2; with_terminal++) {
		pid_t caller = 0;
		long grandchild = 0;
		auto_fd int terminal = -1;
		start_caller(with_terminal ? &terminal : NULL, &caller,
			     &grandchild);
		if (with_terminal) /* Ctrl-C */
			assert_int_equal(write(terminal, "\003", 1), 1);
		else
			assert_int_equal(kill(caller, SIGKILL), 0);
		int status = 0;
		assert_int_equal(waitpid(caller, &status, 0), caller);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status),
				 with_terminal ? SIGINT : SIGKILL);
		assert_true(is_gone_soon(grandchild));
	}
}

static void ignore_here(int number)
{
	(void)number;
}

/* The caller survives Ctrl-C; its program receives SIGINT and can clean up. */
static void a_terminals_signal_reaches_the_program(void **state)
{
	(void)state;
	int ends[2], status = 0;
	auto_fd int terminal = -1;
	assert_int_equal(pipe(ends), 0);
	pid_t caller = forkpty(&terminal, NULL, NULL, NULL);
	assert_true(caller >= 0);
	if (caller == 0) {
		struct mkv_error err;
		struct mkv_process process = {.timeout_s = 60};
		char script[128];
		(void)signal(SIGINT, ignore_here);
		(void)snprintf(script, sizeof(script),
			       "trap 'exit 7' INT; echo >/proc/%ld/fd/%d;"
			       "sleep 50 & wait",
			       (long)getpid(), ends[1]);
		_exit(run_script(script, &process, &status, &err) < 0 ? status
								      : 99);
	}
	(void)close(ends[1]);
	char ready;
	assert_int_equal(read(ends[0], &ready, 1), 1);
	(void)close(ends[0]);
	assert_int_equal(write(terminal, "\003", 1), 1);
	assert_int_equal(waitpid(caller, &status, 0), caller);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void output_has_a_limit(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf out = {0};
	struct mkv_process process = {.output = &out,
				      .output_limit_bytes = 1000};
	assert_int_equal(
		run_script("head -c 1000 /dev/zero", &process, NULL, &err), 0);
	assert_int_equal(out.size, 1000);
	out.size = 0;
	assert_int_equal(run_script("yes", &process, NULL, &err), -EFBIG);
	assert_true(out.size <= 1000);
	/* A buffer that already has more bytes does not disable the limit. */
	mkv_buf_fill(&out, 'x', 5000);
	assert_int_equal(run_script("yes", &process, NULL, &err), -EFBIG);
	auto_buf struct mkv_buf errors = {0};
	process = (struct mkv_process){.errors = &errors,
				       .output_limit_bytes = 1000};
	assert_int_equal(run_script("yes >&2", &process, NULL, &err), -EFBIG);
}

static void diagnostics_are_truncated_to_their_end(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_process process = {0};
	assert_int_equal(
		run_script("yes | head -n 5000 >&2; echo last >&2; exit 1",
			   &process, NULL, &err),
		-EIO);
	assert_true(strlen(err.message) < 1000);
	assert_string_equal(err.message + strlen(err.message) - 6, "y\nlast");
}

static void the_environment_and_stdin_are_as_given(void **state)
{
	(void)state;
	struct mkv_error err;
	static const char *const environment[] = {"A=1", "PATH=/usr/bin:/bin",
						  NULL};
	auto_fd int input = memfd_create("in", MFD_CLOEXEC);
	assert_int_equal(mkv_write_all(input, "input", 5, &err), 0);
	assert_int_equal(lseek(input, 0, SEEK_SET), 0);
	auto_buf struct mkv_buf out = {0};
	struct mkv_process process = {
		.output = &out, .environment = environment, .stdin_fd = input};
	assert_int_equal(
		run_script("cat; echo \"$A-$HOME\"", &process, NULL, &err), 0);
	assert_string_equal(out.data, "input1-\n");
}

static void programs_inherit_no_descriptor(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_fd int held = memfd_create("held", MFD_CLOEXEC);
	auto_buf struct mkv_buf out = {0};
	struct mkv_process process = {.output = &out};
	char script[64];
	(void)snprintf(script, sizeof(script),
		       "readlink /proc/$$/fd/%d; readlink /proc/$$/fd/0", held);
	assert_int_equal(run_script(script, &process, NULL, &err), 0);
	assert_string_equal(out.data, "/dev/null\n");
	/* The program's parent keeps one descriptor: locks and pipes of the
	 * caller must not live as long as the program. */
	process = (struct mkv_process){.timeout_s = 20};
	assert_int_equal(
		run_script("until [ \"$(ls /proc/$PPID/fd | wc -l)\" = 1 ];"
			   "do :; done",
			   &process, NULL, &err),
		0);
}

static void programs_are_found_in_the_path(void **state)
{
	(void)state;
	assert_true(mkv_process_exists("sh"));
	assert_false(mkv_process_exists("mkv-no-such-program"));
	assert_false(mkv_process_exists(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_streams_are_captured),
		cmocka_unit_test(much_on_both_streams_does_not_block),
		cmocka_unit_test(the_exit_of_a_program_is_reported),
		cmocka_unit_test(a_missing_program_is_the_hosts_fault),
		cmocka_unit_test(a_timeout_ends_the_program),
		cmocka_unit_test(a_limit_kills_the_programs_own_children),
		cmocka_unit_test(a_program_may_leave_a_daemon),
		cmocka_unit_test(a_group_ends_with_its_caller),
		cmocka_unit_test(a_terminals_signal_reaches_the_program),
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(diagnostics_are_truncated_to_their_end),
		cmocka_unit_test(the_environment_and_stdin_are_as_given),
		cmocka_unit_test(programs_inherit_no_descriptor),
		cmocka_unit_test(programs_are_found_in_the_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
