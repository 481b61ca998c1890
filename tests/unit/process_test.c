/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <cmocka.h>

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
		cmocka_unit_test(output_has_a_limit),
		cmocka_unit_test(diagnostics_are_truncated_to_their_end),
		cmocka_unit_test(the_environment_and_stdin_are_as_given),
		cmocka_unit_test(programs_inherit_no_descriptor),
		cmocka_unit_test(programs_are_found_in_the_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
