/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "builder/core/tree/listing.h"
#include "builder/evidence/audit/audit_internal.h"
#include "builder/evidence/audit/table.h"
#include "builder/evidence/audit/uki.h"
#include "builder/format/archive/tar.h"
#include "lib/io.h"

enum { EPOCH = 1763856000 };

static int put_inode(struct mkv_tree *tree, const char *path,
		     struct mkv_inode *inode)
{
	struct mkv_error err = {0};
	int rc = inode ? mkv_tree_put(tree, path, inode, &err) : -ENOMEM;
	if (rc < 0)
		fail_msg("%s: %s", path, err.message);
	return rc;
}

/* A tree with an entry of each kind, hard links in both orders of a walk, and
 * names that need escapes and pax headers. */
static struct mkv_tree *make_tree(void)
{
	struct mkv_error err = {0};
	struct mkv_tree *tree = NULL;
	char deep[300] = "/d";
	memset(deep + 2, 'x', 240);
	deep[242] = '\0';
	assert_int_equal(mkv_tree_new(EPOCH, &tree, &err), 0);
	assert_int_equal(mkv_tree_make_dirs(tree, "/a/b", &err), 0);
	assert_int_equal(
		mkv_tree_put_file(tree, "/a/b/file", 0644, "data\n", 5, &err),
		0);
	assert_int_equal(mkv_tree_put_file(tree, "/a-b", 0600, "", 0, &err), 0);
	assert_int_equal(
		mkv_tree_put_file(tree, "/na me\n%=\xff", 0600, "x", 1, &err),
		0);
	assert_int_equal(mkv_tree_put_file(tree, deep, 04755, "long", 4, &err),
			 0);
	assert_int_equal(mkv_tree_put_symlink(tree, "/link", "a b", &err), 0);
	struct mkv_inode *file = mkv_tree_lookup(tree, "/a/b/file");
	file->uid = 3000000;
	file->mtime_s = -5;
	assert_int_equal(mkv_inode_set_xattr(file, "security.capability",
					     "\0\1=\n", 4, &err),
			 0);
	assert_int_equal(mkv_inode_set_xattr(file, "user.a", "", 0, &err), 0);
	put_inode(tree, "/zlink", file);
	put_inode(tree, "/a/a", file);
	auto_inode struct mkv_inode *device =
		mkv_inode_new(S_IFCHR | 0666, 0, 0, EPOCH);
	device->major = 5;
	device->minor = 300;
	put_inode(tree, "/console", device);
	auto_inode struct mkv_inode *fifo =
		mkv_inode_new(S_IFIFO | 0600, 1, 2, EPOCH);
	put_inode(tree, "/fifo", fifo);
	return tree;
}

static void write_tar(struct mkv_tree *tree, struct mkv_buf *ret)
{
	struct mkv_error err = {0};
	auto_fd int fd = memfd_create("tar", MFD_CLOEXEC);
	if (mkv_tar_write(tree, fd, &err) < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    mkv_read_fd(fd, 1 << 20, ret, &err) < 0)
		fail_msg("%s", err.message);
}

static int read_tar(const char *data, size_t size, struct mkv_audit_table *ret,
		    struct mkv_error *err)
{
	auto_fd int fd = memfd_create("tar", MFD_CLOEXEC);
	struct mkv_audit_capture capture = {.path = "/a/b/file",
					    .limit_bytes = 5};
	if (mkv_pwrite_all(fd, data, size, 0, err) < 0)
		fail_msg("%s", err->message);
	int rc = mkv_audit_table_from_tar(fd, ret, &capture, 1, NULL, err);
	mkv_buf_done(&capture.data);
	return rc;
}

static const char *const nothing[] = {NULL};

