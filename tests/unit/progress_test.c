/* SPDX-License-Identifier: MIT */
/* The end of steps, as text and as events. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "builder/core/progress/progress.h"
#include "lib/json.h"

static int saved_fd, captured_fd;

static void start_capture(void)
{
	(void)fflush(stderr);
	saved_fd = dup(2);
	captured_fd = memfd_create("stderr", MFD_CLOEXEC);
	assert_true(saved_fd >= 0 && captured_fd >= 0);
	assert_int_equal(dup2(captured_fd, 2), 2);
}

/* Returns the output since start_capture(), without durations. */
static char *end_capture(void)
{
	char text[8192], *to = text;
	assert_int_equal(dup2(saved_fd, 2), 2);
	ssize_t got = pread(captured_fd, text, sizeof(text) - 1, 0);
	assert_true(got >= 0);
	text[got] = '\0';
	(void)close(saved_fd);
	(void)close(captured_fd);
	for (const char *at = text; *at; at++) {
		if (strncmp(at, " (", 2) == 0)
			at = strchr(at, ')') + 1;
		*to++ = *at;
	}
	*to = '\0';
	return strdup(text);
}

static int leave_early(struct mkv_progress *progress, bool early)
{
	auto_progress_step struct mkv_progress_step step =
		mkv_progress_begin(progress, 0, "work");
	if (early) {
		errno = ENOENT;
		return -ENOENT;
	}
	mkv_progress_end(&step, 0, NULL);
	return 0;
}

static void use_mode(enum mkv_progress_mode mode)
{
	struct mkv_progress *progress = mkv_progress_new(mode);
	assert_non_null(progress);
	struct mkv_progress_step step = mkv_progress_begin(progress, 0, "good");
	mkv_progress_end(&step, 0, NULL);
	mkv_progress_end(&step, -EIO, NULL); /* not open: no effect */
	step = mkv_progress_begin(progress, 0, "known");
	mkv_progress_end(&step, 0, "cached");
	step = mkv_progress_begin(progress, 0, "bad");
	mkv_progress_end(&step, -EIO, "cached");
	assert_int_equal(leave_early(progress, false), 0);
	assert_int_equal(leave_early(progress, true), -ENOENT);
	assert_int_equal(errno, ENOENT);
	struct mkv_progress_step left = mkv_progress_begin(progress, 0, "left");
	step = mkv_progress_begin(progress, 0, "next");
	mkv_progress_step_done(&left); /* does not end the next step */
	mkv_progress_end(&step, 0, NULL);
	mkv_progress_note(progress, "a note");
	step = mkv_progress_begin(progress, 0, "open");
	mkv_progress_free(progress);
}

static void the_end_of_a_step_has_its_result(void **state)
{
	(void)state;
	start_capture();
	use_mode(MKV_PROGRESS_AUTO);
	auto_free char *text = end_capture();
	assert_string_equal(text, "good\ngood: done\n"
				  "known\nknown: cached\n"
				  "bad\nbad: failed\n"
				  "work\nwork: done\n"
				  "work\nwork: failed\n"
				  "left\nleft: failed\n"
				  "next\nnext: done\n"
				  "a note\n"
				  "open\nopen: failed\n");
	start_capture();
	use_mode(MKV_PROGRESS_QUIET);
	auto_free char *nothing = end_capture();
	assert_string_equal(nothing, "");
}

