/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/mirrors.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>

#include "builder/input/fetch/sources.h"
#include "lib/io.h"
#include "lib/process.h"

enum { SOURCES_BYTES_MAX = 1024 * 1024 };

void mkv_mirrors_done(struct mkv_mirrors *mirrors)
{
	for (size_t i = 0; i < mirrors->count; i++)
		free(mirrors->items[i].uri);
	free(mirrors->items);
	for (size_t i = 0; i < mirrors->proxies.count; i++) {
		free(mirrors->proxies.items[i].key);
		free(mirrors->proxies.items[i].value);
	}
	free(mirrors->proxies.items);
	*mirrors = (struct mkv_mirrors){0};
}

int mkv_mirrors_parse(const char *uris, struct mkv_mirrors *ret,
		      struct mkv_error *err)
{
	auto_mirrors struct mkv_mirrors mirrors = {.given = true};
	auto_free char *copy = strdup(uris);
	if (!copy)
		return mkv_oom(err);
	char *at = copy;
	for (char *uri; (uri = strsep(&at, ","));) {
		uri += strspn(uri, " ");
		uri[strcspn(uri, " ")] = '\0';
		err->code = 0;
		if (*uri && !mkv_mirrors_entry(&mirrors, uri, err))
			return err->code ? -err->code
					 : mkv_fail(err, MKV_BAD_USAGE, EINVAL,
						    "'%s' is not the URI of a "
						    "mirror: use http://, "
						    "https:// or file:///",
						    uri);
	}
	if (!mirrors.count)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"--mirror needs at least one URI");
	*ret = mirrors;
	mirrors = (struct mkv_mirrors){0};
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), tail = strlen(end);
	return length > tail && strcmp(text + length - tail, end) == 0;
}

