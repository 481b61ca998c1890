/* SPDX-License-Identifier: MIT */
/* The partition table; libfdisk, an independent reader, reads it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <libfdisk/libfdisk.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "builder/format/disk/gpt.h"
#include "builder/format/disk/utf16.h"
#include "lib/io.h"

enum { DISK_BYTES = 64 << 20, MIB_SECTORS = 2048 };

static const uint8_t disk_uuid[16] = {0x10, 0x32, 0x54, 0x76, 0x98, 0xba,
				      0x4c, 0xfe, 0x81, 0x23, 0x45, 0x67,
				      0x89, 0xab, 0xcd, 0xef};

static const struct mkv_gpt_partition two[] = {
	{.unique = {1, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15,
		    16},
	 .type = {0xc1, 0x2a, 0x73, 0x28, 0xf8, 0x1f, 0x11, 0xd2, 0xba, 0x4b,
		  0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b},
	 .name = "EFI system",
	 .first_lba = MIB_SECTORS,
	 .last_lba = 9 * MIB_SECTORS - 1},
	{.unique = {2, 2, 3, 4, 5, 6, 0x47, 8, 0x89, 10, 11, 12, 13, 14, 15,
		    16},
	 .type = {0x4f, 0x68, 0xbc, 0xe3, 0xe8, 0xcd, 0x4d, 0xb1, 0x96, 0xe7,
		  0xfb, 0xca, 0xf9, 0x84, 0xb7, 0x09},
	 .name = "r\xc3\xb6\xc3\xb6t \xf0\x9f\x90\xa7",
	 .first_lba = 9 * MIB_SECTORS,
	 .last_lba = 63 * MIB_SECTORS - 1,
	 .attributes = UINT64_C(1) << 60},
};

static int new_disk(void)
{
	int fd = memfd_create("disk", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, DISK_BYTES), 0);
	return fd;
}

static void write_two(int fd)
{
	struct mkv_error err = {0};
	assert_int_equal(mkv_gpt_write(fd, DISK_BYTES, disk_uuid, two, 2, &err),
			 0);
}

static struct fdisk_context *open_label(int fd)
{
	struct fdisk_context *context = fdisk_new_context();
	assert_non_null(context);
	assert_int_equal(fdisk_assign_device_by_fd(context, fd, "disk", 1), 0);
	return context;
}

static void libfdisk_reads_the_same_table(void **state)
{
	(void)state;
	auto_fd int fd = new_disk();
	write_two(fd);
	struct fdisk_context *context = open_label(fd);
	assert_true(fdisk_is_label(context, GPT));
	assert_int_equal(fdisk_verify_disklabel(context), 0);
	char *id = NULL;
	assert_int_equal(fdisk_get_disklabel_id(context, &id), 0);
	assert_string_equal(id, "10325476-98BA-4CFE-8123-456789ABCDEF");
	free(id);
	struct fdisk_table *table = NULL;
	assert_int_equal(fdisk_get_partitions(context, &table), 0);
	assert_int_equal(fdisk_table_get_nents(table), 2);
	static const char *const uuids[] = {
		"01020304-0506-4708-890A-0B0C0D0E0F10",
		"02020304-0506-4708-890A-0B0C0D0E0F10"};
	static const char *const types[] = {
		"C12A7328-F81F-11D2-BA4B-00A0C93EC93B",
		"4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"};
	for (size_t i = 0; i < 2; i++) {
		struct fdisk_partition *p = fdisk_table_get_partition(table, i);
		assert_int_equal(fdisk_partition_get_start(p),
				 two[i].first_lba);
		assert_int_equal(fdisk_partition_get_end(p), two[i].last_lba);
		assert_string_equal(fdisk_partition_get_name(p), two[i].name);
		assert_string_equal(fdisk_partition_get_uuid(p), uuids[i]);
		assert_string_equal(
			fdisk_parttype_get_string(fdisk_partition_get_type(p)),
			types[i]);
	}
	assert_string_equal(
		fdisk_partition_get_attrs(fdisk_table_get_partition(table, 1)),
		"GUID:60");
	fdisk_unref_table(table);
	fdisk_unref_context(context);
}

static void libfdisk_recovers_it_from_the_backup(void **state)
{
	(void)state;
	auto_fd int fd = new_disk();
	static const char zeros[512];
	write_two(fd);
	/* Without the primary header only a valid backup makes it a GPT. */
	assert_int_equal(pwrite(fd, zeros, 512, 512), 512);
	struct fdisk_context *context = open_label(fd);
	assert_true(fdisk_is_label(context, GPT));
	struct fdisk_table *table = NULL;
	assert_int_equal(fdisk_get_partitions(context, &table), 0);
	assert_int_equal(fdisk_table_get_nents(table), 2);
	fdisk_unref_table(table);
	fdisk_unref_context(context);
}

