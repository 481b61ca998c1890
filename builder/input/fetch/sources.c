/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/sources.h"

#include <string.h>
#include <strings.h>

enum { WORDS_MAX = 64, STANZA_FIELDS = 7 };

/* The words of a text that was split in place. */
struct words {
	char *items[WORDS_MAX];
	size_t count;
};

static struct words split_words(char *text)
{
	struct words words = {.count = 0};
	char *rest = NULL;
	for (char *word = strtok_r(text, " \t\r\n", &rest);
	     word && words.count < WORDS_MAX;
	     word = strtok_r(NULL, " \t\r\n", &rest))
		words.items[words.count++] = word;
	return words;
}

static bool has_word(const struct words *words, const char *text)
{
	for (size_t i = 0; i < words->count; i++)
		if (strcmp(words->items[i], text) == 0)
			return true;
	return false;
}

/* Classifies a suite by its name; false when the name is not Debian's. */
static bool classify_suite(const char *suite, bool *main, bool *updates,
			   bool *security)
{
	static const char *const names[] = {
		"bullseye", "bookworm", "trixie",  "forky",    "duke",
		"sid",	    "stable",	"testing", "unstable", "oldstable"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t length = strlen(names[i]);
		if (strncmp(suite, names[i], length) != 0)
			continue;
		const char *rest = suite + length;
		*main = strcmp(rest, "") == 0 || strcmp(rest, "/") == 0;
		*updates = strcmp(rest, "-updates") == 0;
		*security = strcmp(rest, "-security") == 0;
		if (*main || *updates || *security)
			return true;
	}
	return false;
}

struct mkv_mirror *mkv_mirrors_entry(struct mkv_mirrors *mirrors,
				     const char *uri, struct mkv_error *err)
{
	size_t length = strlen(uri);
	const char *prefix = "";
	if (strncmp(uri, "file:/", 6) == 0 && strncmp(uri, "file://", 7) != 0) {
		prefix = "file://";
		uri += 5;
		length -= 5;
	} else if (strncasecmp(uri, "http://", 7) != 0 &&
		   strncasecmp(uri, "https://", 8) != 0 &&
		   strncmp(uri, "file:///", 8) != 0) {
		return NULL;
	}
	while (length && uri[length - 1] == '/')
		length--;
	auto_free char *own = NULL;
	if (asprintf(&own, "%s%.*s", prefix, (int)length, uri) < 0) {
		(void)mkv_oom(err);
		return NULL;
	}
	for (size_t i = 0; i < mirrors->count; i++)
		if (strcmp(mirrors->items[i].uri, own) == 0)
			return &mirrors->items[i];
	struct mkv_mirror *items = reallocarray(
		mirrors->items, mirrors->count + 1, sizeof(*items));
	if (!items) {
		(void)mkv_oom(err);
		return NULL;
	}
	mirrors->items = items;
	items[mirrors->count] = (struct mkv_mirror){.uri = mkv_take(own)};
	return &items[mirrors->count++];
}

/* Adds every combination of a URI and a suite. */
static int add_pairs(struct mkv_mirrors *mirrors, const struct words *uris,
		     const struct words *suites, struct mkv_error *err)
{
	for (size_t s = 0; s < suites->count; s++) {
		bool main, updates, security;
		if (!classify_suite(suites->items[s], &main, &updates,
				    &security))
			continue;
		for (size_t u = 0; u < uris->count; u++) {
			err->code = 0;
			struct mkv_mirror *mirror =
				mkv_mirrors_entry(mirrors, uris->items[u], err);
			if (!mirror && err->code)
				return -err->code;
			if (!mirror)
				continue;
			mirror->main |= main;
			mirror->updates |= updates;
			mirror->security |= security;
		}
	}
	return 0;
}

/* The keyrings of package debian-archive-keyring. */
static bool is_debians_keyring(const char *signed_by)
{
	const char *slash = strrchr(signed_by, '/');
	return slash && strncmp(slash + 1, "debian-archive", 14) == 0;
}

/* Whether options like `arch=amd64,arm64 signed-by=/path` allow amd64 and
 * Debian's keyring. */
static bool are_options_usable(char *options)
{
	struct words words = split_words(options);
	for (size_t i = 0; i < words.count; i++) {
		char *value = strchr(words.items[i], '=');
		if (!value)
			continue;
		*value++ = '\0';
		if (strcasecmp(words.items[i], "signed-by") == 0 &&
		    !is_debians_keyring(value))
			return false;
		if (strcasecmp(words.items[i], "arch") == 0 &&
		    !strstr(value, "amd64"))
			return false;
	}
	return true;
}

