/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/rootfs/excluded.h"
#include "builder/rootfs/rootfs_internal.h"

enum { ROWS = 12 };
static const uint64_t huge = 100 << 20;

/* In the order of the lock, dependencies first. */
static const struct {
	const char *name, *fields;
	uint64_t size;
	enum mkv_phase phase;
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

static void fill(struct mkv_rootfs *rootfs)
{
	struct mkv_error err = {0};
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
		assert_int_equal(
			mkv_control_parse(text, (size_t)size,
					  &rootfs->packages[i].control, &err),
			0);
		rootfs->packages[i].deb.data.size = rows[i].size;
	}
}

static void empty(struct mkv_rootfs *rootfs)
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
	fill(&rootfs);
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
	empty(&rootfs);
}

static void a_set_without_dpkg_is_refused(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_rootfs rootfs = {0};
	fill(&rootfs);
	rootfs.packages[1].control.package = "not-dpkg";
	assert_int_equal(mkv_rootfs_select(&rootfs, &err), -ENOENT);
	empty(&rootfs);
}

static void containers_go_without_documentation(void **state)
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
		cmocka_unit_test(containers_go_without_documentation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
