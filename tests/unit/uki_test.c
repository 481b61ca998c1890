/* SPDX-License-Identifier: MIT */
/* Adding PE sections to generated stubs, valid and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "builder/format/disk/uki.h"
#include "lib/bytes.h"

enum {
	PE_AT = 0x40,
	OPTIONAL_AT = PE_AT + 24,
	TABLE_AT = OPTIONAL_AT + 240,
	STUB_BYTES = 0xa00,
	HEADERS = 0x200,
	TEXT_BYTES = 0x300,
	DATA_AT = 0x600,
};

/* Two sections; the data of the first begins at `room`. */
static void make_stub(uint8_t stub[STUB_BYTES], uint32_t room)
{
	memset(stub, 0, STUB_BYTES);
	memcpy(stub, "MZ", 2);
	mkv_le_put32(stub + 0x3c, PE_AT);
	memcpy(stub + PE_AT, "PE\0\0", 4);
	mkv_le_put16(stub + PE_AT + 4, 0x8664);
	mkv_le_put16(stub + PE_AT + 6, 2);
	mkv_le_put32(stub + PE_AT + 12, 0x900); /* symbols */
	mkv_le_put32(stub + PE_AT + 16, 3);
	mkv_le_put16(stub + PE_AT + 20, 240);
	mkv_le_put16(stub + OPTIONAL_AT, 0x20b);
	mkv_le_put32(stub + OPTIONAL_AT + 32, 0x1000);
	mkv_le_put32(stub + OPTIONAL_AT + 36, 0x200);
	mkv_le_put32(stub + OPTIONAL_AT + 56, 0x3000);
	mkv_le_put32(stub + OPTIONAL_AT + 60, room);
	mkv_le_put32(stub + OPTIONAL_AT + 108, 16);
	static const char *const names[] = {".text", ".data"};
	for (unsigned i = 0; i < 2; i++) {
		uint8_t *row = stub + TABLE_AT + 40 * i;
		memcpy(row, names[i], strlen(names[i]));
		mkv_le_put32(row + 8, i ? 0x80 : TEXT_BYTES);
		mkv_le_put32(row + 12, i ? 0x2000 : 0x1000);
		mkv_le_put32(row + 16, i ? 0x200 : DATA_AT - room);
		mkv_le_put32(row + 20, i ? DATA_AT : room);
	}
	memset(stub + room, 't', DATA_AT - room);
	memset(stub + DATA_AT, 'd', 0x200);
	memset(stub + DATA_AT + 0x200, 's', 0x200); /* the symbols */
}

static int build_uki(const uint8_t *stub, size_t size, struct mkv_content **ret,
		     struct mkv_error *err)
{
	auto_content struct mkv_content *content =
		mkv_content_bytes(stub, size);
	auto_content struct mkv_content *os =
		mkv_content_bytes("ID=debian\n", 10);
	auto_content struct mkv_content *kernel =
		mkv_content_bytes("KERNEL", 6);
	auto_content struct mkv_content *initramfs =
		mkv_content_bytes("INITRAMFS", 9);
	struct mkv_uki_parts parts = {
		.os_release = os,
		.command_line = "root=UUID=x ro",
		.kernel_release = "6.12.1-test",
		.initramfs = initramfs,
		.kernel = kernel,
	};
	return mkv_uki_build(content, &parts, ret, err);
}

struct image {
	uint8_t bytes[16384];
	size_t size;
};

static void read_image(const struct mkv_content *uki, struct image *ret)
{
	struct mkv_error err = {0};
	ret->size = (size_t)mkv_content_size(uki);
	assert_true(ret->size <= sizeof(ret->bytes));
	assert_int_equal(mkv_content_read(uki, 0, ret->bytes, ret->size, &err),
			 0);
}

/* A section's row, as a loader finds it. */
static const uint8_t *find_section(const struct image *image, const char *name)
{
	const uint8_t *pe = image->bytes + mkv_le_get32(image->bytes + 0x3c);
	unsigned count = mkv_le_get16(pe + 6);
	const uint8_t *row = pe + 24 + mkv_le_get16(pe + 20);
	for (unsigned i = 0; i < count; i++, row += 40)
		if (strncmp((const char *)row, name, 8) == 0)
			return row;
	return NULL;
}

static void expect_section(const struct image *image, const char *name,
			   const char *text)
{
	const uint8_t *row = find_section(image, name);
	assert_non_null(row);
	uint32_t offset = mkv_le_get32(row + 20);
	assert_int_equal(mkv_le_get32(row + 8), strlen(text));
	assert_int_equal(mkv_le_get32(row + 12) % 4096, 0);
	assert_int_equal(offset % 512, 0);
	assert_true(offset + mkv_le_get32(row + 16) <= image->size);
	assert_memory_equal(image->bytes + offset, text, strlen(text));
}

static void expect_all(const struct image *image)
{
	expect_section(image, ".osrel", "ID=debian\n");
	expect_section(image, ".cmdline", "root=UUID=x ro");
	expect_section(image, ".uname", "6.12.1-test");
	expect_section(image, ".initrd", "INITRAMFS");
	expect_section(image, ".linux", "KERNEL");
	const uint8_t *text = find_section(image, ".text");
	const uint8_t *data = find_section(image, ".data");
	assert_int_equal(image->bytes[mkv_le_get32(text + 20)], 't');
	assert_int_equal(image->bytes[mkv_le_get32(text + 20) + TEXT_BYTES - 1],
			 't');
	assert_int_equal(image->bytes[mkv_le_get32(data + 20)], 'd');
	const uint8_t *linux_row = find_section(image, ".linux");
	assert_int_equal(mkv_le_get32(image->bytes + OPTIONAL_AT + 56),
			 mkv_le_get32(linux_row + 12) + 0x1000);
	/* The symbol table was removed. */
	assert_int_equal(mkv_le_get32(image->bytes + PE_AT + 12), 0);
	assert_int_equal(mkv_le_get32(image->bytes + PE_AT + 16), 0);
}

