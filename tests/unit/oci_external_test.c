/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/format/oci/external.h"
#include "lib/io.h"

#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void nothing_is_fetched_into_a_store_for_reading(void **state)
{
	(void)state;
	char directory[] = "/tmp/mkv-oci-external-test-XXXXXX";
	struct mkv_error err;
	struct stat st;
	auto_free char *path = NULL, *left = NULL;
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&path, "%s/store", directory) > 0);
	assert_true(asprintf(&left, "%s/external/" HEX ".new", path) > 0);
	/* First without a store, then with one. */
	for (int has_store = 0; has_store < 2; has_store++) {
		auto_store struct mkv_store *writer = NULL, *reader = NULL;
		auto_free char *image = NULL;
		if (has_store) {
			assert_int_equal(mkv_store_open(path, &writer, &err),
					 0);
			assert_int_equal(mkv_make_dirs(left, &err), 0);
		}
		assert_int_equal(
			mkv_store_open_for_reading(path, &reader, &err), 0);
		/* No registry is asked: this reference is invalid. */
		assert_int_equal(mkv_oci_external_keep(reader, "--no-such",
						       "sha256:" HEX, false,
						       &image, &err),
				 -EROFS);
		assert_non_null(strstr(err.message, path));
		assert_int_equal(mkv_oci_external_keep(reader, "--no-such",
						       "sha256:" HEX, true,
						       &image, &err),
				 -ENOENT);
		assert_null(image);
		assert_int_equal(stat(left, &st), has_store ? 0 : -1);
	}
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_fetched_into_a_store_for_reading),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
