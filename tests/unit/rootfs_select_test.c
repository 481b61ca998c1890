/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/rootfs/install/excluded.h"
#include "builder/rootfs/install/rootfs_internal.h"

enum { ROWS = 12 };
static const uint64_t huge = 100 << 20;

/* In the order of the lock, dependencies first. */
static const struct {
	const char *name, *fields;
	uint64_t size;
	enum mkv_install_phase phase;
} rows[ROWS] = {
	{"libc", "", huge, MKV_PHASE_ESSENTIAL},
	{"dpkg", "Essential: yes\nPre-Depends: libc\n", 1, MKV_PHASE_ESSENTIAL},
	{"mawk", "Provides: awk\n", 1, MKV_PHASE_ESSENTIAL},
	{"base-files", "Essential: yes\nPre-Depends: awk\n", 1,
	 MKV_PHASE_ESSENTIAL},
	{"library", "Depends: libc (>= 2)\n", 1, MKV_PHASE_MAIN - 2},
	{"deep", "Depends: library\n", 1, MKV_PHASE_MAIN - 2},
	{"early", "Pre-Depends: deep\n", 1, MKV_PHASE_MAIN - 1},
	{"usual", "Pre-Depends: libc, early\n", 1, MKV_PHASE_MAIN},
	{"kernel", "Depends: usual\n", huge, MKV_PHASE_LARGE},
	{"engine", "Depends: kernel | other\n", 1, MKV_PHASE_LARGE},
	{"tool", "Recommends: kernel\n", 1, MKV_PHASE_MAIN},
	{"loop", "Depends: loop, missing\n", 1, MKV_PHASE_MAIN},
};

static void fill_rootfs(struct mkv_rootfs *rootfs)
{
	struct mkv_error err = {0};
	static const struct mkv_rootfs_options none;
	rootfs->options = &none;
	rootfs->count = ROWS;
	rootfs->packages = calloc(ROWS, sizeof(*rootfs->packages));
	rootfs->phases = calloc(ROWS, sizeof(*rootfs->phases));
	rootfs->order = calloc(ROWS, sizeof(*rootfs->order));
	assert_true(rootfs->packages && rootfs->phases && rootfs->order);
	for (size_t i = 0; i < ROWS; i++) {
		char text[256];
		int size = snprintf(text, sizeof(text),
				    "Package: %s\nVersion: 2\n"
				    "Architecture: amd64\n%s",
				    rows[i].name, rows[i].fields);
		assert_int_equal(mkv_control_parse(text, (size_t)size,
						   &rootfs->packages[i].control,
						   &err),
				 0);
		rootfs->packages[i].deb.data.size = rows[i].size;
	}
}

static void empty_rootfs(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; i < ROWS; i++)
		mkv_package_done(&rootfs->packages[i]);
	free(rootfs->packages);
	free(rootfs->phases);
	free(rootfs->order);
}

static void phases_follow_dependencies(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_rootfs rootfs = {0};
	fill_rootfs(&rootfs);
	assert_int_equal(mkv_rootfs_select(&rootfs, &err), 0);
	for (size_t i = 0; i < ROWS; i++)
		if (rootfs.phases[i] != rows[i].phase)
			fail_msg("%s: %d", rows[i].name, (int)rootfs.phases[i]);
	static const char *const order[ROWS] = {
		"base-files", "libc",  "dpkg", "mawk", "library", "deep",
		"early",      "usual", "tool", "loop", "kernel",  "engine"};
	for (size_t i = 0; i < ROWS; i++)
		assert_string_equal(rows[rootfs.order[i]].name, order[i]);
	assert_string_equal(rootfs.dpkg_version, "2");
	empty_rootfs(&rootfs);
}

static void a_set_without_dpkg_is_refused(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_rootfs rootfs = {0};
	fill_rootfs(&rootfs);
	rootfs.packages[1].control.package = "not-dpkg";
	assert_int_equal(mkv_rootfs_select(&rootfs, &err), -ENOENT);
	empty_rootfs(&rootfs);
}

/* Sets with the same base, in other orders and with other packages. */
struct set_row {
	const char *name, *fields;
};

