/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "lib/listing.h"

enum { SHOWN_MAX = 8, STATUS_MAX = 64 << 20, LIST_MAX = 256 << 20 };

/* One paragraph of dpkg's status file. */
struct installed {
	const char *name, *version, *architecture; /* into the text */
	bool whole;				   /* "install ok installed" */
};

/* The value of a field whose name and colon begin the line; NULL. */
static const char *field(const char *line, const char *name)
{
	size_t length = strlen(name);
	return strncmp(line, name, length) == 0 ? line + length : NULL;
}

/* Cuts the text into paragraphs, in place; calls nothing, returns an array. */
static struct installed *parse_status(char *text, size_t *ret_count)
{
	struct installed *list = NULL;
	size_t count = 0, capacity = 0;
	struct installed now = {0};
	char *rest = text;
	while (rest) {
		char *line = strsep(&rest, "\n");
		const char *value;
		if (*line && (value = field(line, "Package: ")))
			now.name = value;
		else if (*line && (value = field(line, "Version: ")))
			now.version = value;
		else if (*line && (value = field(line, "Architecture: ")))
			now.architecture = value;
		else if (*line && (value = field(line, "Status: ")))
			now.whole = strcmp(value, "install ok installed") == 0;
		if ((*line && rest) || !now.name)
			continue;
		if (count == capacity) {
			capacity = capacity ? 2 * capacity : 512;
			void *more =
				reallocarray(list, capacity, sizeof(*list));
			if (!more) {
				free(list);
				return NULL;
			}
			list = more;
		}
		list[count++] = now;
		now = (struct installed){0};
	}
	*ret_count = count;
	return list;
}

static int by_name(const void *a, const void *b)
{
	const struct installed *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order
		     : strcmp(x->architecture ? x->architecture : "",
			      y->architecture ? y->architecture : "");
}

static const struct installed *find(const struct installed *list, size_t count,
				    const struct mkv_contract_package *package)
{
	const struct installed key = {.name = package->name,
				      .architecture = package->architecture};
	return count ? bsearch(&key, list, count, sizeof(*list), by_name)
		     : NULL;
}

/* A second architecture's is another package. */
static bool is_same(const struct mkv_contract_package *package,
		    const struct installed *have)
{
	const struct installed key = {.name = package->name,
				      .architecture = package->architecture};
	return by_name(&key, have) == 0;
}

void mkv_check_packages(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] = "/var/lib/dpkg/status";
	const struct mkv_contract_image *image = env->image;
	if (image->n_packages == 0)
		return;
	auto_free char *path = mkv_env_path(env, source);
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err;
	size_t count = 0;
	struct installed *list = NULL;
	if (path &&
	    mkv_read_file(AT_FDCWD, path, STATUS_MAX, &text, &err) == 0 &&
	    text.size && !memchr(text.data, '\0', text.size))
		list = parse_status(text.data, &count);
	if (!list) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "packages", source,
			       "readable", NULL);
		return;
	}
	qsort(list, count, sizeof(*list), by_name);
	size_t wrong = 0, whole = 0;
	for (size_t i = 0; i < image->n_packages; i++) {
		const struct mkv_contract_package *p = &image->packages[i];
		const struct installed *have = find(list, count, p);
		const char *version = !have || !have->version ? "not installed"
				      : have->whole	      ? have->version
						    : "half installed";
		if (strcmp(version, p->version) != 0 && wrong++ < SHOWN_MAX)
			mkv_answer_add(answer, MKV_FAIL, p->name, source,
				       p->version, version);
	}
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		if (!list[i].whole)
			continue;
		whole++;
		for (size_t j = 0; j < image->n_packages && !known; j++)
			known = is_same(&image->packages[j], &list[i]);
		if (!known && wrong++ < SHOWN_MAX)
			mkv_answer_add(answer, MKV_FAIL, list[i].name, source,
				       "not installed", list[i].version);
	}
	free(list);
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "the %zu of the contract",
		       image->n_packages);
	mkv_answer_say(answer, wrong ? MKV_FAIL : MKV_PASS, "packages", source,
		       expected,
		       wrong ? "%zu installed, %zu differ"
			     : "%zu installed, each as promised",
		       whole, wrong);
}

/* What a running system writes: its identity, its state, its logs. Their bytes
 * are nobody's promise; the names, owners and modes of the rest are. */