static void a_list_and_a_tar_of_one_tree_agree(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = make_tree();
	auto_buf struct mkv_buf list = {0}, tar = {0};
	auto_audit_table struct mkv_audit_table want = {0}, got = {0};
	auto_audit_report struct mkv_audit_report report = {0};
	assert_int_equal(mkv_listing_write(tree, NULL, &list, &err), 0);
	write_tar(tree, &tar);
	assert_int_equal(
		mkv_audit_table_from_list(list.data, list.size, &want, &err),
		0);
	if (read_tar(tar.data, tar.size, &got, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(want.count, mkv_tree_count(tree) + 1);
	mkv_audit_table_compare(&want, &got, nothing, "disk", &report);
	for (size_t i = 0; i < report.n_findings; i++)
		print_error("%s: %s\n", report.findings[i].path,
			    report.findings[i].text);
	assert_int_equal(report.n_findings, 0);
	assert_int_equal(report.entries, want.count);
}

/* An edit of the tree and its only finding. */
static void edit_mode(struct mkv_tree *t)
{
	mkv_tree_lookup(t, "/a-b")->mode ^= 0111;
}
static void edit_owner(struct mkv_tree *t)
{
	mkv_tree_lookup(t, "/fifo")->gid = 7;
}
static void edit_time(struct mkv_tree *t)
{
	mkv_tree_lookup(t, "/")->mtime_s++;
}
static void edit_device(struct mkv_tree *t)
{
	mkv_tree_lookup(t, "/console")->minor--;
}
static void edit_remove(struct mkv_tree *t)
{
	assert_true(mkv_tree_remove(t, "/link"));
}
static void edit_add(struct mkv_tree *t)
{
	struct mkv_error err;
	assert_int_equal(mkv_tree_put_symlink(t, "/a/new", "x", &err), 0);
}
static void edit_type(struct mkv_tree *t)
{
	struct mkv_error err;
	assert_int_equal(mkv_tree_put_symlink(t, "/fifo", "x", &err), 0);
}
static void edit_target(struct mkv_tree *t)
{
	struct mkv_error err;
	assert_int_equal(mkv_tree_put_symlink(t, "/link", "a c", &err), 0);
}
static void edit_content(struct mkv_tree *t)
{
	struct mkv_error err;
	assert_int_equal(mkv_tree_put_file(t, "/a-b", 0600, "", 0, &err), 0);
	assert_int_equal(
		mkv_tree_put_file(t, "/na me\n%=\xff", 0600, "y", 1, &err), 0);
}

static void edit_xattr(struct mkv_tree *t)
{
	struct mkv_error err;
	assert_int_equal(mkv_inode_set_xattr(mkv_tree_lookup(t, "/a-b"),
					     "user.b", "\0=", 2, &err),
			 0);
}
static void edit_hard_link(struct mkv_tree *t)
{
	struct mkv_error err;
	auto_inode struct mkv_inode *copy = mkv_inode_file(
		0644, 3000000, 0, -5, mkv_content_bytes("data\n", 5));
	assert_int_equal(mkv_inode_set_xattr(copy, "security.capability",
					     "\0\1=\n", 4, &err),
			 0);
	assert_int_equal(mkv_inode_set_xattr(copy, "user.a", "", 0, &err), 0);
	put_inode(t, "/zlink", copy);
}

static const struct edit {
	void (*edit)(struct mkv_tree *tree);
	const char *path, *text;
} edits[] = {
	{edit_mode, "disk:/a-b", "mode differs: expected 0600 got 0711"},
	{edit_owner, "disk:/fifo", "owner differs: expected 1:2 got 1:7"},
	{edit_time, "disk:/",
	 "mtime differs: expected 1763856000 got 1763856001"},
	{edit_device, "disk:/console",
	 "device differs: expected 5:300 got 5:299"},
	{edit_remove, "disk:/link", "missing: expected a symbolic link"},
	{edit_add, "disk:/a/new",
	 "extra: a symbolic link that the list of files lacks"},
	{edit_type, "disk:/fifo",
	 "type differs: expected FIFO got symbolic link"},
	{edit_target, "disk:/link", "target differs: expected a b got a c"},
	{edit_xattr, "disk:/a-b",
	 "xattrs differ: expected none got user.b=003d"},
	{edit_hard_link, "disk:/zlink",
	 "hard links differ: expected the inode of /a/a got the inode of /zlink"},
	{edit_content, "disk:/na me%0A%=%FF",
	 "sha256 differs: expected "
	 "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881 got "
	 "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa"},
};

static void each_difference_is_one_finding(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct mkv_error err = {0};
		auto_tree struct mkv_tree *tree = make_tree();
		auto_buf struct mkv_buf list = {0}, tar = {0};
		auto_audit_table struct mkv_audit_table want = {0}, got = {0};
		auto_audit_report struct mkv_audit_report report = {0};
		assert_int_equal(mkv_listing_write(tree, NULL, &list, &err), 0);
		edits[i].edit(tree);
		write_tar(tree, &tar);
		assert_int_equal(mkv_audit_table_from_list(list.data, list.size,
							   &want, &err),
				 0);
		assert_int_equal(read_tar(tar.data, tar.size, &got, &err), 0);
		mkv_audit_table_compare(&want, &got, nothing, "disk", &report);
		if (report.n_findings != 1)
			fail_msg("edit %zu: %zu findings", i,
				 report.n_findings);
		assert_string_equal(report.findings[0].path, edits[i].path);
		assert_string_equal(report.findings[0].text, edits[i].text);
	}
}

static void a_broken_tar_is_refused_or_differs(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *tree = make_tree();
	auto_buf struct mkv_buf tar = {0};
	write_tar(tree, &tar);
	size_t used = tar.size;
	while (used && tar.data[used - 1] == '\0')
		used--;
	used = (used + 511) / 512 * 512;
	for (size_t size = 0; size <= used; size += 97) {
		auto_audit_table struct mkv_audit_table got = {0};
		if (read_tar(tar.data, size, &got, &err) == 0)
			fail_msg("accepted although truncated at %zu of %zu",
				 size, used);
	}
	/* Also between entries, where libarchive reports the end. */
	for (size_t size = 0; size <= used; size += 512) {
		auto_audit_table struct mkv_audit_table got = {0};
		if (read_tar(tar.data, size, &got, &err) == 0)
			fail_msg("accepted although truncated at block %zu",
				 size / 512);
	}
	/* No value of a byte causes a memory error (found with SANITIZE=1). */
	auto_audit_table struct mkv_audit_table good = {0};
	assert_int_equal(read_tar(tar.data, tar.size, &good, &err), 0);
	for (size_t at = 0; at < used; at += 5) {
		auto_audit_table struct mkv_audit_table got = {0};
		auto_audit_report struct mkv_audit_report report = {0};
		tar.data[at] ^= 0x11;
		if (read_tar(tar.data, tar.size, &got, &err) == 0) {
			mkv_audit_table_compare(&good, &got, nothing, "",
						&report);
			mkv_audit_table_compare(&got, &good, nothing, "",
						&report);
		}
		tar.data[at] ^= 0x11;
	}
}

/* A header with `size`; `edit` changes a field before the checksum is set. */
static void tar_block_of(struct mkv_buf *tar, const char *name, char type,
			 const char *link, size_t size, void (*edit)(char *))
{
	char block[512] = {0};
	unsigned sum = 0;
	(void)snprintf(block, 100, "%s", name);
	memcpy(block + 100, "0000644\0000000000\0000000000\0", 24);
	(void)snprintf(block + 124, 12, "%011zo", size);
	memcpy(block + 136, "00000000000\0        ", 20);
	block[156] = type;
	(void)snprintf(block + 157, 100, "%s", link);
	memcpy(block + 257, "ustar\00000", 8);
	if (edit)
		edit(block);
	for (size_t i = 0; i < sizeof(block); i++)
		sum += (unsigned char)block[i];
	(void)snprintf(block + 148, 8, "%06o", sum & 0777777);
	mkv_buf_add(tar, block, sizeof(block));
}

static void tar_block(struct mkv_buf *tar, const char *name, char type,
		      const char *link)
{
	tar_block_of(tar, name, type, link, 0, NULL);
}

static void tar_data(struct mkv_buf *tar, const char *data, size_t size)
{
	mkv_buf_add(tar, data, size);
	mkv_buf_fill(tar, '\0', (512 - size % 512) % 512);
}

/* A pax header with one record. */
static void tar_record(struct mkv_buf *tar, const char *record)
{
	char line[256];
	size_t size = strlen(record) + 4; /* "NN " and the newline */
	(void)snprintf(line, sizeof(line), "%zu %s\n", size, record);
	tar_block_of(tar, "x", 'x', "", size, NULL);
	tar_data(tar, line, size);
}

static const struct {
	const char *name;
	char type;
	const char *link;
	bool ok;
} headers[] = {
	{"./a", '0', "", true},	       {"a", '0', "", true},
	{"./../a", '0', "", false},    {"..", '5', "", false},
	{"a/./b", '0', "", false},     {"a//b", '0', "", false},
	{"./a", '1', "./b", false},    {"./a", '1', "./a", false},
	{"./a", 'S', "", false},       {"./first", '0', "", false},
	{"./a", '1', "./first", true},
};

static void paths_and_links_stay_inside(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct mkv_error err = {0};
		auto_buf struct mkv_buf tar = {0};
		auto_audit_table struct mkv_audit_table got = {0};
		tar_block(&tar, "./first", '0', "");
		tar_block(&tar, headers[i].name, headers[i].type,
			  headers[i].link);
		mkv_buf_fill(&tar, '\0', 1024);
		int rc = read_tar(tar.data, tar.size, &got, &err);
		if ((rc == 0) != headers[i].ok)
			fail_msg("header %zu: %d %s", i, rc, err.message);
	}
}

