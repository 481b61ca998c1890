/* SPDX-License-Identifier: MIT */
/* The sandbox, from outside and from a program in it,
 * tests/tools/sandbox_probe_static.c. Skipped if the host permits no
 * namespaces. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "builder/rootfs/sandbox/sandbox.h"
#include "lib/io.h"

/* In this order: the last probe checks what the previous one left. */
static const char *const probes[] = {
	"no network",	  "fixed name",	    "fixed environment",
	"no descriptors", "only own files", "no privileges",
	"devices",	  "own ids",	    "daemonise",
	"lone survivor",
};

/* Runs in the worker: makes a root with the probe, copied from its open file.
 */
static int put_program(struct mkv_sandbox *sandbox, int program,
		       struct mkv_error *err)
{
	struct stat status;
	int to = openat(mkv_sandbox_root_fd(sandbox), "probe",
			O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	if (to < 0 || fstat(program, &status) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "probe: %m");
	int rc = mkv_copy_range(program, 0, to, 0, (uint64_t)status.st_size,
				err);
	(void)close(to);
	return rc;
}

static int run_probe(struct mkv_sandbox *sandbox, const char *name,
		     unsigned timeout_s, struct mkv_buf *output,
		     struct mkv_error *err)
{
	const char *argv[] = {"/probe", name, NULL};
	const char *environment[] = {"EXTRA=yes", NULL};
	struct mkv_sandbox_program program = {argv, environment, timeout_s};
	return mkv_sandbox_exec(sandbox, &program, output, err);
}

static int run_all(struct mkv_sandbox *sandbox, void *context,
		   struct mkv_error *err)
{
	int rc = put_program(sandbox, *(int *)context, err);
	for (size_t i = 0; rc == 0 && i < sizeof(probes) / sizeof(*probes);
	     i++) {
		rc = run_probe(sandbox, probes[i], 0, NULL, err);
		if (rc < 0)
			(void)mkv_wrap(err, rc, "%s", probes[i]);
	}
	return rc < 0 ? rc : mkv_sandbox_close_root(sandbox, err);
}

static int run_complaint(struct mkv_sandbox *sandbox, void *context,
			 struct mkv_error *err)
{
	int rc = put_program(sandbox, *(int *)context, err);
	return rc < 0 ? rc : run_probe(sandbox, "complain", 0, NULL, err);
}

static int run_hanging(struct mkv_sandbox *sandbox, void *context,
		       struct mkv_error *err)
{
	int rc = put_program(sandbox, *(int *)context, err);
	return rc < 0 ? rc : run_probe(sandbox, "hang", 1, NULL, err);
}

/* Reports by a byte that it runs, to a pipe that stays open while it lives. */
static int run_forever(struct mkv_sandbox *sandbox, void *context,
		       struct mkv_error *err)
{
	const int *fds = context;
	int rc = put_program(sandbox, fds[0], err);
	if (rc < 0)
		return rc;
	(void)!write(fds[1], "r", 1);
	return run_probe(sandbox, "hang", 0, NULL, err);
}

static int kill_worker(struct mkv_sandbox *sandbox, void *context,
		       struct mkv_error *err)
{
	(void)sandbox, (void)context, (void)err;
	_exit(3);
}

static int open_probe(void)
{
	char path[4096];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 64);
	assert_true(length > 0);
	path[length] = '\0';
	(void)strcpy(strrchr(path, '/'), "/../tools/sandbox_probe_static");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static int refuse_work(struct mkv_sandbox *sandbox, void *context,
		       struct mkv_error *err)
{
	(void)sandbox, (void)context;
	return mkv_fail(err, MKV_BAD_RECIPE, EXDEV, "error of the worker");
}

static void skip_where_impossible(void)
{
	struct mkv_error err = {0};
	struct mkv_sandbox_options options = {0};
	int rc = mkv_sandbox_run(&options, refuse_work, NULL, NULL, &err);
	if (err.kind == MKV_HOST_CANNOT) {
		print_message("%s\n", err.message);
		skip();
	}
	assert_int_equal(rc, -EXDEV);
	assert_int_equal(err.kind, MKV_BAD_RECIPE);
	assert_string_equal(err.message, "error of the worker");
}

static void programs_see_nothing_of_the_host(void **state)
{
	(void)state;
	skip_where_impossible();
	auto_fd int probe = open_probe();
	struct mkv_error err = {0};
	struct mkv_sandbox_options options = {0};
	(void)setenv("MKV_LEAK", "1", 1);
	int leaked_fd = open("/dev/null", O_RDONLY); /* inherited on purpose */
	mode_t mask = umask(0077);
	int rc = mkv_sandbox_run(&options, run_all, &probe, NULL, &err);
	(void)umask(mask);
	(void)close(leaked_fd);
	if (rc < 0)
		fail_msg("%s", err.message);
}

static void
a_failed_program_is_reported_with_the_end_of_its_output(void **state)
{
	(void)state;
	skip_where_impossible();
	auto_fd int probe = open_probe();
	struct mkv_error err = {0};
	struct mkv_sandbox_options options = {0};
	assert_int_equal(
		mkv_sandbox_run(&options, run_complaint, &probe, NULL, &err),
		-EIO);
	assert_string_equal(err.message, "/probe exited with status 7:\n"
					 "to stdout\nwhat is ?[31mwrong");
}

static void programs_and_the_whole_may_take_too_long(void **state)
{
	(void)state;
	skip_where_impossible();
	auto_fd int probe = open_probe();
	struct mkv_error err = {0};
	struct mkv_sandbox_options options = {0};
	assert_int_equal(
		mkv_sandbox_run(&options, run_hanging, &probe, NULL, &err),
		-ETIMEDOUT);
	int fds[2] = {probe, open("/dev/null", O_WRONLY | O_CLOEXEC)};
	options.timeout_s = 1;
	assert_int_equal(
		mkv_sandbox_run(&options, run_forever, fds, NULL, &err),
		-ETIMEDOUT);
	(void)close(fds[1]);
}

static void a_worker_that_dies_is_an_error(void **state)
{
	(void)state;
	skip_where_impossible();
	struct mkv_error err = {0};
	struct mkv_sandbox_options options = {0};
	assert_int_equal(
		mkv_sandbox_run(&options, kill_worker, NULL, NULL, &err),
		-ECHILD);
	assert_non_null(strstr(err.message, "killed"));
}

/* Every process in the sandbox has the pipe open: end of file means that all
 * have exited. */
static void all_processes_end_when_the_caller_is_killed(void **state)
{
	(void)state;
	skip_where_impossible();
	auto_fd int probe = open_probe();
	int alive[2];
	assert_int_equal(pipe2(alive, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct mkv_error err = {0};
		struct mkv_sandbox_options options = {0};
		int fds[2] = {probe, alive[1]};
		(void)!mkv_sandbox_run(&options, run_forever, fds, NULL, &err);
		_exit(0);
	}
	(void)close(alive[1]);
	char byte;
	assert_int_equal(read(alive[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(read(alive[0], &byte, 1), 0);
	(void)close(alive[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(programs_see_nothing_of_the_host),
		cmocka_unit_test(
			a_failed_program_is_reported_with_the_end_of_its_output),
		cmocka_unit_test(programs_and_the_whole_may_take_too_long),
		cmocka_unit_test(a_worker_that_dies_is_an_error),
		cmocka_unit_test(all_processes_end_when_the_caller_is_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