/* `deb [options] URI SUITE COMPONENT...` */
static int parse_list_line(char *line, struct mkv_mirrors *mirrors,
			   struct mkv_error *err)
{
	line[strcspn(line, "#")] = '\0';
	line += strspn(line, " \t");
	if (strncmp(line, "deb", 3) != 0 || !strchr(" \t[", line[3]) ||
	    !line[3])
		return 0;
	line += 3 + strspn(line + 3, " \t");
	if (*line == '[') {
		char *close_bracket = strchr(line, ']');
		if (!close_bracket)
			return 0;
		*close_bracket = '\0';
		if (!are_options_usable(line + 1))
			return 0;
		line = close_bracket + 1;
	}
	struct words words = split_words(line);
	if (words.count < 3 || !has_word(&words, "main"))
		return 0;
	struct words uri = {.items = {words.items[0]}, .count = 1};
	struct words suite = {.items = {words.items[1]}, .count = 1};
	return add_pairs(mirrors, &uri, &suite, err);
}

int mkv_sources_parse_list(const char *text, struct mkv_mirrors *mirrors,
			   struct mkv_error *err)
{
	auto_free char *copy = strdup(text);
	if (!copy)
		return mkv_oom(err);
	char *at = copy;
	for (char *line; (line = strsep(&at, "\n"));) {
		int rc = parse_list_line(line, mirrors, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

enum field {
	TYPES,
	URIS,
	SUITES,
	COMPONENTS,
	ARCHITECTURES,
	SIGNED_BY,
	ENABLED
};

static const char *const field_names[STANZA_FIELDS] = {
	"Types",	 "URIs",      "Suites",	 "Components",
	"Architectures", "Signed-By", "Enabled",
};

static int add_stanza(char *fields[STANZA_FIELDS], struct mkv_mirrors *mirrors,
		      struct mkv_error *err)
{
	struct words words[STANZA_FIELDS] = {0};
	for (size_t i = 0; i < STANZA_FIELDS; i++)
		if (fields[i])
			words[i] = split_words(fields[i]);
	if (!has_word(&words[TYPES], "deb") ||
	    !has_word(&words[COMPONENTS], "main") ||
	    has_word(&words[ENABLED], "no") ||
	    has_word(&words[ENABLED], "false") ||
	    (words[ARCHITECTURES].count &&
	     !has_word(&words[ARCHITECTURES], "amd64")))
		return 0;
	if (words[SIGNED_BY].count &&
	    !is_debians_keyring(words[SIGNED_BY].items[0]))
		return 0;
	return add_pairs(mirrors, &words[URIS], &words[SUITES], err);
}

/* Splits a stanza into its fields in place. A continuation line is appended to
 * the field above. */
static int parse_stanza(char *stanza, struct mkv_mirrors *mirrors,
			struct mkv_error *err)
{
	char *fields[STANZA_FIELDS] = {0};
	char *last = NULL; /* end of the last known field */
	char *at = stanza;
	for (char *line; (line = strsep(&at, "\n"));) {
		if (line[0] == '#')
			continue;
		if (line[0] == ' ' || line[0] == '\t') {
			if (last) {
				memmove(last, line, strlen(line) + 1);
				last += strlen(last);
			}
			continue;
		}
		last = NULL;
		size_t name = strcspn(line, ":");
		if (!line[name])
			continue;
		for (size_t i = 0; i < STANZA_FIELDS; i++)
			if (strlen(field_names[i]) == name &&
			    strncasecmp(field_names[i], line, name) == 0) {
				fields[i] = line + name + 1;
				last = fields[i] + strlen(fields[i]);
			}
	}
	return add_stanza(fields, mirrors, err);
}

int mkv_sources_parse_deb822(const char *text, struct mkv_mirrors *mirrors,
			     struct mkv_error *err)
{
	auto_free char *copy = strdup(text);
	if (!copy)
		return mkv_oom(err);
	for (char *at = copy; at && *at;) {
		char *end = strstr(at, "\n\n");
		if (end)
			*end = '\0';
		int rc = parse_stanza(at, mirrors, err);
		if (rc < 0)
			return rc;
		at = end ? end + 2 : NULL;
	}
	return 0;
}