static void edit_mode_field(char *block)
{
	memcpy(block + 100, "0000644x", 8);
}
static void edit_owner_field(char *block)
{
	memcpy(block + 108, "\x80\0\0\1\0\0\0\0", 8);
}
static void edit_device_field(char *block)
{
	memcpy(block + 329, "00000z5", 8);
}

static void a_size(struct mkv_buf *tar, char type, const char *name,
		   const char *link)
{
	tar_block_of(tar, name, type, link, 4, NULL);
	tar_data(tar, "data", 4);
}

static void make_plain(struct mkv_buf *tar)
{
	a_size(tar, '0', "./a", "");
}
static void make_contiguous(struct mkv_buf *tar)
{
	a_size(tar, '7', "./a", "");
}
static void make_pax_size(struct mkv_buf *tar)
{
	tar_record(tar, "size=000000000004");
	tar_block(tar, "./a", '0', "");
	tar_data(tar, "data", 4);
}
static void make_slash(struct mkv_buf *tar)
{
	a_size(tar, '0', "./a/", "");
}
static void make_pax_slash(struct mkv_buf *tar)
{
	tar_record(tar, "path=./directory/");
	a_size(tar, '0', "./a", "");
}
static void make_unknown(struct mkv_buf *tar)
{
	a_size(tar, 'Q', "./a", "");
}
static void make_multi_volume(struct mkv_buf *tar)
{
	a_size(tar, 'M', "./a", "");
}
static void make_dump_directory(struct mkv_buf *tar)
{
	a_size(tar, 'D', "./a", "");
}
static void make_volume(struct mkv_buf *tar)
{
	tar_block(tar, "label", 'V', "");
	make_plain(tar);
}
static void make_acl(struct mkv_buf *tar)
{
	tar_block_of(tar, "./hidden", 'A', "", 10, NULL);
	tar_data(tar, "01000000\0\0", 10);
	make_plain(tar);
}
static void make_acl_behind(struct mkv_buf *tar)
{
	tar_record(tar, "comment=wait");
	make_acl(tar);
}
static void make_directory_data(struct mkv_buf *tar)
{
	tar_record(tar, "size=000000000512");
	tar_block(tar, "./d", '5', "");
	tar_block(tar, "./hidden", '0', "");
}
static void make_link_data(struct mkv_buf *tar)
{
	make_plain(tar);
	tar_record(tar, "size=000000000512");
	tar_block(tar, "./l", '1', "./a");
	tar_block(tar, "./hidden", '0', "");
}
static void make_sparse_map(struct mkv_buf *tar)
{
	tar_record(tar, "GNU.sparse.map=9,4");
	make_plain(tar);
}
static void make_real_size(struct mkv_buf *tar)
{
	tar_record(tar, "GNU.sparse.realsize=9000000000000");
	make_plain(tar);
}
static void make_bad_record(struct mkv_buf *tar)
{
	tar_block_of(tar, "x", 'x', "", 8, NULL);
	tar_data(tar, "9 abcd=e", 8);
	make_plain(tar);
}
static void make_dangling(struct mkv_buf *tar)
{
	make_plain(tar);
	tar_record(tar, "comment=wait");
}
static void make_mode(struct mkv_buf *tar)
{
	tar_block_of(tar, "./a", '0', "", 0, edit_mode_field);
}
static void make_owner(struct mkv_buf *tar)
{
	tar_block_of(tar, "./a", '0', "", 0, edit_owner_field);
}
static void make_pax_owner(struct mkv_buf *tar)
{
	tar_record(tar, "uid=00004294967296");
	make_plain(tar);
}
static void make_device(struct mkv_buf *tar)
{
	tar_block_of(tar, "./a", '3', "", 0, edit_device_field);
}
static void make_twice(struct mkv_buf *tar)
{
	make_plain(tar);
	make_plain(tar);
}
static void make_many_xattrs(struct mkv_buf *tar)
{
	auto_buf struct mkv_buf records = {0};
	for (unsigned i = 0; i < 65; i++)
		mkv_buf_printf(&records, "27 SCHILY.xattr.user.%03u=v\n", i);
	tar_block_of(tar, "x", 'x', "", records.size, NULL);
	tar_data(tar, records.data, records.size);
	make_plain(tar);
}
static void make_large_record(struct mkv_buf *tar)
{
	tar_block_of(tar, "x", 'x', "", 64 << 20, NULL);
	make_plain(tar);
}

