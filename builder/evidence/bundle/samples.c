/* SPDX-License-Identifier: MIT */
#include "builder/evidence/bundle/samples.h"

#include <string.h>

#include "builder/format/archive/unzstd.h"
#include "lib/utf8.h"

enum { CHUNK = 64 * 1024, DEPTH_MAX = 32 };

struct reading {
	struct mkv_unzstd *stream;
	const struct mkv_samples_visitor *visitor;
	void *context;
	struct mkv_error *err;
	int rc;
	char *chunk;
	size_t at, size;
	uint64_t offset; /* of the chunk */
	bool is_end;
	struct mkv_buf text, value; /* of the last strings */
};

static void bad(struct reading *r, const char *why)
{
	if (r->rc >= 0)
		r->rc = mkv_fail(r->err, MKV_UNVERIFIED, EBADMSG,
				 "byte %ju: %s", (uintmax_t)(r->offset + r->at),
				 why);
}

/* The next byte, which stays; -1 at the end and after a mistake. */
static int peek(struct reading *r)
{
	if (r->rc >= 0 && r->at == r->size && !r->is_end) {
		r->offset += r->size;
		r->at = r->size = 0;
		r->rc = mkv_unzstd_read(r->stream, r->chunk, CHUNK, &r->size,
					r->err);
		r->is_end = r->rc >= 0 && r->size == 0;
	}
	if (r->rc < 0 || r->is_end)
		return -1;
	return (unsigned char)r->chunk[r->at];
}

static int peek_token(struct reading *r)
{
	int c = peek(r);
	while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
		r->at++;
		c = peek(r);
	}
	return c;
}

static bool take(struct reading *r, char wanted)
{
	if (peek_token(r) != wanted)
		return false;
	r->at++;
	return true;
}

static void expect(struct reading *r, char wanted)
{
	char why[] = "expected ' '";
	why[sizeof(why) - 3] = wanted;
	if (!take(r, wanted))
		bad(r, why);
}

static void add_character(struct reading *r, struct mkv_buf *into, uint32_t c)
{
	if (c < 0x80) {
		mkv_buf_char(into, (char)c);
	} else if (c < 0x800) {
		mkv_buf_char(into, (char)(0xc0 | c >> 6));
		mkv_buf_char(into, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		mkv_buf_char(into, (char)(0xe0 | c >> 12));
		mkv_buf_char(into, (char)(0x80 | (c >> 6 & 0x3f)));
		mkv_buf_char(into, (char)(0x80 | (c & 0x3f)));
	} else {
		mkv_buf_char(into, (char)(0xf0 | c >> 18));
		mkv_buf_char(into, (char)(0x80 | (c >> 12 & 0x3f)));
		mkv_buf_char(into, (char)(0x80 | (c >> 6 & 0x3f)));
		mkv_buf_char(into, (char)(0x80 | (c & 0x3f)));
	}
	if (c == 0)
		bad(r, "a text with NUL");
}

static uint32_t read_hex(struct reading *r)
{
	uint32_t value = 0;
	for (int i = 0; i < 4; i++) {
		int c = peek(r);
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0) {
			bad(r, "an escape that isn't valid");
			return '?';
		}
		value = value << 4 | (uint32_t)digit;
		r->at++;
	}
	return value;
}

static void read_escape(struct reading *r, struct mkv_buf *into)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int c = peek(r);
	const char *found = c > 0 ? strchr(from, c) : NULL;
	r->at += c >= 0;
	if (found) {
		mkv_buf_char(into, to[found - from]);
		return;
	}
	if (c != 'u') {
		bad(r, "an escape that isn't valid");
		return;
	}
	uint32_t unit = read_hex(r);
	if (unit >= 0xd800 && unit < 0xdc00) {
		bool pair = peek(r) == '\\';
		r->at += pair;
		pair = pair && peek(r) == 'u';
		r->at += pair;
		uint32_t low = pair ? read_hex(r) : 0;
		if (low < 0xdc00 || low > 0xdfff)
			bad(r, "half a surrogate pair");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low & 0x3ff);
	} else if (unit >= 0xdc00 && unit < 0xe000) {
		bad(r, "half a surrogate pair");
	}
	if (r->rc >= 0)
		add_character(r, into, unit);
}

/* Replaces the contents of `into`. */
static void read_text(struct reading *r, struct mkv_buf *into)
{
	into->size = 0;
	expect(r, '"');
	for (int c = peek(r); r->rc >= 0 && c != '"'; c = peek(r)) {
		if (c < 0x20) {
			bad(r, c < 0 ? "ends inside a text"
				     : "a control character in a text");
			return;
		}
		if (into->size >= MKV_SAMPLES_TEXT_MAX) {
			bad(r, "a text that is too long");
			return;
		}
		r->at++;
		if (c == '\\')
			read_escape(r, into);
		else
			mkv_buf_char(into, (char)c);
	}
	r->at += r->rc >= 0;
	if (into->failed)
		r->rc = mkv_oom(r->err);
	else if (into->size && !mkv_utf8_is_valid(into->data, into->size))
		bad(r, "a text that isn't UTF-8");
	/* An empty text has no bytes yet. */
	if (!into->data)
		mkv_buf_char(into, '\0'), into->size = 0;
	if (into->data)
		into->data[into->size] = '\0';
}

/* A number, true, false or null, as it stands there. */
static void read_word(struct reading *r, struct mkv_buf *into)
{
	into->size = 0;
	for (int c = peek_token(r);
	     c > 0 && strchr("0123456789+-.eEtrufalsn", c); c = peek(r)) {
		if (into->size > 64) {
			bad(r, "a number that is too long");
			return;
		}
		mkv_buf_char(into, (char)c);
		r->at++;
	}
	if (into->failed)
		r->rc = mkv_oom(r->err);
	else if (into->size == 0)
		bad(r, "expected a value");
}

