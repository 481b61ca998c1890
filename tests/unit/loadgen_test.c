/* SPDX-License-Identifier: MIT */
/* Golden values were computed by an independent implementation in Python, the
 * logarithms with 60 decimal places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "builder/run/boot/console.h"
#include "lib/json.h"
#include "programs/campaign/loadgen/arrivals.c"
#include "programs/campaign/loadgen/histogram.c"
#include "programs/campaign/loadgen/results.c"
#include "programs/campaign/loadgen/stats.c"

static void random_numbers_are_those_of_the_definition(void **state)
{
	(void)state;
	static const uint64_t wanted[] = {11520,
					  0,
					  1509978240,
					  1215971899390074240,
					  1216172134540287360,
					  607988272756665600};
	static const uint64_t seeded[] = {
		6457827717110365317U, 3203168211198807973U,
		9817491932198370423U, 4593380528125082431U};
	struct mkv_random random = {{1, 2, 3, 4}};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
		assert_true(mkv_random_next(&random) == wanted[i]);
	mkv_random_seed(&random, 1234567);
	assert_memory_equal(random.s, seeded, sizeof(seeded));
	mkv_random_seed(&random, 20231130);
	assert_true(mkv_random_next(&random) == 2694481007246595722U);
}

static void exponential_variates_are_logarithms(void **state)
{
	(void)state;
	static const struct {
		uint64_t bits, wanted;
	} table[] = {
		{0, 48775896626292},
		{1, 48013773241506},
		{12345, 38417301480450},
		{UINT64_C(1) << 32, 24387948312890},
		{UINT64_C(1) << 63, 762123384786},
		{UINT64_C(0xdeadbeefcafebabe), 153324194882},
		{UINT64_MAX - 1, 0},
		{UINT64_MAX, 0},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		int64_t error =
			(int64_t)mkv_schedule_exponential(table[i].bits) -
			(int64_t)table[i].wanted;
		assert_true(error >= -2 && error <= 2);
	}
}

struct golden {
	enum mkv_arrivals arrivals;
	uint64_t rate, seed;
	int64_t first[6], last;
	uint64_t sum; /* of 10,000, modulo 2^64 */
};

static const struct golden golden[] = {
	{MKV_ARRIVALS_CONSTANT,
	 20,
	 20231130,
	 {0, 50000000, 100000000, 150000000, 200000000, 250000000},
	 499950000000,
	 2499750000000000},
	{MKV_ARRIVALS_CONSTANT,
	 3,
	 1,
	 {0, 333333333, 666666666, 1000000000, 1333333333, 1666666666},
	 3333000000000,
	 16664999999996667},
	{MKV_ARRIVALS_JITTERED,
	 20,
	 20231130,
	 {7303405, 53241141, 124619785, 174208661, 242161422, 277158742},
	 499981959164,
	 2500001847215834},
	{MKV_ARRIVALS_JITTERED,
	 3,
	 1,
	 {234307277, 506812206, 858035233, 1130442867, 1565726138, 1714524012},
	 3333105830027,
	 16666659130267169},
	{MKV_ARRIVALS_POISSON,
	 20,
	 20231130,
	 {96184113, 232988982, 268412612, 304678238, 313204106, 343720307},
	 496167184751,
	 2467583841300084},
	{MKV_ARRIVALS_POISSON,
	 3,
	 1,
	 {117503194, 335198916, 520179500, 832915386, 953153361, 1600126151},
	 3364670361828,
	 16732821467900015},
};

static void a_schedule_follows_from_its_seed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		const struct golden *g = &golden[i];
		struct mkv_schedule schedule;
		uint64_t sum = 0;
		int64_t due = 0;
		mkv_schedule_init(&schedule, g->arrivals, g->rate, g->seed);
		for (size_t n = 0; n < 10000; n++) {
			int64_t next = mkv_schedule_next(&schedule);
			assert_true(next >= due);
			due = next;
			sum += (uint64_t)due;
			if (n < 6)
				assert_true(due == g->first[n]);
		}
		assert_true(due == g->last);
		assert_true(sum == g->sum);
	}
}

static void another_seed_is_another_schedule(void **state)
{
	(void)state;
	for (int arrivals = MKV_ARRIVALS_JITTERED;
	     arrivals <= MKV_ARRIVALS_POISSON; arrivals++) {
		struct mkv_schedule a, b;
		mkv_schedule_init(&a, (enum mkv_arrivals)arrivals, 20, 1);
		mkv_schedule_init(&b, (enum mkv_arrivals)arrivals, 20, 2);
		assert_true(mkv_schedule_next(&a) != mkv_schedule_next(&b));
	}
}

