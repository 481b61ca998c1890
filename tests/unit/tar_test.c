/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <sys/mman.h>

#include "builder/format/archive/tar.h"
#include "lib/buf.h"
#include "lib/io.h"
#include "tests/unit/sample_tree.h"

static int gather_data(void *context, const void *data, size_t size,
		       struct mkv_error *err)
{
	mkv_buf_add(context, data, size);
	return mkv_buf_check(context, err);
}

static void write_archive(const struct mkv_tree *tree, struct mkv_buf *ret)
{
	struct mkv_error err;
	assert_int_equal(mkv_tar_stream(tree, gather_data, ret, &err), 0);
	assert_int_equal(ret->size % 512, 0);
}

static void the_headers_are_ustar(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/etc/x", "hello");
	mkv_tree_lookup(tree, "/etc/x")->uid = 1000;
	auto_buf struct mkv_buf tar = {0};
	write_archive(tree, &tar);
	assert_int_equal(tar.size, 3 * 512 + 512 + 1024);
	assert_string_equal(tar.data, "./");
	assert_string_equal(tar.data + 512, "etc/");
	const char *header = tar.data + 1024;
	assert_string_equal(header, "etc/x");
	assert_string_equal(header + 100, "0000644");
	assert_string_equal(header + 108, "0001750");
	assert_string_equal(header + 116, "0000000");
	assert_string_equal(header + 124, "00000000005");
	assert_string_equal(header + 136, "15110447200");
	assert_int_equal(header[156], '0');
	assert_memory_equal(header + 257,
			    "ustar\0"
			    "00",
			    8);
	assert_int_equal(header[265], 0);
	assert_memory_equal(tar.data + 1536, "hello\0", 6);
}

static void extended_records_count_their_own_digits(void **state)
{
	(void)state;
	/* "NN path=...\n": the length field grows between 99 and 100. */
	for (size_t length = 85; length < 200; length++) {
		struct mkv_error err;
		auto_tree struct mkv_tree *tree = sample_empty();
		char path[256] = "/";
		memset(path + 1, 'p', length);
		sample_file(tree, "/short", "");
		auto_inode struct mkv_inode *inode =
			mkv_inode_symlink(path + 1, 0, 0, SAMPLE_EPOCH);
		assert_int_equal(mkv_tree_put(tree, path, inode, &err), 0);
		auto_buf struct mkv_buf tar = {0};
		write_archive(tree, &tar);
		const char *at = tar.data + 512;
		if (length <= 100) {
			assert_int_equal(at[156], '2');
			continue;
		}
		assert_int_equal(at[156], 'x');
		char *end;
		const char *records = at + 512;
		size_t said = strtoul(records, &end, 10);
		assert_memory_equal(end, " path=", 6);
		assert_int_equal(records[said - 1], '\n');
		assert_int_equal(said,
				 (size_t)(end - records) + 6 + length + 1);
		size_t second = strtoul(records + said, &end, 10);
		assert_memory_equal(end, " linkpath=", 10);
		assert_int_equal(records[said + second - 1], '\n');
		assert_int_equal(strtoul(at + 124, NULL, 8), said + second);
	}
}

/* Long paths are split where ustar allows it. */
static void paths_are_split_before_they_are_extended(void **state)
{
	(void)state;
	static const struct {
		size_t directory, name;
		char type;
	} rows[] = {{50, 49, '0'},   {50, 60, '0'},   {155, 100, '0'},
		    {155, 101, 'x'}, {156, 100, 'x'}, {1, 100, '0'},
		    {1, 101, 'x'},   {98, 1, '0'},    {99, 1, '0'},
		    {154, 1, '0'},   {155, 1, '0'},   {156, 1, 'x'}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_tree struct mkv_tree *tree = sample_empty();
		char path[400] = "/";
		memset(path + 1, 'f', rows[i].directory);
		path[1 + rows[i].directory] = '/';
		memset(path + 2 + rows[i].directory, 'n', rows[i].name);
		sample_file(tree, path, "");
		auto_buf struct mkv_buf tar = {0};
		write_archive(tree, &tar);
		/* Headers of the root, of the directory and of the file, the
		 * latter two with records if long. */
		const char *at = tar.data + 512;
		while (at[156] != '5')
			at += 512;
		assert_int_equal(at[512 + 156], rows[i].type);
	}
}

static void compare_entry(struct archive_entry *entry, struct mkv_inode *inode)
{
	assert_int_equal(archive_entry_perm(entry), inode->mode & 07777);
	assert_int_equal(archive_entry_uid(entry), inode->uid);
	assert_int_equal(archive_entry_gid(entry), inode->gid);
	assert_int_equal(archive_entry_mtime(entry), inode->mtime_s);
	assert_int_equal(archive_entry_mtime_nsec(entry), 0);
	assert_false(archive_entry_atime_is_set(entry));
	assert_false(archive_entry_ctime_is_set(entry));
	const char *uname = archive_entry_uname(entry);
	assert_true(!uname || !*uname);
	assert_int_equal(archive_entry_filetype(entry), inode->mode & S_IFMT);
	assert_int_equal(archive_entry_rdevmajor(entry), inode->major);
	assert_int_equal(archive_entry_rdevminor(entry), inode->minor);
	if (inode->target)
		assert_string_equal(archive_entry_symlink(entry),
				    inode->target);
	const char *name;
	const void *value;
	size_t size, count = 0;
	(void)archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) ==
	       ARCHIVE_OK) {
		count++;
		for (size_t i = 0; i < inode->n_xattrs; i++)
			if (strcmp(inode->xattrs[i].name, name) == 0) {
				assert_int_equal(size, inode->xattrs[i].size);
				assert_memory_equal(
					value, inode->xattrs[i].value, size);
			}
	}
	assert_int_equal(count, inode->n_xattrs);
}

