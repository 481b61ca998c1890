/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/tar_split.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <zlib.h>

#include <cmocka.h>

#include "lib/base64.h"
#include "lib/io.h"

#define LONG_NAME                                                              \
	"a/long/folder/name/that/no/ustar/header/can/hold/because/it/has/far/" \
	"more/than/a/hundred/and/fifty/five/characters/before/the/last/slash/" \
	"and/more/than/a/hundred/after/it/which/makes/it/an/extended/header/"  \
	"a-file-with-a-very-long-name-indeed-that-is-not-yet-long-enough.txt"

static const struct {
	const char *name, *data;
	mode_t type;
} files[] = {
	{"./", "", AE_IFDIR},
	{"usr/", "", AE_IFDIR},
	{"usr/empty", "", AE_IFREG},
	{"usr/hello", "hello, world\n", AE_IFREG},
	{"usr/link", "", AE_IFLNK},
	{LONG_NAME, "content of the long one", AE_IFREG},
	{"usr/quote\"back\\slash", "x", AE_IFREG},
	{"usr/latin-\xe9", "y", AE_IFREG},
};
enum { FILES = sizeof(files) / sizeof(*files) };

/* Written by libarchive, an independent writer. */
static void write_tar(int fd, int format)
{
	struct archive *archive = archive_write_new();
	archive_write_set_format(archive, format);
	archive_write_set_options(archive, "hdrcharset=BINARY");
	assert_int_equal(archive_write_open_fd(archive, fd), ARCHIVE_OK);
	for (size_t i = 0; i < FILES; i++) {
		struct archive_entry *entry = archive_entry_new();
		archive_entry_set_pathname(entry, files[i].name);
		archive_entry_set_filetype(entry, files[i].type);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry,
				       (la_int64_t)strlen(files[i].data));
		if (files[i].type == AE_IFLNK)
			archive_entry_set_symlink(entry, "hello");
		assert_true(archive_write_header(archive, entry) >=
			    ARCHIVE_WARN);
		archive_write_data(archive, files[i].data,
				   strlen(files[i].data));
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static int split_tar(int tar_fd, uint64_t size, struct mkv_buf *ret,
		     uint64_t *ret_bytes, struct mkv_error *err)
{
	auto_fd int fd = memfd_create("split", 0);
	auto_gzip struct mkv_gzip *gzip = NULL;
	struct mkv_sha256 sha256;
	uint64_t written;
	assert_int_equal(mkv_gzip_new(fd, MKV_GZIP_STORED, &gzip, err), 0);
	int rc = mkv_tar_split(tar_fd, size, gzip, ret_bytes, err);
	if (rc < 0)
		return rc;
	assert_int_equal(mkv_gzip_finish(gzip, &sha256, &written, err), 0);
	lseek(fd, 0, SEEK_SET);
	gzFile in = gzdopen(dup(fd), "rb");
	char chunk[4096];
	for (int n; (n = gzread(in, chunk, sizeof(chunk))) > 0;)
		mkv_buf_add(ret, chunk, (size_t)n);
	gzclose(in);
	return 0;
}

static const char *data_of(const char *name)
{
	for (size_t i = 0; i < FILES; i++)
		if (strcmp(files[i].name, name) == 0)
			return files[i].data;
	fail_msg("no file '%s'", name);
	return NULL;
}

/* Assembles the stream as Docker does. */
static void assemble_tar(const char *lines, struct mkv_buf *ret)
{
	json_int_t position = 0;
	while (*lines) {
		struct mkv_error err;
		size_t length = strcspn(lines, "\n");
		json_t *line = json_loadb(lines, length, 0, NULL);
		assert_non_null(line);
		lines += length + 1;
		assert_int_equal(
			json_integer_value(json_object_get(line, "position")),
			position++);
		json_t *payload = json_object_get(line, "payload");
		auto_buf struct mkv_buf bytes = {0}, raw_name = {0};
		if (json_is_string(payload))
			assert_int_equal(
				mkv_base64_read(json_string_value(payload),
						json_string_length(payload),
						&bytes, &err),
				0);
		if (json_integer_value(json_object_get(line, "type")) == 2) {
			mkv_buf_add(ret, bytes.data, bytes.size);
			json_decref(line);
			continue;
		}
		const char *name =
			json_string_value(json_object_get(line, "name"));
		if (!name) {
			json_t *raw = json_object_get(line, "name_raw");
			assert_int_equal(
				mkv_base64_read(json_string_value(raw),
						json_string_length(raw),
						&raw_name, &err),
				0);
			name = raw_name.data;
		}
		const char *data = data_of(name);
		json_t *size = json_object_get(line, "size");
		assert_int_equal(json_integer_value(size), strlen(data));
		if (*data) {
			uint64_t crc = mkv_crc64(0, data, strlen(data));
			assert_int_equal(bytes.size, 8);
			for (unsigned i = 0; i < 8; i++)
				assert_int_equal(
					(uint8_t)bytes.data[i],
					(uint8_t)(crc >> (56 - 8 * i)));
		} else {
			assert_true(json_is_null(payload));
			assert_null(size);
		}
		mkv_buf_str(ret, data);
		json_decref(line);
	}
}

static void the_stream_comes_back_byte_for_byte(void **state)
{
	(void)state;
	static const int formats[] = {ARCHIVE_FORMAT_TAR_PAX_RESTRICTED,
				      ARCHIVE_FORMAT_TAR_GNUTAR};
	for (size_t i = 0; i < 2; i++) {
		struct mkv_error err = {0};
		auto_fd int fd = memfd_create("tar", 0);
		auto_buf struct mkv_buf tar = {0}, lines = {0}, back = {0};
		uint64_t bytes;
		write_tar(fd, formats[i]);
		lseek(fd, 0, SEEK_SET);
		assert_int_equal(mkv_read_fd(fd, 1 << 24, &tar, &err), 0);
		if (split_tar(fd, tar.size, &lines, &bytes, &err) < 0)
			fail_msg("%s", err.message);
		assert_int_equal(bytes, 13 + 23 + 1 + 1);
		assemble_tar(lines.data, &back);
		assert_int_equal(back.size, tar.size);
		assert_memory_equal(back.data, tar.data, tar.size);
	}
}

static void streams_that_are_not_tar_are_refused(void **state)
{
	(void)state;
	static const struct {
		size_t offset, cut;
		const char *bytes, *says;
	} table[] = {
		{0, 100, NULL, "truncated"},
		{0, 512, NULL, "truncated"},
		{124, 0, "9zz", "not octal"},
		{124, 0, "\xff\xff\xff\xff\xff\xff\xff\xff", "too large"},
		{512 + 124, 0, "77777777777", "truncated"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct mkv_error err = {0};
		auto_fd int fd = memfd_create("tar", 0);
		auto_buf struct mkv_buf lines = {0};
		uint64_t bytes, size = table[i].cut;
		write_tar(fd, ARCHIVE_FORMAT_TAR_GNUTAR);
		if (!size)
			size = (uint64_t)lseek(fd, 0, SEEK_END);
		/* The second header becomes that of a regular file. */
		assert_int_equal(pwrite(fd, "0", 1, 512 + 156), 1);
		if (table[i].bytes)
			assert_int_equal(pwrite(fd, table[i].bytes,
						strlen(table[i].bytes),
						(off_t)table[i].offset),
					 (ssize_t)strlen(table[i].bytes));
		int rc = split_tar(fd, size, &lines, &bytes, &err);
		if (rc != -EINVAL)
			fail_msg("row %zu: %d", i, rc);
		assert_non_null(strstr(err.message, table[i].says));
	}
}

static void crc64_is_that_of_go(void **state)
{
	(void)state;
	assert_true(mkv_crc64(0, "123456789", 9) == 0xb90956c775a41001);
	uint64_t parts = mkv_crc64(mkv_crc64(0, "1234", 4), "56789", 5);
	assert_true(parts == 0xb90956c775a41001);
	assert_true(mkv_crc64(0, "", 0) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stream_comes_back_byte_for_byte),
		cmocka_unit_test(streams_that_are_not_tar_are_refused),
		cmocka_unit_test(crc64_is_that_of_go),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
