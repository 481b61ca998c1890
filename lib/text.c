/* SPDX-License-Identifier: MIT */
#include "lib/text.h"

#include <stdio.h>
#include <string.h>

enum { WORD_LIMIT = 63 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment distance. Both words are at most WORD_LIMIT long. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
	unsigned rows[3][WORD_LIMIT + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	for (size_t j = 0; j <= nb; j++)
		last[j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned cost = a[i - 1] != b[j - 1];
			now[j] = least(last[j] + 1, now[j - 1] + 1);
			now[j] = least(now[j], last[j - 1] + cost);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1])
				now[j] = least(now[j], before[j - 2] + 1);
		}
		unsigned *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[nb];
}

const char *mkv_nearest(const char *word, const char *const *candidates,
			size_t count)
{
	size_t length = strlen(word);
	if (length == 0 || length > WORD_LIMIT)
		return NULL;
	const char *best = NULL;
	unsigned limit = (unsigned)(length + 2) / 3 + 1;
	for (size_t i = 0; i < count; i++) {
		size_t other = strlen(candidates[i]);
		if (other > WORD_LIMIT)
			continue;
		unsigned d = distance(word, length, candidates[i], other);
		if (d < limit) {
			limit = d;
			best = candidates[i];
		}
	}
	return best;
}

void mkv_size_text(uint64_t size_bytes, char ret[static 16])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
	double value = (double)size_bytes;
	size_t unit = 0;
	while (value >= 999.95 && unit < 5) {
		value /= 1000;
		unit++;
	}
	(void)snprintf(ret, 16, unit ? "%.1f %s" : "%.0f %s", value,
		       units[unit]);
}
