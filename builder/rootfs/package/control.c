/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/package/control.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "lib/grow.h"

enum { FIELDS_MAX = 256, NAME_MAX_BYTES = 128 };

static int malformed(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "control: %s", what);
}

static int add_field(struct mkv_control *control, const char *name,
		     size_t name_length, const char *value, size_t value_length,
		     struct mkv_error *err)
{
	if (control->count == FIELDS_MAX)
		return malformed(err, "more than 256 fields");
	for (size_t i = 0; i < name_length; i++)
		if (name[i] <= ' ' || name[i] >= 127)
			return malformed(err,
					 "invalid character in a field name");
	for (size_t i = 0; i < control->count; i++)
		if (strlen(control->fields[i].name) == name_length &&
		    strncasecmp(control->fields[i].name, name, name_length) ==
			    0)
			return malformed(err, "duplicate field");
	struct mkv_field *field = mkv_grow(&control->fields, &control->count);
	if (!field)
		return mkv_oom(err);
	field->name = strndup(name, name_length);
	field->value = strndup(value, value_length);
	return field->name && field->value ? 0 : mkv_oom(err);
}

/* Length of a field and its continuation lines, without the final newline. */
static size_t field_length(const char *at, const char *end)
{
	const char *stop = at;
	for (;;) {
		const char *newline = memchr(stop, '\n', (size_t)(end - stop));
		if (!newline)
			return (size_t)(end - at);
		if (newline + 1 == end ||
		    (newline[1] != ' ' && newline[1] != '\t'))
			return (size_t)(newline - at);
		stop = newline + 1;
	}
}

static int parse_fields(const char *text, const char *end,
			struct mkv_control *control, struct mkv_error *err)
{
	const char *at = text;
	while (at < end && *at != '\n') {
		size_t length = field_length(at, end);
		const char *colon = memchr(at, ':', length);
		if (!colon || colon == at)
			return malformed(err, "line without a field name");
		const char *value = colon + 1, *stop = at + length;
		while (value < stop && (*value == ' ' || *value == '\t'))
			value++;
		while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t'))
			stop--;
		int rc = add_field(control, at, (size_t)(colon - at), value,
				   (size_t)(stop - value), err);
		if (rc < 0)
			return rc;
		at += length + (at + length < end);
	}
	for (; at < end; at++)
		if (!isspace((unsigned char)*at))
			return malformed(err, "more than one paragraph");
	return 0;
}

/* Debian policy, section 5.6.1: lower case, digits, "+-."; at least two
 * characters. */
static bool is_name(const char *text)
{
	size_t length = strlen(text);
	if (length < 2 || length > NAME_MAX_BYTES ||
	    !isalnum((unsigned char)*text))
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+-.") ==
	       length;
}

static bool is_version(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length <= NAME_MAX_BYTES &&
	       isdigit((unsigned char)*text) &&
	       strspn(text,
		      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "abcdefghijklmnopqrstuvwxyz0123456789.+-~:") == length;
}

