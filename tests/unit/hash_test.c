/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "lib/hash.h"
#include "lib/io.h"

/* FIPS 180-4 examples. */
static const struct {
	const char *text, *hex;
} vectors[] = {
	{"",
	 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	{"abc",
	 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void known_digests_come_out(void **state)
{
	(void)state;
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	for (size_t i = 0; i < 3; i++) {
		struct mkv_error err;
		struct mkv_sha256 sha;
		char hex[MKV_SHA256_HEX_SIZE];
		const char *text = vectors[i].text;
		size_t size = strlen(text);
		assert_int_equal(mkv_sha256_bytes(text, size, &sha, &err), 0);
		mkv_sha256_hex(&sha, hex);
		assert_string_equal(hex, vectors[i].hex);
		/* Byte by byte, with a new hasher. */
		for (size_t j = 0; j < size; j++)
			mkv_hasher_add(hasher, text + j, 1);
		assert_int_equal(mkv_hasher_finish(hasher, &sha, &err), 0);
		mkv_sha256_hex(&sha, hex);
		assert_string_equal(hex, vectors[i].hex);
		/* From a file's current position. */
		uint64_t size_bytes;
		auto_fd int fd = memfd_create("hash", MFD_CLOEXEC);
		assert_int_equal(mkv_write_all(fd, "before", 6, &err), 0);
		assert_int_equal(mkv_write_all(fd, text, size, &err), 0);
		assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
		assert_int_equal(mkv_sha256_fd(fd, &sha, &size_bytes, &err), 0);
		assert_int_equal(size_bytes, size);
		mkv_sha256_hex(&sha, hex);
		assert_string_equal(hex, vectors[i].hex);
	}
}

/* Data and holes, at the start, between and at the end, as large as chunks and
 * not. */
static void holes_are_zeros(void **state)
{
	(void)state;
	enum { SIZE = 3 << 20 };
	static const struct {
		size_t at, size;
	} data[][2] = {
		{{0, 0}, {0, 0}},
		{{0, 1}, {SIZE - 1, 1}},
		{{1 << 20, 10}, {(1 << 20) + 300000, 300000}},
		{{4096, 1 << 20}, {2 << 20, 5}},
	};
	auto_free char *whole = malloc(SIZE);
	assert_non_null(whole);
	for (size_t i = 0; i < sizeof(data) / sizeof(*data); i++) {
		struct mkv_error err;
		struct mkv_sha256 expected, sha;
		uint64_t size_bytes;
		auto_file FILE *file = tmpfile();
		assert_non_null(file);
		int fd = fileno(file);
		memset(whole, 0, SIZE);
		assert_int_equal(ftruncate(fd, SIZE), 0);
		for (size_t j = 0; j < 2; j++) {
			memset(whole + data[i][j].at, 'x', data[i][j].size);
			assert_int_equal(mkv_pwrite_all(fd,
							whole + data[i][j].at,
							data[i][j].size,
							data[i][j].at, &err),
					 0);
		}
		for (off_t from = 0; from <= SIZE; from += SIZE / 4) {
			size_t left = (size_t)(SIZE - from);
			assert_int_equal(mkv_sha256_bytes(whole + from, left,
							  &expected, &err),
					 0);
			assert_int_equal(lseek(fd, from, SEEK_SET), from);
			assert_int_equal(
				mkv_sha256_fd(fd, &sha, &size_bytes, &err), 0);
			assert_int_equal(size_bytes, left);
			assert_true(mkv_sha256_equal(&sha, &expected));
		}
	}
}

static void empty_input_is_hashed(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_sha256 sha;
	char hex[MKV_SHA256_HEX_SIZE];
	assert_int_equal(mkv_sha256_bytes(NULL, 0, &sha, &err), 0);
	mkv_sha256_hex(&sha, hex);
	assert_string_equal(hex, vectors[0].hex);
	mkv_hasher_free(NULL);
}

static void parsing_accepts_only_64_lower_case_digits(void **state)
{
	(void)state;
	struct mkv_sha256 sha = {{1}}, same = sha;
	char hex[80];
	for (int i = 0; i < 6; i++) {
		(void)snprintf(hex, sizeof(hex), "%s", vectors[1].hex);
		if (i == 0)
			hex[63] = '\0';
		else if (i == 1)
			strcpy(hex + 64, "0");
		else if (i == 2)
			hex[0] = 'B';
		else if (i == 3)
			hex[40] = 'g';
		else if (i == 4)
			hex[0] = '\0';
		else
			hex[10] = ' ';
		assert_int_equal(mkv_sha256_parse(hex, &sha), -EINVAL);
		assert_true(mkv_sha256_equal(&sha, &same));
	}
	assert_int_equal(mkv_sha256_parse(vectors[1].hex, &sha), 0);
	char again[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&sha, again);
	assert_string_equal(again, vectors[1].hex);
	assert_false(mkv_sha256_equal(&sha, &same));
}

static void a_directory_cannot_be_hashed(void **state)
{
	(void)state;
	struct mkv_error err;
	struct mkv_sha256 sha;
	assert_true(mkv_sha256_fd(-1, &sha, NULL, &err) < 0);
	assert_string_equal(err.message, "read: Bad file descriptor");
}

/* RFC 9562, appendix A.4: www.example.com in the DNS namespace. */
static void uuids_are_version_5(void **state)
{
	(void)state;
	static const uint8_t dns[16] = {0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad,
					0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
					0x4f, 0xd4, 0x30, 0xc8};
	struct mkv_error err;
	uint8_t uuid[16];
	char text[37];
	assert_int_equal(mkv_uuid5(dns, "www.example.com", uuid, &err), 0);
	mkv_uuid_text(uuid, text);
	assert_string_equal(text, "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

static void md5_is_what_rfc_1321_says(void **state)
{
	(void)state;
	struct mkv_error err;
	char hex[33];
	auto_fd int fd = memfd_create("hash", MFD_CLOEXEC);
	assert_int_equal(mkv_md5_fd(fd, hex, &err), 0);
	assert_string_equal(hex, "d41d8cd98f00b204e9800998ecf8427e");
	assert_int_equal(mkv_write_all(fd, "message digest", 14, &err), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(mkv_md5_fd(fd, hex, &err), 0);
	assert_string_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0");
	assert_true(mkv_md5_fd(-1, hex, &err) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests_come_out),
		cmocka_unit_test(md5_is_what_rfc_1321_says),
		cmocka_unit_test(holes_are_zeros),
		cmocka_unit_test(empty_input_is_hashed),
		cmocka_unit_test(parsing_accepts_only_64_lower_case_digits),
		cmocka_unit_test(a_directory_cannot_be_hashed),
		cmocka_unit_test(uuids_are_version_5),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
