/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "builder/core/store/store.h"
#include "lib/io.h"

static char directory[] = "/tmp/mkv-store-test-XXXXXX";

static int set_up(void **state)
{
	struct mkv_error err;
	char path[128];
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/a/store", directory);
	return mkv_store_open(path, (struct mkv_store **)state, &err);
}

static int tear_down(void **state)
{
	struct mkv_error err;
	mkv_store_free(*state);
	int rc = mkv_remove_tree(AT_FDCWD, directory, &err);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
	return rc;
}

static struct mkv_sha256 put_object(struct mkv_store *store, const char *text)
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

static void stored_objects_can_be_read(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put_object(*state, "hello"), expected;
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

static void a_missing_object_is_enoent(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = {{1}};
	int fd = -1;
	assert_false(mkv_store_has(*state, &sha));
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), -ENOENT);
	assert_int_equal(fd, -1);
}

static void damage_object(struct mkv_store *store, const struct mkv_sha256 *sha)
{
	char path[256];
	object_path(store, sha, path);
	assert_int_equal(chmod(path, 0644), 0);
	auto_fd int fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "J", 1, 0), 1);
	struct timespec times[2] = {{1, 0}, {1, 0}};
	assert_int_equal(futimens(fd, times), 0);
}

/* Also if the same process had verified it before. */
static void a_damaged_object_is_removed_and_missing(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put_object(*state, "hello");
	int fd = -1;
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), 0);
	(void)close(fd);
	damage_object(*state, &sha);
	assert_true(mkv_store_has(*state, &sha));
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), -ENOENT);
	assert_non_null(strstr(err.message, "is damaged and was removed"));
	assert_false(mkv_store_has(*state, &sha));
}

