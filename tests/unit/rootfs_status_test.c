/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "builder/rootfs/install/rootfs_internal.h"
#include "lib/io.h"

static char root[] = "/tmp/rootfs-status-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	struct mkv_error err;
	return mkv_remove_tree(AT_FDCWD, root, &err);
}

static void write_status(int root_fd, const char *text)
{
	struct mkv_error err = {0};
	assert_int_equal(mkv_rootfs_write(root_fd, "/var/lib/dpkg/status", 0644,
					  text, strlen(text), &err),
			 0);
}

#define PACKAGE(name, state)                                                   \
	"Package: " name "\nStatus: install " state "\nVersion: 1\n\n"

static void the_first_half_configured_package_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *text, *name; /* NULL: none */
	} rows[] = {
		{"", NULL},
		{PACKAGE("one", "ok installed") PACKAGE("two", "ok unpacked"),
		 NULL},
		{PACKAGE("one", "ok installed")
			 PACKAGE("two", "ok half-configured")
				 PACKAGE("three", "ok half-configured"),
		 "two"},
		{PACKAGE("one", "reinstreq half-configured"), "one"},
		/* Neither another state with the same end nor a description. */
		{PACKAGE("one", "ok not-half-configured"), NULL},
		{"Package: one\nStatus: install ok installed\nDescription: x\n"
		 " Status: install ok half-configured\n\n",
		 NULL},
	};
	auto_fd int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mkv_rootfs rootfs = {.root_fd = root_fd};
	char name[MKV_STATUS_NAME_SIZE];
	assert_false(mkv_status_find_half_configured(&rootfs, name));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_status(root_fd, rows[i].text);
		bool found = mkv_status_find_half_configured(&rootfs, name);
		if (found != (rows[i].name != NULL) ||
		    (found && strcmp(name, rows[i].name) != 0))
			fail_msg("row %zu: %s", i, found ? name : "none");
	}
}

static void every_package_must_be_installed(void **state)
{
	(void)state;
	auto_fd int root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mkv_rootfs rootfs = {.root_fd = root_fd, .count = 2};
	struct mkv_error err = {0};
	write_status(root_fd, PACKAGE("one", "ok installed")
				      PACKAGE("two", "ok installed"));
	assert_int_equal(mkv_status_check(&rootfs, &err), 0);
	write_status(root_fd, PACKAGE("one", "ok installed")
				      PACKAGE("two", "ok unpacked"));
	assert_int_equal(mkv_status_check(&rootfs, &err), -EIO);
	assert_string_equal(
		err.message,
		"dpkg left a package in the state 'install ok unpacked'");
	write_status(root_fd, PACKAGE("one", "ok installed"));
	assert_int_equal(mkv_status_check(&rootfs, &err), -EIO);
	assert_string_equal(err.message,
			    "dpkg's status file has 1 packages, expected 2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_half_configured_package_is_found),
		cmocka_unit_test(every_package_must_be_installed),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