static bool is_alive(const char *path)
{
	static const char *const prefixes[] = {
		"/var/",
		"/run/",
		"/tmp/",
		"/dev/",
		"/proc/",
		"/sys/",
		"/boot/",
		"/etc/machine-id",
		"/etc/resolv.conf",
		"/etc/mtab",
		"/etc/hostname",
		"/etc/ssh/ssh_host_",
		"/etc/docker/key.json",
		"/etc/.pwd.lock",
		"/etc/adjtime",
		"/etc/cni/",
		"/root/.",
	};
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncmp(path, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

struct walk {
	const struct mkv_env *env;
	struct mkv_answer *answer;
	uint64_t compared, passed_over, wrong;
};

static void complain(struct walk *walk, const char *path, const char *expected,
		     const char *observed)
{
	if (walk->wrong++ < SHOWN_MAX)
		mkv_answer_add(walk->answer, MKV_FAIL, path, "the file itself",
			       expected, observed);
}

static void compare_content(struct walk *walk, const char *full,
			    const struct mkv_listing_entry *entry)
{
	struct mkv_sha256 sha;
	struct mkv_error err;
	auto_fd int fd = open(full, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char expected[MKV_SHA256_HEX_SIZE], observed[MKV_SHA256_HEX_SIZE];
	if (fd < 0 || mkv_sha256_fd(fd, &sha, NULL, &err) < 0) {
		complain(walk, entry->path, "readable", "can't be read");
		return;
	}
	if (mkv_sha256_equal(&sha, &entry->sha256))
		return;
	mkv_sha256_hex(&entry->sha256, expected);
	mkv_sha256_hex(&sha, observed);
	complain(walk, entry->path, expected, observed);
}

static char type_of(mode_t mode)
{
	return S_ISDIR(mode)   ? 'd'
	       : S_ISREG(mode) ? 'f'
	       : S_ISLNK(mode) ? 'l'
	       : S_ISCHR(mode) ? 'c'
	       : S_ISBLK(mode) ? 'b'
			       : 'p';
}

static int compare_entry(const struct mkv_listing_entry *entry, void *context,
			 struct mkv_error *err)
{
	struct walk *walk = context;
	struct stat st;
	char expected[96], observed[96], target[4096];
	(void)err;
	if (is_alive(entry->path)) {
		walk->passed_over++;
		return 0;
	}
	walk->compared++;
	auto_free char *full = mkv_env_path(walk->env, "%s", entry->path);
	if (!full || lstat(full, &st) < 0) {
		complain(walk, entry->path, "there", "not there");
		return 0;
	}
	char type = entry->type == 'h' ? type_of(st.st_mode) : entry->type;
	(void)snprintf(expected, sizeof(expected), "%c %04o %u:%u", type,
		       entry->mode, entry->uid, entry->gid);
	(void)snprintf(observed, sizeof(observed), "%c %04o %u:%u",
		       type_of(st.st_mode), st.st_mode & 07777, st.st_uid,
		       st.st_gid);
	if (strcmp(expected, observed) != 0) {
		complain(walk, entry->path, expected, observed);
		return 0;
	}
	if (entry->type == 'l' && entry->target) {
		ssize_t size = readlink(full, target, sizeof(target) - 1);
		target[size > 0 ? size : 0] = '\0';
		if (strcmp(target, entry->target) != 0)
			complain(walk, entry->path, entry->target, target);
	} else if (entry->has_size && S_ISREG(st.st_mode)) {
		if ((uint64_t)st.st_size != entry->size_bytes) {
			(void)snprintf(expected, sizeof(expected),
				       "%" PRIu64 " bytes", entry->size_bytes);
			(void)snprintf(observed, sizeof(observed), "%lld bytes",
				       (long long)st.st_size);
			complain(walk, entry->path, expected, observed);
		} else {
			compare_content(walk, full, entry);
		}
	}
	return 0;
}

void mkv_check_files(const struct mkv_env *env, struct mkv_answer *answer)
{
	const struct mkv_contract_files *files = &env->image->files;
	if (!files->list)
		return;
	auto_free char *path = mkv_env_path(env, "%s", files->list);
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err;
	struct mkv_sha256 sha;
	char expected[MKV_SHA256_HEX_SIZE], observed[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&files->sha256, expected);
	if (!path || mkv_read_file(AT_FDCWD, path, LIST_MAX, &text, &err) < 0 ||
	    mkv_sha256_bytes(text.data, text.size, &sha, &err) < 0) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "list of files",
			       files->list, expected, NULL);
		return;
	}
	mkv_sha256_hex(&sha, observed);
	if (mkv_answer_compare(answer, "list of files", files->list, expected,
			       observed) != MKV_PASS ||
	    !env->every_file)
		return;
	struct walk walk = {.env = env, .answer = answer};
	if (mkv_listing_parse(text.data, text.size, compare_entry, &walk,
			      &err) < 0) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "every file",
			       files->list, "readable", err.message);
		return;
	}
	mkv_answer_say(answer, walk.wrong ? MKV_FAIL : MKV_PASS, "every file",
		       "the files themselves", "each as listed",
		       "%" PRIu64 " compared, %" PRIu64 " differ, %" PRIu64
		       " that a running system writes passed over",
		       walk.compared, walk.wrong, walk.passed_over);
}