static const struct {
	void (*make)(struct mkv_buf *tar);
	const char *why; /* NULL: accepted; only "tar stream: " if the rest is
			    libarchive's text */
} streams[] = {
	{make_plain, NULL},
	{make_contiguous, NULL},
	{make_pax_size, NULL},
	{make_slash, "'./a/': an unknown type of entry"},
	{make_pax_slash, "'./directory/': an unknown type of entry"},
	{make_unknown, "'./a': an unknown type of entry"},
	{make_multi_volume, "'./a': an unknown type of entry"},
	{make_dump_directory, "'./a': an unknown type of entry"},
	{make_volume, "an unknown type of header"},
	{make_acl, "an unknown type of header"},
	{make_acl_behind, "an unknown type of header"},
	{make_directory_data, "'/d': has data but isn't a regular file"},
	{make_link_data, "'/l': has data but isn't a regular file"},
	{make_sparse_map, "'/a': a sparse file"},
	{make_real_size, "'/a': its data and its size disagree"},
	{make_bad_record, "tar stream: "},
	{make_dangling, "tar stream: "},
	{make_mode, "a header with an invalid number"},
	{make_owner, "'/a': a number is out of range"},
	{make_pax_owner, "'/a': a number is out of range"},
	{make_device, "a header with an invalid number"},
	{make_twice, "'/a' appears twice"},
	{make_many_xattrs, "'/a': too many extended attributes"},
	{make_large_record, "tar stream: "},
};

