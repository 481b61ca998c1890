/* SPDX-License-Identifier: MIT */
#include "lib/listing.h"

#include <string.h>

#include "lib/buf.h"

/* The rest of one line, consumed from the left. */
struct cursor {
	const char *at, *end;
	struct mkv_buf text; /* unescaped strings, each with its NUL */
};

struct parser {
	struct mkv_buf last;	  /* path of the previous line */
	struct mkv_buf directory; /* path of the last directory */
	bool started;
};

static bool take_char(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

/* Decimal without leading zeros. */
static bool take_number(struct cursor *cursor, uint64_t limit, uint64_t *ret)
{
	const char *start = cursor->at;
	uint64_t value = 0;
	for (; cursor->at < cursor->end && *cursor->at >= '0' &&
	       *cursor->at <= '9';
	     cursor->at++) {
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *cursor->at - '0', &value))
			return false;
	}
	if (cursor->at == start || value > limit ||
	    (*start == '0' && cursor->at - start > 1))
		return false;
	*ret = value;
	return true;
}

static bool take_u32(struct cursor *cursor, uint32_t *ret)
{
	uint64_t value;
	if (!take_number(cursor, UINT32_MAX, &value))
		return false;
	*ret = (uint32_t)value;
	return true;
}

static bool take_mode(struct cursor *cursor, unsigned *ret)
{
	if (cursor->end - cursor->at < 4)
		return false;
	*ret = 0;
	for (int i = 0; i < 4; i++) {
		char c = *cursor->at++;
		if (c < '0' || c > '7')
			return false;
		*ret = *ret * 8 + (unsigned)(c - '0');
	}
	return true;
}

static bool take_time(struct cursor *cursor, int64_t *ret)
{
	bool negative = take_char(cursor, '-');
	uint64_t value;
	if (!take_number(cursor, INT64_MAX, &value) || (negative && !value))
		return false;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return true;
}

static int digit(char c, char letter)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= letter && c < letter + 6)
		return c - letter + 10;
	return -1;
}

/* Takes two hexadecimal digits, whose letters begin at `letter`; -1: not found.
 */
static int take_byte(struct cursor *cursor, char letter)
{
	if (cursor->end - cursor->at < 2)
		return -1;
	int high = digit(cursor->at[0], letter);
	int low = digit(cursor->at[1], letter);
	if (high < 0 || low < 0)
		return -1;
	cursor->at += 2;
	return high << 4 | low;
}

/* SIZE, MAJOR:MINOR or -. */
static bool take_size(struct cursor *cursor, struct mkv_listing_entry *entry)
{
	if (take_char(cursor, '-'))
		return true;
	if (!take_number(cursor, INT64_MAX, &entry->size_bytes))
		return false;
	if (!take_char(cursor, ':')) {
		entry->has_size = true;
		return true;
	}
	if (entry->size_bytes > UINT32_MAX)
		return false;
	entry->major = (uint32_t)entry->size_bytes;
	entry->size_bytes = 0;
	entry->has_device = true;
	return take_u32(cursor, &entry->minor);
}

static bool take_digest(struct cursor *cursor, struct mkv_listing_entry *entry)
{
	if (!entry->has_size)
		return take_char(cursor, '-');
	for (size_t i = 0; i < MKV_SHA256_SIZE; i++) {
		int byte = take_byte(cursor, 'a');
		if (byte < 0)
			return false;
		entry->sha256.bytes[i] = (uint8_t)byte;
	}
	return true;
}

/* Takes an escaped string of at least one byte up to a space, the line's end or
 * `stop`. An escape that is not necessary is refused. *ret is the string's
 * offset in cursor->text. */
static bool take_string(struct cursor *cursor, char stop, size_t *ret)
{
	*ret = cursor->text.size;
	while (cursor->at < cursor->end && *cursor->at != ' ' &&
	       (!stop || *cursor->at != stop)) {
		int c = (unsigned char)*cursor->at++;
		if (c == '%') {
			c = take_byte(cursor, 'A');
			if (c <= 0 || (c >= '!' && c <= '~' && c != '%' &&
				       !(stop && c == stop)))
				return false;
		} else if (c < '!' || c > '~') {
			return false;
		}
		mkv_buf_char(&cursor->text, (char)c);
	}
	bool any = cursor->text.size > *ret;
	mkv_buf_char(&cursor->text, '\0');
	return any;
}

struct xattr_at {
	size_t name, value, size;
};

static bool take_xattr(struct cursor *cursor, struct xattr_at *ret)
{
	if (!take_string(cursor, '=', &ret->name) || !take_char(cursor, '='))
		return false;
	ret->value = cursor->text.size;
	while (cursor->at < cursor->end && *cursor->at != ' ') {
		int byte = take_byte(cursor, 'a');
		if (byte < 0)
			return false;
		mkv_buf_char(&cursor->text, (char)byte);
	}
	ret->size = cursor->text.size - ret->value;
	return true;
}

static bool is_valid_path(const char *path, size_t size)
{
	if (path[0] != '/' || size > MKV_LISTING_PATH_MAX)
		return false;
	if (size == 1)
		return true;
	for (const char *at = path; *at;) {
		at++;
		size_t length = strcspn(at, "/");
		if (length == 0 || length > 255 ||
		    (length <= 2 && strspn(at, ".") >= length))
			return false;
		at += length;
	}
	return true;
}

/* The order of a tree walk: bytewise, with the end of a component before any
 * other byte. */
