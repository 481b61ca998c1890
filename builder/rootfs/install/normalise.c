/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/normalise.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/grow.h"

/* Sets the third field of shadow(5), the day of the last change, to the
 * epoch's.
 */
static int set_last_change(const struct mkv_buf *from, int64_t epoch_s,
			   struct mkv_buf *to, struct mkv_error *err)
{
	const char *at = from->data ? from->data : "";
	while (*at) {
		size_t length = strcspn(at, "\n");
		const char *end = at + length;
		const char *first = memchr(at, ':', length);
		const char *second = first ? memchr(first + 1, ':',
						    (size_t)(end - first - 1))
					   : NULL;
		const char *third = second ? memchr(second + 1, ':',
						    (size_t)(end - second - 1))
					   : NULL;
		if (third && third > second + 1) {
			mkv_buf_add(to, at, (size_t)(second + 1 - at));
			mkv_buf_printf(to, "%lld", (long long)epoch_s / 86400);
			mkv_buf_add(to, third, (size_t)(end - third));
		} else {
			mkv_buf_add(to, at, length);
		}
		mkv_buf_char(to, '\n');
		at += length + (*end == '\n');
	}
	return mkv_buf_check(to, err);
}

const struct mkv_normalise_rule mkv_normalise_rules[] = {
	/* Ids and secrets that every machine must generate itself. */
	{"/etc/machine-id", MKV_EMPTY, NULL,
	 "systemd generates an id at boot when the file is empty"},
	{"/var/lib/dbus/machine-id", MKV_REMOVE, NULL,
	 "made from /etc/machine-id at boot"},
	{"/var/lib/systemd/random-seed", MKV_REMOVE, NULL,
	 "a shared seed contributes no randomness"},
	{"/var/lib/systemd/credential.secret", MKV_REMOVE, NULL,
	 "a secret of one machine"},
	{"/var/lib/urandom/random-seed", MKV_REMOVE, NULL,
	 "a shared seed contributes no randomness"},
	{"/etc/ssh/ssh_host_*_key", MKV_REMOVE, NULL,
	 "a secret of one machine"},
	{"/etc/ssh/ssh_host_*_key.pub", MKV_REMOVE, NULL,
	 "belongs to the removed secret key"},
	{"/etc/ssl/private/ssl-cert-snakeoil.key", MKV_REMOVE, NULL,
	 "a secret of one machine"},
	{"/etc/ssl/certs/ssl-cert-snakeoil.pem", MKV_REMOVE, NULL,
	 "belongs to the removed secret key, names the build host"},

	{"/var/lib/postgresql/**", MKV_REMOVE, NULL,
	 "a cluster with a unique id, created anew in an empty volume"},
	{"/etc/postgresql/**", MKV_REMOVE, NULL,
	 "belongs to the removed cluster"},

	/* Logs of the installation. */
	{"/var/log/apt/**", MKV_REMOVE_FILES, NULL,
	 "contains the time of the installation"},
	{"/var/log/dpkg.log", MKV_REMOVE, NULL,
	 "contains the time of the installation"},
	{"/var/log/alternatives.log", MKV_REMOVE, NULL,
	 "contains the time of the installation"},
	{"/var/log/bootstrap.log", MKV_REMOVE, NULL,
	 "contains the time of the installation"},
	{"/var/log/fontconfig.log", MKV_REMOVE, NULL,
	 "contains the time of the installation"},
	{"/var/log/**", MKV_EMPTY, NULL, "logs of the installation"},

	/* Backups that tools make before a change: their number and content
	 * depend on the order of changes. */
	{"/etc/passwd-", MKV_REMOVE, NULL, "a backup"},
	{"/etc/group-", MKV_REMOVE, NULL, "a backup"},
	{"/etc/shadow-", MKV_REMOVE, NULL, "a backup"},
	{"/etc/gshadow-", MKV_REMOVE, NULL, "a backup"},
	{"/etc/subuid-", MKV_REMOVE, NULL, "a backup"},
	{"/etc/subgid-", MKV_REMOVE, NULL, "a backup"},
	{"/etc/shells.tmp", MKV_REMOVE, NULL, "a backup"},
	{"/var/lib/dpkg/*-old", MKV_REMOVE, NULL, "a backup"},
	{"/var/cache/debconf/*-old", MKV_REMOVE, NULL, "a backup"},
	{"/var/lib/ucf/*.[0-9]", MKV_REMOVE, NULL, "a backup"},
	{"/var/backups/**", MKV_REMOVE_FILES, NULL, "a backup"},

	/* Files that contain a date. */
	{"/etc/shadow", MKV_REWRITE, set_last_change,
	 "the day of the last change is the day of the build"},

	/* Caches, generated again on demand. */
	{"/var/cache/ldconfig/aux-cache", MKV_REMOVE, NULL,
	 "holds inode numbers and times of the build"},
	{"/var/cache/man/**", MKV_REMOVE_FILES, NULL, "a database with times"},
	{"/var/cache/apt/**", MKV_REMOVE_FILES, NULL, "a cache"},
	{"/var/lib/apt/lists/**", MKV_REMOVE_FILES, NULL,
	 "an index as of the build"},
	{"/var/cache/fontconfig/**", MKV_REMOVE_FILES, NULL,
	 "holds times and a host's architecture"},
	{"/var/cache/private/**", MKV_REMOVE_FILES, NULL, "a cache"},
	{"/var/lib/systemd/catalog/database", MKV_REMOVE, NULL,
	 "a cache with a time, generated again at boot"},
	{"/var/lib/systemd/timers/**", MKV_REMOVE_FILES, NULL, "times"},
	{"/etc/.updated", MKV_REMOVE, NULL, "a time"},
	{"/var/.updated", MKV_REMOVE, NULL, "a time"},
	{"/etc/udev/hwdb.bin", MKV_REMOVE, NULL,
	 "a cache; the package's own is /usr/lib/udev/hwdb.bin"},
	{"/usr/**/__pycache__", MKV_REMOVE, NULL,
	 "byte code depends on the order of objects in memory"},

	/* Locks and temporary files. */
	{"/var/lib/dpkg/lock", MKV_REMOVE, NULL, "a lock"},
	{"/var/lib/dpkg/lock-frontend", MKV_REMOVE, NULL, "a lock"},
	{"/var/lib/dpkg/triggers/Lock", MKV_REMOVE, NULL, "a lock"},
	{"/etc/.pwd.lock", MKV_REMOVE, NULL, "a lock"},
	{"/run/**", MKV_REMOVE, NULL, "a tmpfs on a running system"},
	{"/tmp/**", MKV_REMOVE, NULL, "temporary"},
	{"/var/tmp/**", MKV_REMOVE, NULL, "temporary"},
	{"/dev/**", MKV_REMOVE, NULL, "a devtmpfs on a running system"},
	{"/proc/**", MKV_REMOVE, NULL, "the kernel's"},
	{"/sys/**", MKV_REMOVE, NULL, "the kernel's"},
	{NULL, MKV_KEEP, NULL, NULL},
};

