/* SPDX-License-Identifier: MIT */
/* The queue between requests and the exporter is bounded, counted, and exported
 * when the exporter stops. A trace file has complete lines only. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/io.h"
#include "lib/json.h"
#include "programs/lib/trace_queue.h"

static void end_spans(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct mkv_span span;
		mkv_span_begin(&span, "span", MKV_SPAN_INTERNAL, NULL);
		mkv_span_end(&span);
	}
}

static void set_only(const char *name, const char *value)
{
	(void)unsetenv("MKVBENCH_OTLP_ENDPOINT");
	(void)unsetenv("MKVBENCH_TRACE_FILE");
	(void)unsetenv("MKVBENCH_ADDRESS_COLLECTOR");
	(void)setenv(name, value, 1);
}

static struct mkv_trace_counts counts_since(struct mkv_trace_counts before)
{
	struct mkv_trace_counts now = mkv_trace_counts();
	return (struct mkv_trace_counts){now.ended - before.ended,
					 now.exported - before.exported,
					 now.dropped - before.dropped};
}

static void a_full_queue_drops_and_counts(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_trace_counts before = mkv_trace_counts();
	/* Nothing listens on port 1: no span is exported. */
	set_only("MKVBENCH_OTLP_ENDPOINT", "http://127.0.0.1:1");
	assert_int_equal(mkv_trace_start("test", &err), 0);
	end_spans(MKV_TRACE_QUEUE + 1000);
	struct mkv_trace_counts now = counts_since(before);
	assert_int_equal(now.ended, MKV_TRACE_QUEUE + 1000);
	assert_int_equal(now.exported, 0);
	assert_int_equal(now.dropped, 1000);
	/* Spans that could not be exported before the stop are dropped. */
	mkv_trace_stop(0);
	now = counts_since(before);
	assert_int_equal(now.exported, 0);
	assert_int_equal(now.dropped, MKV_TRACE_QUEUE + 1000);
}

static void a_stop_writes_all_queued_spans(void **state)
{
	(void)state;
	struct mkv_error err;
	char path[] = "/tmp/mkvbench-trace-XXXXXX";
	struct mkv_trace_counts before = mkv_trace_counts();
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	set_only("MKVBENCH_TRACE_FILE", path);
	assert_int_equal(mkv_trace_start("test", &err), 0);
	end_spans(3 * MKV_TRACE_BATCH + 7);
	mkv_trace_stop(10);
	struct mkv_trace_counts now = counts_since(before);
	assert_int_equal(now.exported, 3 * MKV_TRACE_BATCH + 7);
	assert_int_equal(now.dropped, 0);
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(mkv_read_file(AT_FDCWD, path, 16 << 20, &text, &err),
			 0);
	(void)unlink(path);
	size_t spans = 0;
	for (char *line = text.data, *end; (end = strchr(line, '\n'));
	     line = end + 1) {
		auto_json json_t *document = NULL;
		json_t *list;
		assert_int_equal(mkv_json_load(line, (size_t)(end - line),
					       &document, &err),
				 0);
		assert_int_equal(json_unpack(document, "{s[{s[{so}]}]}",
					     "resourceSpans", "scopeSpans",
					     "spans", &list),
				 0);
		spans += json_array_size(list);
	}
	assert_int_equal(spans, 3 * MKV_TRACE_BATCH + 7);
}