/* The largest run: 20 million requests, whose sums exceed 64 bits. */
static void long_schedules_do_not_overflow(void **state)
{
	(void)state;
	struct mkv_schedule schedule;
	mkv_schedule_init(&schedule, MKV_ARRIVALS_JITTERED, 1, 7);
	schedule.next = 19999999;
	int64_t due = mkv_schedule_next(&schedule);
	assert_true(due >= INT64_C(19999999000000000) &&
		    due < INT64_C(20000000000000000));
	mkv_schedule_init(&schedule, MKV_ARRIVALS_POISSON, 1, 7);
	schedule.sum = (unsigned __int128)20000000 << 40;
	due = mkv_schedule_next(&schedule);
	assert_true(due >= INT64_C(20000000000000000) &&
		    due < INT64_C(20000050000000000));
}

/* The gaps of a Poisson process: mean, variance and the share above the mean
 * (e^-1), each within five standard errors of 200,000. */
static void poisson_gaps_are_exponential(void **state)
{
	(void)state;
	enum { COUNT = 200000, MEAN_NS = 1000000 };
	struct mkv_schedule schedule;
	double sum = 0, squares = 0;
	int64_t before = 0, above = 0;
	mkv_schedule_init(&schedule, MKV_ARRIVALS_POISSON, 1000, 42);
	for (int i = 0; i < COUNT; i++) {
		int64_t due = mkv_schedule_next(&schedule);
		double gap = (double)(due - before) / MEAN_NS;
		before = due;
		sum += gap;
		squares += gap * gap;
		above += gap > 1;
	}
	double mean = sum / COUNT, variance = squares / COUNT - mean * mean;
	double share = (double)above / COUNT;
	assert_true(mean > 0.988 && mean < 1.012);
	assert_true(variance > 0.968 && variance < 1.032);
	assert_true(share > 0.3625 && share < 0.3733);
}

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

static void quantiles_are_within_their_bound(void **state)
{
	(void)state;
	enum { COUNT = 50000 };
	static const unsigned permilles[] = {0,	  1,   10,  500, 750,
					     900, 950, 990, 999, 1000};
	struct mkv_histogram *histogram = calloc(1, sizeof(*histogram));
	int64_t *values = calloc(COUNT, sizeof(*values));
	struct mkv_random random;
	assert_non_null(histogram);
	assert_non_null(values);
	mkv_random_seed(&random, 5);
	for (size_t i = 0; i < COUNT; i++) { /* all powers of two, evenly */
		values[i] = (int64_t)(mkv_random_next(&random) >>
				      (1 + mkv_random_next(&random) % 63));
		mkv_histogram_add(histogram, values[i]);
	}
	qsort(values, COUNT, sizeof(*values), compare);
	for (size_t i = 0; i < sizeof(permilles) / sizeof(*permilles); i++) {
		size_t rank = (COUNT * (size_t)permilles[i] + 999) / 1000;
		double exact = (double)values[rank ? rank - 1 : 0];
		double got =
			(double)mkv_histogram_quantile(histogram, permilles[i]);
		assert_true(got >= exact * (1 - 1.0 / 2048) &&
			    got <= exact * (1 + 1.0 / 2048));
	}
	assert_true(histogram->min == values[0]);
	assert_true(histogram->max == values[COUNT - 1]);
	free(values);
	free(histogram);
}

static void small_values_and_extremes_are_exact(void **state)
{
	(void)state;
	static const int64_t values[] = {0,    1,    2047,     2048,
					 4095, 4096, INT64_MAX};
	struct mkv_histogram *histogram = calloc(1, sizeof(*histogram));
	assert_non_null(histogram);
	assert_true(mkv_histogram_quantile(histogram, 500) == 0);
	mkv_histogram_add(histogram, -5);
	assert_true(mkv_histogram_quantile(histogram, 1000) == 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		memset(histogram, 0, sizeof(*histogram));
		mkv_histogram_add(histogram, values[i]);
		assert_true(mkv_histogram_quantile(histogram, 500) ==
			    values[i]);
	}
	free(histogram);
}

static void add(struct mkv_load_stats *stats, int64_t intended_ns,
		int64_t late_ns, unsigned status)
{
	const struct mkv_load_sample sample = {
		.intended_ns = intended_ns,
		.late_ns = late_ns,
		.latency_ns = late_ns + 1000000,
		.status = status,
	};
	mkv_load_stats_add(stats, &sample, status == 200);
}

/* Requests complete in another order than they are sent in, and chance in a
 * schedule does not change the achieved rate. */
static void the_achieved_rate_is_that_of_the_sends(void **state)
{
	(void)state;
	static const struct {
		int64_t due_ms[4], late_ms[4];
		const char *wanted;
	} table[] = {
		{{0, 50, 100, 150}, {0, 0, 0, 0}, "20.000000"},
		{{0, 50, 100, 150}, {90, 90, 90, 0}, "20.000000"},
		{{0, 50, 100, 150}, {0, 0, 0, 200}, "10.000000"},
		{{100, 110, 115, 150}, {0, 0, 0, 0}, "20.000000"},
		{{100, 110, 115, 150}, {0, 0, 0, 100}, "10.000000"},
	};
	static const size_t order[] = {2, 3, 0, 1};
	struct mkv_load_stats *stats = calloc(1, sizeof(*stats));
	char got[48];
	assert_non_null(stats);
	mkv_load_stats_rate(stats, 20, got);
	assert_string_equal(got, "0.000000");
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		memset(stats, 0, sizeof(*stats));
		for (size_t j = 0; j < 4; j++)
			add(stats, table[i].due_ms[order[j]] * 1000000,
			    table[i].late_ms[order[j]] * 1000000, 200);
		mkv_load_stats_rate(stats, 20, got);
		assert_string_equal(got, table[i].wanted);
	}
	free(stats);
}

