/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/core/store/store.h"
#include "lib/io.h"

static char folder[] = "/tmp/mkv-store-test-XXXXXX";

static int set_up(void **state)
{
	struct mkv_error err;
	char path[128];
	if (!mkdtemp(folder))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/a/store", folder);
	return mkv_store_open(path, (struct mkv_store **)state, &err);
}

static int tear_down(void **state)
{
	struct mkv_error err;
	mkv_store_free(*state);
	int rc = mkv_remove_tree(AT_FDCWD, folder, &err);
	memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
	return rc;
}

static struct mkv_sha256 put(struct mkv_store *store, const char *text)
{
	struct mkv_error err;
	struct mkv_sha256 sha;
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	assert_int_equal(mkv_store_new_open(store, &object, &err), 0);
	assert_int_equal(mkv_write_all(object.fd, text, strlen(text), &err), 0);
	assert_int_equal(mkv_store_new_commit(&object, NULL, &sha, &err), 0);
	return sha;
}

static void object_path(struct mkv_store *store, const struct mkv_sha256 *sha,
			char ret[256])
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha, hex);
	(void)snprintf(ret, 256, "%s/objects/%.2s/%s", mkv_store_path(store),
		       hex, hex + 2);
}

static size_t count_in(struct mkv_store *store, const char *name)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/%s", mkv_store_path(store),
		       name);
	auto_dir DIR *dir = opendir(path);
	assert_non_null(dir);
	size_t count = 0;
	while (readdir(dir))
		count++;
	return count - 2;
}

static void what_is_put_can_be_got(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put(*state, "hello"), expected;
	assert_int_equal(mkv_sha256_bytes("hello", 5, &expected, &err), 0);
	assert_true(mkv_sha256_equal(&sha, &expected));
	assert_true(mkv_store_has(*state, &sha));
	auto_fd int fd = -1;
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), 0);
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(mkv_read_fd(fd, 100, &text, &err), 0);
	assert_string_equal(text.data, "hello");
	char path[256];
	struct stat st;
	object_path(*state, &sha, path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(count_in(*state, "tmp"), 0);
}

static void what_is_missing_is_enoent(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = {{1}};
	int fd = -1;
	assert_false(mkv_store_has(*state, &sha));
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), -ENOENT);
	assert_int_equal(fd, -1);
}

static void damage(struct mkv_store *store, const struct mkv_sha256 *sha)
{
	char path[256];
	object_path(store, sha, path);
	assert_int_equal(chmod(path, 0644), 0);
	auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "J", 1, 0), 1);
	struct timespec times[2] = {{1, 0}, {1, 0}};
	assert_int_equal(futimens(fd, times), 0);
}

/* Also when this very process had verified it before. */
static void a_damaged_object_is_removed_and_missing(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put(*state, "hello");
	int fd = -1;
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), 0);
	(void)close(fd);
	damage(*state, &sha);
	assert_true(mkv_store_has(*state, &sha));
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), -ENOENT);
	assert_non_null(strstr(err.message, "was damaged and is removed"));
	assert_false(mkv_store_has(*state, &sha));
}

static void a_link_in_place_of_an_object_is_not_followed(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put(*state, "hello");
	char path[256], aside[300];
	object_path(*state, &sha, path);
	(void)snprintf(aside, sizeof(aside), "%s.aside", path);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(symlink(aside, path), 0);
	int fd = -1;
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), -ENOENT);
	assert_int_equal(access(path, F_OK), -1);
}

static void dropped_without_commit_leaves_nothing(void **state)
{
	struct mkv_error err;
	struct mkv_store_new object = MKV_STORE_NEW_INIT;
	assert_int_equal(mkv_store_new_open(*state, &object, &err), 0);
	assert_int_equal(count_in(*state, "tmp"), 1);
	mkv_store_new_done(&object);
	assert_int_equal(count_in(*state, "tmp"), 0);
	assert_int_equal(count_in(*state, "objects"), 0);
}

static void opening_sweeps_what_nobody_writes(void **state)
{
	struct mkv_error err;
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/tmp/1.1",
		       mkv_store_path(*state));
	assert_int_equal(mkv_write_file(path, 0600, "x", 1, &err), 0);
	auto_store_new struct mkv_store_new busy = MKV_STORE_NEW_INIT;
	assert_int_equal(mkv_store_new_open(*state, &busy, &err), 0);
	assert_int_equal(count_in(*state, "tmp"), 2);
	auto_store struct mkv_store *second = NULL;
	assert_int_equal(mkv_store_open(mkv_store_path(*state), &second, &err),
			 0);
	assert_int_equal(count_in(*state, "tmp"), 1);
	struct mkv_sha256 sha;
	assert_int_equal(mkv_store_new_commit(&busy, NULL, &sha, &err), 0);
}

