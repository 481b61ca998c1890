/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "builder/core/tree/content.h"
#include "lib/io.h"

static const char text[] = "0123456789";

static int file_with(const char *data)
{
	struct mkv_error err;
	int fd = memfd_create("content", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkv_write_all(fd, data, strlen(data), &err), 0);
	return fd;
}

static struct mkv_source *source_with(const char *data)
{
	struct mkv_error err;
	struct mkv_source *source = NULL;
	assert_int_equal(mkv_source_new(file_with(data), &source, &err), 0);
	return source;
}

/* Content in memory and in a range of a file is read in the same way. */
static struct mkv_content *contents[2];

static int set_up(void **state)
{
	(void)state;
	auto_source struct mkv_source *source = source_with("xx0123456789yy");
	contents[0] = mkv_content_bytes(text, 10);
	contents[1] = mkv_content_range(source, 2, 10, NULL);
	return contents[0] && contents[1] ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mkv_content_unref(contents[0]);
	mkv_content_unref(contents[1]);
	return 0;
}

static void reads_are_exact(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mkv_error err;
		char into[11] = "";
		assert_int_equal(mkv_content_size(contents[i]), 10);
		assert_int_equal(
			mkv_content_read(contents[i], 3, into, 4, &err), 0);
		assert_string_equal(into, "3456");
		assert_int_equal(
			mkv_content_read(contents[i], 10, into, 0, &err), 0);
	}
}

static void reads_past_the_end_are_refused(void **state)
{
	(void)state;
	static const struct {
		uint64_t offset;
		size_t size;
	} rows[] = {{0, 11}, {10, 1}, {11, 0}, {UINT64_MAX, 2}, {1, SIZE_MAX}};
	for (size_t i = 0; i < 2; i++)
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
			struct mkv_error err;
			char into[16];
			assert_int_equal(mkv_content_read(contents[i],
							  rows[j].offset, into,
							  rows[j].size, &err),
					 -EINVAL);
			assert_int_equal(mkv_content_copy_range_to(
						 contents[i], rows[j].offset,
						 rows[j].size, 1, 0, &err),
					 -EINVAL);
		}
}

static void copies_have_the_requested_offset(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct mkv_error err;
		auto_fd int fd = file_with("................");
		assert_int_equal(mkv_content_copy_to(contents[i], fd, 3, &err),
				 0);
		assert_int_equal(mkv_content_copy_range_to(contents[i], 8, 2,
							   fd, 0, &err),
				 0);
		char into[17] = "";
		assert_int_equal(mkv_pread_all(fd, into, 16, 0, &err), 0);
		assert_string_equal(into, "89.0123456789...");
	}
}

static void digests_are_of_the_range(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_sha256 expected;
	assert_int_equal(mkv_sha256_bytes(text, 10, &expected, &err), 0);
	for (size_t i = 0; i < 2; i++) {
		struct mkv_sha256 sha;
		assert_int_equal(mkv_content_sha256(contents[i], &sha, &err),
				 0);
		assert_true(mkv_sha256_equal(&sha, &expected));
	}
}

static void a_known_digest_is_not_computed_again(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_sha256 known = {{7}}, sha;
	auto_source struct mkv_source *source = source_with("abc");
	auto_content struct mkv_content *content =
		mkv_content_range(source, 0, 3, &known);
	assert_int_equal(mkv_content_sha256(content, &sha, &err), 0);
	assert_true(mkv_sha256_equal(&sha, &known));
}

static void a_truncated_file_is_an_error(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_sha256 sha;
	char into[8];
	auto_source struct mkv_source *source = source_with("abc");
	auto_content struct mkv_content *content =
		mkv_content_range(source, 1, 5, NULL);
	assert_int_equal(mkv_content_read(content, 0, into, 5, &err), -EIO);
	assert_string_equal(err.message, "file ends 3 bytes early");
	assert_int_equal(mkv_content_sha256(content, &sha, &err), -EIO);
	auto_fd int fd = file_with("");
	assert_int_equal(mkv_content_copy_to(content, fd, 0, &err), -EIO);
}

static void a_source_closes_with_its_last_use(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_source *source = source_with("abc");
	int fd = mkv_source_fd(source);
	struct mkv_content *content = mkv_content_range(source, 0, 3, NULL);
	struct mkv_content *again = mkv_content_ref(content);
	mkv_source_unref(source);
	mkv_content_unref(content);
	char into[3];
	assert_int_equal(mkv_content_read(again, 0, into, 3, &err), 0);
	assert_true(fcntl(fd, F_GETFD) >= 0);
	mkv_content_unref(again);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	mkv_content_unref(NULL);
	mkv_source_unref(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_are_exact),
		cmocka_unit_test(reads_past_the_end_are_refused),
		cmocka_unit_test(copies_have_the_requested_offset),
		cmocka_unit_test(digests_are_of_the_range),
		cmocka_unit_test(a_known_digest_is_not_computed_again),
		cmocka_unit_test(a_truncated_file_is_an_error),
		cmocka_unit_test(a_source_closes_with_its_last_use),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
