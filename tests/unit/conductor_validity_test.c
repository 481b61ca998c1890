/* SPDX-License-Identifier: MIT */
/* Which runs count: each reason with a run that has it and one at the limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "programs/campaign/conductor/counts.c"
#include "programs/campaign/conductor/reason.c"
#include "programs/campaign/conductor/validity.c"

static const struct mkv_validity_limits limits = {
	.requests = 15000, .lateness_ns = 1000000, .rate_ppb = 1000000};

static const struct mkv_run_facts good_load = {
	.late_p99_ns = 50000,
	.rate_asked = INT64_C(20000000000),
	.rate_achieved = INT64_C(20000000000),
	.rows = 15000,
	.answered = 15000,
};
static const struct mkv_span_facts good_spans = {
	.is_counted = true, .expected = 330000, .received = 330000};

#define RATE INT64_C(20000000000)

static void assert_found(const struct mkv_run_facts *load,
			 const struct mkv_span_facts *spans, int reason)
{
	unsigned found = mkv_validity_find(load, spans, &limits);
	unsigned wanted = reason < 0 ? 0 : 1U << reason;
	if (found != wanted)
		fail_msg("found %x, not %x (%s)", found, wanted,
			 reason < 0 ? "valid"
				    : mkv_reason_name((enum mkv_reason)reason));
}

static void a_good_run_is_valid(void **state)
{
	(void)state;
	assert_found(&good_load, &good_spans, -1);
}

static void each_reason_of_the_load_is_found_and_its_limit_is_not(void **state)
{
	(void)state;
	static const struct {
		size_t member;
		int64_t good, bad;
		int reason;
	} cases[] = {
#define MEMBER(name) offsetof(struct mkv_run_facts, name)
		{MEMBER(answered), 15000, 14999, MKV_REASON_NOT_ALL_ANSWERED},
		{MEMBER(rows), 15000, 14999, MKV_REASON_NOT_ALL_ANSWERED},
		{MEMBER(rows), 15000, 15001, MKV_REASON_NOT_ALL_ANSWERED},
		{MEMBER(late_p99_ns), 1000000, 1000001, MKV_REASON_LATE},
		{MEMBER(rate_achieved), INT64_C(19980000000),
		 INT64_C(19979999999), MKV_REASON_RATE},
		{MEMBER(rate_achieved), INT64_C(20020000000),
		 INT64_C(20020000001), MKV_REASON_RATE},
		{MEMBER(rate_achieved), RATE, 0, MKV_REASON_RATE},
		{MEMBER(blocked), 0, 1, MKV_REASON_BLOCKED},
#undef MEMBER
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mkv_run_facts facts = good_load;
		memcpy((char *)&facts + cases[i].member, &cases[i].good, 8);
		assert_found(&facts, &good_spans, -1);
		memcpy((char *)&facts + cases[i].member, &cases[i].bad, 8);
		assert_found(&facts, &good_spans, cases[i].reason);
	}
	struct mkv_run_facts facts = good_load;
	facts.is_interrupted = true;
	assert_found(&facts, &good_spans, MKV_REASON_INTERRUPTED);
}

static void each_reason_of_the_spans_is_found(void **state)
{
	(void)state;
	static const struct {
		struct mkv_span_facts spans;
		int reason;
	} cases[] = {
		{{true, 330000, 330000, 0}, -1},
		{{true, 330000, 329999, 0}, MKV_REASON_SPANS_MISSING},
		/* Dropped spans are dropped, not missing. */
		{{true, 330000, 329999, 1}, MKV_REASON_SPANS_DROPPED},
		/* More than expected come from elsewhere. */
		{{true, 330000, 330001, 0}, -1},
		/* Tracing to files, or off: none is awaited. */
		{{false, 330000, 0, 0}, -1},
		{{false, 330000, 0, 1}, MKV_REASON_SPANS_DROPPED},
		{{true, 0, 0, 0}, -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_found(&good_load, &cases[i].spans, cases[i].reason);
}

static void all_reasons_are_found_at_once_and_named_in_order(void **state)
{
	(void)state;
	struct mkv_run_facts facts = {.is_interrupted = true,
				      .late_p99_ns = INT64_MAX,
				      .blocked = 1,
				      .rate_asked = RATE};
	const struct mkv_span_facts spans = {true, 10, 1, 1};
	auto_json json_t *list =
		mkv_reasons_pack(mkv_validity_find(&facts, &spans, &limits));
	static const char *const wanted[] = {"not-all-answered",
					     "spans-dropped",
					     "spans-missing",
					     "late",
					     "rate",
					     "blocked",
					     "interrupted"};
	assert_int_equal(json_array_size(list), 7);
	for (size_t i = 0; i < 7; i++)
		assert_string_equal(json_string_value(json_array_get(list, i)),
				    wanted[i]);
}

static void decimals_are_exact(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t value; /* -1: refused */
	} cases[] = {{"20", RATE},
		     {"19.99", INT64_C(19990000000)},
		     {"0.000000001", 1},
		     {"0.0000000019", 1},
		     {"100000", INT64_C(100000000000000)},
		     {"0", 0},
		     {"20.", RATE},
		     {"", -1},
		     {".5", -1},
		     {"-1", -1},
		     {"1e3", -1},
		     {"20 ", -1},
		     {"nan", -1},
		     {"9999999999", -1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int64_t value = -1;
		int rc = mkv_decimal_parse(cases[i].text, &value);
		if ((rc < 0) != (cases[i].value < 0) ||
		    (rc == 0 && value != cases[i].value))
			fail_msg("'%s': %d, %lld", cases[i].text, rc,
				 (long long)value);
	}
}