/* Each step has a begin and an end, and the end reports success or failure. */
static void events_report_whether_a_step_succeeded(void **state)
{
	static const struct {
		const char *step, *note;
		int ok;
	} ends[] = {
		{"good", NULL, 1}, {"known", "cached", 1}, {"bad", NULL, 0},
		{"work", NULL, 1}, {"work", NULL, 0},	   {"left", NULL, 0},
		{"next", NULL, 1}, {"open", NULL, 0},
	};
	(void)state;
	start_capture();
	use_mode(MKV_PROGRESS_JSON);
	auto_free char *text = end_capture();
	char *rest = text;
	size_t n_begun = 0, n_ended = 0;
	for (char *line; (line = strsep(&rest, "\n")) && *line;) {
		auto_json json_t *event = json_loads(line, 0, NULL);
		const char *kind =
			json_string_value(json_object_get(event, "event"));
		const char *step =
			json_string_value(json_object_get(event, "step"));
		const char *note =
			json_string_value(json_object_get(event, "note"));
		assert_non_null(kind);
		if (strcmp(kind, "note") == 0)
			continue;
		assert_true(n_begun < 8 || n_ended < 8);
		if (strcmp(kind, "begin") == 0) {
			assert_string_equal(step, ends[n_begun++].step);
			continue;
		}
		assert_string_equal(kind, "end");
		assert_string_equal(step, ends[n_ended].step);
		assert_true(json_is_boolean(json_object_get(event, "ok")));
		assert_int_equal(json_is_true(json_object_get(event, "ok")),
				 ends[n_ended].ok);
		assert_int_equal(note != NULL, ends[n_ended].note != NULL);
		n_ended++;
	}
	assert_int_equal(n_begun, 8);
	assert_int_equal(n_ended, 8);
}

/* A name of any bytes, and one that is longer than the maximum. */
static void any_name_becomes_an_event(void **state)
{
	char name[400];
	(void)state;
	for (size_t i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\xc3\xb6", 3);
	start_capture();
	struct mkv_progress *progress = mkv_progress_new(MKV_PROGRESS_JSON);
	struct mkv_progress_step step =
		mkv_progress_begin(progress, 0, "x\xff\x1b");
	mkv_progress_end(&step, 0, "%s", name);
	step = mkv_progress_begin(progress, 0, "x%s", name);
	mkv_progress_end(&step, 0, NULL);
	mkv_progress_note(progress, "n\xff");
	mkv_progress_free(progress);
	auto_free char *text = end_capture();
	size_t lines = 0;
	for (char *line, *rest = text; (line = strsep(&rest, "\n")) && *line;
	     lines++) {
		auto_json json_t *event = json_loads(line, 0, NULL);
		assert_non_null(event);
		const char *shown =
			json_string_value(json_object_get(event, "step"));
		assert_true(lines == 4 || shown);
		assert_true(lines == 4 || (lines < 2) == (shown[1] == '?'));
	}
	assert_int_equal(lines, 5);
}

static void *print_note(void *progress)
{
	mkv_progress_note(progress, "too late");
	return NULL;
}

/* The thread that handles a signal ends the open step; no thread prints after
 * that, even if it is still working. */
static void an_interrupt_ends_the_open_step_and_silences_others(void **state)
{
	(void)state;
	start_capture();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		pthread_t other;
		struct mkv_progress *progress =
			mkv_progress_new(MKV_PROGRESS_AUTO);
		struct mkv_progress_step step =
			mkv_progress_begin(progress, 0, "open");
		mkv_progress_interrupt();
		if (pthread_create(&other, NULL, print_note, progress) == 0)
			(void)usleep(50000);
		_exit(step.number == 1 ? 0 : 1);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	auto_free char *text = end_capture();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(text, "open\nopen: failed\n");
}

/* Without a progress, or after it is freed, no step is open. */
static void an_interrupt_without_progress_prints_nothing(void **state)
{
	(void)state;
	start_capture();
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		mkv_progress_free(mkv_progress_new(MKV_PROGRESS_AUTO));
		mkv_progress_interrupt();
		_exit(0);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	auto_free char *text = end_capture();
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_step_has_its_result),
		cmocka_unit_test(events_report_whether_a_step_succeeded),
		cmocka_unit_test(any_name_becomes_an_event),
		cmocka_unit_test(
			an_interrupt_ends_the_open_step_and_silences_others),
		cmocka_unit_test(an_interrupt_without_progress_prints_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