/* Matches PREFIX/ and two stars and /NAME: a path below PREFIX whose last
 * component matches NAME. */
static bool matches_name_below(const char *pattern, const char *stars,
			       const char *path)
{
	size_t prefix = (size_t)(stars - pattern); /* without the slash */
	const char *slash = strrchr(path, '/');
	return strncmp(path, pattern, prefix) == 0 && path[prefix] == '/' &&
	       fnmatch(stars + 3, slash, FNM_PATHNAME) == 0;
}

static bool matches_pattern(const char *pattern, const char *path)
{
	/* The literal prefix rules out most patterns without fnmatch(). */
	size_t literal = strcspn(pattern, "*[?");
	if (pattern[literal] == '\0')
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, literal) != 0)
		return false;
	const char *stars = strstr(pattern, "/**");
	if (!stars)
		return fnmatch(pattern, path, FNM_PATHNAME) == 0;
	return stars[3] == '\0' || matches_name_below(pattern, stars, path);
}

const struct mkv_normalise_rule *mkv_normalise_find(const char *path)
{
	for (const struct mkv_normalise_rule *rule = mkv_normalise_rules;
	     rule->pattern; rule++)
		if (matches_pattern(rule->pattern, path))
			return rule;
	return NULL;
}

int mkv_known_times_add(struct mkv_known_times *known, int64_t time_s,
			struct mkv_error *err)
{
	/* Most files of a package have the same time. */
	if (known->count && known->times[known->count - 1] == time_s)
		return 0;
	int64_t *added = mkv_grow(&known->times, &known->count);
	if (!added)
		return mkv_oom(err);
	*added = time_s;
	return 0;
}

static int compare_times(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
	return (left > right) - (left < right);
}

void mkv_known_times_finish(struct mkv_known_times *known)
{
	if (known->count)
		qsort(known->times, known->count, sizeof(*known->times),
		      compare_times);
}

int64_t mkv_known_times_clamp(const struct mkv_known_times *known,
			      int64_t time_s, int64_t epoch_s)
{
	bool is_known =
		known->count && bsearch(&time_s, known->times, known->count,
					sizeof(*known->times), compare_times);
	return is_known && time_s < epoch_s ? time_s : epoch_s;
}

void mkv_known_times_done(struct mkv_known_times *known)
{
	free(known->times);
	*known = (struct mkv_known_times){0};
}