static void skip_value(struct reading *r, unsigned depth)
{
	int c = peek_token(r);
	if (depth > DEPTH_MAX)
		bad(r, "nested too deeply");
	if (r->rc < 0)
		return;
	if (c == '"') {
		read_text(r, &r->value);
		return;
	}
	if (c != '{' && c != '[') {
		read_word(r, &r->value);
		return;
	}
	r->at++;
	char stop = c == '{' ? '}' : ']';
	if (take(r, stop))
		return;
	do {
		if (c == '{') {
			read_text(r, &r->value);
			expect(r, ':');
		}
		skip_value(r, depth + 1);
	} while (r->rc >= 0 && take(r, ','));
	expect(r, stop);
}

/* Calls `member` for each key of an object; it reads the value. */
static void read_object(struct reading *r,
			void (*member)(struct reading *, const char *, void *),
			void *context)
{
	expect(r, '{');
	if (take(r, '}'))
		return;
	do {
		read_text(r, &r->text);
		expect(r, ':');
		if (r->rc >= 0)
			member(r, r->text.data, context);
	} while (r->rc >= 0 && take(r, ','));
	expect(r, '}');
}

static void read_array(struct reading *r,
		       void (*item)(struct reading *, void *), void *context)
{
	expect(r, '[');
	if (take(r, ']'))
		return;
	do
		item(r, context);
	while (r->rc >= 0 && take(r, ','));
	expect(r, ']');
}

/* The labels of the current series: texts one after another, with NULs. */
struct series {
	struct mkv_buf texts;
	size_t count;
	bool is_begun;
};

static void read_label(struct reading *r, const char *name, void *context)
{
	struct series *series = context;
	if (series->count == MKV_SAMPLES_LABELS_MAX) {
		bad(r, "a series with too many labels");
		return;
	}
	mkv_buf_add(&series->texts, name, strlen(name) + 1);
	read_text(r, &r->value);
	if (r->rc < 0)
		return;
	mkv_buf_add(&series->texts, r->value.data, r->value.size + 1);
	series->count++;
	if (series->texts.failed)
		r->rc = mkv_oom(r->err);
}

static void begin_series(struct reading *r, struct series *series)
{
	struct mkv_samples_label labels[MKV_SAMPLES_LABELS_MAX];
	const char *at = series->texts.data;
	for (size_t i = 0; i < series->count; i++) {
		labels[i].name = at;
		labels[i].value = at + strlen(at) + 1;
		at = labels[i].value + strlen(labels[i].value) + 1;
	}
	series->is_begun = true;
	r->rc = r->visitor->series(labels, series->count, r->context, r->err);
}

static void read_sample(struct reading *r, void *context)
{
	(void)context;
	expect(r, '[');
	read_word(r, &r->text);
	expect(r, ',');
	read_text(r, &r->value);
	expect(r, ']');
	if (r->rc < 0)
		return;
	if (!strchr("0123456789", r->text.data[0])) {
		bad(r, "a time that isn't a number");
		return;
	}
	r->rc = r->visitor->sample(r->text.data, r->value.data, r->context,
				   r->err);
}

static void read_member_of_series(struct reading *r, const char *key,
				  void *context)
{
	struct series *series = context;
	if (strcmp(key, "metric") == 0) {
		if (series->is_begun)
			bad(r, "labels after or beside the samples");
		else
			read_object(r, read_label, series);
		if (r->rc >= 0)
			begin_series(r, series);
	} else if (strcmp(key, "values") == 0) {
		if (!series->is_begun)
			bad(r, "samples before their labels");
		else
			read_array(r, read_sample, NULL);
	} else {
		skip_value(r, 0);
	}
}

static void read_series(struct reading *r, void *context)
{
	struct series *series = context;
	series->texts.size = series->count = 0;
	series->is_begun = false;
	read_object(r, read_member_of_series, series);
	if (r->rc >= 0 && !series->is_begun)
		bad(r, "a series without labels");
}

static void expect_text(struct reading *r, const char *wanted)
{
	read_text(r, &r->value);
	if (r->rc >= 0 && strcmp(r->value.data, wanted) != 0)
		bad(r, "isn't a matrix of samples");
}

static void read_member_of_data(struct reading *r, const char *key,
				void *context)
{
	if (strcmp(key, "resultType") == 0)
		expect_text(r, "matrix");
	else if (strcmp(key, "result") == 0)
		read_array(r, read_series, context);
	else
		skip_value(r, 0);
}

static void read_member(struct reading *r, const char *key, void *context)
{
	if (strcmp(key, "status") == 0)
		expect_text(r, "success");
	else if (strcmp(key, "data") == 0)
		read_object(r, read_member_of_data, context);
	else
		skip_value(r, 0);
}

int mkv_samples_read(int fd, const struct mkv_samples_visitor *visitor,
		     void *context, struct mkv_error *err)
{
	auto_unzstd struct mkv_unzstd *stream = NULL;
	auto_free char *chunk = malloc(CHUNK);
	struct series series = {0};
	int rc = mkv_unzstd_new(fd, MKV_SAMPLES_LIMIT_BYTES, &stream, err);
	if (rc < 0)
		return rc;
	struct reading r = {.stream = stream,
			    .visitor = visitor,
			    .context = context,
			    .err = err,
			    .chunk = chunk};
	if (!chunk)
		return mkv_oom(err);
	read_object(&r, read_member, &series);
	if (r.rc >= 0 && peek_token(&r) >= 0)
		bad(&r, "bytes after the end");
	mkv_buf_done(&r.text);
	mkv_buf_done(&r.value);
	mkv_buf_done(&series.texts);
	return r.rc < 0 ? r.rc : 0;
}
