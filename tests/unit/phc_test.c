/* SPDX-License-Identifier: MIT */
/* The clock of a network card compared with the system's: readings and
 * timestamps are simulated, and the results are compared with the true times.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "verify/probe/phc.h"

static void the_narrowest_reading_counts(void **state)
{
	(void)state;
	const int64_t readings[][3] = {
		{1000, 501000, 3000}, /* 2000 wide */
		{4000, 503600, 4200}, /* 200 wide: 503600 - 4100 */
		{5000, 504900, 4000}, /* backwards */
		{-1, 7, 1},	      {6000, 505000, 7000},
	};
	struct mkv_phc_offset offset;
	assert_true(mkv_phc_best(readings, 5, &offset));
	assert_int_equal(offset.offset_ns, 499500);
	assert_int_equal(offset.error_ns, 100);
	assert_false(mkv_phc_best(readings, 0, &offset));
	assert_false(mkv_phc_best(&readings[2], 2, &offset));
	const int64_t far[][3] = {{INT64_MAX - 2, 5, INT64_MAX - 1},
				  {1, INT64_MAX, 2}};
	assert_false(mkv_phc_best(far, 2, &offset));
}

static void contradictory_timestamps_are_ignored(void **state)
{
	(void)state;
	static const struct {
		struct mkv_phc_offset before, after;
		int64_t card_sent, card_received;
		bool holds;
		int64_t sent, received;
	} cases[] = {
		/* sent on the wire later, received on the wire earlier */
		{{1000, 5}, {1000, 5}, 21100, 21800, true, 20095, 20805},
		/* with this error the kernel's times are better */
		{{1000, 500}, {1000, 500}, 21100, 21800, true, 20000, 21000},
		/* before it was sent, after it was received, backwards */
		{{1000, 5}, {1000, 5}, 20900, 21800, false, 20000, 21000},
		{{1000, 5}, {1000, 5}, 21100, 22100, false, 20000, 21000},
		{{1000, 5}, {1000, 5}, 21800, 21100, false, 20000, 21000},
		/* a clock was set in between */
		{{1000, 5}, {900000, 5}, 21100, 21800, false, 20000, 21000},
		{{-90000, 5}, {1000, 5}, 21100, 21800, false, 20000, 21000},
		{{1000, 5},
		 {1000, 5},
		 INT64_MIN + 1,
		 21800,
		 false,
		 20000,
		 21000},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t sent = 20000, received = 21000;
		assert_int_equal(mkv_phc_narrow(&cases[i].before,
						&cases[i].after,
						cases[i].card_sent,
						cases[i].card_received, &sent,
						&received),
				 cases[i].holds);
		assert_int_equal(sent, cases[i].sent);
		assert_int_equal(received, cases[i].received);
	}
}

static uint32_t seed = 4711;
static int64_t random_below(int64_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (int64_t)(seed >> 8) % below;
}

/* A card's clock with any offset and a frequency error up to 500 ppm. */
static int64_t card_offset, card_ppm;
static int64_t card_at(int64_t system_ns)
{
	return system_ns + card_offset + system_ns / 1000000 * card_ppm;
}

static void read_card(int64_t at, struct mkv_phc_offset *ret)
{
	int64_t wide = 200 + random_below(3000);
	int64_t reading[1][3] = {
		{at, card_at(at + random_below(wide)), at + wide}};
	assert_true(mkv_phc_best((const int64_t(*)[3])reading, 1, ret));
}

/* For any clock of the card, the packet was sent after the reported send time
 * and received before the reported receive time, so the bound of an offset
 * stays valid. */
static void the_interval_contains_the_true_offset(void **state)
{
	(void)state;
	unsigned narrowed = 0;
	for (int i = 0; i < 2000; i++) {
		struct mkv_phc_offset before, after;
		card_offset = (random_below(2) ? 1 : -1) *
			      random_below(1000000000000);
		card_ppm = random_below(1000) - 500;
		int64_t start =
			INT64_C(1000000000000) + random_below(1000000000);
		read_card(start, &before);
		int64_t kernel_sent = start + 5000;
		int64_t left = kernel_sent + random_below(40000);
		int64_t came = left + 1000 + random_below(200000);
		int64_t kernel_received = came + random_below(80000);
		read_card(kernel_received + 3000, &after);
		int64_t sent = kernel_sent, received = kernel_received;
		narrowed += mkv_phc_narrow(&before, &after, card_at(left),
					   card_at(came), &sent, &received);
		/* whole microseconds of drift in card_at() */
		assert_true(sent <= left + 2 && received >= came - 2);
		assert_true(sent >= kernel_sent && received <= kernel_received);
	}
	assert_in_range(narrowed, 1900, 2000);
}

static void without_hardware_timestamps_there_is_no_card(void **state)
{
	(void)state;
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons(9),
				 .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct mkv_phc_offset offset;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(mkv_phc_open(fd), -1);
	assert_int_equal(mkv_phc_open(-1), -1);
	assert_false(mkv_phc_compare(fd, &offset));
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_narrowest_reading_counts),
		cmocka_unit_test(contradictory_timestamps_are_ignored),
		cmocka_unit_test(the_interval_contains_the_true_offset),
		cmocka_unit_test(without_hardware_timestamps_there_is_no_card),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