static void a_partial_object_stays_until_it_is_whole(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha, got;
	assert_int_equal(mkv_sha256_bytes("hello", 5, &sha, &err), 0);
	struct mkv_store_new first = MKV_STORE_NEW_INIT, second = first;
	assert_int_equal(mkv_store_partial_open(*state, &sha, &first, &err), 0);
	assert_int_equal(mkv_write_all(first.fd, "hel", 3, &err), 0);
	assert_int_equal(mkv_store_partial_open(*state, &sha, &second, &err),
			 -EAGAIN);
	mkv_store_new_done(&first);
	assert_int_equal(count_in(*state, "partial"), 1);
	assert_int_equal(mkv_store_partial_open(*state, &sha, &second, &err),
			 0);
	char text[8] = "";
	assert_int_equal(read(second.fd, text, sizeof(text)), 3);
	assert_int_equal(mkv_write_all(second.fd, "lo", 2, &err), 0);
	assert_int_equal(mkv_store_new_commit(&second, &sha, &got, &err), 0);
	mkv_store_new_done(&second);
	assert_int_equal(count_in(*state, "partial"), 0);
	int fd = -1;
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), 0);
	(void)close(fd);
}

static void an_empty_partial_object_goes(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = {{7}};
	struct mkv_store_new object = MKV_STORE_NEW_INIT;
	assert_int_equal(mkv_store_partial_open(*state, &sha, &object, &err),
			 0);
	mkv_store_new_done(&object);
	assert_int_equal(count_in(*state, "partial"), 0);
}

static void a_step_is_its_outputs(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 key = {{3}};
	struct mkv_step_result result = {.count = 1}, got;
	assert_int_equal(mkv_store_step_get(*state, &key, &got, &err), -ENOENT);
	(void)strcpy(result.outputs[0].name, "rootfs");
	result.outputs[0].sha256 = put(*state, "tree");
	result.outputs[0].size_bytes = 4;
	assert_int_equal(mkv_store_step_put(*state, &key, &result, &err), 0);
	assert_int_equal(mkv_store_step_get(*state, &key, &got, &err), 0);
	assert_int_equal(got.count, 1);
	assert_string_equal(got.outputs[0].name, "rootfs");
	assert_int_equal(got.outputs[0].size_bytes, 4);
	char path[256];
	object_path(*state, &result.outputs[0].sha256, path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkv_store_step_get(*state, &key, &got, &err), -ENOENT);
}

static void a_damaged_step_is_removed(void **state)
{
	static const char sha[] = "0123456789abcdef0123456789abcdef"
				  "0123456789abcdef0123456789abcdef";
	static const char *const formats[] = {
		"",
		"rootfs",
		"rootfs %s",
		"rootfs %s 4",
		"rootfs %s 4x\n",
		" %s 4\n",
		"rootfs %s 99999999999999999999999\n",
		"rootfs X%.63s 4\n",
	};
	struct mkv_error err;
	struct mkv_sha256 key = {{9}};
	struct mkv_step_result got;
	char hex[MKV_SHA256_HEX_SIZE], path[256], text[256];
	mkv_sha256_hex(&key, hex);
	(void)snprintf(path, sizeof(path), "%s/steps/09",
		       mkv_store_path(*state));
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	(void)snprintf(path, sizeof(path), "%s/steps/09/%s",
		       mkv_store_path(*state), hex + 2);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(text, sizeof(text), formats[i], sha);
#pragma GCC diagnostic pop
		assert_int_equal(
			mkv_write_file(path, 0600, text, strlen(text), &err),
			0);
		assert_int_equal(mkv_store_step_get(*state, &key, &got, &err),
				 -ENOENT);
		assert_non_null(strstr(err.message, "damaged"));
		assert_int_equal(access(path, F_OK), -1);
	}
}

#define store_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(what_is_put_can_be_got),
		store_test(what_is_missing_is_enoent),
		store_test(a_damaged_object_is_removed_and_missing),
		store_test(a_link_in_place_of_an_object_is_not_followed),
		store_test(dropped_without_commit_leaves_nothing),
		store_test(opening_sweeps_what_nobody_writes),
		store_test(a_partial_object_stays_until_it_is_whole),
		store_test(an_empty_partial_object_goes),
		store_test(a_step_is_its_outputs),
		store_test(a_damaged_step_is_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
