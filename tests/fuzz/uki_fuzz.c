/* SPDX-License-Identifier: MIT */
/* The headers of the UKI stub: any content gives an image or an error. The
 * input overwrites parts of the headers of a valid stub, so that few fields are
 * wrong at a time. */

#include <stddef.h>
#include <stdint.h>

#include "builder/format/disk/uki.h"
#include "lib/bytes.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/uki_fuzz.c", NULL};
static const char *const fuzz_words[] = {
	"\xff\xff\xff\xff", "\x7f\xff", "\x80", "\x01",
	"\x10\x10\x10\x10", NULL};

#include "tests/fuzz/driver.h"

enum { PE_AT = 0x40, TABLE_AT = PE_AT + 24 + 240, STUB_BYTES = 0x1000 };

static void make_stub(uint8_t stub[STUB_BYTES])
{
	memcpy(stub, "MZ", 2);
	mkv_le_put32(stub + 0x3c, PE_AT);
	memcpy(stub + PE_AT, "PE\0\0\x64\x86\x03\0", 8);
	mkv_le_put16(stub + PE_AT + 20, 240);
	mkv_le_put16(stub + PE_AT + 24, 0x20b);
	mkv_le_put32(stub + PE_AT + 24 + 32, 0x1000);
	mkv_le_put32(stub + PE_AT + 24 + 36, 0x200);
	mkv_le_put32(stub + PE_AT + 24 + 60, 0x200);
	mkv_le_put32(stub + PE_AT + 24 + 108, 16);
	for (uint32_t i = 0; i < 3; i++) {
		uint8_t *row = stub + TABLE_AT + 40 * i;
		row[0] = (uint8_t)('a' + i);
		mkv_le_put32(row + 8, 0x180);
		mkv_le_put32(row + 12, 0x1000 * (i + 1));
		mkv_le_put32(row + 16, 0x200);
		mkv_le_put32(row + 20, 0x200 * (i + 1));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Repeated: an offset, the number of bytes, the bytes. */
	uint8_t stub[STUB_BYTES] = {0};
	size_t length = STUB_BYTES;
	make_stub(stub);
	for (size_t at = 0, hits = 0; at + 3 <= size && hits < 6; hits++) {
		size_t where = data[at] + 256U * (data[at + 1] & 1);
		size_t count = data[at + 1] >> 1 & 7;
		if (data[at + 1] & 0x80)
			length = data[at + 2] * 16U;
		for (at += 2; count && at < size; count--, at++)
			stub[where++] = data[at];
	}
	struct mkv_error err = {0};
	auto_content struct mkv_content *content =
		mkv_content_bytes(stub, length);
	auto_content struct mkv_content *uki = NULL;
	struct mkv_uki_parts parts = {.command_line = "ro",
				      .kernel_release = "1",
				      .initramfs = content,
				      .kernel = content};
	if (content && mkv_uki_build(content, &parts, &uki, &err) == 0 &&
	    mkv_content_size(uki) < 2 * length)
		abort();
	return 0;
}
