/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "builder/config/units/units.h"

/* Units of an image, and the links that enabling one of them must make. */
static const struct {
	const char *path, *text;
} files[] = {
	{"/usr/lib/systemd/system/a.service",
	 "[Unit]\nWantedBy=no.target\n[Install]\n# WantedBy=no.target\n"
	 "WantedBy=multi-user.target  other.target\nAlias=alias.service\n"},
	{"/usr/lib/systemd/system/r.socket",
	 "[Install]\r\nRequiredBy = sockets.target\r\nAlso=a.service\r\n"},
	{"/usr/lib/systemd/system/t@.service",
	 "[Install]\nWantedBy=getty.target\n"},
	{"/usr/lib/systemd/system/plain.service", "[Service]\nExecStart=/x\n"},
	{"/usr/lib/systemd/system/over.service",
	 "[Install]\nWantedBy=no.target\n"},
	{"/etc/systemd/system/over.service",
	 "[Install]\nWantedBy=yes.target\n"},
	{"/usr/lib/systemd/system/self.service",
	 "[Install]\nAlso=self.service\nWantedBy=x.target\n"},
	{"/usr/lib/systemd/system/evil.service",
	 "[Install]\nWantedBy=../../../../bin.target\n"},
};

static struct mkv_tree *make_tree(void)
{
	struct mkv_tree *tree = NULL;
	struct mkv_error err;
	assert_int_equal(mkv_tree_new(0, &tree, &err), 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		assert_int_equal(mkv_tree_put_file(tree, files[i].path, 0644,
						   files[i].text,
						   strlen(files[i].text), &err),
				 0);
	return tree;
}

static void links_follow_the_install_section(void **state)
{
	static const struct {
		const char *unit, *link, *target; /* NULL: must not be */
	} rows[] = {
		{"a.service", "multi-user.target.wants/a.service",
		 "/usr/lib/systemd/system/a.service"},
		{"a.service", "other.target.wants/a.service",
		 "/usr/lib/systemd/system/a.service"},
		{"a.service", "alias.service",
		 "/usr/lib/systemd/system/a.service"},
		{"a.service", "no.target.wants/a.service", NULL},
		{"r.socket", "sockets.target.requires/r.socket",
		 "/usr/lib/systemd/system/r.socket"},
		{"r.socket", "multi-user.target.wants/a.service",
		 "/usr/lib/systemd/system/a.service"},
		{"t@x.service", "getty.target.wants/t@x.service",
		 "/usr/lib/systemd/system/t@.service"},
		{"over.service", "yes.target.wants/over.service",
		 "/etc/systemd/system/over.service"},
		{"self.service", "x.target.wants/self.service",
		 "/usr/lib/systemd/system/self.service"},
		{"over.service", "no.target.wants/over.service", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_tree struct mkv_tree *tree = make_tree();
		struct mkv_error err = {0};
		char path[256];
		if (mkv_unit_enable(tree, rows[i].unit, &err) < 0)
			fail_msg("%s", err.message);
		(void)snprintf(path, sizeof(path), "/etc/systemd/system/%s",
			       rows[i].link);
		const struct mkv_inode *link = mkv_tree_lookup(tree, path);
		if (!rows[i].target) {
			assert_null(link);
			continue;
		}
		assert_non_null(link);
		assert_string_equal(link->target, rows[i].target);
	}
}

static void units_that_cannot_be_enabled_are_errors(void **state)
{
	static const char *const rows[] = {
		"none.service", "plain.service", "evil.service", "a", "",
		"../a.service", "a.conf",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_tree struct mkv_tree *tree = make_tree();
		struct mkv_error err = {0};
		assert_true(mkv_unit_enable(tree, rows[i], &err) < 0);
		assert_string_not_equal(err.message, "");
	}
}

static void a_masked_unit_is_a_link_to_dev_null(void **state)
{
	(void)state;
	auto_tree struct mkv_tree *tree = make_tree();
	struct mkv_error err = {0};
	assert_int_equal(mkv_unit_mask(tree, "gone.timer", &err), 0);
	assert_string_equal(
		mkv_tree_lookup(tree, "/etc/systemd/system/gone.timer")->target,
		"/dev/null");
	assert_true(mkv_unit_mask(tree, "a/b.service", &err) < 0);
}

static void the_links_of_a_tree_define_enabled_units(void **state)
{
	static const struct {
		const char *path, *target;
	} links[] = {
		{"/etc/systemd/system/multi-user.target.wants/z.service", "/z"},
		{"/etc/systemd/system/multi-user.target.wants/a.service", "/a"},
		{"/etc/systemd/system/x.target.requires/a.service", "/a"},
		{"/etc/systemd/system/x.target.wants/off.timer", "/off"},
		{"/etc/systemd/system/off.timer", "/dev/null"},
		{"/etc/systemd/system/alias.service", "/a"},
		{"/etc/systemd/system/chrony.service.d/x.service", "/x"},
		{"/usr/lib/systemd/system/x.target.wants/static.service", "/s"},
	};
	auto_tree struct mkv_tree *tree = make_tree();
	auto_strings struct mkv_strings enabled = {0}, masked = {0};
	struct mkv_error err = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		char directory[256];
		(void)snprintf(directory, sizeof(directory), "%s",
			       links[i].path);
		*strrchr(directory, '/') = '\0';
		assert_int_equal(mkv_tree_make_dirs(tree, directory, &err), 0);
		assert_int_equal(mkv_tree_put_symlink(tree, links[i].path,
						      links[i].target, &err),
				 0);
	}
	assert_int_equal(mkv_units_list(tree, &enabled, &masked, &err), 0);
	assert_int_equal(enabled.count, 2);
	assert_string_equal(enabled.items[0], "a.service");
	assert_string_equal(enabled.items[1], "z.service");
	assert_int_equal(masked.count, 1);
	assert_string_equal(masked.items[0], "off.timer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_follow_the_install_section),
		cmocka_unit_test(units_that_cannot_be_enabled_are_errors),
		cmocka_unit_test(a_masked_unit_is_a_link_to_dev_null),
		cmocka_unit_test(the_links_of_a_tree_define_enabled_units),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
