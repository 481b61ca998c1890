/* SPDX-License-Identifier: MIT */
/* FAT: names, sizes, errors. Other tools read images in 301-fat-readers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "builder/format/disk/fat.h"
#include "builder/format/disk/fat_internal.h"
#include "lib/io.h"

enum { MIB = 1 << 20, EPOCH_S = 1763856000 };

static void gives_short_names_without_clashes(void **state)
{
	(void)state;
	static const struct {
		const char *name, *alias;
		int slots;
	} rows[] = {
		/* In byte order, as in trees. */
		{".profile", "PROFIL~1   ", 2},
		{"A+B.TXT", "A_B~1   TXT", 2},
		{"BOOTX64.EFI", "BOOTX64 EFI", 1},
		{"LONGFI~1.TXT", "LONGFI~1TXT", 1},
		{"NOEXT", "NOEXT      ", 1},
		{"a.b.c", "AB~1    C  ", 2},
		{"loader.conf", "LOADER~1CON", 2},
		{"longfilename.txt", "LONGFI~2TXT", 3},
		{"longfilenames.txt", "LONGFI~3TXT", 3},
		{"readme.md", "README  MD ", 2},
		{"with space", "WITHSP~1   ", 2},
		{"\xc3\xbc.efi", "_~1     EFI", 2},
	};
	enum { COUNT = sizeof(rows) / sizeof(rows[0]) };
	struct mkv_tree_entry entries[COUNT];
	for (size_t i = 0; i < COUNT; i++)
		entries[i] =
			(struct mkv_tree_entry){(char *)rows[i].name, NULL};
	struct mkv_error err = {0};
	auto_free struct mkv_fat_name *names = NULL;
	assert_int_equal(mkv_fat_names(entries, COUNT, &names, &err), 0);
	for (size_t i = 0; i < COUNT; i++) {
		assert_memory_equal(names[i].alias, rows[i].alias, 11);
		assert_int_equal(mkv_fat_name_slots(&names[i]), rows[i].slots);
	}
}

static void numbers_many_like_names(void **state)
{
	(void)state;
	enum { COUNT = 1500 };
	static struct mkv_tree_entry entries[COUNT];
	static char texts[COUNT][32];
	for (size_t i = 0; i < COUNT; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "longname-%04zu.bin",
			       i);
		entries[i] = (struct mkv_tree_entry){texts[i], NULL};
	}
	struct mkv_error err = {0};
	auto_free struct mkv_fat_name *names = NULL;
	assert_int_equal(mkv_fat_names(entries, COUNT, &names, &err), 0);
	assert_memory_equal(names[0].alias, "LONGNA~1BIN", 11);
	assert_memory_equal(names[COUNT - 1].alias, "LON~1500BIN", 11);
}

static void refuses_names_that_fat_cannot_hold(void **state)
{
	(void)state;
	static const struct {
		const char *first, *second, *why;
	} rows[] = {
		{"a:b", NULL, "is not a valid name"},
		{"what?", NULL, "is not a valid name"},
		{"dot.", NULL, "is not a valid name"},
		{"space ", NULL, "is not a valid name"},
		{"tab\there", NULL, "is not a valid name"},
		{"\xff", NULL, "FAT name"},
		{"README", "readme", "are equal names"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_tree_entry entries[2] = {
			{(char *)rows[i].first, NULL},
			{(char *)rows[i].second, NULL}};
		struct mkv_error err = {0};
		struct mkv_fat_name *names = NULL;
		assert_true(mkv_fat_names(entries, rows[i].second ? 2 : 1,
					  &names, &err) < 0);
		assert_null(names);
		assert_non_null(strstr(err.message, rows[i].why));
	}
}

static struct mkv_tree *new_tree(size_t file_bytes)
{
	struct mkv_error err = {0};
	struct mkv_tree *tree = NULL;
	auto_free char *bytes = calloc(1, file_bytes + 1);
	assert_non_null(bytes);
	memset(bytes, 'x', file_bytes);
	assert_int_equal(mkv_tree_new(EPOCH_S, &tree, &err), 0);
	assert_int_equal(mkv_tree_put_file(tree, "/EFI/BOOT/BOOTX64.EFI", 0644,
					   bytes, file_bytes, &err),
			 0);
	return tree;
}

static int write_it(const struct mkv_tree *tree, uint64_t size_bytes, int *ret,
		    struct mkv_error *err)
{
	struct mkv_fat_options options = {.size_bytes = size_bytes,
					  .volume_id = 0x12345678,
					  .epoch_s = EPOCH_S};
	*ret = memfd_create("fat", MFD_CLOEXEC);
	assert_int_equal(ftruncate(*ret, (off_t)size_bytes), 0);
	return mkv_fat_write(tree, *ret, 0, &options, err);
}

static void chooses_fat32_where_it_can(void **state)
{
	(void)state;
	static const struct {
		unsigned mib;
		const char *type;
		size_t at;
	} rows[] = {
		{3, "FAT16   ", 54},	{16, "FAT16   ", 54},
		{32, "FAT16   ", 54},	{33, "FAT32   ", 82},
		{34, "FAT32   ", 82},	{200, "FAT32   ", 82},
		{4096, "FAT32   ", 82},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		auto_tree struct mkv_tree *tree = new_tree(1000);
		auto_fd int fd = -1;
		assert_int_equal(
			write_it(tree, (uint64_t)rows[i].mib * MIB, &fd, &err),
			0);
		char sector[512];
		assert_int_equal(pread(fd, sector, 512, 0), 512);
		assert_memory_equal(sector + rows[i].at, rows[i].type, 8);
	}
}

static void refuses_what_does_not_fit(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = new_tree(5 * MIB);
	static const struct {
		uint64_t size_bytes;
		const char *why;
	} rows[] = {
		{0, "can't have 0 bytes"},
		{MIB + 512, "can't have"},
		{1 * MIB, "too small"},
		{5 * MIB, "the files need"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		auto_fd int fd = -1;
		assert_true(write_it(tree, rows[i].size_bytes, &fd, &err) < 0);
		assert_non_null(strstr(err.message, rows[i].why));
	}
	struct mkv_error err = {0};
	auto_fd int fd = -1;
	assert_int_equal(write_it(tree, 6 * MIB, &fd, &err), 0);
}

static void reports_a_size_that_fits(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1000, 33 * MIB, 70 * MIB};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct mkv_error err = {0};
		auto_tree struct mkv_tree *tree = new_tree(sizes[i]);
		uint64_t size = 0;
		auto_fd int fd = -1;
		assert_int_equal(mkv_fat_size(tree, &size, &err), 0);
		assert_true(size >= 34 * MIB && size % MIB == 0);
		assert_true(size < sizes[i] + 40 * MIB);
		assert_int_equal(write_it(tree, size, &fd, &err), 0);
	}
}

static void refuses_links(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = new_tree(1);
	auto_fd int fd = -1;
	assert_int_equal(mkv_tree_put_symlink(tree, "/link", "EFI", &err), 0);
	assert_true(write_it(tree, 34 * MIB, &fd, &err) < 0);
	assert_non_null(strstr(err.message, "neither a file nor a directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_short_names_without_clashes),
		cmocka_unit_test(numbers_many_like_names),
		cmocka_unit_test(refuses_names_that_fat_cannot_hold),
		cmocka_unit_test(chooses_fat32_where_it_can),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(reports_a_size_that_fits),
		cmocka_unit_test(refuses_links),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
