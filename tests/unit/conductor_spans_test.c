/* SPDX-License-Identifier: MIT */
/* Spans as the collector stored them, and the names of agents' files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "programs/campaign/conductor/ask.c"
#include "programs/campaign/conductor/gather_files.c"
#include "programs/campaign/conductor/spans.c"

static void put_message(struct mkv_buf *into, unsigned number, const void *data,
			size_t size)
{
	mkv_buf_char(into, (char)(number << 3 | 2));
	mkv_protobuf_put_varint(into, size);
	mkv_buf_add(into, data, size);
}

/* A record with `count` spans of one trace, with ids from `first`. */
static void put_record(struct mkv_buf *into, char trace, uint64_t first,
		       size_t count)
{
	auto_buf struct mkv_buf scope = {0}, resource = {0}, request = {0};
	char trace_id[16];
	memset(trace_id, trace, sizeof(trace_id));
	for (size_t i = 0; i < count; i++) {
		auto_buf struct mkv_buf span = {0};
		uint64_t id = first + i;
		put_message(&span, 1, trace_id, sizeof(trace_id));
		put_message(&span, 2, &id, sizeof(id));
		put_message(&span, 5, "task", 4);
		put_message(&scope, 2, span.data, span.size);
	}
	put_message(&resource, 2, scope.data, scope.size);
	put_message(&request, 1, resource.data, resource.size);
	mkv_protobuf_put_varint(into, request.size);
	mkv_buf_add(into, request.data, request.size);
}

static size_t count(const struct mkv_buf *stream, size_t piece)
{
	struct mkv_error err;
	auto_spans struct mkv_spans spans;
	mkv_spans_init(&spans, 1 << 20);
	for (size_t at = 0; at < stream->size; at += piece) {
		size_t size =
			stream->size - at < piece ? stream->size - at : piece;
		if (mkv_spans_add(&spans, stream->data + at, size, &err) < 0)
			fail_msg("%s", err.message);
	}
	assert_int_equal(mkv_spans_finish(&spans, &err), 0);
	return spans.count;
}

static void distinct_spans_are_counted_however_the_stream_is_cut(void **state)
{
	(void)state;
	auto_buf struct mkv_buf stream = {0};
	put_record(&stream, 'a', 1, 300);
	put_record(&stream, 'a', 301, 2000);
	put_record(&stream, 'b', 1, 1); /* the same id in another trace */
	assert_int_equal(count(&stream, 1), 2301);
	assert_int_equal(count(&stream, 7), 2301);
	assert_int_equal(count(&stream, 1 << 20), 2301);
	/* A batch whose answer was lost. */
	put_record(&stream, 'a', 301, 2000);
	assert_int_equal(count(&stream, 4096), 2301);
	put_record(&stream, 'a', 2301, 1);
	assert_int_equal(count(&stream, 4096), 2302);
}

static void a_stream_that_is_cut_or_malformed_is_refused(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf stream = {0};
	put_record(&stream, 'a', 1, 3);
	for (size_t size = 1; size < stream.size; size++) {
		auto_spans struct mkv_spans spans;
		mkv_spans_init(&spans, 100);
		assert_int_equal(mkv_spans_add(&spans, stream.data, size, &err),
				 0);
		assert_int_equal(mkv_spans_finish(&spans, &err), -EBADMSG);
	}
	static const char *const bad[] = {
		"\x00",			    /* an empty record */
		"\xff\xff\xff\xff\xff\x01", /* a prefix without end */
		"\xff\xff\xff\x7f",	    /* 256 MiB */
		"\x03\x0a\x05\x00", /* a field longer than its message */
		"\x06\x0a\x04\x12\x02\x12\x00", /* a span without ids */
	};
	static const size_t sizes[] = {1, 6, 4, 4, 7};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		auto_spans struct mkv_spans spans;
		mkv_spans_init(&spans, 100);
		if (mkv_spans_add(&spans, bad[i], sizes[i], &err) != -EBADMSG)
			fail_msg("accepted %zu", i);
	}
}

static void the_number_of_spans_is_bounded(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf stream = {0};
	auto_spans struct mkv_spans spans;
	mkv_spans_init(&spans, 500);
	put_record(&stream, 'a', 1, 5000);
	assert_int_equal(mkv_spans_add(&spans, stream.data, stream.size, &err),
			 -ENOSPC);
}

static void files_get_their_places_and_never_others(void **state)
{
	(void)state;
	static const struct {
		const char *name, *place;
	} cases[] = {
		{"before/receipt.json", "receipts/order/before/receipt.json"},
		{"after/evidence/a_b-c.1",
		 "receipts/order/after/evidence/a_b-c.1"},
		{"load/load.csv", "load.csv"},
		{"load/summary.json", "load-summary.json"},
		{"load/other", "logs/order/load/other"},
		{"run.json", "logs/order/run.json"},
		{"", NULL},
		{"/etc/passwd", NULL},
		{"..", NULL},
		{"before/../../x", NULL},
		{"before//x", NULL},
		{"before/", NULL},
		{".hidden", NULL},
		{"before/.hidden", NULL},
		{"a b", NULL},
		{"a\nb", NULL},
		{"\xc3\xa4", NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mkv_error err;
		auto_free char *place =
			mkv_gather_place("order", cases[i].name, &err);
		if (!cases[i].place && place)
			fail_msg("'%s' accepted", cases[i].name);
		if (cases[i].place) {
			assert_non_null(place);
			assert_string_equal(place, cases[i].place);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			distinct_spans_are_counted_however_the_stream_is_cut),
		cmocka_unit_test(a_stream_that_is_cut_or_malformed_is_refused),
		cmocka_unit_test(the_number_of_spans_is_bounded),
		cmocka_unit_test(files_get_their_places_and_never_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