static int compare_paths(const char *a, const char *b)
{
	for (; *a && *a == *b; a++, b++)
		;
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* The parent of `path` was listed if it is the last directory or one of its
 * parents. */
static bool has_listed_parent(const struct parser *parser, const char *path)
{
	size_t length = (size_t)(strrchr(path, '/') - path);
	return parser->directory.size >= length &&
	       strncmp(parser->directory.data, path, length) == 0 &&
	       (length == 0 || length == parser->directory.size ||
		parser->directory.data[length] == '/');
}

static void replace_text(struct mkv_buf *buf, const char *text)
{
	buf->size = 0;
	mkv_buf_str(buf, text);
}

static const char *check_place(struct parser *parser,
			       const struct mkv_listing_entry *entry)
{
	const char *path = entry->path;
	if (!is_valid_path(path, strlen(path)))
		return "not a path of a tree";
	if (!parser->started) {
		if (path[1] != '\0' || entry->type != 'd')
			return "the first line is not the root directory";
	} else {
		if (compare_paths(parser->last.data, path) >= 0)
			return "out of order";
		if (!has_listed_parent(parser, path))
			return "its directory is not listed before it";
	}
	if (entry->type == 'h' &&
	    (!is_valid_path(entry->target, strlen(entry->target)) ||
	     compare_paths(entry->target, path) >= 0))
		return "a hard link to a path that is not listed before it";
	parser->started = true;
	replace_text(&parser->last, path);
	if (entry->type == 'd')
		replace_text(&parser->directory, path);
	if (parser->last.failed || parser->directory.failed)
		return "out of memory";
	return NULL;
}

/* Whether an entry has the columns of its type. */
static bool is_consistent(const struct mkv_listing_entry *entry)
{
	switch (entry->type) {
	case 'd':
	case 'l':
	case 'p':
		return !entry->has_size && !entry->has_device;
	case 'f':
		return entry->has_size;
	case 'c':
	case 'b':
		return entry->has_device;
	case 'h':
		return true;
	default:
		return false;
	}
}

static bool take_xattrs(struct cursor *cursor,
			struct xattr_at xattrs[MKV_LISTING_XATTRS_MAX],
			size_t *ret_count)
{
	*ret_count = 0;
	while (cursor->at < cursor->end) {
		if (*ret_count == MKV_LISTING_XATTRS_MAX ||
		    !take_char(cursor, ' ') ||
		    !take_xattr(cursor, &xattrs[*ret_count]))
			return false;
		++*ret_count;
	}
	return true;
}

static const char *parse_line(struct parser *parser, struct cursor *cursor,
			      struct mkv_listing_entry *entry,
			      struct mkv_listing_xattr *xattrs)
{
	if (cursor->at == cursor->end)
		return "empty";
	entry->type = *cursor->at++;
	if (!take_char(cursor, ' ') || !take_mode(cursor, &entry->mode) ||
	    !take_char(cursor, ' ') || !take_u32(cursor, &entry->uid) ||
	    !take_char(cursor, ' ') || !take_u32(cursor, &entry->gid) ||
	    !take_char(cursor, ' ') || !take_size(cursor, entry) ||
	    !take_char(cursor, ' ') || !take_time(cursor, &entry->mtime_s) ||
	    !take_char(cursor, ' ') || !take_digest(cursor, entry) ||
	    !take_char(cursor, ' '))
		return "malformed columns";
	if (!is_consistent(entry))
		return "columns that do not fit its type";
	size_t path, target = 0;
	bool has_target = entry->type == 'l' || entry->type == 'h';
	struct xattr_at at[MKV_LISTING_XATTRS_MAX];
	if (!take_string(cursor, '\0', &path) ||
	    (has_target && (!take_char(cursor, ' ') ||
			    !take_string(cursor, '\0', &target))) ||
	    !take_xattrs(cursor, at, &entry->n_xattrs) ||
	    (entry->type == 'h' && entry->n_xattrs))
		return "malformed path, target or attributes";
	if (cursor->text.failed)
		return "out of memory";
	const char *text = cursor->text.data;
	entry->path = text + path;
	entry->target = has_target ? text + target : NULL;
	entry->xattrs = xattrs;
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		xattrs[i] = (struct mkv_listing_xattr){
			text + at[i].name, (const uint8_t *)text + at[i].value,
			at[i].size};
		if (i && strcmp(xattrs[i - 1].name, xattrs[i].name) >= 0)
			return "attributes out of order";
	}
	return check_place(parser, entry);
}

static void parser_done(struct parser *parser)
{
	mkv_buf_done(&parser->last);
	mkv_buf_done(&parser->directory);
}

static void cursor_done(struct cursor *cursor)
{
	mkv_buf_done(&cursor->text);
}

int mkv_listing_parse(const char *text, size_t size, mkv_listing_visit *visit,
		      void *context, struct mkv_error *err)
{
	__attribute__((cleanup(parser_done))) struct parser parser = {0};
	__attribute__((cleanup(cursor_done))) struct cursor cursor = {0};
	const char *at = text, *end = text + size;
	for (size_t line = 1; at < end; line++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (!newline || newline - at > MKV_LISTING_LINE_MAX)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"line %zu: %s", line,
					newline ? "too long" : "unfinished");
		cursor.at = at;
		cursor.end = newline;
		cursor.text.size = 0;
		struct mkv_listing_entry entry = {0};
		struct mkv_listing_xattr xattrs[MKV_LISTING_XATTRS_MAX];
		const char *wrong =
			parse_line(&parser, &cursor, &entry, xattrs);
		if (wrong)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"line %zu: %s", line, wrong);
		int rc = visit(&entry, context, err);
		if (rc < 0)
			return rc;
		at = newline + 1;
	}
	if (!parser.started)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "empty list");
	return 0;
}
