/* SPDX-License-Identifier: MIT */
#include "builder/evidence/plan/plan.h"
#include "lib/random.h"

/* A number below `count`, all equally probable: numbers from the incomplete
 * last part of the range of 64 bits are drawn again. */
static size_t draw_below(struct mkv_random *random, size_t count)
{
	uint64_t n = count, incomplete = (UINT64_MAX - n + 1) % n, value;
	do
		value = mkv_random_next(random);
	while (value < incomplete);
	return (size_t)(value % n);
}

/* Fisher and Yates, as Durstenfeld wrote it: from the last item down. */
void mkv_plan_shuffle(struct mkv_random *random, size_t *items, size_t count)
{
	for (size_t left = count; left > 1; left--) {
		size_t at = draw_below(random, left);
		size_t item = items[at];
		items[at] = items[left - 1];
		items[left - 1] = item;
	}
}
