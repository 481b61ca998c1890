/* SPDX-License-Identifier: MIT */
#include "verify/probe/env.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "lib/io.h"

enum { SMALL_FILE_MAX = 1 << 20 };

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
