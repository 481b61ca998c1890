/* SPDX-License-Identifier: MIT */
#include "lib/buf.h"

#include <stdarg.h>
#include <string.h>

void mkv_buf_done(struct mkv_buf *buf)
{
	free(buf->data);
	*buf = (struct mkv_buf){0};
}

static bool reserve(struct mkv_buf *buf, size_t more)
{
	if (buf->failed)
		return false;
	size_t need;
	if (__builtin_add_overflow(buf->size, more, &need) ||
	    __builtin_add_overflow(need, 1, &need)) {
		buf->failed = true;
		return false;
	}
	if (need <= buf->capacity)
		return true;
	size_t capacity = buf->capacity ? buf->capacity : 64;
	while (capacity < need)
		if (__builtin_mul_overflow(capacity, 2, &capacity))
			capacity = need;
	char *data = realloc(buf->data, capacity);
	if (!data) {
		buf->failed = true;
		return false;
	}
	buf->data = data;
	buf->capacity = capacity;
	return true;
}

void *mkv_buf_extend(struct mkv_buf *buf, size_t size)
{
	if (!reserve(buf, size))
		return NULL;
	char *at = buf->data + buf->size;
	memset(at, 0, size + 1);
	buf->size += size;
	return at;
}

void mkv_buf_add(struct mkv_buf *buf, const void *data, size_t size)
{
	if (!reserve(buf, size))
		return;
	if (size)
		memcpy(buf->data + buf->size, data, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void mkv_buf_str(struct mkv_buf *buf, const char *text)
{
	mkv_buf_add(buf, text, strlen(text));
}

void mkv_buf_char(struct mkv_buf *buf, char c)
{
	mkv_buf_add(buf, &c, 1);
}

void mkv_buf_fill(struct mkv_buf *buf, char byte, size_t count)
{
	char *at = mkv_buf_extend(buf, count);
	if (at && count)
		memset(at, byte, count);
}

void mkv_buf_printf(struct mkv_buf *buf, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	va_list again;
	va_copy(again, ap);
	int need = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (need < 0 || !reserve(buf, (size_t)need)) {
		buf->failed = true;
		va_end(again);
		return;
	}
	(void)vsnprintf(buf->data + buf->size, (size_t)need + 1, format, again);
	va_end(again);
	buf->size += (size_t)need;
}

int mkv_buf_check(const struct mkv_buf *buf, struct mkv_error *err)
{
	return buf->failed ? mkv_oom(err) : 0;
}

char *mkv_buf_take(struct mkv_buf *buf)
{
	char *text = NULL;
	if (!buf->failed)
		text = buf->data ? mkv_take(buf->data) : strdup("");
	mkv_buf_done(buf);
	return text;
}