static int read_rows(const char *text, struct mkv_run_facts *facts,
		     struct mkv_error *err)
{
	auto_fd int fd = memfd_create("rows", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return mkv_facts_read_rows(fd, 200, facts, err);
}

static void rows_are_counted_by_their_status(void **state)
{
	(void)state;
	struct mkv_run_facts facts = {0};
	struct mkv_error err;
	assert_int_equal(read_rows("request,phase,status,order\n0,warm-up,200,"
				   "7\n1,measured,503,\n2,measured,0,\n3,"
				   "measured,200,9\n4,measured,2000,\n",
				   &facts, &err),
			 0);
	assert_int_equal(facts.rows, 5);
	assert_int_equal(facts.answered, 2);
	static const char *const refused[] = {
		"", "request,phase\n1,2\n", "status\n200", "status,a\n200,1\n2",
		"a,status\n1\n"};
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (read_rows(refused[i], &facts, &err) >= 0)
			fail_msg("accepted: %s", refused[i]);
}

static const char summary[] =
	"{\"requests\":40,\"blocked\":2,\"late_ns\":{\"p50\":1,\"p99\":77,"
	"\"max\":90},\"rate_asked\":\"20\",\"rate_achieved\":\"19.99\","
	"\"began_realtime_ns\":5,\"measured_began_realtime_ns\":6,"
	"\"ended_realtime_ns\":7,\"interrupted\":false,"
	"\"spans\":{\"ended\":50,\"exported\":48,\"dropped\":2}}";

static void a_summary_is_read_and_each_member_is_needed(void **state)
{
	(void)state;
	struct mkv_run_facts facts = {0};
	struct mkv_error err;
	auto_json json_t *document = NULL;
	assert_int_equal(
		mkv_json_load(summary, strlen(summary), &document, &err), 0);
	assert_int_equal(mkv_facts_read_summary(document, &facts, &err), 0);
	assert_int_equal(facts.late_p99_ns, 77);
	assert_int_equal(facts.blocked, 2);
	assert_int_equal(facts.rate_achieved, INT64_C(19990000000));
	assert_int_equal(facts.spans_ended, 50);
	assert_int_equal(facts.spans_dropped, 2);
	assert_false(facts.is_interrupted);
	static const char *const needed[] = {
		"blocked",	     "late_ns",	   "rate_asked",
		"rate_achieved",     "spans",	   "began_realtime_ns",
		"ended_realtime_ns", "interrupted"};
	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		auto_json json_t *without = json_deep_copy(document);
		(void)json_object_del(without, needed[i]);
		bool is_read =
			mkv_facts_read_summary(without, &facts, &err) == 0 &&
			!facts.is_interrupted;
		if (is_read)
			fail_msg("accepted without %s", needed[i]);
	}
}

static const char metrics[] = "# TYPE mkvbench_spans_total counter\n"
			      "mkvbench_spans_total{state=\"ended\"} 110\n"
			      "mkvbench_spans_total{state=\"exported\"} 100\n"
			      "mkvbench_spans_total{state=\"dropped\"} 10\n"
			      "mkvbench_spans_total{state=\"other\"} x\n";

static void counters_are_read_from_metrics(void **state)
{
	(void)state;
	struct mkv_span_counts counts;
	assert_true(mkv_span_counts_read(metrics, strlen(metrics), &counts));
	assert_int_equal(counts.ended, 110);
	assert_true(mkv_span_counts_settled(&counts));
	counts.exported--;
	assert_false(mkv_span_counts_settled(&counts));
	/* Cut off, or with a line that is not a number. */
	for (size_t size = 0; size < strlen(metrics) - 40; size++)
		if (mkv_span_counts_read(metrics, size, &counts) &&
		    counts.dropped == 10)
			assert_true(size > 150);
	static const char *const refused[] = {
		"",
		"mkvbench_spans_total{state=\"ended\"} 1\n",
		"mkvbench_spans_total{state=\"ended\"} 1\nmkvbench_spans_total{"
		"state=\"exported\"} -1\nmkvbench_spans_total{state="
		"\"dropped\"} 0\n",
		"mkvbench_spans_total{state=\"ended\"} 1\nmkvbench_spans_total{"
		"state=\"exported\"} 1.5\nmkvbench_spans_total{state="
		"\"dropped\"} 0\n",
		"mkvbench_spans_total{state=\"ended\"} 1\nmkvbench_spans_total{"
		"state=\"ended\"} 1\nmkvbench_spans_total{state=\"exported\"} "
		"1\nmkvbench_spans_total{state=\"dropped\"} 0\n",
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (mkv_span_counts_read(refused[i], strlen(refused[i]),
					 &counts))
			fail_msg("accepted %zu", i);
}

static void a_counter_that_goes_back_is_a_restart(void **state)
{
	(void)state;
	const struct mkv_span_counts before = {100, 90, 10};
	struct mkv_span_counts now = {130, 119, 11}, since;
	assert_true(mkv_span_counts_since(&now, &before, &since));
	assert_int_equal(since.ended, 30);
	assert_int_equal(since.exported, 29);
	assert_int_equal(since.dropped, 1);
	now.dropped = 0;
	assert_false(mkv_span_counts_since(&now, &before, &since));
	assert_true(mkv_span_counts_since(&before, &before, &since));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_run_is_valid),
		cmocka_unit_test(
			each_reason_of_the_load_is_found_and_its_limit_is_not),
		cmocka_unit_test(each_reason_of_the_spans_is_found),
		cmocka_unit_test(
			all_reasons_are_found_at_once_and_named_in_order),
		cmocka_unit_test(decimals_are_exact),
		cmocka_unit_test(rows_are_counted_by_their_status),
		cmocka_unit_test(a_summary_is_read_and_each_member_is_needed),
		cmocka_unit_test(counters_are_read_from_metrics),
		cmocka_unit_test(a_counter_that_goes_back_is_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
