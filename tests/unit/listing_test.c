/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "builder/core/tree/listing.h"
#include "lib/listing.h"
#include "tests/unit/sample_tree.h"

#define SHA_EMPTY                                                              \
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void write_list(const struct mkv_tree *tree, const char *const *except,
		       struct mkv_buf *ret)
{
	struct mkv_error err;
	assert_int_equal(mkv_listing_write(tree, except, ret, &err), 0);
}

static void the_format_is_as_documented(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/etc/a b%", "");
	mkv_tree_lookup(tree, "/etc/a b%")->mtime_s = -5;
	sample_link(tree, "/etc/c", "/etc/a b%");
	struct mkv_inode *device = sample_put(tree, "/null", S_IFCHR | 0666);
	device->major = 1;
	device->minor = 3;
	(void)sample_put(tree, "/pipe", S_IFIFO | 04000);
	struct mkv_error err;
	assert_int_equal(mkv_tree_put_symlink(tree, "/sh", "a\xff\n", &err), 0);
	struct mkv_inode *file = sample_put(tree, "/x", S_IFREG | 01777);
	file->uid = 4294967295;
	file->gid = 7;
	assert_int_equal(
		mkv_inode_set_xattr(file, "user.b=%", "\x00\xab", 2, &err), 0);
	assert_int_equal(mkv_inode_set_xattr(file, "user.a", "", 0, &err), 0);
	auto_buf struct mkv_buf list = {0};
	mkv_buf_str(&list, "before\n");
	write_list(tree, NULL, &list);
	assert_string_equal(list.data,
			    "before\n"
			    "d 0755 0 0 - 1763856000 - /\n"
			    "d 0755 0 0 - 1763856000 - /etc\n"
			    "f 0644 0 0 0 -5 " SHA_EMPTY " /etc/a%20b%25\n"
			    "h 0644 0 0 0 -5 " SHA_EMPTY
			    " /etc/c /etc/a%20b%25\n"
			    "c 0666 0 0 1:3 1763856000 - /null\n"
			    "p 4000 0 0 - 1763856000 - /pipe\n"
			    "l 0777 0 0 - 1763856000 - /sh a%FF%0A\n"
			    "f 1777 4294967295 7 0 1763856000 " SHA_EMPTY
			    " /x user.a= user.b%3D%25=00ab\n");
}

static void excluded_paths_are_omitted_with_all_entries(void **state)
{
	(void)state;
	static const char *const except[] = {"/b", "/c/d", NULL};
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/a", "");
	sample_link(tree, "/b", "/a");
	sample_file(tree, "/ba", "");
	sample_file(tree, "/c/d/e/f", "");
	sample_file(tree, "/c/d2", "");
	auto_buf struct mkv_buf list = {0};
	write_list(tree, except, &list);
	assert_string_equal(list.data,
			    "d 0755 0 0 - 1763856000 - /\n"
			    "f 0644 0 0 0 1763856000 " SHA_EMPTY " /a\n"
			    "f 0644 0 0 0 1763856000 " SHA_EMPTY " /ba\n"
			    "d 0755 0 0 - 1763856000 - /c\n"
			    "f 0644 0 0 0 1763856000 " SHA_EMPTY " /c/d2\n");
}

static void the_first_name_that_is_listed_counts(void **state)
{
	(void)state;
	static const char *const except[] = {"/a", NULL};
	auto_tree struct mkv_tree *tree = sample_empty();
	sample_file(tree, "/a", "");
	sample_link(tree, "/b", "/a");
	sample_link(tree, "/c", "/a");
	auto_buf struct mkv_buf list = {0};
	write_list(tree, except, &list);
	assert_string_equal(list.data,
			    "d 0755 0 0 - 1763856000 - /\n"
			    "f 0644 0 0 0 1763856000 " SHA_EMPTY " /b\n"
			    "h 0644 0 0 0 1763856000 " SHA_EMPTY " /c /b\n");
}

static void a_socket_has_no_letter(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_empty();
	(void)sample_put(tree, "/s", S_IFSOCK | 0600);
	auto_buf struct mkv_buf list = {0};
	mkv_buf_str(&list, "kept");
	assert_int_equal(mkv_listing_write(tree, NULL, &list, &err), -EINVAL);
	assert_non_null(strstr(err.message, "'/s' has a file type"));
	assert_string_equal(list.data, "kept");
}

