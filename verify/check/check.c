/* SPDX-License-Identifier: MIT */
#include "verify/check/check.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "lib/io.h"

enum { FINDINGS_MAX = 4096, SMALL_FILE_MAX = 1 << 20 };

const char *mkv_result_name(enum mkv_result result)
{
	static const char *const names[] = {
		[MKV_NOT_PROMISED] = "not-promised",
		[MKV_PASS] = "pass",
		[MKV_NOT_ESTABLISHED] = "not-established",
		[MKV_FAIL] = "fail",
	};
	return names[result];
}

void mkv_answer_done(struct mkv_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		free(answer->items[i].what);
		free(answer->items[i].expected);
		free(answer->items[i].observed);
		free(answer->items[i].source);
	}
	free(answer->items);
	*answer = (struct mkv_answer){0};
}

enum mkv_result mkv_answer_result(const struct mkv_answer *answer)
{
	enum mkv_result worst = MKV_NOT_PROMISED;
	if (answer->failed)
		worst = MKV_NOT_ESTABLISHED;
	for (size_t i = 0; i < answer->count; i++)
		if (answer->items[i].result > worst)
			worst = answer->items[i].result;
	return worst;
}

static bool make_room(struct mkv_answer *answer)
{
	if (answer->count < answer->capacity)
		return true;
	size_t capacity = answer->capacity ? 2 * answer->capacity : 8;
	if (capacity > FINDINGS_MAX)
		return false;
	void *more =
		reallocarray(answer->items, capacity, sizeof(*answer->items));
	if (!more)
		return false;
	answer->items = more;
	answer->capacity = capacity;
	return true;
}

static bool copy(const char *text, char **ret)
{
	*ret = text ? strdup(text) : NULL;
	return !text || *ret;
}

void mkv_answer_add(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *observed)
{
	if (!make_room(answer)) {
		answer->failed = true;
		return;
	}
	struct mkv_finding *finding = &answer->items[answer->count++];
	*finding = (struct mkv_finding){.result = result};
	if (!copy(what, &finding->what) || !copy(source, &finding->source) ||
	    !copy(expected, &finding->expected) ||
	    !copy(observed, &finding->observed))
		answer->failed = true;
}

void mkv_answer_say(struct mkv_answer *answer, enum mkv_result result,
		    const char *what, const char *source, const char *expected,
		    const char *format, ...)
{
	char *observed = NULL;
	va_list ap;
	va_start(ap, format);
	int used = vasprintf(&observed, format, ap);
	va_end(ap);
	if (used < 0) {
		answer->failed = true;
		return;
	}
	mkv_answer_add(answer, result, what, source, expected, observed);
	free(observed);
}

enum mkv_result mkv_answer_compare(struct mkv_answer *answer, const char *what,
				   const char *source, const char *expected,
				   const char *observed)
{
	enum mkv_result result = !expected   ? MKV_NOT_PROMISED
				 : !observed ? MKV_NOT_ESTABLISHED
				 : strcmp(expected, observed) == 0 ? MKV_PASS
								   : MKV_FAIL;
	mkv_answer_add(answer, result, what, source, expected, observed);
	return result;
}

enum mkv_result mkv_answer_number(struct mkv_answer *answer, const char *what,
				  const char *source, int64_t expected,
				  int64_t observed)
{
	char wanted[24], seen[24];
	(void)snprintf(wanted, sizeof(wanted), "%lld", (long long)expected);
	(void)snprintf(seen, sizeof(seen), "%lld", (long long)observed);
	return mkv_answer_compare(answer, what, source,
				  expected < 0 ? NULL : wanted,
				  observed < 0 ? NULL : seen);
}

static char *path_below(const struct mkv_env *env, const char *format,
			va_list ap)
{
	struct mkv_buf path = {0};
	char *below = NULL;
	mkv_buf_str(&path, env->root);
	if (vasprintf(&below, format, ap) < 0)
		below = NULL;
	if (below)
		mkv_buf_str(&path, below);
	else
		path.failed = true;
	free(below);
	return mkv_buf_take(&path);
}

char *mkv_env_path(const struct mkv_env *env, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	char *path = path_below(env, format, ap);
	va_end(ap);
	return path;
}

static char *read_trimmed(const char *path)
{
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	if (!path) {
		errno = ENOMEM;
		return NULL;
	}
	int rc = mkv_read_file(AT_FDCWD, path, SMALL_FILE_MAX, &text, &err);
	if (rc < 0) {
		errno = -rc;
		return NULL;
	}
	if (text.size && memchr(text.data, '\0', text.size)) {
		errno = EINVAL;
		return NULL;
	}
	while (text.size && (text.data[text.size - 1] == '\n' ||
			     text.data[text.size - 1] == ' '))
		text.data[--text.size] = '\0';
	return mkv_buf_take(&text);
}

char *mkv_env_read(const struct mkv_env *env, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	auto_free char *path = path_below(env, format, ap);
	va_end(ap);
	return read_trimmed(path);
}

bool mkv_env_read_cpus(const struct mkv_env *env, struct mkv_cpuset *ret,
		       const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	auto_free char *path = path_below(env, format, ap);
	va_end(ap);
	auto_free char *text = read_trimmed(path);
	return text && mkv_cpuset_parse(text, ret);
}

int64_t mkv_env_read_number(const struct mkv_env *env, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	auto_free char *path = path_below(env, format, ap);
	va_end(ap);
	auto_free char *text = read_trimmed(path);
	if (!text || text[0] < '0' || text[0] > '9')
		return -1;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	return errno || *end ? -1 : value;
}

const char *mkv_env_setting(const struct mkv_env *env, const char *key)
{
	const struct mkv_contract_pairs *settings = &env->image->settings;
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].key, key) == 0)
			return settings->items[i].value;
	return NULL;
}

bool mkv_env_is_time_server(const struct mkv_env *env)
{
	return env->contract->has_clock &&
	       strcmp(env->contract->clock.server, env->host->name) == 0;
}

bool mkv_env_runs(const struct mkv_env *env,
		  const struct mkv_contract_container *container)
{
	return mkv_contract_strings_have(&env->host->containers,
					 container->name) &&
	       (container->roles.count == 0 ||
		mkv_contract_strings_have(&container->roles, env->host->role));
}

const struct mkv_check *mkv_check_find(const char *name)
{
	for (const struct mkv_check *check = mkv_checks; check->name; check++)
		if (strcmp(check->name, name) == 0)
			return check;
	return NULL;
}