static void adds_the_sections(void **state)
{
	(void)state;
	static const uint32_t rooms[] = {0x200, 0x300};
	for (size_t i = 0; i < 2; i++) {
		uint8_t stub[STUB_BYTES];
		struct mkv_error err = {0};
		auto_content struct mkv_content *uki = NULL;
		struct image image;
		make_stub(stub, rooms[i]);
		assert_int_equal(build_uki(stub, sizeof(stub), &uki, &err), 0);
		read_image(uki, &image);
		expect_all(&image);
		/* The headers end before the data of the first section. */
		assert_true(mkv_le_get32(image.bytes + OPTIONAL_AT + 60) <=
			    mkv_le_get32(find_section(&image, ".text") + 20));
	}
}

static void gives_the_same_bytes_twice(void **state)
{
	(void)state;
	uint8_t stub[STUB_BYTES];
	struct mkv_error err = {0};
	auto_content struct mkv_content *first = NULL, *second = NULL;
	struct mkv_sha256 a, b;
	make_stub(stub, HEADERS);
	assert_int_equal(build_uki(stub, sizeof(stub), &first, &err), 0);
	assert_int_equal(build_uki(stub, sizeof(stub), &second, &err), 0);
	assert_int_equal(mkv_content_sha256(first, &a, &err), 0);
	assert_int_equal(mkv_content_sha256(second, &b, &err), 0);
	assert_true(mkv_sha256_equal(&a, &b));
}

static void refuses_files_that_are_no_stub(void **state)
{
	(void)state;
	static const struct {
		const char *why;
		uint32_t at, value;
		unsigned width;
	} rows[] = {
		{"no MZ header", 0, 'X', 1},
		{"no PE signature", 0x3c, 0xfffffff0, 4},
		{"no PE signature", 0x3c, STUB_BYTES - 10, 4},
		{"not for x86-64", PE_AT + 4, 0xaa64, 2},
		{"no PE32+ header", PE_AT + 20, 100, 2},
		{"no PE32+ header", PE_AT + 20, 0xffff, 2},
		{"no PE32+ header", OPTIONAL_AT, 0x10b, 2},
		{"too many data directories", OPTIONAL_AT + 108, 17, 4},
		{"invalid number of sections", PE_AT + 6, 0, 2},
		{"invalid number of sections", PE_AT + 6, 97, 2},
		{"invalid alignment", OPTIONAL_AT + 32, 0, 4},
		{"invalid alignment", OPTIONAL_AT + 36, 3, 4},
		{"invalid alignment", OPTIONAL_AT + 36, 1 << 17, 4},
		{"exceeds the file", TABLE_AT + 16, 0xffffff00, 4},
		{"exceeds the file", TABLE_AT + 20, STUB_BYTES, 4},
		{": sections overlap", TABLE_AT + 40 + 12, 0x1010, 4},
		{"in memory is too large", TABLE_AT + 40 + 8, 0xf0000000, 4},
		{"headers and sections overlap", OPTIONAL_AT + 60, 0x1000, 4},
		{"headers and sections overlap", OPTIONAL_AT + 60, 0x40, 4},
		{"contains a kernel already", TABLE_AT + 40, 0x6e696c2e, 4},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint8_t stub[STUB_BYTES];
		struct mkv_error err = {0};
		struct mkv_content *uki = NULL;
		make_stub(stub, HEADERS);
		if (rows[i].width == 4)
			mkv_le_put32(stub + rows[i].at, rows[i].value);
		else if (rows[i].width == 2)
			mkv_le_put16(stub + rows[i].at,
				     (uint16_t)rows[i].value);
		else
			stub[rows[i].at] = (uint8_t)rows[i].value;
		if (rows[i].value == 0x6e696c2e)
			memcpy(stub + rows[i].at, ".linux\0", 8);
		assert_true(build_uki(stub, sizeof(stub), &uki, &err) < 0);
		assert_null(uki);
		assert_non_null(strstr(err.message, rows[i].why));
	}
}

/* Any stub gives an image or an error, without memory errors (ASan). */
static void survives_any_header(void **state)
{
	(void)state;
	uint32_t seed = 1;
	for (int i = 0; i < 20000; i++) {
		uint8_t stub[STUB_BYTES];
		struct mkv_error err = {0};
		auto_content struct mkv_content *uki = NULL;
		make_stub(stub, i % 2 ? HEADERS : 0x300);
		for (int hits = 0; hits < 1 + i % 4; hits++) {
			seed = seed * 1664525 + 1013904223;
			stub[PE_AT + (seed >> 8) % (TABLE_AT + 80 - PE_AT)] =
				(uint8_t)(seed >> 24);
		}
		seed = seed * 1664525 + 1013904223;
		size_t size = i % 3 ? STUB_BYTES : (seed >> 8) % STUB_BYTES;
		(void)!build_uki(stub, size, &uki, &err);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_the_sections),
		cmocka_unit_test(gives_the_same_bytes_twice),
		cmocka_unit_test(refuses_files_that_are_no_stub),
		cmocka_unit_test(survives_any_header),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