static bool is_architecture(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length <= 32 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static int set_identity(struct mkv_control *control, struct mkv_error *err)
{
	control->package = mkv_control_get(control, "Package");
	control->version = mkv_control_get(control, "Version");
	control->architecture = mkv_control_get(control, "Architecture");
	if (!control->package || !is_name(control->package))
		return malformed(err, "missing or invalid Package");
	if (!control->version || !is_version(control->version))
		return malformed(err, "missing or invalid Version");
	if (!control->architecture || !is_architecture(control->architecture))
		return malformed(err, "missing or invalid Architecture");
	return 0;
}

int mkv_control_parse(const char *text, size_t size, struct mkv_control *ret,
		      struct mkv_error *err)
{
	__attribute__((
		cleanup(mkv_control_done))) struct mkv_control control = {0};
	if (memchr(text, '\0', size))
		return malformed(err, "contains a NUL byte");
	int rc = parse_fields(text, text + size, &control, err);
	if (rc < 0)
		return rc;
	rc = set_identity(&control, err);
	if (rc < 0)
		return rc;
	*ret = control;
	control = (struct mkv_control){0};
	return 0;
}

void mkv_control_done(struct mkv_control *control)
{
	for (size_t i = 0; i < control->count; i++) {
		free(control->fields[i].name);
		free(control->fields[i].value);
	}
	free(control->fields);
	*control = (struct mkv_control){0};
}

const char *mkv_control_get(const struct mkv_control *control, const char *name)
{
	for (size_t i = 0; i < control->count; i++)
		if (strcasecmp(control->fields[i].name, name) == 0)
			return control->fields[i].value;
	return NULL;
}

static const char *skip_space(const char *at)
{
	while (isspace((unsigned char)*at))
		at++;
	return at;
}

/* Parses "(>= 1.2)"; the position after it, or NULL when it is malformed. */
static const char *parse_restriction(const char *at, struct mkv_relation *to)
{
	at = skip_space(at + 1);
	size_t length = strspn(at, "<>=");
	if (length == 0 || length > 2)
		return NULL;
	memcpy(to->op, at, length);
	to->op[length] = '\0';
	at = skip_space(at + length);
	length = strcspn(at, ") \t\n");
	if (length == 0 || length >= sizeof(to->version))
		return NULL;
	memcpy(to->version, at, length);
	to->version[length] = '\0';
	at = skip_space(at + length);
	return *at == ')' ? at + 1 : NULL;
}

bool mkv_relation_next(const char **at, struct mkv_relation *ret,
		       char *ret_separator)
{
	const char *from = skip_space(*at);
	struct mkv_relation relation = {0};
	char separator = ',';
	if (*from == ',' || *from == '|') {
		separator = *from;
		from = skip_space(from + 1);
	}
	relation.name = from;
	relation.name_length = strcspn(from, " \t\n:(,|[<");
	if (relation.name_length == 0)
		return false;
	from += relation.name_length;
	if (*from == ':')
		from += strcspn(from, " \t\n(,|[<");
	from = skip_space(from);
	if (*from == '(')
		from = parse_restriction(from, &relation);
	if (!from)
		return false;
	/* Architecture lists and build profiles: source packages only. */
	from += strcspn(from, ",|");
	*ret = relation;
	*ret_separator = separator;
	*at = from;
	return true;
}

bool mkv_relation_holds(const struct mkv_relation *relation, const char *name,
			const char *version)
{
	if (strlen(name) != relation->name_length ||
	    memcmp(name, relation->name, relation->name_length) != 0)
		return false;
	int order = relation->op[0]
			    ? mkv_version_compare(version, relation->version)
			    : 0;
	switch (relation->op[0]) {
	case '\0':
		return true;
	case '=':
		return order == 0;
	case '<': /* obsolete "<" means "<=", as obsolete ">" means ">=" */
		return relation->op[1] == '<' ? order < 0 : order <= 0;
	default:
		return relation->op[1] == '>' ? order > 0 : order >= 0;
	}
}

/* Rank of a character that is not a digit: '~' before the end of the text, then
 * letters, then all others. */
static int character_rank(char c)
{
	if (isdigit((unsigned char)c) || c == '\0')
		return 0;
	if (c == '~')
		return -1;
	if (isalpha((unsigned char)c))
		return (unsigned char)c;
	return (unsigned char)c + 256;
}

/* Compares epochs, upstream versions or revisions of the given lengths. */
static int compare_part(const char *a, size_t a_length, const char *b,
			size_t b_length)
{
	const char *a_end = a + a_length, *b_end = b + b_length;
	while (a < a_end || b < b_end) {
		while ((a < a_end && !isdigit((unsigned char)*a)) ||
		       (b < b_end && !isdigit((unsigned char)*b))) {
			int left = a < a_end ? character_rank(*a) : 0;
			int right = b < b_end ? character_rank(*b) : 0;
			if (left != right)
				return left - right;
			a += a < a_end;
			b += b < b_end;
		}
		while (a < a_end && *a == '0')
			a++;
		while (b < b_end && *b == '0')
			b++;
		int first = 0;
		while (a < a_end && b < b_end && isdigit((unsigned char)*a) &&
		       isdigit((unsigned char)*b)) {
			if (first == 0)
				first = *a - *b;
			a++;
			b++;
		}
		if (a < a_end && isdigit((unsigned char)*a))
			return 1;
		if (b < b_end && isdigit((unsigned char)*b))
			return -1;
		if (first != 0)
			return first;
	}
	return 0;
}

struct version_parts {
	const char *epoch, *upstream, *revision;
	size_t epoch_length, upstream_length, revision_length;
};

static struct version_parts split_version(const char *version)
{
	struct version_parts parts = {
		.epoch = "0",
		.epoch_length = 1,
		.upstream = version,
		.revision = "0",
		.revision_length = 1,
	};
	const char *colon = strchr(version, ':');
	if (colon) {
		parts.epoch = version;
		parts.epoch_length = (size_t)(colon - version);
		parts.upstream = colon + 1;
	}
	const char *dash = strrchr(parts.upstream, '-');
	parts.upstream_length =
		dash ? (size_t)(dash - parts.upstream) : strlen(parts.upstream);
	if (dash) {
		parts.revision = dash + 1;
		parts.revision_length = strlen(dash + 1);
	}
	return parts;
}

int mkv_version_compare(const char *a, const char *b)
{
	struct version_parts left = split_version(a), right = split_version(b);
	int order = compare_part(left.epoch, left.epoch_length, right.epoch,
				 right.epoch_length);
	if (order != 0)
		return order;
	order = compare_part(left.upstream, left.upstream_length,
			     right.upstream, right.upstream_length);
	if (order != 0)
		return order;
	return compare_part(left.revision, left.revision_length, right.revision,
			    right.revision_length);
}