static void libfdisk_sees_a_damaged_table(void **state)
{
	(void)state;
	auto_fd int fd = new_disk();
	write_two(fd);
	assert_int_equal(pwrite(fd, "x", 1, 1024 + 40), 1);
	assert_int_equal(pwrite(fd, "x", 1, DISK_BYTES - 512 + 40), 1);
	struct fdisk_context *context = open_label(fd);
	assert_false(fdisk_is_label(context, GPT));
	fdisk_unref_context(context);
}

static void the_types_are_those_of_the_specification(void **state)
{
	(void)state;
	char text[37];
	const struct {
		const uint8_t *type;
		const char *text;
	} rows[] = {
		{mkv_gpt_type_esp, "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"},
		{mkv_gpt_type_root_x86_64,
		 "4f68bce3-e8cd-4db1-96e7-fbcaf984b709"},
		{mkv_gpt_type_linux, "0fc63daf-8483-4772-8e79-3d69d8477de4"},
	};
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *u = rows[i].type;
		(void)snprintf(text, sizeof(text),
			       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
			       "%02x%02x%02x%02x%02x%02x",
			       u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7],
			       u[8], u[9], u[10], u[11], u[12], u[13], u[14],
			       u[15]);
		assert_string_equal(text, rows[i].text);
	}
}

static void refuses_impossible_partitions(void **state)
{
	(void)state;
	static const struct {
		const char *why, *name;
		uint64_t first, last;
		bool same_id;
	} rows[] = {
		{"not a multiple of 1 MiB", "", 9 * MIB_SECTORS + 8,
		 10 * MIB_SECTORS, false},
		{"is not inside the free sectors", "", 8 * MIB_SECTORS,
		 10 * MIB_SECTORS, false},
		{"is not inside the free sectors", "", 10 * MIB_SECTORS,
		 10 * MIB_SECTORS - 1, false},
		{"is not inside the free sectors", "", 10 * MIB_SECTORS,
		 64 * MIB_SECTORS - 1, false},
		{"have the same id", "", 10 * MIB_SECTORS, 11 * MIB_SECTORS,
		 true},
		{"partition name", "0123456789012345678901234567890123456",
		 10 * MIB_SECTORS, 11 * MIB_SECTORS, false},
		{"partition name", "\xc3(", 10 * MIB_SECTORS, 11 * MIB_SECTORS,
		 false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_fd int fd = new_disk();
		struct mkv_error err = {0};
		struct mkv_gpt_partition parts[2] = {two[0], two[1]};
		parts[1].first_lba = rows[i].first;
		parts[1].last_lba = rows[i].last;
		parts[1].name = rows[i].name;
		if (rows[i].same_id)
			memcpy(parts[1].unique, parts[0].unique, 16);
		assert_true(mkv_gpt_write(fd, DISK_BYTES, disk_uuid, parts, 2,
					  &err) < 0);
		assert_non_null(strstr(err.message, rows[i].why));
		char first[512];
		assert_int_equal(pread(fd, first, 512, 0), 512);
		assert_int_equal(first[510], 0); /* nothing was written */
	}
}

static void turns_utf8_into_utf16(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int result;
		uint16_t units[4];
	} rows[] = {
		{"", 0, {0}},
		{"a\xc3\xa4", 2, {'a', 0xe4}},
		{"\xe2\x82\xac", 1, {0x20ac}},
		{"\xf0\x9f\x90\xa7", 2, {0xd83d, 0xdc27}},
		{"\xc0\x80", -EILSEQ, {0}},
		{"\xed\xa0\x80", -EILSEQ, {0}},
		{"\xf4\x90\x80\x80", -EILSEQ, {0}},
		{"\xff", -EILSEQ, {0}},
		{"\x80", -EILSEQ, {0}},
		{"\xe2\x82", -EILSEQ, {0}},
		{"12345", -ENAMETOOLONG, {0}},
		{"123\xf0\x9f\x90\xa7", -ENAMETOOLONG, {0}},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint16_t units[4] = {0};
		int got = mkv_utf16_from_utf8(rows[i].text, units, 4);
		assert_int_equal(got, rows[i].result);
		for (int u = 0; u < got; u++)
			assert_int_equal(units[u], rows[i].units[u]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libfdisk_reads_the_same_table),
		cmocka_unit_test(libfdisk_recovers_it_from_the_backup),
		cmocka_unit_test(libfdisk_sees_a_damaged_table),
		cmocka_unit_test(the_types_are_those_of_the_specification),
		cmocka_unit_test(refuses_impossible_partitions),
		cmocka_unit_test(turns_utf8_into_utf16),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
