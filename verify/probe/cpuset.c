/* SPDX-License-Identifier: MIT */
#include "verify/probe/cpuset.h"

#include <stdio.h>
#include <string.h>

void mkv_cpuset_add(struct mkv_cpuset *set, unsigned cpu)
{
	if (cpu < MKV_CPUS_MAX)
		set->words[cpu / 64] |= UINT64_C(1) << (cpu % 64);
}

bool mkv_cpuset_has(const struct mkv_cpuset *set, unsigned cpu)
{
	return cpu < MKV_CPUS_MAX && (set->words[cpu / 64] >> (cpu % 64) & 1);
}

unsigned mkv_cpuset_count(const struct mkv_cpuset *set)
{
	unsigned count = 0;
	for (size_t i = 0; i < MKV_CPUS_MAX / 64; i++)
		count += (unsigned)__builtin_popcountll(set->words[i]);
	return count;
}

unsigned mkv_cpuset_first(const struct mkv_cpuset *set)
{
	for (unsigned i = 0; i < MKV_CPUS_MAX / 64; i++)
		if (set->words[i])
			return i * 64 +
			       (unsigned)__builtin_ctzll(set->words[i]);
	return MKV_CPUS_MAX;
}

void mkv_cpuset_subtract(struct mkv_cpuset *set, const struct mkv_cpuset *other)
{
	for (size_t i = 0; i < MKV_CPUS_MAX / 64; i++)
		set->words[i] &= ~other->words[i];
}

bool mkv_cpuset_is_within(const struct mkv_cpuset *inner,
			  const struct mkv_cpuset *outer)
{
	for (size_t i = 0; i < MKV_CPUS_MAX / 64; i++)
		if (inner->words[i] & ~outer->words[i])
			return false;
	return true;
}

int mkv_cpuset_compare(const struct mkv_cpuset *a, const struct mkv_cpuset *b)
{
	unsigned first = mkv_cpuset_first(a), other = mkv_cpuset_first(b);
	if (first != other)
		return first < other ? -1 : 1;
	return memcmp(a->words, b->words, sizeof(a->words));
}

/* Reads a number below MKV_CPUS_MAX and advances *at. False: none, or too
 * large.
 */
static bool parse_cpu(const char **at, unsigned *ret)
{
	unsigned value = 0;
	const char *start = *at;
	while (**at >= '0' && **at <= '9') {
		value = value * 10 + (unsigned)(**at - '0');
		if (value >= MKV_CPUS_MAX)
			return false;
		(*at)++;
	}
	*ret = value;
	return *at != start;
}

bool mkv_cpuset_parse(const char *text, struct mkv_cpuset *ret)
{
	struct mkv_cpuset set = {0};
	const char *at = text;
	while (*at) {
		unsigned first, last;
		if (!parse_cpu(&at, &first))
			return false;
		last = first;
		if (*at == '-') {
			at++;
			if (!parse_cpu(&at, &last) || last < first)
				return false;
		}
		for (unsigned cpu = first; cpu <= last; cpu++)
			mkv_cpuset_add(&set, cpu);
		if (*at == ',' && at[1] != '\0')
			at++;
		else if (*at != '\0')
			return false;
	}
	*ret = set;
	return true;
}

void mkv_cpuset_text(const struct mkv_cpuset *set, char *ret, size_t size)
{
	size_t used = 0;
	ret[0] = '\0';
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++) {
		if (!mkv_cpuset_has(set, cpu))
			continue;
		unsigned last = cpu;
		while (mkv_cpuset_has(set, last + 1))
			last++;
		char piece[32];
		(void)snprintf(piece, sizeof(piece),
			       last > cpu ? "%s%u-%u" : "%s%u", used ? "," : "",
			       cpu, last);
		if (used + strlen(piece) + 4 > size) {
			(void)snprintf(ret + used, size - used, "...");
			return;
		}
		used += (size_t)snprintf(ret + used, size - used, "%s", piece);
		cpu = last;
	}
}