static void complete(struct mkv_load_results *results, size_t index)
{
	struct mkv_load_sample *sample =
		mkv_load_results_sample(results, index);
	*sample = (struct mkv_load_sample){
		.intended_ns = (int64_t)index, .status = 200, .connection = 1};
	mkv_load_results_complete(results, index);
}

/* While one request is not answered, those behind it wait for their line, and
 * only as many as the ring has room for. */
static void lines_wait_for_earlier_requests(void **state)
{
	(void)state;
	char directory[] = "/tmp/mkvbench-loadgen-XXXXXX", path[64];
	assert_non_null(mkdtemp(directory));
	const struct mkv_load_options options = {
		.rate = 10,
		.connections = 2,
		.timeout_ms = 1000,
		.count = 1000,
		.status = 200,
		.directory = directory,
		.run = "r",
	};
	enum { SIZE = 2 + 10 * (2 * 1 + 2) };
	struct mkv_load_results *results;
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	(void)snprintf(path, sizeof(path), "%s/r/load.csv", directory);
	assert_int_equal(mkv_load_results_open(&options, &results, &err), 0);
	for (size_t i = 1; i < SIZE; i++) {
		assert_true(mkv_load_results_has_room(results, i));
		complete(results, i);
	}
	assert_false(mkv_load_results_has_room(results, SIZE));
	assert_int_equal(mkv_load_results_write(results, &err), 0);
	assert_false(mkv_load_results_has_room(results, SIZE));
	complete(results, 0);
	assert_int_equal(mkv_load_results_write(results, &err), 0);
	assert_true(mkv_load_results_has_room(results, 2 * SIZE - 1));
	assert_false(mkv_load_results_has_room(results, 2 * SIZE));
	assert_int_equal(mkv_read_file(AT_FDCWD, path, 1 << 20, &text, &err),
			 0);
	const char *line = strchr(text.data, '\n');
	for (long i = 0; i < SIZE; i++, line = strchr(line + 1, '\n'))
		assert_true(strtol(line + 1, NULL, 10) == i);
	assert_string_equal(line, "\n");
	mkv_load_results_close(results);
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

/* The load phase of `mkvbench boot` reads it from a console. */
static void the_longest_summary_fits_into_a_line_of_a_console(void **state)
{
	(void)state;
	const struct mkv_load_options options = {
		.rate = 100000,
		.connections = 4096,
		.warm_up = 10000000,
		.count = 10000000,
		.seed = INT64_MAX,
		.arrivals = MKV_ARRIVALS_CONSTANT,
	};
	const struct mkv_load_outcome outcome = {
		.began_realtime_ns = INT64_MAX / 2,
		.ended_realtime_ns = INT64_MAX,
		.connections_used = 4096,
	};
	struct mkv_load_stats *stats = calloc(1, sizeof(*stats));
	struct mkv_error err;
	auto_buf struct mkv_buf line = {0};
	assert_non_null(stats);
	for (int i = 0; i < 3000; i++)
		add(stats, INT64_MAX / 16 - i, INT64_MAX / 16,
		    i % 3 ? 200U : 503U);
	stats->lost = stats->blocked = UINT32_MAX;
	assert_int_equal(
		mkv_load_summary(&options, &outcome, stats, &line, &err), 0);
	assert_true(line.size + 100 < MKV_CONSOLE_LINE_MAX);
	auto_json json_t *summary = NULL;
	assert_int_equal(mkv_json_load(line.data, line.size, &summary, &err),
			 0);
	assert_int_equal(
		json_integer_value(json_object_get(summary, "answered")), 2000);
	assert_int_equal(
		json_integer_value(json_object_get(summary, "refused")), 1000);
	free(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_numbers_are_those_of_the_definition),
		cmocka_unit_test(exponential_variates_are_logarithms),
		cmocka_unit_test(a_schedule_follows_from_its_seed),
		cmocka_unit_test(another_seed_is_another_schedule),
		cmocka_unit_test(long_schedules_do_not_overflow),
		cmocka_unit_test(poisson_gaps_are_exponential),
		cmocka_unit_test(quantiles_are_within_their_bound),
		cmocka_unit_test(small_values_and_extremes_are_exact),
		cmocka_unit_test(the_achieved_rate_is_that_of_the_sends),
		cmocka_unit_test(lines_wait_for_earlier_requests),
		cmocka_unit_test(
			the_longest_summary_fits_into_a_line_of_a_console),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
