/* SPDX-License-Identifier: MIT */
#pragma once
/* A growable byte buffer. A zeroed struct is an empty buffer. An append that
 * fails sets `failed` and changes nothing else, and later appends are ignored:
 * a sequence of appends needs one check, by mkv_buf_check(). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct mkv_buf {
	char *data; /* NULL before the first append; then data[size] is NUL */
	size_t size;
	size_t capacity;
	bool failed;
};

void mkv_buf_done(struct mkv_buf *buf) mkv_nonnull(1);
#define auto_buf __attribute__((cleanup(mkv_buf_done)))

void mkv_buf_add(struct mkv_buf *buf, const void *data, size_t size)
	mkv_nonnull(1);
void mkv_buf_str(struct mkv_buf *buf, const char *text) mkv_nonnull(1, 2);
void mkv_buf_char(struct mkv_buf *buf, char c) mkv_nonnull(1);
void mkv_buf_printf(struct mkv_buf *buf, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
void mkv_buf_fill(struct mkv_buf *buf, char byte, size_t count) mkv_nonnull(1);

/* Appends `size` zero bytes and returns a pointer to them, valid until the next
 * append; NULL when out of memory. */
void *mkv_buf_extend(struct mkv_buf *buf, size_t size) mkv_nonnull(1);

/* 0, or -ENOMEM when any append failed. */
int mkv_buf_check(const struct mkv_buf *buf,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* The text, owned by the caller; "" for an empty buffer; NULL when out of
 * memory. The buffer is empty afterwards. */
char *mkv_buf_take(struct mkv_buf *buf) mkv_must_check mkv_nonnull(1);
