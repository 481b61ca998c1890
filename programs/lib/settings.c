/* SPDX-License-Identifier: MIT */
#include "programs/lib/settings.h"

#include <string.h>

enum { TEXT_LIMIT = 4096 };

struct unit {
	const char *name;
	int64_t factor;
};

/* Units of a kind, in ascending order. */
static const struct unit *units_of(enum mkv_setting_kind kind)
{
	static const struct unit none[] = {{"", 1}, {0}};
	static const struct unit sizes[] = {
		{"", 1},
		{"B", 1},
		{"kB", 1000},
		{"KiB", 1024},
		{"MB", 1000000},
		{"MiB", 1024 * 1024},
		{"GB", 1000000000},
		{"GiB", 1024 * 1024 * 1024},
		{0},
	};
	static const struct unit durations[] = {
		{"", 1}, {"us", 1}, {"ms", 1000}, {"s", 1000000}, {0}};
	return kind == MKV_SETTING_SIZE	      ? sizes
	       : kind == MKV_SETTING_DURATION ? durations
					      : none;
}

static bool read_number(const struct mkv_service_setting *setting,
			const char *text, int64_t *ret)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	long long number = strtoll(text, &end, 10);
	if (errno)
		return false;
	for (const struct unit *u = units_of(setting->kind); u->name; u++) {
		int64_t value;
		if (strcmp(end, u->name) != 0)
			continue;
		if (__builtin_mul_overflow(number, u->factor, &value) ||
		    value < setting->min || value > setting->max)
			return false;
		*ret = value;
		return true;
	}
	return false;
}

static bool read_word(const struct mkv_service_setting *setting,
		      const char *text, int64_t *ret)
{
	const char *word = setting->words;
	for (int64_t i = 0; *word; i++) {
		size_t length = strcspn(word, " ");
		if (strlen(text) == length &&
		    strncmp(text, word, length) == 0) {
			*ret = i;
			return true;
		}
		word += length + strspn(word + length, " ");
	}
	return false;
}

static void print_number(const struct mkv_service_setting *setting,
			 int64_t value, struct mkv_buf *into)
{
	const struct unit *best = units_of(setting->kind);
	for (const struct unit *u = best; u->name; u++)
		if (value && value % u->factor == 0)
			best = u;
	mkv_buf_printf(into, "%lld%s", (long long)(value / best->factor),
		       best->name);
}

static void print_limits(const struct mkv_service_setting *setting,
			 struct mkv_buf *into)
{
	switch (setting->kind) {
	case MKV_SETTING_TEXT:
		mkv_buf_printf(
			into, "text, %lld bytes",
			(long long)(setting->max ? setting->max : TEXT_LIMIT));
		return;
	case MKV_SETTING_WORD:
		for (const char *c = setting->words; *c; c++)
			if (*c == ' ')
				mkv_buf_str(into,
					    strchr(c + 1, ' ') ? ", " : " or ");
			else
				mkv_buf_char(into, *c);
		return;
	default:
		print_number(setting, setting->min, into);
		mkv_buf_str(into, " to ");
		print_number(setting, setting->max, into);
	}
}

static int fail_invalid(const struct mkv_service_setting *setting,
			const char *text, struct mkv_error *err)
{
	auto_buf struct mkv_buf limits = {0};
	print_limits(setting, &limits);
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"MKVBENCH_%s is '%.100s', not %s", setting->name, text,
			limits.data ? limits.data : "");
}

static int read_setting(const struct mkv_service_setting *setting,
			struct mkv_error *err)
{
	const char *text =
		mkv_settings_text(setting->name, setting->default_value);
	size_t limit = setting->max ? (size_t)setting->max : TEXT_LIMIT;
	int64_t number = 0;
	bool good = setting->kind == MKV_SETTING_TEXT
			    ? !text || strlen(text) <= limit
		    : setting->kind == MKV_SETTING_WORD
			    ? read_word(setting, text, &number)
			    : read_number(setting, text, &number);
	if (!good)
		return fail_invalid(setting, text, err);
	if (setting->number)
		*setting->number = number;
	if (setting->text)
		*setting->text = text;
	return 0;
}

int mkv_settings_read(const struct mkv_service_setting *table,
		      struct mkv_error *err)
{
	for (; table->name; table++) {
		int rc = read_setting(table, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

void mkv_settings_print(const struct mkv_service_setting *table,
			struct mkv_buf *into)
{
	for (; table->name; table++) {
		mkv_buf_printf(into, "%s\t%s\t", table->name,
			       table->default_value ? table->default_value
						    : "unset");
		print_limits(table, into);
		mkv_buf_printf(into, "\t%s\n", table->doc);
	}
}