/* Makes a temporary file with `text`; the caller unlinks it. */
static void make_file(const char *text, char path[static 32])
{
	memcpy(path, "/tmp/mkvbench-trace-XXXXXX", 27);
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void an_incomplete_line_is_removed(void **state)
{
	(void)state;
	char longer[10000];
	memset(longer, 'x', sizeof(longer));
	memcpy(longer, "{}\n{", 4);
	longer[sizeof(longer) - 1] = '\0';
	const struct {
		const char *before, *kept;
	} rows[] = {
		{"", ""},
		{"{}\n", "{}\n"},
		{"{}\n{}\n", "{}\n{}\n"},
		{"{}\n{\"reso", "{}\n"},
		{"{\"reso", ""},
		{longer, "{}\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_error err;
		char path[32];
		auto_buf struct mkv_buf text = {0};
		make_file(rows[i].before, path);
		set_only("MKVBENCH_TRACE_FILE", path);
		assert_int_equal(mkv_trace_start("test", &err), 0);
		end_spans(1);
		mkv_trace_stop(10);
		assert_int_equal(
			mkv_read_file(AT_FDCWD, path, 1 << 20, &text, &err), 0);
		(void)unlink(path);
		size_t kept = strlen(rows[i].kept);
		assert_true(text.size > kept);
		assert_memory_equal(text.data, rows[i].kept, kept);
		assert_memory_equal(text.data + kept, "{\"resourceSpans\"", 16);
		assert_int_equal(text.data[text.size - 1], '\n');
	}
}

static void a_file_leaves_free_space_on_its_disk(void **state)
{
	(void)state;
	struct mkv_error err;
	char path[32];
	auto_buf struct mkv_buf text = {0};
	struct mkv_trace_counts before = mkv_trace_counts();
	int64_t usual = mkv_trace_spare_bytes;
	make_file("", path);
	set_only("MKVBENCH_TRACE_FILE", path);
	mkv_trace_spare_bytes = INT64_MAX;
	assert_int_equal(mkv_trace_start("test", &err), 0);
	end_spans(7);
	mkv_trace_stop(0);
	mkv_trace_spare_bytes = usual;
	struct mkv_trace_counts now = counts_since(before);
	assert_int_equal(now.exported, 0);
	assert_int_equal(now.dropped, 7);
	assert_int_equal(mkv_read_file(AT_FDCWD, path, 1 << 20, &text, &err),
			 0);
	assert_int_equal(text.size, 0);
	(void)unlink(path);
}

static void spans_are_not_exported_when_the_exporter_is_off(void **state)
{
	(void)state;
	static const char *const names[] = {"MKVBENCH_OTLP_ENDPOINT",
					    "MKVBENCH_TRACE_FILE"};
	for (size_t i = 0; i < 2; i++) {
		struct mkv_error err;
		struct mkv_trace_counts before = mkv_trace_counts();
		set_only(names[i], "none");
		(void)setenv("MKVBENCH_ADDRESS_COLLECTOR", "127.0.0.1", 1);
		assert_int_equal(mkv_trace_start("test", &err), 0);
		end_spans(10);
		mkv_trace_stop(1);
		struct mkv_trace_counts now = counts_since(before);
		assert_int_equal(now.ended, 10);
		assert_int_equal(now.exported, 0);
		assert_int_equal(now.dropped, 0);
	}
}

static void a_resource_that_is_not_utf8_is_refused(void **state)
{
	(void)state;
	struct mkv_error err;
	set_only("MKVBENCH_TRACE_FILE", "/dev/null");
	(void)setenv("MKVBENCH_HOST", "h\xf4te", 1);
	assert_int_equal(mkv_trace_start("test", &err), -EINVAL);
	assert_non_null(strstr(err.message, "MKVBENCH_HOST is not UTF-8"));
	(void)unsetenv("MKVBENCH_HOST");
}

static void truncated_attributes_are_valid_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *value, *kept;
	} rows[] = {
		{"plain", "plain"},
		{"h\xc3\xb4te", "h\xc3\xb4te"},
		{"h\xf4te", "h?te"},
		/* 39 bytes are stored: the last character is truncated. */
		{"12345678901234567890123456789012345678\xc3\xb4",
		 "12345678901234567890123456789012345678?"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct mkv_span span;
		mkv_span_begin(&span, "span", MKV_SPAN_INTERNAL, NULL);
		mkv_span_text(&span, "key", rows[i].value);
		assert_string_equal(span.attributes[0].text, rows[i].kept);
	}
}

static void partial_successes_are_read(void **state)
{
	(void)state;
	static const struct {
		const char *bytes;
		size_t size;
		uint64_t rejected;
	} rows[] = {
		{"", 0, 0},
		{"\x0a\x00", 2, 0},
		{"\x0a\x02\x08\x07", 4, 7},
		{"\x0a\x05\x08\x07\x12\x01x", 7, 7},
		{"\x0a\x03\x08\xac\x02", 5, 300},
		{"\x0a\x04\x08\x07", 4, 0}, /* truncated */
		{"{\"partialSuccess\":{}}", 21, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(mkv_otlp_rejected(rows[i].bytes, rows[i].size),
				 rows[i].rejected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_queue_drops_and_counts),
		cmocka_unit_test(a_stop_writes_all_queued_spans),
		cmocka_unit_test(an_incomplete_line_is_removed),
		cmocka_unit_test(a_file_leaves_free_space_on_its_disk),
		cmocka_unit_test(
			spans_are_not_exported_when_the_exporter_is_off),
		cmocka_unit_test(a_resource_that_is_not_utf8_is_refused),
		cmocka_unit_test(truncated_attributes_are_valid_utf8),
		cmocka_unit_test(partial_successes_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