/* libarchive, an independent reader, reads the tree. */
static void output_can_be_parsed(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	/* libarchive decodes names of attributes; it leaves this one unchanged.
	 */
	auto_inode struct mkv_inode *ping =
		mkv_inode_file(04755, 4294967295, 4294967295, SAMPLE_EPOCH,
			       mkv_content_bytes("ELF", 3));
	assert_int_equal(
		mkv_inode_set_xattr(ping, "user.binary", "\0=\n\xff", 4, &err),
		0);
	assert_int_equal(mkv_tree_put(tree, "/usr/bin/ping", ping, &err), 0);
	assert_int_equal(mkv_tree_put(tree, "/usr/bin/ping4", ping, &err), 0);
	auto_buf struct mkv_buf tar = {0};
	write_archive(tree, &tar);
	struct archive *archive = archive_read_new();
	assert_int_equal(archive_read_support_format_tar(archive), ARCHIVE_OK);
	assert_int_equal(archive_read_open_memory(archive, tar.data, tar.size),
			 ARCHIVE_OK);
	struct archive_entry *entry;
	size_t count = 0;
	while (archive_read_next_header(archive, &entry) != ARCHIVE_EOF) {
		char path[4200];
		const char *name = archive_entry_pathname(entry);
		int length = snprintf(path, sizeof(path), "/%s",
				      strcmp(name, "./") == 0 ? "" : name);
		if (length > 1 && path[length - 1] == '/')
			path[length - 1] = '\0';
		struct mkv_inode *inode = mkv_tree_lookup(tree, path);
		assert_non_null(inode);
		count++;
		if (archive_entry_hardlink(entry)) {
			assert_string_equal(archive_entry_hardlink(entry),
					    "usr/bin/ping");
			continue;
		}
		compare_entry(entry, inode);
		if (!inode->content)
			continue;
		char expected[64], got[64];
		uint64_t size = mkv_content_size(inode->content);
		assert_int_equal(archive_entry_size(entry), size);
		assert_int_equal(mkv_content_read(inode->content, 0, expected,
						  size, &err),
				 0);
		assert_int_equal(archive_read_data(archive, got, sizeof(got)),
				 size);
		assert_memory_equal(got, expected, size);
	}
	assert_int_equal(count, mkv_tree_count(tree) + 1);
	(void)archive_read_free(archive);
}

static void equal_trees_give_equal_archives(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_tree struct mkv_tree *copy = NULL;
	assert_int_equal(mkv_tree_clone(tree, &copy, &err), 0);
	auto_buf struct mkv_buf a = {0};
	auto_buf struct mkv_buf b = {0};
	write_archive(tree, &a);
	write_archive(copy, &b);
	assert_int_equal(a.size, b.size);
	assert_memory_equal(a.data, b.data, a.size);
	mkv_tree_lookup(copy, "/pipe")->mtime_s++;
	b.size = 0;
	write_archive(copy, &b);
	assert_int_equal(a.size, b.size);
	assert_memory_not_equal(a.data, b.data, a.size);
	auto_fd int fd = memfd_create("tar", MFD_CLOEXEC);
	assert_int_equal(mkv_tar_write(tree, fd, &err), 0);
	auto_buf struct mkv_buf file = {0};
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(mkv_read_fd(fd, 1 << 20, &file, &err), 0);
	assert_int_equal(a.size, file.size);
	assert_memory_equal(a.data, file.data, a.size);
}

/* A hole of 9 GiB: the size needs a record. */
static int count_bytes(void *context, const void *data, size_t size,
		       struct mkv_error *err)
{
	uint64_t *count = context;
	if (*count == 0) {
		const char *header = (const char *)data + 512;
		assert_int_equal(header[156], 'x');
		assert_string_equal(header + 512, "19 size=9663676416\n");
	}
	*count += size;
	return *count > (uint64_t)2 << 20
		       ? mkv_fail(err, MKV_FAILED, ECANCELED, "enough")
		       : 0;
}

static void large_sizes_and_failing_sinks(void **state)
{
	(void)state;
	struct mkv_error err;
	int fd = memfd_create("large", MFD_CLOEXEC);
	uint64_t size = (uint64_t)9 << 30, count = 0;
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	auto_source struct mkv_source *source = NULL;
	assert_int_equal(mkv_source_new(fd, &source, &err), 0);
	auto_tree struct mkv_tree *tree = sample_empty();
	struct mkv_inode *inode = sample_put(tree, "/large", S_IFREG | 0600);
	mkv_content_unref(inode->content);
	inode->content = mkv_content_range(source, 0, size, NULL);
	assert_int_equal(mkv_tar_stream(tree, count_bytes, &count, &err),
			 -ECANCELED);
	assert_string_equal(err.message, "'/large': enough");
}

static void a_socket_cannot_be_held(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf tar = {0};
	auto_tree struct mkv_tree *tree = sample_empty();
	(void)sample_put(tree, "/s", S_IFSOCK | 0600);
	assert_int_equal(mkv_tar_stream(tree, gather_data, &tar, &err),
			 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_headers_are_ustar),
		cmocka_unit_test(extended_records_count_their_own_digits),
		cmocka_unit_test(paths_are_split_before_they_are_extended),
		cmocka_unit_test(output_can_be_parsed),
		cmocka_unit_test(equal_trees_give_equal_archives),
		cmocka_unit_test(large_sizes_and_failing_sinks),
		cmocka_unit_test(a_socket_cannot_be_held),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