static void a_link_in_place_of_an_object_is_not_followed(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put_object(*state, "hello");
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

static void opening_removes_abandoned_files(void **state)
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

static void an_empty_partial_object_is_removed(void **state)
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
	result.outputs[0].sha256 = put_object(*state, "tree");
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

static char *in_directory(const char *format, ...)
{
	va_list args;
	auto_free char *name = NULL;
	char *path = NULL;
	va_start(args, format);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	assert_true(vasprintf(&name, format, args) >= 0);
#pragma GCC diagnostic pop
	va_end(args);
	assert_true(asprintf(&path, "%s/%s", directory, name) >= 0);
	return path;
}

/* "NAME/" is a directory, "NAME>TARGET" a link, "NAME|" a FIFO. */
static void make_entry(const char *what)
{
	struct mkv_error err;
	auto_free char *path = in_directory("%s", what), *above = strdup(path);
	char *link = strchr(path, '>');
	char last = path[strlen(path) - 1];
	*strrchr(above, '/') = '\0';
	assert_int_equal(mkv_make_dirs(above, &err), 0);
	if (last == '/')
		return;
	if (link) {
		*link = '\0';
		assert_int_equal(symlink(link + 1, path), 0);
	} else if (last == '|') {
		path[strlen(path) - 1] = '\0';
		assert_int_equal(mkfifo(path, 0600), 0);
	} else {
		assert_int_equal(mkv_write_file(path, 0644, "user", 4, &err),
				 0);
	}
}

static bool is_there(const char *what)
{
	auto_free char *path =
		in_directory("%.*s", (int)strcspn(what, ">|"), what);
	struct stat st;
	return lstat(path, &st) == 0;
}

static size_t count_names(const char *path)
{
	auto_dir DIR *dir = opendir(path);
	size_t count = 0;
	assert_non_null(dir);
	while (readdir(dir))
		count++;
	return count - 2;
}

#define HEX62 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd"

static void a_directory_that_is_no_store_is_not_changed(void **state)
{
	static const struct {
		const char *holds[7];
		const char *named;
	} rows[] = {
		{{"x/file"}, "'file'"},
		{{"x/tmp/1.1", "x/objects/"}, "'objects'"},
		{{"x/tmp/notes", "x/objects/", "x/steps/"}, "'tmp/notes'"},
		{{"x/tmp/1.1/a", "x/objects/", "x/steps/"}, "'tmp/1.1'"},
		{{"x/tmp/1.1>../../kept", "x/objects/", "x/steps/"},
		 "'tmp/1.1'"},
		{{"x/tmp>../kept", "x/objects/", "x/steps/"}, "'tmp'"},
		{{"x/objects/ab/" HEX62, "x/steps/", "x/tmp/", "x/HEAD"},
		 "'HEAD'"},
		{{"x/objects/ab/" HEX62 ".file", "x/steps/", "x/tmp/"},
		 "'objects/ab/" HEX62 ".file'"},
		{{"x/objects/info/", "x/steps/", "x/tmp/"}, "'objects/info'"},
		{{"x/objects/ab>..", "x/steps/", "x/tmp/"}, "'objects/ab'"},
		{{"x/objects/", "x/steps/01/" HEX62 "|", "x/tmp/"},
		 "'steps/01/" HEX62 "'"},
		{{"x/objects/", "x/steps/", "x/tmp/", "x/partial/ab"},
		 "'partial/ab'"},
		{{"x/objects/", "x/steps/", "x/tmp/", "x/external/a.b/"},
		 "'external/a.b'"},
		{{"x/mkvbench-store"}, "'mkvbench-store'"},
		{{"x/mkvbench-store|"}, "'mkvbench-store'"},
		{{"x/mkvbench-store/"}, "'mkvbench-store'"},
		{{"x/mkvbench-store>../kept"}, "'mkvbench-store'"},
	};
	struct mkv_error err;
	(void)state;
	auto_free char *path = in_directory("x");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_entry("kept/1.1");
		for (size_t j = 0; rows[i].holds[j]; j++)
			make_entry(rows[i].holds[j]);
		size_t count = count_names(path);
		for (int reading = 0; reading < 2; reading++) {
			auto_store struct mkv_store *store = NULL;
			int rc = (reading ? mkv_store_open_for_reading
					  : mkv_store_open)(path, &store, &err);
			assert_true(rc == -EEXIST || rc == -EINVAL);
			assert_int_equal(err.kind, MKV_BAD_USAGE);
			if (!strstr(err.message, rows[i].named))
				fail_msg("row %zu: %s", i, err.message);
			assert_non_null(strstr(err.message, "--store"));
		}
		assert_int_equal(count_names(path), count);
		assert_true(is_there("kept/1.1"));
		for (size_t j = 0; rows[i].holds[j]; j++)
			assert_true(is_there(rows[i].holds[j]));
		assert_int_equal(mkv_remove_tree(AT_FDCWD, path, &err), 0);
	}
	make_entry("file");
	auto_free char *file = in_directory("file");
	auto_store struct mkv_store *store = NULL;
	assert_int_equal(mkv_store_open(file, &store, &err), -ENOTDIR);
	assert_int_equal(mkv_store_open_for_reading(file, &store, &err),
			 -ENOTDIR);
	assert_true(is_there("file"));
}

static void an_empty_directory_and_an_old_store_get_a_mark(void **state)
{
	static const char *const rows[][6] = {
		{"x/"},
		{"x/lost+found/"},
		{"x/mkvbench-store.new"}, /* a build killed while it marks */
		{"x/objects/", "x/steps/", "x/tmp/"},
		{"x/objects/ab/" HEX62, "x/steps/01/" HEX62, "x/tmp/17.2",
		 "x/partial/ab" HEX62, "x/external/ab" HEX62 "/manifest.json"},
	};
	struct mkv_error err;
	(void)state;
	auto_free char *path = in_directory("x");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < 6 && rows[i][j]; j++)
			make_entry(rows[i][j]);
		size_t count = count_names(path);
		auto_store struct mkv_store *reader = NULL;
		auto_store struct mkv_store *store = NULL;
		assert_int_equal(
			mkv_store_open_for_reading(path, &reader, &err), 0);
		assert_int_equal(count_names(path), count);
		assert_int_equal(mkv_store_open(path, &store, &err), 0);
		assert_true(is_there("x/mkvbench-store"));
		assert_false(is_there("x/mkvbench-store.new"));
		assert_false(is_there("x/tmp/17.2"));
		assert_int_equal(mkv_store_open(path, &reader, &err), 0);
		assert_int_equal(mkv_remove_tree(AT_FDCWD, path, &err), 0);
	}
}

