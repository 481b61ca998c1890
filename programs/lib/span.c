/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/random.h"
#include "lib/utf8.h"
#include "programs/lib/trace.h"
#include "programs/lib/trace_queue.h"

/* Seeded by the kernel once per thread, so that an id needs no system call. */
static uint64_t next_random(void)
{
	static _Thread_local struct mkv_random random;
	uint64_t *s = random.s;
	if (!(s[0] | s[1] | s[2] | s[3]) &&
	    getrandom(s, sizeof(random.s), 0) != sizeof(random.s))
		s[0] = (uint64_t)mkv_clock_ns(CLOCK_MONOTONIC) | 1;
	return mkv_random_next(&random);
}

static void random_id(uint8_t *id, size_t size)
{
	for (size_t at = 0; at < size; at += 8) {
		uint64_t word = next_random();
		memcpy(id + at, &word, 8);
	}
	id[size - 1] |= !id[size - 1]; /* never all zero */
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

static bool read_hex(const char *text, uint8_t *ret, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		int high = hex_digit(text[2 * i]);
		int low = high < 0 ? -1 : hex_digit(text[2 * i + 1]);
		if (low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

bool mkv_traceparent_parse(const char *text, struct mkv_trace_context *ret)
{
	struct mkv_trace_context context = {0};
	uint8_t version, flags;
	*ret = context;
	if (!text || strnlen(text, 56) < 55 || text[2] != '-' ||
	    text[35] != '-' || text[52] != '-' ||
	    !read_hex(text, &version, 1) || version == 0xff ||
	    (version == 0 ? text[55] != '\0'
			  : text[55] != '\0' && text[55] != '-') ||
	    !read_hex(text + 3, context.trace_id, 16) ||
	    !read_hex(text + 36, context.span_id, 8) ||
	    !read_hex(text + 53, &flags, 1) || is_zero(context.trace_id, 16) ||
	    is_zero(context.span_id, 8))
		return false;
	context.sampled = flags & 1;
	*ret = context;
	return true;
}

static void write_hex(const uint8_t *bytes, size_t size, char *ret)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < size; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
}

void mkv_traceparent_print(const struct mkv_trace_context *context,
			   char ret[static 56])
{
	memcpy(ret, "00-", 3);
	write_hex(context->trace_id, 16, ret + 3);
	ret[35] = '-';
	write_hex(context->span_id, 8, ret + 36);
	memcpy(ret + 52, context->sampled ? "-01" : "-00", 4);
}

void mkv_span_begin(struct mkv_span *span, const char *name,
		    enum mkv_span_kind kind,
		    const struct mkv_trace_context *parent)
{
	bool has_parent = parent && !is_zero(parent->trace_id, 16);
	span->name = name;
	span->kind = kind;
	span->is_error = false;
	span->n_attributes = 0;
	memset(span->parent_id, 0, sizeof(span->parent_id));
	if (has_parent) {
		span->context = *parent;
		memcpy(span->parent_id, parent->span_id, 8);
	} else {
		random_id(span->context.trace_id, 16);
		span->context.sampled = true;
	}
	random_id(span->context.span_id, 8);
	span->start_ns = mkv_clock_ns(CLOCK_REALTIME);
	span->started_ns = mkv_clock_ns(CLOCK_MONOTONIC);
}

static struct mkv_span_attribute *add_attribute(struct mkv_span *span,
						const char *key)
{
	if (span->n_attributes == MKV_SPAN_ATTRIBUTES_MAX)
		return NULL;
	struct mkv_span_attribute *attribute =
		&span->attributes[span->n_attributes++];
	attribute->key = key;
	return attribute;
}

void mkv_span_number(struct mkv_span *span, const char *key, int64_t value)
{
	struct mkv_span_attribute *attribute = add_attribute(span, key);
	if (!attribute)
		return;
	attribute->is_text = false;
	attribute->number = value;
}

void mkv_span_text(struct mkv_span *span, const char *key, const char *value)
{
	struct mkv_span_attribute *attribute = add_attribute(span, key);
	if (!attribute)
		return;
	attribute->is_text = true;
	(void)snprintf(attribute->text, sizeof(attribute->text), "%s", value);
	mkv_utf8_make_valid(attribute->text);
}

void mkv_span_end(struct mkv_span *span)
{
	span->duration_ns = mkv_clock_ns(CLOCK_MONOTONIC) - span->started_ns;
	mkv_trace_put(span);
}

unsigned mkv_otlp_flags(const struct mkv_span *span)
{
	bool is_remote = span->kind == MKV_SPAN_SERVER &&
			 !is_zero(span->parent_id, sizeof(span->parent_id));
	return (unsigned)span->context.sampled | 0x100 |
	       (is_remote ? 0x200 : 0);
}
