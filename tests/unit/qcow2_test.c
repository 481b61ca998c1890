/* SPDX-License-Identifier: MIT */
#include <endian.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/format/disk/qcow2.h"
#include "lib/hash.h"
#include "lib/io.h"

enum { CLUSTER = 65536 };

static int raw_of(uint64_t size)
{
	int fd = memfd_create("raw", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static void write_text(int fd, uint64_t offset, const char *text)
{
	struct mkv_error err;
	assert_int_equal(mkv_pwrite_all(fd, text, strlen(text), offset, &err),
			 0);
}

static int convert_raw(int raw, uint64_t size)
{
	struct mkv_error err;
	int fd = memfd_create("qcow2", MFD_CLOEXEC);
	assert_int_equal(mkv_qcow2_write(raw, size, fd, &err), 0);
	return fd;
}

static uint64_t read_number(int fd, uint64_t offset)
{
	struct mkv_error err;
	uint64_t value;
	assert_int_equal(mkv_pread_all(fd, &value, 8, offset, &err), 0);
	return be64toh(value);
}

static uint64_t size_of(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return (uint64_t)st.st_size;
}

/* Follows the two levels of tables; false for an unallocated cluster. */
static bool find_cluster(int fd, uint64_t guest, uint64_t *ret)
{
	uint64_t l1 = read_number(
		fd, read_number(fd, 40) + guest / CLUSTER / (CLUSTER / 8) * 8);
	if (!l1)
		return false;
	uint64_t l2 =
		read_number(fd, (l1 & 0x00fffffffffffe00) +
					guest / CLUSTER % (CLUSTER / 8) * 8);
	*ret = (l2 & 0x00fffffffffffe00) + guest % CLUSTER;
	return l2 != 0;
}

static void assert_reads_back(int raw, int image, uint64_t size)
{
	static char a[CLUSTER], b[CLUSTER];
	for (uint64_t at = 0; at < size; at += CLUSTER) {
		struct mkv_error err;
		size_t want =
			size - at < CLUSTER ? (size_t)(size - at) : CLUSTER;
		uint64_t where;
		assert_int_equal(mkv_pread_all(raw, a, want, at, &err), 0);
		memset(b, 0, want);
		if (find_cluster(image, at, &where))
			assert_int_equal(
				mkv_pread_all(image, b, want, where, &err), 0);
		assert_memory_equal(a, b, want);
	}
}

static void the_header_says_what_the_file_is(void **state)
{
	(void)state;
	auto_fd int raw = raw_of(3 * CLUSTER + 512);
	auto_fd int image = convert_raw(raw, 3 * CLUSTER + 512);
	assert_int_equal(read_number(image, 0) >> 32, 0x514649fb);
	assert_int_equal(read_number(image, 0) & 0xffffffff, 3);
	assert_int_equal(read_number(image, 16) & 0xffffffff, 16);
	assert_int_equal(read_number(image, 24), 3 * CLUSTER + 512);
	assert_int_equal(read_number(image, 72), 0);
	assert_int_equal(read_number(image, 96), (uint64_t)4 << 32 | 104);
	/* Header, refcount table and block, L1: no data, no L2. */
	assert_int_equal(size_of(image), 4 * CLUSTER);
}

static void clusters_of_zeros_are_not_allocated(void **state)
{
	(void)state;
	uint64_t size = (uint64_t)10 << 30;
	auto_fd int raw = raw_of(size);
	write_text(raw, 5, "first");
	write_text(raw, CLUSTER - 1, "astride");
	write_text(raw, 7 * CLUSTER, "seventh");
	write_text(raw, (uint64_t)6 << 30, "far");
	write_text(raw, size - 3, "end");
	static const char zeros[2 * CLUSTER];
	struct mkv_error err;
	assert_int_equal(
		mkv_pwrite_all(raw, zeros, sizeof(zeros), 9 * CLUSTER, &err),
		0);
	auto_fd int image = convert_raw(raw, size);
	/* 4 of header, refcounts and L1; 3 L2 tables; 5 of data. */
	assert_int_equal(size_of(image), 12 * CLUSTER);
	uint64_t where;
	assert_false(find_cluster(image, 9 * CLUSTER, &where));
	assert_false(find_cluster(image, (uint64_t)3 << 30, &where));
	assert_true(find_cluster(image, 7 * CLUSTER, &where));
	char text[8] = "";
	assert_int_equal(mkv_pread_all(image, text, 7, where, &err), 0);
	assert_string_equal(text, "seventh");
	assert_true(find_cluster(image, size - 3, &where));
}

static void output_can_be_parsed(void **state)
{
	(void)state;
	static const uint64_t sizes[] = {512, CLUSTER, CLUSTER + 512,
					 40 * CLUSTER + 1024};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		auto_fd int raw = raw_of(sizes[i]);
		for (uint64_t at = 0; at < sizes[i]; at += 3 * CLUSTER)
			write_text(raw, at + 100, "data");
		write_text(raw, sizes[i] - 4, "last");
		auto_fd int image = convert_raw(raw, sizes[i]);
		assert_reads_back(raw, image, sizes[i]);
		assert_int_equal(size_of(image) % CLUSTER, 0);
	}
}

static void holes_do_not_show(void **state)
{
	(void)state;
	struct mkv_error err;
	static char zeros[8 * CLUSTER];
	auto_fd int holes = raw_of(sizeof(zeros));
	auto_fd int full = raw_of(sizeof(zeros));
	assert_int_equal(mkv_pwrite_all(full, zeros, sizeof(zeros), 0, &err),
			 0);
	write_text(holes, 3 * CLUSTER, "x");
	write_text(full, 3 * CLUSTER, "x");
	auto_fd int a = convert_raw(holes, sizeof(zeros));
	auto_fd int b = convert_raw(full, sizeof(zeros));
	struct mkv_sha256 x, y;
	assert_int_equal(lseek(a, 0, SEEK_SET), 0);
	assert_int_equal(lseek(b, 0, SEEK_SET), 0);
	assert_int_equal(mkv_sha256_fd(a, &x, NULL, &err), 0);
	assert_int_equal(mkv_sha256_fd(b, &y, NULL, &err), 0);
	assert_true(mkv_sha256_equal(&x, &y));
}

/* More clusters than one refcount block covers. */
static void every_cluster_is_counted_once(void **state)
{
	(void)state;
	uint64_t clusters = 33000, size = clusters * CLUSTER;
	auto_fd int raw = raw_of(size);
	for (uint64_t i = 0; i < clusters; i++)
		write_text(raw, i * CLUSTER, "x");
	auto_fd int image = convert_raw(raw, size);
	uint64_t total = size_of(image) / CLUSTER, counted = 0;
	uint64_t table = read_number(image, 48);
	for (uint64_t i = 0; i < 2; i++) {
		static uint16_t counts[32768];
		struct mkv_error err;
		uint64_t block = read_number(image, table + i * 8);
		assert_int_equal(mkv_pread_all(image, counts, sizeof(counts),
					       block, &err),
				 0);
		for (size_t j = 0; j < 32768; j++) {
			assert_int_equal(be16toh(counts[j]),
					 i * 32768 + j < total);
			counted += be16toh(counts[j]);
		}
	}
	assert_int_equal(counted, total);
	assert_int_equal(read_number(image, table + 16), 0);
	assert_int_equal(read_number(image, 56) >> 32, 1);
}

static void odd_sizes_and_short_files_are_refused(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_fd int raw = raw_of(CLUSTER);
	auto_fd int image = raw_of(0);
	assert_int_equal(mkv_qcow2_write(raw, 1000, image, &err), -EINVAL);
	assert_int_equal(mkv_qcow2_write(raw, (uint64_t)1 << 45, image, &err),
			 -EINVAL);
	write_text(raw, CLUSTER - 1, "x");
	assert_int_equal(mkv_qcow2_write(raw, 2 * CLUSTER, image, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_header_says_what_the_file_is),
		cmocka_unit_test(clusters_of_zeros_are_not_allocated),
		cmocka_unit_test(output_can_be_parsed),
		cmocka_unit_test(holes_do_not_show),
		cmocka_unit_test(every_cluster_is_counted_once),
		cmocka_unit_test(odd_sizes_and_short_files_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