static void expect_base(const struct set_row *set, size_t count,
			const char *const *expected, size_t n_expected)
{
	struct mkv_error err = {0};
	struct mkv_package packages[16] = {0};
	size_t order[16], n_base = 0;
	for (size_t i = 0; i < count; i++) {
		char text[256];
		int size = snprintf(text, sizeof(text),
				    "Package: %s\nVersion: 1\n"
				    "Architecture: amd64\n%s",
				    set[i].name, set[i].fields);
		assert_int_equal(mkv_control_parse(text, (size_t)size,
						   &packages[i].control, &err),
				 0);
	}
	assert_int_equal(
		mkv_rootfs_choose_base(packages, count, order, &n_base, &err),
		0);
	assert_int_equal(n_base, n_expected);
	bool seen[16] = {0};
	for (size_t i = 0; i < count; i++) {
		assert_true(order[i] < count && !seen[order[i]]);
		seen[order[i]] = true;
		if (i < n_base)
			assert_string_equal(set[order[i]].name, expected[i]);
		else if (i > n_base) /* the rest in the given order */
			assert_true(order[i] > order[i - 1]);
		mkv_package_done(&packages[order[i]]);
	}
}

static void sets_share_bases(void **state)
{
	(void)state;
	static const struct set_row one[] = {
		{"libc", ""},
		{"dpkg", "Essential: yes\nPre-Depends: libc\n"},
		{"linux-image-amd64", "Depends: linux-image-6 (= 1)\n"},
		{"linux-image-6", "Depends: kmod\n"},
		{"kmod", "Depends: libc, linux-image-6\n"}, /* a cycle */
		{"passwd", "Priority: required\nDepends: libc\n"},
		{"tool", "Depends: libc\n"},
		{"systemd-sysv", "Depends: init-tools | tool-2\n"},
		{"init-tools", ""},
	};
	static const struct set_row two[] = {
		{"engine", "Priority: optional\nDepends: systemd-sysv\n"},
		{"init-tools", ""},
		{"systemd-sysv", "Depends: init-tools | tool-2\n"},
		{"kmod", "Depends: libc, linux-image-6\n"},
		{"linux-image-6", "Depends: kmod\n"},
		{"libc", ""},
		{"passwd", "Priority: required\nDepends: libc\n"},
		{"dpkg", "Essential: yes\nPre-Depends: libc\n"},
		{"linux-image-amd64", "Depends: linux-image-6 (= 1)\n"},
		{"other", "Depends: engine\n"},
	};
	static const char *const machine[] = {"libc",	    "dpkg",
					      "init-tools", "linux-image-6",
					      "kmod",	    "linux-image-amd64",
					      "passwd",	    "systemd-sysv"};
	expect_base(one, 9, machine, 8);
	expect_base(two, 10, machine, 8);
	/* No kernel: a container, whose base has only essential packages. */
	static const char *const essential[] = {"libc", "dpkg"};
	expect_base(one, 2, essential, 2);
	expect_base(two + 5, 3, essential, 2);
}

static void packages_of_the_base_have_the_base_phase(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_rootfs rootfs = {0};
	static const struct mkv_rootfs_options options = {.n_base = 4};
	fill_rootfs(&rootfs);
	rootfs.options = &options;
	assert_int_equal(mkv_rootfs_select(&rootfs, &err), 0);
	for (size_t i = 0; i < ROWS; i++)
		assert_int_equal(rootfs.phases[i],
				 i < 4 ? MKV_PHASE_BASE : rows[i].phase);
	empty_rootfs(&rootfs);
}

static void containers_have_no_documentation(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		bool excluded;
	} paths[] = {
		{"/usr/share/doc/x/changelog.gz", true},
		{"/usr/share/doc/x/copyright", false},
		{"/usr/share/doc", false},
		{"/usr/share/man/man1/x.1.gz", true},
		{"/usr/share/man", false},
		{"/usr/share/locale/de/LC_MESSAGES/x.mo", true},
		{"/usr/share/locale/locale.alias", false},
		{"/usr/share/common-licenses/GPL-3", false},
		{"/usr/bin/man", false},
	};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		if (mkv_is_excluded(paths[i].path) != paths[i].excluded)
			fail_msg("%s", paths[i].path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phases_follow_dependencies),
		cmocka_unit_test(a_set_without_dpkg_is_refused),
		cmocka_unit_test(sets_share_bases),
		cmocka_unit_test(packages_of_the_base_have_the_base_phase),
		cmocka_unit_test(containers_have_no_documentation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