/* Compares the parsed entries with the written tree. */
static int check_entry(const struct mkv_listing_entry *entry, void *context,
		       struct mkv_error *err)
{
	struct mkv_inode *inode = mkv_tree_lookup(context, entry->path);
	assert_non_null(inode);
	assert_int_equal(entry->mode, inode->mode & 07777);
	assert_int_equal(entry->uid, inode->uid);
	assert_int_equal(entry->gid, inode->gid);
	assert_int_equal(entry->mtime_s, inode->mtime_s);
	assert_int_equal(entry->has_size, S_ISREG(inode->mode));
	if (entry->has_size) {
		struct mkv_sha256 sha;
		assert_int_equal(entry->size_bytes,
				 mkv_content_size(inode->content));
		assert_int_equal(mkv_content_sha256(inode->content, &sha, err),
				 0);
		assert_true(mkv_sha256_equal(&sha, &entry->sha256));
	}
	assert_int_equal(entry->has_device,
			 S_ISCHR(inode->mode) || S_ISBLK(inode->mode));
	assert_int_equal(entry->major, inode->major);
	assert_int_equal(entry->minor, inode->minor);
	if (entry->type == 'h') {
		assert_ptr_equal(mkv_tree_lookup(context, entry->target),
				 inode);
		return 0;
	}
	if (entry->type == 'l')
		assert_string_equal(entry->target, inode->target);
	assert_int_equal(entry->n_xattrs, inode->n_xattrs);
	for (size_t i = 0; i < entry->n_xattrs; i++) {
		assert_string_equal(entry->xattrs[i].name,
				    inode->xattrs[i].name);
		assert_int_equal(entry->xattrs[i].size, inode->xattrs[i].size);
		assert_memory_equal(entry->xattrs[i].value,
				    inode->xattrs[i].value,
				    inode->xattrs[i].size);
	}
	return 0;
}

static void output_can_be_parsed(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_tree struct mkv_tree *tree = sample_tree();
	auto_buf struct mkv_buf list = {0};
	write_list(tree, NULL, &list);
	size_t lines = 0;
	for (size_t i = 0; i < list.size; i++)
		lines += list.data[i] == '\n';
	assert_int_equal(lines, mkv_tree_count(tree) + 1);
	assert_int_equal(mkv_listing_parse(list.data, list.size, check_entry,
					   tree, &err),
			 0);
}

static int ignore_entry(const struct mkv_listing_entry *entry, void *context,
			struct mkv_error *err)
{
	(void)entry, (void)context, (void)err;
	return 0;
}

#define ROOT "d 0755 0 0 - 1 - /\n"
#define FILE_ "f 0644 0 0 0 1 " SHA_EMPTY " "

