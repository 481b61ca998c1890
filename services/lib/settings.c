/* SPDX-License-Identifier: MIT */
#include "services/lib/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"

enum { FILE_LIMIT = 64 * 1024, SETTINGS_MAX = 64 };

static struct {
	char *text;
	struct {
		const char *name, *value;
	} items[SETTINGS_MAX];
	size_t count;
} settings;

static int add_line(char *line, struct mkv_error *err)
{
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return 0;
	char *value = strchr(line, '=');
	if (!value || value == line)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%s' is not NAME=VALUE", line);
	if (settings.count == SETTINGS_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG, "too many settings");
	*value++ = '\0';
	settings.items[settings.count].name = line;
	settings.items[settings.count++].value = value;
	return 0;
}

int mkv_settings_load(struct mkv_error *err)
{
	const char *path = getenv("MKVBENCH_SETTINGS");
	auto_buf struct mkv_buf text = {0};
	if (!path || !*path)
		return 0;
	int rc = mkv_read_file(AT_FDCWD, path, FILE_LIMIT, &text, err);
	if (rc < 0)
		return rc;
	char *rest = settings.text = mkv_buf_take(&text);
	if (!rest)
		return mkv_oom(err);
	for (char *line; rc == 0 && (line = strsep(&rest, "\n"));)
		rc = add_line(line, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path) : 0;
}

const char *mkv_settings_text(const char *name, const char *absent)
{
	char variable[128];
	(void)snprintf(variable, sizeof(variable), "MKVBENCH_%s", name);
	const char *value = getenv(variable);
	for (size_t i = 0; !(value && *value) && i < settings.count; i++)
		if (strcmp(settings.items[i].name, name) == 0)
			value = settings.items[i].value;
	return value && *value ? value : absent;
}

int mkv_settings_integer(const char *name, int64_t absent, int64_t min,
			 int64_t max, int64_t *ret, struct mkv_error *err)
{
	const char *text = mkv_settings_text(name, NULL);
	if (!text) {
		*ret = absent;
		return 0;
	}
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || *end || end == text || value < min || value > max)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_%s is '%s', not %lld to %lld", name,
				text, (long long)min, (long long)max);
	*ret = value;
	return 0;
}

struct unit {
	const char *name;
	int64_t factor;
};

static int read_quantity(const char *name, const struct unit *units,
			 int64_t max, int64_t *ret, struct mkv_error *err)
{
	const char *text = mkv_settings_text(name, NULL);
	char *end;
	if (!text)
		return 0;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	int64_t value;
	for (; end != text && !errno && number >= 0 && units->name; units++)
		if (strcmp(end, units->name) == 0 &&
		    !__builtin_mul_overflow(number, units->factor, &value) &&
		    value <= max) {
			*ret = value;
			return 0;
		}
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"MKVBENCH_%s is '%s', which is not understood or over "
			"%lld",
			name, text, (long long)max);
}

int mkv_settings_size(const char *name, int64_t absent_bytes, int64_t max_bytes,
		      int64_t *ret_bytes, struct mkv_error *err)
{
	static const struct unit units[] = {
		{"", 1},
		{"B", 1},
		{"kB", 1000},
		{"MB", 1000000},
		{"GB", 1000000000},
		{"KiB", 1024},
		{"MiB", 1024 * 1024},
		{"GiB", 1024 * 1024 * 1024},
		{0},
	};
	*ret_bytes = absent_bytes;
	return read_quantity(name, units, max_bytes, ret_bytes, err);
}

int mkv_settings_duration(const char *name, int64_t absent_us, int64_t max_us,
			  int64_t *ret_us, struct mkv_error *err)
{
	static const struct unit units[] = {
		{"", 1}, {"us", 1}, {"ms", 1000}, {"s", 1000000}, {0}};
	*ret_us = absent_us;
	return read_quantity(name, units, max_us, ret_us, err);
}
