/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum { SHOWN_MAX = 8, STATUS_MAX = 64 << 20 };

/* One paragraph of dpkg's status file. */
struct installed {
	const char *name, *version, *architecture; /* into the text */
	bool whole;				   /* "install ok installed" */
};

/* The value of a field whose name and colon begin the line; NULL. */
static const char *field_value(const char *line, const char *name)
{
	size_t length = strlen(name);
	return strncmp(line, name, length) == 0 ? line + length : NULL;
}

/* Splits the text into paragraphs in place. Returns an array, owned by the
 * caller, that points into the text; NULL: none, or out of memory. */
static struct installed *parse_status(char *text, size_t *ret_count)
{
	struct installed *list = NULL;
	size_t count = 0, capacity = 0;
	struct installed now = {0};
	char *rest = text;
	while (rest) {
		char *line = strsep(&rest, "\n");
		const char *value;
		if (*line && (value = field_value(line, "Package: ")))
			now.name = value;
		else if (*line && (value = field_value(line, "Version: ")))
			now.version = value;
		else if (*line && (value = field_value(line, "Architecture: ")))
			now.architecture = value;
		else if (*line && (value = field_value(line, "Status: ")))
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

static int compare_packages(const void *a, const void *b)
{
	const struct installed *x = a, *y = b;
	int order = strcmp(x->name, y->name);
	return order ? order
		     : strcmp(x->architecture ? x->architecture : "",
			      y->architecture ? y->architecture : "");
}

static const struct installed *
find_package(const struct installed *list, size_t count,
	     const struct mkv_contract_package *package)
{
	const struct installed key = {.name = package->name,
				      .architecture = package->architecture};
	return count ? bsearch(&key, list, count, sizeof(*list),
			       compare_packages)
		     : NULL;
}

/* A package of another architecture is another package. */
static bool is_same_package(const struct mkv_contract_package *package,
			    const struct installed *have)
{
	const struct installed key = {.name = package->name,
				      .architecture = package->architecture};
	return compare_packages(&key, have) == 0;
}

/* Reads and sorts dpkg's status. Returns an array that points into `text`,
 * owned by the caller; NULL: not readable. */
static struct installed *read_status(const struct mkv_env *env,
				     const char *source, struct mkv_buf *text,
				     size_t *ret_count)
{
	auto_free char *path = mkv_env_path(env, "%s", source);
	struct mkv_error err;
	if (!path ||
	    mkv_read_file(AT_FDCWD, path, STATUS_MAX, text, &err) < 0 ||
	    !text->size || memchr(text->data, '\0', text->size))
		return NULL;
	struct installed *list = parse_status(text->data, ret_count);
	if (list)
		qsort(list, *ret_count, sizeof(*list), compare_packages);
	return list;
}

/* Appends findings for promised packages that are missing, incomplete or of
 * another version. Returns their number, which may be larger than that of the
 * findings. */
static size_t find_wrong(const struct mkv_contract_image *image,
			 const struct installed *list, size_t count,
			 const char *source, struct mkv_answer *answer)
{
	size_t wrong = 0;
	for (size_t i = 0; i < image->n_packages; i++) {
		const struct mkv_contract_package *p = &image->packages[i];
		const struct installed *have = find_package(list, count, p);
		const char *version = !have || !have->version ? "not installed"
				      : have->whole	      ? have->version
						    : "partly installed";
		if (strcmp(version, p->version) != 0 && wrong++ < SHOWN_MAX)
			mkv_answer_add(answer, MKV_FAIL, p->name, source,
				       p->version, version);
	}
	return wrong;
}

/* Appends findings for installed packages that are not promised, as long as
 * there are fewer than SHOWN_MAX with the `wrong` ones. Returns their number.
 */
static size_t find_unpromised(const struct mkv_contract_image *image,
			      const struct installed *list, size_t count,
			      const char *source, size_t wrong,
			      size_t *ret_whole, struct mkv_answer *answer)
{
	size_t unpromised = 0;
	*ret_whole = 0;
	for (size_t i = 0; i < count; i++) {
		bool known = false;
		if (!list[i].whole)
			continue;
		(*ret_whole)++;
		for (size_t j = 0; j < image->n_packages && !known; j++)
			known = is_same_package(&image->packages[j], &list[i]);
		if (!known && wrong + unpromised++ < SHOWN_MAX)
			mkv_answer_add(answer, MKV_FAIL, list[i].name, source,
				       "not installed", list[i].version);
	}
	return unpromised;
}

void mkv_check_packages(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] = "/var/lib/dpkg/status";
	const struct mkv_contract_image *image = env->image;
	if (image->n_packages == 0)
		return;
	auto_buf struct mkv_buf text = {0};
	size_t count = 0, whole = 0;
	auto_free struct installed *list =
		read_status(env, source, &text, &count);
	if (!list) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "packages", source,
			       "readable", NULL);
		return;
	}
	size_t wrong = find_wrong(image, list, count, source, answer);
	wrong += find_unpromised(image, list, count, source, wrong, &whole,
				 answer);
	char expected[64];
	(void)snprintf(expected, sizeof(expected), "the %zu of the contract",
		       image->n_packages);
	mkv_answer_say(answer, wrong ? MKV_FAIL : MKV_PASS, "packages", source,
		       expected,
		       wrong ? "%zu installed, %zu differ"
			     : "%zu installed, each as promised",
		       whole, wrong);
}
