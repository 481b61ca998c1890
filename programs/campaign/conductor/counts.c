/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/counts.h"

#include <string.h>

static const char series[] = "mkvbench_spans_total{state=\"";

/* "123" up to the end of the line; a time stamp may follow. */
static bool read_value(const char *at, const char *end, uint64_t *ret)
{
	uint64_t value = 0;
	const char *first = at;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (at - first == 18)
			return false;
		value = value * 10 + (uint64_t)(*at - '0');
	}
	*ret = value;
	return at > first && (at == end || *at == ' ' || *at == '\r');
}

struct counter {
	const char *state;
	uint64_t *into;
	unsigned seen;
};

/* False: a line of one of the counters that can't be read. */
static bool read_line(const char *line, const char *end,
		      struct counter counters[static 3])
{
	size_t length = sizeof(series) - 1;
	if ((size_t)(end - line) < length || memcmp(line, series, length) != 0)
		return true;
	line += length;
	for (size_t i = 0; i < 3; i++) {
		size_t name = strlen(counters[i].state);
		if ((size_t)(end - line) < name + 3 ||
		    memcmp(line, counters[i].state, name) != 0 ||
		    memcmp(line + name, "\"} ", 3) != 0)
			continue;
		counters[i].seen++;
		return read_value(line + name + 3, end, counters[i].into);
	}
	return true;
}

bool mkv_span_counts_read(const char *text, size_t size,
			  struct mkv_span_counts *ret)
{
	struct mkv_span_counts counts = {0};
	struct counter counters[] = {{"ended", &counts.ended, 0},
				     {"exported", &counts.exported, 0},
				     {"dropped", &counts.dropped, 0}};
	const char *end = text + size;
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		if (!read_line(text, line_end, counters))
			return false;
		text = line_end + 1;
	}
	for (size_t i = 0; i < 3; i++)
		if (counters[i].seen != 1)
			return false;
	*ret = counts;
	return true;
}

bool mkv_span_counts_settled(const struct mkv_span_counts *now)
{
	return now->exported + now->dropped == now->ended;
}

bool mkv_span_counts_since(const struct mkv_span_counts *now,
			   const struct mkv_span_counts *before,
			   struct mkv_span_counts *ret)
{
	if (now->ended < before->ended || now->exported < before->exported ||
	    now->dropped < before->dropped)
		return false;
	*ret = (struct mkv_span_counts){now->ended - before->ended,
					now->exported - before->exported,
					now->dropped - before->dropped};
	return true;
}
