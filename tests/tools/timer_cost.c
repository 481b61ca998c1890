/* SPDX-License-Identifier: MIT */
/* timer_cost RATE COUNT SPIN_US: how late a timer of this machine is, in
 * nanoseconds, as a program sees it that does nothing else: clock_nanosleep()
 * until SPIN_US before a time that is due, then a look at the clock until then.
 * Prints one line: p50 p99 max. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "lib/clock.h"

static int compare(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return left < right ? -1 : left > right;
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	int64_t rate = atoll(argv[1]), count = atoll(argv[2]);
	int64_t spin_ns = atoll(argv[3]) * 1000;
	int64_t *late = calloc((size_t)count + 1, sizeof(*late));
	if (rate < 1 || count < 1 || !late)
		return 2;
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	int64_t began_ns = mkv_monotonic_ns() + MKV_NS_PER_MS;
	for (int64_t i = 0; i < count; i++) {
		int64_t due_ns = began_ns + i * MKV_NS_PER_S / rate, now_ns;
		const struct timespec until =
			mkv_timespec_of_ns(due_ns - spin_ns);
		(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until,
				      NULL);
		while ((now_ns = mkv_monotonic_ns()) < due_ns)
			;
		late[i] = now_ns - due_ns;
	}
	qsort(late, (size_t)count, sizeof(*late), compare);
	printf("%lld %lld %lld\n", (long long)late[count / 2],
	       (long long)late[count * 99 / 100], (long long)late[count - 1]);
	free(late);
	return 0;
}