static void only_the_canonical_form_passes(void **state)
{
	(void)state;
	static const struct {
		const char *text, *wrong; /* NULL: accepted */
	} rows[] = {
		{ROOT, NULL},
		{ROOT FILE_ "/a\n", NULL},
		{ROOT FILE_ "/a%20b\n", NULL},
		{ROOT "d 0755 0 0 - 1 - /a\n" FILE_ "/a/b\n" FILE_ "/a.b\n",
		 NULL},
		{ROOT "h 0644 0 0 1:2 1 - /b /a\n", NULL},
		{"", "empty list"},
		{"\n", "line 1: empty"},
		{ROOT "\n", "line 2: empty"},
		{ROOT FILE_ "/a", "line 2: unfinished"},
		{FILE_ "/a\n",
		 "line 1: the first line is not the root directory"},
		{"f 0755 0 0 0 1 " SHA_EMPTY " /\n",
		 "line 1: the first line is not the root directory"},
		{ROOT ROOT, "line 2: out of order"},
		{ROOT FILE_ "/a\n" FILE_ "/a\n", "line 3: out of order"},
		{ROOT FILE_ "/b\n" FILE_ "/a\n", "line 3: out of order"},
		{ROOT "d 0755 0 0 - 1 - /a\n" FILE_ "/a.b\n" FILE_ "/a/b\n",
		 "line 4: out of order"},
		{ROOT FILE_ "/a/b\n",
		 "line 2: its directory is not listed before it"},
		{ROOT FILE_ "/a\n" FILE_ "/a/b\n",
		 "line 3: its directory is not listed before it"},
		{ROOT "d 0755 0 0 - 1 - /a\n" FILE_ "/ab/c\n",
		 "line 3: its directory is not listed before it"},
		{ROOT FILE_ "a\n", "line 2: not a path of a tree"},
		{ROOT FILE_ "/a/\n", "line 2: not a path of a tree"},
		{ROOT FILE_ "/..\n", "line 2: not a path of a tree"},
		{ROOT FILE_ "/.\n", "line 2: not a path of a tree"},
		{ROOT FILE_ "//a\n", "line 2: not a path of a tree"},
		{ROOT FILE_ "/a%41\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a%ff\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a%00\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a%2\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a\xc3\xa4\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a \n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a b\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a =00\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a b=0\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a b=AB\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT FILE_ "/a b=00 a=00\n",
		 "line 2: attributes out of order"},
		{ROOT FILE_ "/a b=00 b=00\n",
		 "line 2: attributes out of order"},
		{ROOT "l 0777 0 0 - 1 - /a\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT "h 0777 0 0 - 1 - /b /a user.x=00\n",
		 "line 2: malformed path, target or attributes"},
		{ROOT "h 0777 0 0 - 1 - /a /b\n",
		 "line 2: a hard link to a path that is not listed "
		 "before it"},
		{ROOT "x 0644 0 0 - 1 - /a\n",
		 "line 2: columns that do not fit its type"},
		{ROOT "f 0644 0 0 - 1 - /a\n",
		 "line 2: columns that do not fit its type"},
		{ROOT "d 0644 0 0 1:2 1 - /a\n",
		 "line 2: columns that do not fit its type"},
		{ROOT "c 0644 0 0 - 1 - /a\n",
		 "line 2: columns that do not fit its type"},
		{ROOT "f 0644 0 0 0 1 - /a\n", "line 2: malformed columns"},
		{ROOT "f 0644 0 0 00 1 " SHA_EMPTY " /a\n",
		 "line 2: malformed columns"},
		{ROOT "d 644 0 0 - 1 - /a\n", "line 2: malformed columns"},
		{ROOT "d 0648 0 0 - 1 - /a\n", "line 2: malformed columns"},
		{ROOT "d 0644 4294967296 0 - 1 - /a\n",
		 "line 2: malformed columns"},
		{ROOT "d 0644 -1 0 - 1 - /a\n", "line 2: malformed columns"},
		{ROOT "d 0644 0 0 - -0 - /a\n", "line 2: malformed columns"},
		{ROOT "d 0644 0 0 - 99999999999999999999 - /a\n",
		 "line 2: malformed columns"},
		{ROOT "d  0644 0 0 - 1 - /a\n", "line 2: malformed columns"},
		{ROOT "d\n", "line 2: malformed columns"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		int rc = mkv_listing_parse(rows[i].text, strlen(rows[i].text),
					   ignore_entry, NULL, &err);
		if (!rows[i].wrong && rc != 0)
			fail_msg("row %zu: %s", i, err.message);
		if (!rows[i].wrong)
			continue;
		if (rc != -EBADMSG || strcmp(err.message, rows[i].wrong) != 0)
			fail_msg("row %zu: %d '%s'", i, rc, err.message);
		assert_int_equal(err.kind, MKV_UNVERIFIED);
	}
}

static void a_byte_of_zero_is_malformed(void **state)
{
	(void)state;
	struct mkv_error err;
	static const char text[] = ROOT FILE_ "/a\0b\n";
	assert_int_equal(mkv_listing_parse(text, sizeof(text) - 1, ignore_entry,
					   NULL, &err),
			 -EBADMSG);
}

static void lines_are_bounded(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_str(&text, ROOT FILE_ "/a user.x=");
	mkv_buf_fill(&text, '0', MKV_LISTING_LINE_MAX);
	mkv_buf_char(&text, '\n');
	assert_int_equal(mkv_listing_parse(text.data, text.size, ignore_entry,
					   NULL, &err),
			 -EBADMSG);
	assert_string_equal(err.message, "line 2: too long");
}

static int refuse_entry(const struct mkv_listing_entry *entry, void *context,
			struct mkv_error *err)
{
	(void)context;
	return entry->path[1] ? mkv_fail(err, MKV_FAILED, ECANCELED, "no") : 0;
}

static void a_visitor_can_stop(void **state)
{
	(void)state;
	struct mkv_error err;
	static const char text[] = ROOT FILE_ "/a\nrubbish";
	assert_int_equal(mkv_listing_parse(text, sizeof(text) - 1, refuse_entry,
					   NULL, &err),
			 -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_format_is_as_documented),
		cmocka_unit_test(excluded_paths_are_omitted_with_all_entries),
		cmocka_unit_test(the_first_name_that_is_listed_counts),
		cmocka_unit_test(a_socket_has_no_letter),
		cmocka_unit_test(output_can_be_parsed),
		cmocka_unit_test(only_the_canonical_form_passes),
		cmocka_unit_test(a_byte_of_zero_is_malformed),
		cmocka_unit_test(lines_are_bounded),
		cmocka_unit_test(a_visitor_can_stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