static void directories_of_a_store_are_not_followed_through_links(void **state)
{
	static const char *const names[] = {"objects", "steps", "partial",
					    "tmp"};
	struct mkv_error err;
	(void)state;
	auto_free char *path = in_directory("a/store");
	make_entry("kept/1.1");
	for (size_t i = 0; i < 4; i++) {
		auto_free char *name = in_directory("a/store/%s", names[i]);
		auto_store struct mkv_store *store = NULL;
		assert_int_equal(mkv_remove_tree(AT_FDCWD, name, &err), 0);
		assert_int_equal(symlink("../../kept", name), 0);
		assert_int_equal(mkv_store_open(path, &store, &err), -ENOTDIR);
		assert_non_null(strstr(err.message, names[i]));
		assert_int_equal(mkv_store_open_for_reading(path, &store, &err),
				 -ENOTDIR);
		assert_true(is_there("kept/1.1"));
		assert_int_equal(unlink(name), 0);
	}
	/* The same for the directories of entries. */
	struct mkv_sha256 sha = {{0xab}};
	struct mkv_step_result result = {.count = 1};
	(void)strcpy(result.outputs[0].name, "rootfs");
	auto_store struct mkv_store *store = NULL;
	assert_int_equal(mkv_store_open(path, &store, &err), 0);
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&sha, hex);
	auto_free char *outside = NULL;
	assert_true(asprintf(&outside, "kept/%s", hex + 2) > 0);
	make_entry(outside);
	make_entry("a/store/objects/ab>../../../kept");
	make_entry("a/store/steps/ab>../../../kept");
	int fd = -1;
	assert_false(mkv_store_has(store, &sha));
	assert_int_equal(mkv_store_get(store, &sha, &fd, &err), -ENOTDIR);
	assert_int_equal(mkv_store_step_get(store, &sha, &result, &err),
			 -ENOTDIR);
	assert_int_equal(mkv_store_step_put(store, &sha, &result, &err),
			 -ENOTDIR);
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	assert_int_equal(mkv_store_new_open(store, &object, &err), 0);
	assert_int_equal(mkv_store_new_commit(&object, &sha, &sha, &err),
			 -ENOTDIR);
	assert_int_equal(mkv_store_directory_open(store, "external", &fd, &err),
			 0);
	(void)close(fd);
	assert_true(is_there(outside));
}

static void an_entry_that_is_no_file_neither_hangs_nor_counts(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = {{0xab}};
	struct mkv_step_result result;
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&sha, hex);
	auto_free char *object = in_directory("a/store/objects/ab/%s", hex + 2),
		       *step = in_directory("a/store/steps/ab/%s", hex + 2),
		       *partial = in_directory("a/store/partial/%s", hex),
		       *kept = in_directory("kept");
	int fd = -1;
	make_entry("a/store/objects/ab/");
	make_entry("a/store/steps/ab/");
	make_entry("kept");
	for (int link = 0; link < 2; link++) {
		const char *const paths[] = {object, step, partial};
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(link ? symlink(kept, paths[i])
					      : mkfifo(paths[i], 0600),
					 0);
		assert_int_equal(mkv_store_get(*state, &sha, &fd, &err),
				 -ENOENT);
		assert_int_equal(
			mkv_store_step_get(*state, &sha, &result, &err),
			-ENOENT);
		auto_store_new struct mkv_store_new file = MKV_STORE_NEW_INIT;
		assert_int_equal(
			mkv_store_partial_open(*state, &sha, &file, &err), 0);
		assert_int_equal(mkv_write_all(file.fd, "new", 3, &err), 0);
		assert_int_equal(unlink(partial), 0);
	}
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(mkv_read_file(AT_FDCWD, kept, 10, &text, &err), 0);
	assert_string_equal(text.data, "user");
	/* A directory cannot be unlinked like a damaged file: an error. */
	assert_int_equal(mkdir(object, 0755), 0);
	assert_int_equal(mkv_store_get(*state, &sha, &fd, &err), -EISDIR);
}

