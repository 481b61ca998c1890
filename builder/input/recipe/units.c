/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "builder/input/recipe/units.h"

struct unit {
	const char *name;
	uint64_t factor;
};

/* Binary units first, larger before smaller: printing uses the first unit that
 * divides the value. */
static const struct unit sizes[] = {
	{"TiB", 1ULL << 40},
	{"GiB", 1ULL << 30},
	{"MiB", 1ULL << 20},
	{"KiB", 1ULL << 10},
	{"TB", 1000000000000},
	{"GB", 1000000000},
	{"MB", 1000000},
	{"kB", 1000},
	{"B", 1},
	{0},
};
static const struct unit durations[] = {
	{"h", 3600000000000},
	{"min", 60000000000},
	{"s", 1000000000},
	{"ms", 1000000},
	{"us", 1000},
	{"ns", 1},
	{0},
};

static int parse_with_unit(const struct unit *units, const char *text,
			   uint64_t limit, uint64_t *ret)
{
	uint64_t value = 0;
	const char *at = text;
	for (; *at >= '0' && *at <= '9'; at++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*at - '0'),
					   &value))
			return -ERANGE;
	if (at == text)
		return -EINVAL;
	while (units->name && strcmp(units->name, at) != 0)
		units++;
	if (!units->name)
		return -EINVAL;
	if (__builtin_mul_overflow(value, units->factor, &value) ||
	    value > limit)
		return -ERANGE;
	*ret = value;
	return 0;
}

int mkv_size_parse(const char *text, uint64_t *ret_bytes)
{
	return parse_with_unit(sizes, text, INT64_MAX, ret_bytes);
}

int mkv_duration_parse(const char *text, int64_t *ret_ns)
{
	uint64_t value;
	int rc = parse_with_unit(durations, text, INT64_MAX, &value);
	if (rc < 0)
		return rc;
	*ret_ns = (int64_t)value;
	return 0;
}

static void print_with_unit(const struct unit *units, uint64_t value,
			    char ret[static 32])
{
	while (units[1].name && (value == 0 || value % units->factor))
		units++;
	(void)snprintf(ret, 32, "%llu%s",
		       (unsigned long long)value /
			       (unsigned long long)units->factor,
		       units->name);
}

void mkv_size_print(uint64_t size_bytes, char ret[static 32])
{
	print_with_unit(sizes, size_bytes, ret);
}

void mkv_duration_print(int64_t duration_ns, char ret[static 32])
{
	print_with_unit(durations, (uint64_t)duration_ns, ret);
}

int mkv_percentage_parse(const char *text, int64_t *ret_ppb)
{
	const char *at = text;
	int64_t value = 0, unit = 10000000; /* of one percent */
	for (; *at >= '0' && *at <= '9' && at < text + 3; at++)
		value = value * 10 + (*at - '0');
	if (at == text)
		return -EINVAL;
	value *= unit;
	if (*at == '.') {
		const char *decimals = ++at;
		for (; *at >= '0' && *at <= '9' && unit > 1; at++) {
			unit /= 10;
			value += (*at - '0') * unit;
		}
		if (at == decimals)
			return -EINVAL;
	}
	if (strcmp(at, "%") != 0)
		return -EINVAL;
	*ret_ppb = value;
	return 0;
}

void mkv_percentage_print(int64_t ppb, char ret[static 32])
{
	int length =
		snprintf(ret, 32, "%lld.%07lld", (long long)(ppb / 10000000),
			 (long long)(ppb % 10000000));
	while (length > 0 && ret[length - 1] == '0')
		length--;
	if (length > 0 && ret[length - 1] == '.')
		length--;
	if (length > 0)
		memcpy(ret + length, "%", 2);
}
