/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include <cmocka.h>

#include "builder/format/oci/deflate.h"
#include "lib/io.h"

enum kind { ZEROS, NOISE, TEXT, RUNS, SKEWED };

static void fill_data(uint8_t *data, size_t size, enum kind kind)
{
	static const char words[] = "usr/share/doc/lib";
	uint32_t state = 12345;
	for (size_t i = 0; i < size; i++) {
		state = state * 1664525 + 1013904223;
		uint8_t noise = (uint8_t)(state >> 24);
		switch (kind) {
		case ZEROS:
			data[i] = 0;
			break;
		case NOISE:
			data[i] = noise;
			break;
		case TEXT:
			data[i] = (uint8_t)words[(i + (noise > 250)) % 17];
			break;
		case RUNS:
			data[i] = (uint8_t)(i / 300 * 37);
			break;
		case SKEWED: /* frequencies like powers of two: long codes */
			data[i] = (uint8_t)__builtin_ctz(state | 1U << 31);
			break;
		}
	}
}

/* Writes in parts of `step` bytes; zlib reads the result. */
static void round_trip(const uint8_t *data, size_t size, size_t step,
		       enum mkv_gzip_level level, struct mkv_buf *ret)
{
	struct mkv_error err;
	auto_fd int fd = memfd_create("gzip", 0);
	auto_gzip struct mkv_gzip *gzip = NULL;
	struct mkv_sha256 sha256, again;
	uint64_t written;
	assert_int_equal(mkv_gzip_new(fd, level, &gzip, &err), 0);
	for (size_t at = 0; at < size; at += step)
		assert_int_equal(
			mkv_gzip_add(gzip, data + at,
				     size - at < step ? size - at : step, &err),
			0);
	assert_int_equal(mkv_gzip_finish(gzip, &sha256, &written, &err), 0);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(mkv_read_fd(fd, 1 << 28, ret, &err), 0);
	assert_int_equal(ret->size, written);
	assert_int_equal(mkv_sha256_bytes(ret->data, ret->size, &again, &err),
			 0);
	assert_true(mkv_sha256_equal(&sha256, &again));

	uint8_t *back = malloc(size + 1);
	z_stream z = {.next_in = (uint8_t *)ret->data,
		      .avail_in = (uInt)ret->size,
		      .next_out = back,
		      .avail_out = (uInt)size + 1};
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	assert_int_equal(z.total_out, size);
	assert_int_equal(z.avail_in, 0);
	assert_memory_equal(back, data, size);
	inflateEnd(&z);
	free(back);
}

static void zlib_reads_what_we_write(void **state)
{
	(void)state;
	static const size_t sizes[] = {0,
				       1,
				       3,
				       4,
				       5,
				       258,
				       259,
				       32768,
				       65535,
				       65536,
				       MKV_GZIP_CHUNK - 1,
				       MKV_GZIP_CHUNK,
				       MKV_GZIP_CHUNK + 1,
				       3 * MKV_GZIP_CHUNK + 17};
	uint8_t *data = malloc(4 * MKV_GZIP_CHUNK);
	for (enum kind kind = ZEROS; kind <= SKEWED; kind++) {
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			auto_buf struct mkv_buf deflated = {0}, stored = {0};
			fill_data(data, sizes[i], kind);
			round_trip(data, sizes[i], 1 << 20, MKV_GZIP_DEFLATE,
				   &deflated);
			round_trip(data, sizes[i], 1 << 20, MKV_GZIP_STORED,
				   &stored);
			assert_true(deflated.size <= stored.size + 64);
		}
	}
	free(data);
}

static void bytes_do_not_depend_on_how_they_came(void **state)
{
	(void)state;
	size_t size = 2 * MKV_GZIP_CHUNK + 333;
	uint8_t *data = malloc(size);
	auto_buf struct mkv_buf whole = {0}, parts = {0};
	fill_data(data, size, TEXT);
	round_trip(data, size, size, MKV_GZIP_DEFLATE, &whole);
	round_trip(data, size, 777, MKV_GZIP_DEFLATE, &parts);
	assert_int_equal(whole.size, parts.size);
	assert_memory_equal(whole.data, parts.data, whole.size);
	assert_true(whole.size < size / 4);
	free(data);
}

static void the_header_has_no_variable_fields(void **state)
{
	(void)state;
	static const uint8_t expected[10] = {0x1f, 0x8b, 8, 0, 0,
					     0,	   0,	 0, 0, 255};
	auto_buf struct mkv_buf out = {0};
	round_trip((const uint8_t *)"abc", 3, 3, MKV_GZIP_DEFLATE, &out);
	assert_memory_equal(out.data, expected, sizeof(expected));
}

static void codes_keep_to_their_limit_and_are_complete(void **state)
{
	(void)state;
	for (unsigned count = 2; count <= 40; count++) {
		uint32_t frequencies[40], a = 1, b = 1;
		uint8_t lengths[40];
		for (unsigned i = 0; i < count; i++) {
			frequencies[i] = a; /* Fibonacci: the deepest tree */
			uint32_t next = a + b;
			a = b;
			b = next;
		}
		for (unsigned limit = 7; limit <= 15; limit += 8) {
			mkv_huffman_lengths(frequencies, count, limit, lengths);
			uint32_t sum = 0;
			for (unsigned i = 0; i < count; i++) {
				assert_in_range(lengths[i], 1, limit);
				sum += 1U << (limit - lengths[i]);
			}
			assert_int_equal(sum, 1U << limit);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zlib_reads_what_we_write),
		cmocka_unit_test(bytes_do_not_depend_on_how_they_came),
		cmocka_unit_test(the_header_has_no_variable_fields),
		cmocka_unit_test(codes_keep_to_their_limit_and_are_complete),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