static void a_store_opened_for_reading_is_not_changed(void **state)
{
	struct mkv_error err;
	struct mkv_sha256 sha = put_object(*state, "hello");
	auto_free char *missing = in_directory("missing/store");
	auto_store struct mkv_store *none = NULL, *reader = NULL;
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	int fd = -1;
	assert_int_equal(mkv_store_open_for_reading(missing, &none, &err), 0);
	assert_false(is_there("missing"));
	assert_false(mkv_store_has(none, &sha));
	assert_int_equal(mkv_store_get(none, &sha, &fd, &err), -ENOENT);
	assert_int_equal(mkv_store_new_open(none, &object, &err), -EROFS);
	assert_int_equal(mkv_store_directory_open(none, "external", &fd, &err),
			 -ENOENT);
	make_entry("a/store/tmp/1.1");
	assert_int_equal(mkv_store_open_for_reading(mkv_store_path(*state),
						    &reader, &err),
			 0);
	assert_true(mkv_store_has(reader, &sha));
	damage_object(*state, &sha);
	assert_int_equal(mkv_store_get(reader, &sha, &fd, &err), -ENOENT);
	assert_non_null(strstr(err.message, "is damaged"));
	assert_true(mkv_store_has(reader, &sha));
	assert_int_equal(mkv_store_partial_open(reader, &sha, &object, &err),
			 -EROFS);
	assert_int_equal(
		mkv_store_directory_open(reader, "external", &fd, &err),
		-ENOENT);
	assert_true(is_there("a/store/tmp/1.1"));
}

/* Several builds that start at the same time with a missing directory. */
static void a_store_is_made_by_several_at_once(void **state)
{
	enum { BUILDS = 8, ROUNDS = 20 };
	struct mkv_error err;
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		auto_free char *path = in_directory("many/%d", round);
		pid_t pids[BUILDS];
		for (int i = 0; i < BUILDS; i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				auto_store struct mkv_store *store = NULL;
				_exit(mkv_store_open(path, &store, &err) < 0);
			}
		}
		for (int i = 0; i < BUILDS; i++) {
			int status = -1;
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(count_names(path), 5);
	}
}

#define store_test(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		store_test(stored_objects_can_be_read),
		store_test(a_missing_object_is_enoent),
		store_test(a_damaged_object_is_removed_and_missing),
		store_test(a_link_in_place_of_an_object_is_not_followed),
		store_test(dropped_without_commit_leaves_nothing),
		store_test(opening_removes_abandoned_files),
		store_test(a_partial_object_stays_until_it_is_whole),
		store_test(an_empty_partial_object_is_removed),
		store_test(a_step_is_its_outputs),
		store_test(a_damaged_step_is_removed),
		store_test(a_directory_that_is_no_store_is_not_changed),
		store_test(an_empty_directory_and_an_old_store_get_a_mark),
		store_test(
			directories_of_a_store_are_not_followed_through_links),
		store_test(an_entry_that_is_no_file_neither_hangs_nor_counts),
		store_test(a_store_opened_for_reading_is_not_changed),
		store_test(a_store_is_made_by_several_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