static int read_source(const char *path, struct mkv_mirrors *mirrors,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(AT_FDCWD, path, SOURCES_BYTES_MAX, &text, err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	if (!text.data)
		return 0;
	return ends_with(path, ".sources")
		       ? mkv_sources_parse_deb822(text.data, mirrors, err)
		       : mkv_sources_parse_list(text.data, mirrors, err);
}

static int is_source(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	       (ends_with(entry->d_name, ".list") ||
		ends_with(entry->d_name, ".sources"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_entries(const char *path, struct dirent *const *entries,
			int count, struct mkv_mirrors *mirrors,
			struct mkv_error *err)
{
	for (int i = 0; i < count; i++) {
		auto_free char *file = NULL;
		if (asprintf(&file, "%s/%s", path, entries[i]->d_name) < 0)
			return mkv_oom(err);
		int rc = read_source(file, mirrors, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_directory(const char *path, struct mkv_mirrors *mirrors,
			  struct mkv_error *err)
{
	struct dirent **entries = NULL;
	int count = scandir(path, &entries, is_source, by_name);
	if (count < 0)
		return errno == ENOENT
			       ? 0
			       : mkv_fail(err, MKV_FAILED, errno,
					  "read directory '%s': %m", path);
	int rc = read_entries(path, entries, count, mirrors, err);
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
	return rc;
}

int mkv_mirrors_of_host(const char *etc_apt, struct mkv_mirrors *ret,
			struct mkv_error *err)
{
	auto_mirrors struct mkv_mirrors mirrors = {0};
	auto_free char *list = NULL;
	auto_free char *directory = NULL;
	if (asprintf(&list, "%s/sources.list", etc_apt) < 0 ||
	    asprintf(&directory, "%s/sources.list.d", etc_apt) < 0)
		return mkv_oom(err);
	int rc = read_source(list, &mirrors, err);
	if (rc < 0)
		return rc;
	rc = read_directory(directory, &mirrors, err);
	if (rc < 0)
		return rc;
	bool main = false;
	for (size_t i = 0; i < mirrors.count; i++)
		main |= mirrors.items[i].main;
	if (!main)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"the apt configuration in '%s' names no Debian "
				"mirror: name a mirror with --mirror URI",
				etc_apt);
	*ret = mirrors;
	mirrors = (struct mkv_mirrors){0};
	return 0;
}

/* Adds the setting of one line: `Acquire::http::Proxy::HOST "VALUE";`
 * (apt.conf(5)).
 */
static int parse_proxy(char *line, struct mkv_mirrors *mirrors,
		       struct mkv_error *err)
{
	if (strncasecmp(line, "Acquire::http", 13) != 0)
		return 0;
	char *scheme = line + 9;
	char *proxy = strcasestr(scheme, "::Proxy");
	char *quote = strchr(line, '"');
	char *end = quote ? strchr(quote + 1, '"') : NULL;
	if (!proxy || !end || proxy > quote || end == quote + 1)
		return 0;
	*end = '\0';
	*proxy = '\0';
	char *host = proxy + 7; /* " " or "::HOST " */
	host[strcspn(host, " ")] = '\0';
	if ((*host && strncmp(host, "::", 2) != 0) ||
	    (strcasecmp(scheme, "http") != 0 &&
	     strcasecmp(scheme, "https") != 0))
		return 0;
	struct mkv_setting *items =
		reallocarray(mirrors->proxies.items, mirrors->proxies.count + 1,
			     sizeof(*items));
	if (!items)
		return mkv_oom(err);
	mirrors->proxies.items = items;
	struct mkv_setting setting = {NULL, strdup(quote + 1)};
	if (asprintf(&setting.key, "%s%s", scheme, host) < 0 ||
	    !setting.value) {
		free(setting.value);
		return mkv_oom(err);
	}
	items[mirrors->proxies.count++] = setting;
	return 0;
}

int mkv_mirrors_parse_proxies(const char *dump, struct mkv_mirrors *mirrors,
			      struct mkv_error *err)
{
	auto_free char *copy = strdup(dump);
	if (!copy)
		return mkv_oom(err);
	char *at = copy;
	for (char *line; (line = strsep(&at, "\n"));) {
		int rc = parse_proxy(line, mirrors, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_mirrors_add_proxies(struct mkv_mirrors *mirrors, struct mkv_error *err)
{
	if (!mkv_process_exists("apt-config"))
		return 0;
	static const char *const argv[] = {"apt-config", "dump", NULL};
	auto_buf struct mkv_buf dump = {0};
	const struct mkv_process process = {
		.argv = argv, .output = &dump, .timeout_s = 30};
	int rc = mkv_process_run(&process, NULL, err);
	if (rc < 0)
		return rc;
	return dump.data ? mkv_mirrors_parse_proxies(dump.data, mirrors, err)
			 : 0;
}

bool mkv_mirrors_may_hold(const struct mkv_mirrors *mirrors, size_t mirror,
			  const char *archive)
{
	const struct mkv_mirror *m = &mirrors->items[mirror];
	if (m->refused)
		return false;
	if (mirrors->given)
		return true;
	return strcmp(archive, "debian-security") == 0 ? m->security
						       : m->main || m->updates;
}

static const char *find_proxy(const struct mkv_mirrors *mirrors,
			      const char *key)
{
	for (size_t i = 0; i < mirrors->proxies.count; i++)
		if (strcasecmp(mirrors->proxies.items[i].key, key) == 0)
			return mirrors->proxies.items[i].value;
	return NULL;
}

const char *mkv_mirrors_proxy(const struct mkv_mirrors *mirrors,
			      const char *uri)
{
	bool https = strncasecmp(uri, "https:", 6) == 0;
	const char *scheme = https ? "https" : "http";
	const char *host = uri + strlen(scheme) + 3;
	if (strncasecmp(uri, "http", 4) != 0)
		return NULL;
	char key[300];
	(void)snprintf(key, sizeof(key), "%s::%.*s", scheme,
		       (int)strcspn(host, ":/"), host);
	const char *proxy = find_proxy(mirrors, key);
	if (!proxy)
		proxy = find_proxy(mirrors, scheme);
	if (!proxy && https)
		proxy = find_proxy(mirrors, "http");
	if (proxy && strcasecmp(proxy, "DIRECT") == 0)
		return "";
	return proxy;
}
