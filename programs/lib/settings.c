/* SPDX-License-Identifier: MIT */
#include "programs/lib/settings.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "lib/io.h"

enum { FILE_LIMIT = 128 * 1024, SETTINGS_MAX = 64, TEXT_LIMIT = 4096 };

/* In the order of their priority; the environment is between them. */
enum { OVERRIDES, SETTINGS, FILES };
static struct settings_file {
	char path[4096];
	char *text;
	struct {
		const char *name, *value;
	} items[SETTINGS_MAX];
	size_t count;
} files[FILES];

static int add_line(struct settings_file *file, char *line,
		    struct mkv_error *err)
{
	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return 0;
	char *value = strchr(line, '=');
	if (!value || value == line)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%.100s' is not NAME=VALUE", line);
	if (file->count == SETTINGS_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG, "too many settings");
	*value++ = '\0';
	for (size_t i = 0; i < file->count; i++)
		if (strcmp(file->items[i].name, line) == 0)
			return mkv_fail(err, MKV_BAD_USAGE, EEXIST,
					"'%.100s' is set twice", line);
	file->items[file->count].name = line;
	file->items[file->count++].value = value;
	return 0;
}

/* Replaces the escapes of a value of the overrides. */
static int unescape(char *value, struct mkv_error *err)
{
	char *to = value;
	for (const char *from = value; *from; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		from++;
		if (*from != 'n' && *from != '\\')
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"a backslash precedes neither 'n' nor "
					"a backslash");
		*to++ = *from == 'n' ? '\n' : '\\';
	}
	*to = '\0';
	return 0;
}

void mkv_settings_put_override(struct mkv_buf *into, const char *name,
			       const char *value)
{
	mkv_buf_printf(into, "%s=", name);
	for (; *value; value++) {
		if (*value == '\n')
			mkv_buf_str(into, "\\n");
		else if (*value == '\\')
			mkv_buf_str(into, "\\\\");
		else
			mkv_buf_char(into, *value);
	}
	mkv_buf_char(into, '\n');
}

void mkv_settings_done(void)
{
	for (size_t i = 0; i < FILES; i++) {
		free(files[i].text);
		files[i].text = NULL;
		files[i].count = 0;
	}
}

static int parse_file(struct settings_file *file, struct mkv_buf *text,
		      struct mkv_error *err)
{
	if (text->size && memchr(text->data, '\0', text->size))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"the file contains a NUL byte");
	char *rest = file->text = mkv_buf_take(text);
	if (!rest)
		return mkv_oom(err);
	for (char *line; (line = strsep(&rest, "\n"));) {
		int rc = add_line(file, line, err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; file == &files[OVERRIDES] && i < file->count; i++) {
		/* The value is in our own copy of the text. */
		int rc = unescape((char *)(uintptr_t)file->items[i].value, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%.100s'",
					file->items[i].name);
	}
	return 0;
}

static int load_file(struct settings_file *file, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(AT_FDCWD, file->path, FILE_LIMIT, &text, err);
	if (rc == -ENOENT && file == &files[OVERRIDES])
		return 0;
	if (rc == 0)
		rc = parse_file(file, &text, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", file->path) : 0;
}

int mkv_settings_load(const char *program, struct mkv_error *err)
{
	const char *directory = getenv("MKVBENCH_OVERRIDES_DIR");
	const char *path = getenv("MKVBENCH_SETTINGS");
	mkv_settings_done();
	(void)snprintf(files[OVERRIDES].path, sizeof(files->path), "%s/%s.env",
		       directory && *directory ? directory
					       : MKV_SETTINGS_OVERRIDES,
		       program);
	int rc = load_file(&files[OVERRIDES], err);
	if (rc < 0 || !path || !*path)
		return rc;
	(void)snprintf(files[SETTINGS].path, sizeof(files->path), "%s", path);
	return load_file(&files[SETTINGS], err);
}

/* NULL: the file does not set it. */
static const char *find_value(const struct settings_file *file,
			      const char *name)
{
	for (size_t i = 0; i < file->count; i++)
		if (strcmp(file->items[i].name, name) == 0)
			return file->items[i].value;
	return NULL;
}

const char *mkv_settings_text(const char *name, const char *default_value)
{
	char variable[128];
	(void)snprintf(variable, sizeof(variable), "MKVBENCH_%s", name);
	const char *const values[] = {
		find_value(&files[OVERRIDES], name),
		getenv(variable),
		find_value(&files[SETTINGS], name),
	};
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++)
		if (values[i] && *values[i])
			return values[i];
	return default_value;
}

static bool is_known(const struct mkv_service_setting *const *tables,
		     const char *name)
{
	/* Every program receives the ADDRESS_ROLE of all roles. */
	if (strncmp(name, "ADDRESS_", 8) == 0)
		return true;
	for (size_t t = 0; tables[t]; t++)
		for (const struct mkv_service_setting *s = tables[t]; s->name;
		     s++)
			if (strcmp(s->name, name) == 0)
				return true;
	return false;
}

int mkv_settings_check_files(const struct mkv_service_setting *const *tables,
			     struct mkv_error *err)
{
	for (size_t f = 0; f < FILES; f++)
		for (size_t i = 0; i < files[f].count; i++)
			if (!is_known(tables, files[f].items[i].name))
				return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
						"'%s': unknown setting "
						"'%.100s'",
						files[f].path,
						files[f].items[i].name);
	return 0;
}

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
