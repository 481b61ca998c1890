/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/core/tree/pack.h"
#include "builder/core/tree/pack_format.h"
#include "lib/io.h"
#include "tests/unit/sample_tree.h"

static int anonymous(void)
{
	int fd = memfd_create("pack", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static struct mkv_buf pack_tree(const struct mkv_tree *tree)
{
	struct mkv_error err = {0};
	struct mkv_buf bytes = {0};
	auto_fd int fd = anonymous();
	assert_int_equal(mkv_pack_write(tree, fd, &err), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(mkv_read_fd(fd, 64 << 20, &bytes, &err), 0);
	return bytes;
}

static int open_bytes(const void *data, size_t size, struct mkv_tree **ret)
{
	struct mkv_error err = {0};
	int fd = anonymous();
	assert_int_equal(mkv_pwrite_all(fd, data, size, 0, &err), 0);
	int rc = mkv_pack_open(fd, ret, &err);
	if (rc < 0)
		assert_true(err.message[0]);
	return rc;
}

static int list_inode(const char *path, struct mkv_inode *inode, void *context,
		      struct mkv_error *err)
{
	struct mkv_buf *text = context;
	mkv_buf_printf(text, "%s %o %u:%u %lld %u %u:%u %s", path,
		       (unsigned)inode->mode, inode->uid, inode->gid,
		       (long long)inode->mtime_s, inode->entries, inode->major,
		       inode->minor, inode->target ? inode->target : "");
	for (size_t i = 0; i < inode->n_xattrs; i++) {
		mkv_buf_printf(text, " %s=", inode->xattrs[i].name);
		mkv_buf_add(text, inode->xattrs[i].value,
			    inode->xattrs[i].size);
	}
	if (inode->content) {
		char data[65536];
		size_t size = (size_t)mkv_content_size(inode->content);
		size = size < sizeof(data) ? size : sizeof(data);
		assert_int_equal(
			mkv_content_read(inode->content, 0, data, size, err),
			0);
		mkv_buf_add(text, data, size);
	}
	mkv_buf_char(text, '\n');
	return 0;
}

static void a_tree_comes_back_as_it_was(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_buf struct mkv_buf bytes = pack_tree(tree);
	auto_tree struct mkv_tree *back = NULL;
	assert_int_equal(open_bytes(bytes.data, bytes.size, &back), 0);
	auto_buf struct mkv_buf one = {0};
	auto_buf struct mkv_buf two = {0};
	assert_int_equal(mkv_tree_walk(tree, list_inode, &one, &err), 0);
	assert_int_equal(mkv_tree_walk(back, list_inode, &two, &err), 0);
	assert_true(one.size > 100);
	assert_string_equal(one.data, two.data);
	assert_int_equal(mkv_tree_count(tree), mkv_tree_count(back));
	/* Packing the tree again gives the same bytes. */
	auto_buf struct mkv_buf again = pack_tree(back);
	assert_int_equal(again.size, bytes.size);
	assert_memory_equal(again.data, bytes.data, bytes.size);
}

static void equal_contents_are_stored_once(void **state)
{
	(void)state;
	enum { SIZE = 3 << 20 };
	struct mkv_error err = {0};
	auto_fd int file = anonymous(), fd = anonymous();
	char *data = malloc(SIZE);
	assert_non_null(data);
	for (size_t i = 0; i < SIZE; i++)
		data[i] = (char)(i * 7 >> 8);
	assert_int_equal(mkv_pwrite_all(file, data, SIZE, 0, &err), 0);
	auto_pack_writer struct mkv_pack_writer *writer = NULL;
	assert_int_equal(mkv_pack_writer_new(fd, &writer, &err), 0);
	struct mkv_content *contents[5];
	static const uint64_t sizes[] = {SIZE, 10, SIZE, 10, 0};
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(mkv_pack_add(writer, file, sizes[i],
					      &contents[i], &err),
				 0);
	auto_tree struct mkv_tree *tree = sample_empty();
	for (size_t i = 0; i < 5; i++) {
		char path[16];
		(void)snprintf(path, sizeof(path), "/%zu", i);
		auto_inode struct mkv_inode *inode =
			mkv_inode_file(0644, 0, 0, 0, contents[i]);
		assert_int_equal(mkv_tree_put(tree, path, inode, &err), 0);
	}
	assert_int_equal(mkv_pack_finish(writer, tree, &err), 0);
	struct stat status;
	assert_int_equal(fstat(fd, &status), 0);
	assert_true(status.st_size > SIZE + 10 && status.st_size < SIZE + 1024);
	auto_tree struct mkv_tree *back = NULL;
	assert_int_equal(mkv_pack_open(dup(fd), &back, &err), 0);
	char *read = malloc(SIZE);
	assert_non_null(read);
	for (size_t i = 0; i < 5; i++) {
		char path[16];
		(void)snprintf(path, sizeof(path), "/%zu", i);
		struct mkv_content *content =
			mkv_tree_lookup(back, path)->content;
		assert_int_equal(mkv_content_size(content), sizes[i]);
		assert_int_equal(mkv_content_read(content, 0, read,
						  (size_t)sizes[i], &err),
				 0);
		assert_memory_equal(read, data, (size_t)sizes[i]);
	}
	free(read);
	free(data);
}

static void a_file_that_ends_early_is_an_error(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_fd int file = anonymous(), fd = anonymous();
	auto_pack_writer struct mkv_pack_writer *writer = NULL;
	assert_int_equal(mkv_pack_writer_new(fd, &writer, &err), 0);
	struct mkv_content *content = NULL;
	assert_true(mkv_pack_add(writer, file, 1, &content, &err) < 0);
	assert_null(content);
}

/* A change of any byte of header, index or footer is detected; the parser does
 * not check contents. */
static void any_changed_byte_is_found(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_buf struct mkv_buf bytes = pack_tree(tree);
	uint64_t index;
	memcpy(&index, bytes.data + bytes.size - MKV_PACK_FOOTER_SIZE + 16, 8);
	for (size_t i = 0; i < bytes.size; i++) {
		if (i >= MKV_PACK_HEADER_SIZE && i < index)
			continue;
		auto_tree struct mkv_tree *back = NULL;
		bytes.data[i] = (char)(bytes.data[i] ^ 0x41);
		if (open_bytes(bytes.data, bytes.size, &back) >= 0)
			fail_msg("byte %zu of %zu", i, bytes.size);
		bytes.data[i] = (char)(bytes.data[i] ^ 0x41);
	}
}

static void any_shortened_pack_is_refused(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_buf struct mkv_buf bytes = pack_tree(tree);
	for (size_t size = 0; size < bytes.size; size++) {
		auto_tree struct mkv_tree *back = NULL;
		if (open_bytes(bytes.data, size, &back) >= 0)
			fail_msg("%zu of %zu bytes", size, bytes.size);
	}
}

/* A hostile index may have a correct digest: no byte may be read outside of it,
 * and an accepted index must be a valid tree. */
static void wrong_indexes_are_harmless(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_buf struct mkv_buf bytes = pack_tree(tree);
	char *footer = bytes.data + bytes.size - MKV_PACK_FOOTER_SIZE;
	uint64_t index, size;
	memcpy(&index, footer + 16, 8);
	memcpy(&size, footer + 24, 8);
	size_t refused = 0;
	for (size_t i = 0; i < size * 3; i++) {
		static const uint8_t values[] = {0xff, 0x00, 0x2f};
		char *at = bytes.data + index + i / 3, saved = *at;
		if ((uint8_t)saved == values[i % 3])
			continue;
		*at = (char)values[i % 3];
		struct mkv_sha256 sha256;
		assert_int_equal(mkv_sha256_bytes(bytes.data + index,
						  (size_t)size, &sha256, &err),
				 0);
		memcpy(footer + 32, sha256.bytes, sizeof(sha256.bytes));
		auto_tree struct mkv_tree *back = NULL;
		int rc = open_bytes(bytes.data, bytes.size, &back);
		refused += rc < 0;
		auto_buf struct mkv_buf text = {0};
		if (rc == 0)
			assert_int_equal(
				mkv_tree_walk(back, list_inode, &text, &err),
				0);
		*at = saved;
	}
	assert_true(refused > size / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_comes_back_as_it_was),
		cmocka_unit_test(equal_contents_are_stored_once),
		cmocka_unit_test(a_file_that_ends_early_is_an_error),
		cmocka_unit_test(any_changed_byte_is_found),
		cmocka_unit_test(any_shortened_pack_is_refused),
		cmocka_unit_test(wrong_indexes_are_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