/* Streams that libarchive accepts although another reader would extract other
 * entries or none. */
static void lenient_readings_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		struct mkv_error err = {0};
		auto_buf struct mkv_buf tar = {0};
		auto_audit_table struct mkv_audit_table got = {0};
		/* libarchive is stricter with the first header of a stream. */
		tar_block(&tar, "./first", '0', "");
		streams[i].make(&tar);
		mkv_buf_fill(&tar, '\0', 1024);
		int rc = read_tar(tar.data, tar.size, &got, &err);
		if (streams[i].why
			    ? rc == 0 || !strstr(err.message, streams[i].why)
			    : rc < 0 || got.items[0].size_bytes != 4)
			fail_msg("stream %zu: %d %s", i, rc, err.message);
	}
}

/* Times are compared to the nanosecond, names and attributes by their bytes,
 * independent of the character set. */
static void records_are_read_exactly(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf tar = {0};
	auto_audit_table struct mkv_audit_table got = {0};
	tar_record(&tar, "mtime=-5.000000001");
	tar_block(&tar, "./a", '0', "");
	tar_record(&tar, "mtime=000007.0000");
	tar_block(&tar, "./b", '0', "");
	/* A decomposed name, which would differ after normalisation to NFC. */
	tar_record(&tar, "path=./e\xcc\x81\xff");
	tar_block(&tar, "./c", '0', "");
	tar_record(&tar, "SCHILY.xattr.user.%41=%3d");
	tar_block(&tar, "./d", '0', "");
	mkv_buf_fill(&tar, '\0', 1024);
	if (read_tar(tar.data, tar.size, &got, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(got.count, 4);
	assert_int_equal(got.items[0].mtime_s, -5);
	assert_true(got.items[0].has_fraction);
	assert_int_equal(got.items[1].mtime_s, 7);
	assert_false(got.items[1].has_fraction);
	assert_string_equal(got.items[2].path, "/d");
	assert_string_equal(got.items[2].xattrs, " user.%41=253364");
	assert_string_equal(got.items[3].path, "/e\xcc\x81\xff");
}

static void put_number(char *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (char)(value >> 8 * i);
}

static void sections_are_read_within_the_image(void **state)
{
	(void)state;
	char image[1024] = "MZ";
	struct mkv_error err = {0};
	struct mkv_audit_section section;
	put_number(image + 0x3c, 64);
	memcpy(image + 64, "PE\0", 4);
	image[70] = 1; /* one section, no optional header */
	memcpy(image + 88, ".cmdline", 8);
	put_number(image + 96, 3);
	put_number(image + 104, 512);
	put_number(image + 108, 512);
	memcpy(image + 512, "ro\n", 3);
	assert_int_equal(mkv_audit_uki_section(image, sizeof(image), ".cmdline",
					       &section, &err),
			 0);
	assert_int_equal(section.size, 3);
	assert_memory_equal(section.data, "ro\n", 3);
	assert_int_equal(mkv_audit_uki_section(image, sizeof(image), ".linux",
					       &section, &err),
			 0);
	assert_null(section.data);
	for (size_t size = 0; size < sizeof(image); size++)
		if (mkv_audit_uki_section(image, size, ".cmdline", &section,
					  &err) == 0)
			fail_msg("accepted although truncated at %zu", size);
	static const uint32_t offsets[] = {513, 1024, UINT32_MAX};
	for (size_t i = 0; i < 3; i++) {
		put_number(image + 108, offsets[i]);
		assert_true(mkv_audit_uki_section(image, sizeof(image),
						  ".cmdline", &section,
						  &err) < 0);
	}
	put_number(image + 0x3c, UINT32_MAX);
	assert_true(mkv_audit_uki_section(image, sizeof(image), ".cmdline",
					  &section, &err) < 0);
}

static void findings_are_sorted_limited_and_harmless(void **state)
{
	(void)state;
	auto_audit_report struct mkv_audit_report report = {0};
	mkv_audit_add(&report, "b", "x");
	mkv_audit_add(&report, "a/c", "y");
	mkv_audit_add(&report, "a", "\033[2J%s", "\x80");
	mkv_audit_sort(&report);
	assert_string_equal(report.findings[0].path, "a");
	assert_string_equal(report.findings[0].text, "%1B[2J%80");
	assert_string_equal(report.findings[2].path, "b");
	for (size_t i = 3; i < MKV_FINDINGS_MAX + 5; i++)
		mkv_audit_add(&report, "z", "z");
	assert_int_equal(report.n_findings, MKV_FINDINGS_MAX);
	assert_int_equal(report.omitted, 5);
	assert_false(report.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_and_a_tar_of_one_tree_agree),
		cmocka_unit_test(each_difference_is_one_finding),
		cmocka_unit_test(a_broken_tar_is_refused_or_differs),
		cmocka_unit_test(paths_and_links_stay_inside),
		cmocka_unit_test(lenient_readings_are_refused),
		cmocka_unit_test(records_are_read_exactly),
		cmocka_unit_test(sections_are_read_within_the_image),
		cmocka_unit_test(findings_are_sorted_limited_and_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
