/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "builder/build/artifacts.h"
#include "builder/build/build.h"
#include "builder/build/programs.h"
#include "builder/build/staging.h"
#include "builder/build/step.h"
#include "builder/input/overlay/overlay.h"
#include "lib/io.h"

static char directory[64];
static struct mkv_store *store;

static int set_up(void **state)
{
	struct mkv_error err;
	char path[128];
	(void)state;
	(void)strcpy(directory, "/tmp/mkv-plan-test-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/store", directory);
	return mkv_store_open(path, &store, &err);
}

static int tear_down(void **state)
{
	struct mkv_error err;
	(void)state;
	mkv_store_free(store);
	return mkv_remove_tree(AT_FDCWD, directory, &err);
}

static char *path_of(const char *name)
{
	char *path = NULL;
	assert_true(asprintf(&path, "%s/%s", directory, name) > 0);
	return path;
}

/* Starts a step with these inputs, "NAME VALUE" each. */
static void start_step(struct mkv_step *step, const char *inputs)
{
	struct mkv_error err;
	assert_int_equal(mkv_step_init(step, "kind", 1, &err, "step %d", 1), 0);
	char text[256], name[64], value[64];
	(void)snprintf(text, sizeof(text), "%s", inputs);
	char *rest = text;
	for (char *line; (line = strsep(&rest, ";"));)
		if (sscanf(line, "%63s %63s", name, value) == 2)
			mkv_step_input(step, name, "%s", value);
}

static void keep_step(const struct mkv_step *step)
{
	struct mkv_error err;
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_step_result result = {.count = 1};
	assert_int_equal(mkv_store_new_open(store, &object, &err), 0);
	assert_int_equal(mkv_write_all(object.fd, "result", 6, &err), 0);
	assert_int_equal(mkv_store_new_commit(&object, NULL,
					      &result.outputs[0].sha256, &err),
			 0);
	(void)strcpy(result.outputs[0].name, "out");
	result.outputs[0].size_bytes = 6;
	assert_int_equal(mkv_step_keep(step, store, &result, &err), 0);
}

static void a_result_is_found_by_exactly_its_inputs(void **state)
{
	(void)state;
	auto_step struct mkv_step step = {0}, same = {0}, other = {0};
	struct mkv_step_result result;
	struct mkv_error err;
	start_step(&step, "a 1;b 2");
	assert_int_equal(mkv_step_find(&step, store, &result, &err), -ENOENT);
	keep_step(&step);
	start_step(&same, "a 1;b 2");
	assert_int_equal(mkv_step_find(&same, store, &result, &err), 0);
	assert_int_equal(result.count, 1);
	assert_string_equal(result.outputs[0].name, "out");
	start_step(&other, "a 1;b 3");
	assert_int_equal(mkv_step_find(&other, store, &result, &err), -ENOENT);
}

static void the_reason_names_what_changed(void **state)
{
	static const struct {
		const char *before, *now, *reason;
	} rows[] = {
		{"a 1;b 2", "a 1;b 3", "b: 2 -> 3"},
		{"a 1;b 2", "a 1;b 2;c 4", "c is new"},
		{"a 1;b 2", "a 1", "b was removed"},
		{"a 1;b 2", "a 9;b 8", "a: 1 -> 9 and 1 more"},
		{"ab 1;a 2", "ab 1;a 3", "a: 2 -> 3"},
		{"a 1", "b 1", "b is new and 1 more"},
	};
	(void)state;
	struct mkv_error err;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_step struct mkv_step before = {0}, now = {0};
		auto_buf struct mkv_buf reason = {0};
		start_step(&before, rows[i].before);
		start_step(&now, rows[i].now);
		keep_step(&before);
		assert_int_equal(mkv_step_reason(&now, store, &reason, &err),
				 0);
		assert_string_equal(reason.data, rows[i].reason);
	}
	auto_step struct mkv_step never = {0};
	auto_buf struct mkv_buf reason = {0};
	assert_int_equal(mkv_step_init(&never, "kind", 1, &err, "other"), 0);
	assert_int_equal(mkv_step_reason(&never, store, &reason, &err), 0);
	assert_string_equal(reason.data, "never ran here");
}

/* Writes the file that makes a directory an appliance. */
static void write_manifest(const char *dir)
{
	static const char text[] = "{\"mkvbench_manifest\": 1}\n";
	struct mkv_error err;
	auto_free char *path = NULL;
	assert_true(asprintf(&path, "%s/manifest.json", dir) > 0);
	assert_int_equal(
		mkv_write_file(path, 0644, text, sizeof(text) - 1, &err), 0);
}

static void a_staging_directory_replaces_the_whole_appliance(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x"),
		       *old = path_of("out/x/old"),
		       *stale = path_of("out/.x.new.1"),
		       *numbered = path_of("out/.x.new.4194305.3"),
		       *other = path_of("out/.y.new.4194305"),
		       *dotted = path_of("out/.x.new.1.new.1"),
		       *target = path_of("target"),
		       *link = path_of("out/.x.new.3"),
		       *alive = path_of("out/.x.new.4194305");
	assert_int_equal(mkv_make_dirs(alive, &err), 0);
	assert_int_equal(mkv_make_dirs(target, &err), 0);
	assert_int_equal(symlink(target, link), 0);
	auto_fd int held = open(alive, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(held, LOCK_EX | LOCK_NB), 0);
	for (int round = 0; round < 2; round++) {
		struct mkv_staging staging = {0};
		auto_free char *file = NULL;
		assert_int_equal(mkv_make_dirs(stale, &err), 0);
		assert_int_equal(mkv_make_dirs(numbered, &err), 0);
		assert_int_equal(mkv_make_dirs(other, &err), 0);
		assert_int_equal(mkv_make_dirs(dotted, &err), 0);
		assert_int_equal(mkv_staging_new(out, "x", &staging, &err), 0);
		/* An unlocked staging directory is removed although a process
		 * has its id. One of another recipe stays, and so does a locked
		 * one although no process has its id. */
		assert_int_equal(access(alive, F_OK), 0);
		assert_int_not_equal(access(stale, F_OK), 0);
		assert_int_not_equal(access(numbered, F_OK), 0);
		assert_int_equal(access(dotted, F_OK), 0);
		assert_int_equal(access(target, F_OK), 0);
		assert_int_equal(access(other, F_OK), 0);
		assert_true(asprintf(&file, "%s/%s", staging.path,
				     round ? "new" : "old") > 0);
		assert_int_equal(mkv_write_file(file, 0644, "x", 1, &err), 0);
		write_manifest(staging.path);
		assert_int_equal(access(old, F_OK), round ? 0 : -1);
		assert_int_equal(mkv_staging_commit(&staging, place, &err), 0);
		mkv_staging_done(&staging);
		assert_int_equal(access(file, F_OK), -1);
		assert_int_equal(access(old, F_OK), round ? -1 : 0);
	}
	/* Without a commit the previous appliance stays. */
	struct mkv_staging staging = {0};
	auto_free char *kept = path_of("out/x/new");
	assert_int_equal(mkv_staging_new(out, "x", &staging, &err), 0);
	auto_free char *path = strdup(staging.path);
	mkv_staging_done(&staging);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(kept, F_OK), 0);
}

/* As in two PID namespaces, where both builds have the same process number. */
static void
builds_of_one_number_have_staging_directories_of_their_own(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x");
	struct mkv_staging first = {0}, second = {0};
	assert_int_equal(mkv_staging_new(out, "x", &first, &err), 0);
	write_manifest(first.path);
	assert_int_equal(mkv_staging_new(out, "x", &second, &err), 0);
	assert_string_not_equal(first.path, second.path);
	assert_int_equal(access(first.path, F_OK), 0);
	write_manifest(second.path);
	auto_free char *reused = strdup(second.path);
	assert_int_equal(mkv_staging_commit(&second, place, &err), 0);
	assert_int_equal(mkv_staging_commit(&first, place, &err), 0);
	/* The path of the first now names the second's appliance. A third build
	 * may have the second's path by now. */
	assert_int_equal(mkdir(reused, 0755), 0);
	auto_fd int third = open(reused, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(flock(third, LOCK_EX | LOCK_NB), 0);
	mkv_staging_done(&second);
	assert_int_equal(access(reused, F_OK), 0);
	auto_free char *replaced = strdup(first.path);
	assert_int_equal(access(replaced, F_OK), 0);
	mkv_staging_done(&first);
	assert_int_equal(access(replaced, F_OK), -1);
	assert_int_equal(access(place, F_OK), 0);
}

static void a_removed_staging_directory_is_not_placed(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x");
	struct mkv_staging staging = {0};
	assert_int_equal(mkv_staging_new(out, "x", &staging, &err), 0);
	assert_int_equal(mkv_remove_tree(AT_FDCWD, staging.path, &err), 0);
	assert_int_equal(mkv_make_dirs(staging.path, &err), 0);
	assert_int_equal(mkv_staging_commit(&staging, place, &err), -ESTALE);
	assert_non_null(strstr(err.message, "was removed or replaced"));
	assert_int_equal(access(place, F_OK), -1);
	mkv_staging_done(&staging);
}

static int commit_in_a_process(const char *out, const char *place)
{
	struct mkv_error err;
	auto_staging struct mkv_staging staging = {0};
	if (mkv_staging_new(out, "x", &staging, &err) < 0)
		return 2;
	write_manifest(staging.path);
	return mkv_staging_commit(&staging, place, &err) == 0 ? 0 : 3;
}

static void builds_that_end_at_once_leave_one_whole_appliance(void **state)
{
	enum { BUILDS = 8, ROUNDS = 25 };
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x"),
		       *manifest = path_of("out/x/manifest.json");
	for (int round = 0; round < ROUNDS; round++) {
		pid_t pids[BUILDS];
		for (int i = 0; i < BUILDS; i++) {
			pids[i] = fork();
			if (pids[i] == 0)
				_exit(commit_in_a_process(out, place));
		}
		for (int i = 0; i < BUILDS; i++) {
			int status = -1;
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			assert_int_equal(status, 0);
		}
		assert_int_equal(access(manifest, F_OK), 0);
		auto_dir DIR *dir = opendir(out);
		size_t count = 0;
		while (readdir(dir))
			count++;
		assert_int_equal(count, 3);
		assert_int_equal(mkv_remove_tree(AT_FDCWD, place, &err), 0);
	}
}

/* Writes into a staging directory for a second, or until it is removed. */
static void *keep_writing(void *context)
{
	const struct mkv_staging *staging = context;
	struct timespec start, now;
	(void)clock_gettime(CLOCK_MONOTONIC, &start);
	for (int i = 0;; i++) {
		auto_free char *path = NULL;
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > start.tv_sec + 1 ||
		    asprintf(&path, "%s/%d", staging->path, i) < 0 ||
		    mkdir(path, 0755) < 0)
			return NULL;
	}
}

static void be_interrupted(const char *out, int ready)
{
	struct mkv_error err;
	struct mkv_staging staging = {0};
	pthread_t thread;
	if (mkv_staging_watch_signals(&err) < 0 ||
	    mkv_staging_new(out, "x", &staging, &err) < 0 ||
	    pthread_create(&thread, NULL, keep_writing, &staging) != 0 ||
	    write(ready, "r", 1) != 1)
		_exit(1);
	(void)pthread_join(thread, NULL);
	for (;;)
		(void)pause();
}

static void an_interrupted_build_leaves_no_staging_directory(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out");
	int ends[2], status = 0;
	char byte;
	assert_int_equal(mkv_make_dirs(out, &err), 0);
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		be_interrupted(out, ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	(void)close(ends[0]);
	(void)close(ends[1]);
	auto_dir DIR *dir = opendir(out);
	size_t count = 0;
	while (readdir(dir))
		count++;
	assert_int_equal(count, 2);
}

static void a_path_that_is_no_appliance_is_not_replaced(void **state)
{
	static const char *const manifests[] = {
		NULL,
		"",
		"{}",
		"[1]",
		"{\"mkvbench_manifest\": \"1\"}",
		"{\"name\": \"another tool's\"}",
	};
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x"),
		       *mine = path_of("out/x/mine"),
		       *manifest = path_of("out/x/manifest.json");
	assert_int_equal(mkv_make_dirs(place, &err), 0);
	for (size_t i = 0; i < sizeof(manifests) / sizeof(*manifests); i++) {
		struct mkv_staging staging = {0};
		auto_free char *path = NULL;
		/* Empty when the build begins, but not when it ends. */
		assert_int_equal(mkv_staging_new(out, "x", &staging, &err), 0);
		path = strdup(staging.path);
		write_manifest(staging.path);
		assert_int_equal(mkv_write_file(mine, 0644, "m", 1, &err), 0);
		if (manifests[i])
			assert_int_equal(
				mkv_write_file(manifest, 0644, manifests[i],
					       strlen(manifests[i]), &err),
				0);
		assert_int_equal(mkv_staging_commit(&staging, place, &err),
				 -EEXIST);
		assert_int_equal(err.kind, MKV_BAD_USAGE);
		assert_non_null(strstr(err.message, "is not an appliance"));
		mkv_staging_done(&staging);
		assert_int_equal(access(path, F_OK), -1);
		assert_int_equal(access(mine, F_OK), 0);
		/* The same before a build begins. */
		assert_int_equal(mkv_staging_new(out, "x", &staging, &err),
				 -EEXIST);
		assert_int_equal(access(mine, F_OK), 0);
		assert_int_equal(unlink(mine), 0);
		(void)unlink(manifest);
	}
	/* A file or a link, whatever its target, is never replaced. */
	auto_free char *file = path_of("out/file"), *link = path_of("out/link");
	write_manifest(place);
	assert_int_equal(mkv_staging_check_place(place, &err), 0);
	assert_int_equal(mkv_write_file(file, 0644, "f", 1, &err), 0);
	assert_int_equal(symlink("x", link), 0);
	assert_int_equal(mkv_staging_check_place(file, &err), -EEXIST);
	assert_int_equal(mkv_staging_check_place(link, &err), -EEXIST);
}

static void finished_parts_are_hashed_once(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x");
	struct mkv_staging staging = {0};
	auto_free char *part = NULL, *file = NULL, *late = NULL;
	auto_artifacts struct mkv_artifacts found = {0};
	struct mkv_sha256 one, two;
	assert_int_equal(mkv_staging_new(out, "x", &staging, &err), 0);
	assert_true(asprintf(&part, "%s/part", staging.path) > 0 &&
		    asprintf(&file, "%s/part/a", staging.path) > 0 &&
		    asprintf(&late, "%s/b", staging.path) > 0);
	assert_int_equal(mkv_make_dirs(part, &err), 0);
	assert_int_equal(mkv_write_file(file, 0644, "one", 3, &err), 0);
	assert_int_equal(mkv_staging_finish_part(&staging, "part", &err), 0);
	assert_int_equal(mkv_write_file(late, 0644, "two", 3, &err), 0);
	assert_int_equal(mkv_staging_artifacts(&staging, &found, &err), 0);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.items[0].path, "b");
	assert_string_equal(found.items[1].path, "part/a");
	assert_int_equal(mkv_sha256_bytes("one", 3, &one, &err), 0);
	assert_int_equal(mkv_sha256_bytes("two", 3, &two, &err), 0);
	assert_true(mkv_sha256_equal(&found.items[0].sha256, &two));
	assert_true(mkv_sha256_equal(&found.items[1].sha256, &one));
	assert_int_equal(mkv_staging_commit(&staging, place, &err), 0);
	mkv_staging_done(&staging);
	/* A file with a known digest is not read, unless its size differs. */
	auto_artifacts struct mkv_artifacts again = {0};
	found.items[0].sha256 = one;
	found.items[1].sha256 = two;
	found.items[1].size_bytes++;
	assert_int_equal(mkv_artifacts_scan(place, &found, &again, &err), 0);
	assert_true(mkv_sha256_equal(&again.items[0].sha256, &one));
	assert_true(mkv_sha256_equal(&again.items[1].sha256, &one));
}

static void
a_staging_directory_that_can_not_be_synced_is_not_placed(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *out = path_of("out"), *place = path_of("out/x");
	struct mkv_staging staging = {0};
	auto_free char *part = NULL;
	auto_artifacts struct mkv_artifacts none = {0};
	assert_int_equal(mkv_staging_new(out, "x", &staging, &err), 0);
	assert_true(asprintf(&part, "%s/part", staging.path) > 0);
	assert_int_equal(mkv_make_dirs(part, &err), 0);
	assert_int_equal(mkv_staging_finish_part(&staging, "part", &err), 0);
	assert_int_equal(mkv_staging_finish_part(&staging, "gone", &err), 0);
	assert_int_equal(mkv_staging_artifacts(&staging, &none, &err), -ENOENT);
	assert_int_equal(mkv_staging_commit(&staging, place, &err), -ENOENT);
	assert_non_null(strstr(err.message, "/gone"));
	assert_int_not_equal(access(place, F_OK), 0);
	assert_int_equal(mkv_staging_commit(&staging, place, &err), 0);
	assert_int_equal(access(place, F_OK), 0);
	mkv_staging_done(&staging);
}

static void artifacts_are_all_files_in_order(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *dir = path_of("a"), *sub = path_of("a/b"),
		       *b = path_of("a/b/z"), *z = path_of("a/c"),
		       *link = path_of("a/link");
	assert_int_equal(mkv_make_dirs(sub, &err), 0);
	assert_int_equal(mkv_write_file(b, 0644, "abc", 3, &err), 0);
	assert_int_equal(mkv_write_file(z, 0644, "", 0, &err), 0);
	auto_artifacts struct mkv_artifacts found = {0};
	assert_int_equal(mkv_artifacts_scan(dir, NULL, &found, &err), 0);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.items[0].path, "b/z");
	assert_string_equal(found.items[1].path, "c");
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&found.items[0].sha256, hex);
	/* FIPS 180-4's example, "abc". */
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177"
				 "a9cb410ff61f20015ad");
	auto_buf struct mkv_buf one = {0}, two = {0}, three = {0};
	assert_int_equal(mkv_artifacts_fingerprint(dir, &one, &err), 0);
	assert_int_equal(mkv_artifacts_fingerprint(dir, &two, &err), 0);
	assert_string_equal(one.data, two.data);
	assert_int_equal(mkv_write_file(b, 0644, "abd", 3, &err), 0);
	assert_int_equal(mkv_artifacts_fingerprint(dir, &three, &err), 0);
	assert_string_not_equal(one.data, three.data);
	/* Links are refused, as the target is unknown. */
	auto_artifacts struct mkv_artifacts none = {0};
	assert_int_equal(symlink("c", link), 0);
	assert_true(mkv_artifacts_scan(dir, NULL, &none, &err) < 0);
}

static void inputs_of_any_bytes_stay_one_line(void **state)
{
	(void)state;
	auto_step struct mkv_step step = {0};
	struct mkv_error err;
	assert_int_equal(mkv_step_init(&step, "kind", 1, &err, "step"), 0);
	size_t before = step.inputs.size;
	mkv_step_input_text(&step, "overlay/x", "/a b\n%c", "0644 to\n\x7f%");
	assert_string_equal(step.inputs.data + before,
			    "overlay/x:/a%20b%0A%25c 0644 to%0A%7F%25\n");
}

/* Edits a file in place, which most editors do not do: the hardest case. */
static void edit_file(const char *path, const char *text)
{
	auto_fd int fd =
		open(path, O_WRONLY | O_TRUNC | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void an_overlay_differing_from_its_lock_ends_the_build(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *path = path_of("r.yaml"), *dir = path_of("overlays/o"),
		       *file = path_of("overlays/o/file");
	struct mkv_recipe recipe = {.path = path};
	struct mkv_lock_local local = {.name = (char[]){"overlay/o"}};
	struct mkv_lock lock = {.locals = &local, .n_locals = 1};
	struct mkv_tool_files tool = {0};
	struct mkv_build build = {.recipe = &recipe,
				  .lock = &lock,
				  .store = store,
				  .tool = &tool};
	auto_tree struct mkv_tree *tree = NULL, *none = NULL;
	assert_int_equal(mkv_make_dirs(dir, &err), 0);
	edit_file(file, "one");
	assert_int_equal(mkv_overlay_digest(dir, &local.sha256, &err), 0);
	assert_int_equal(mkv_build_overlay_load(&build, "o", true, &tree, &err),
			 0);
	edit_file(file, "two");
	/* Loaded content stays unchanged; content that was not yet loaded is
	 * refused. */
	char text[3];
	const struct mkv_inode *inode = mkv_tree_lookup(tree, "/file");
	assert_non_null(inode);
	assert_int_equal(mkv_content_read(inode->content, 0, text, 3, &err), 0);
	assert_memory_equal(text, "one", 3);
	assert_int_equal(mkv_build_overlay_load(&build, "o", true, &none, &err),
			 -ESTALE);
	assert_non_null(strstr(err.message, "overlay 'o': changed since"));
	assert_int_equal(
		mkv_build_overlay_load(&build, "o", false, &none, &err),
		-ESTALE);
	/* An overlay that is not pinned is not applied. */
	lock.n_locals = 0;
	assert_int_equal(mkv_build_overlay_load(&build, "o", true, &none, &err),
			 -ESTALE);
}

/* This program requires a version of glibc; a truncated copy requires none, an
 * equal or lower one, or is an error. */
static void the_required_libc_of_programs_is_read(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_buf struct mkv_buf elf = {0};
	unsigned whole = 0, minor = 0;
	assert_int_equal(mkv_read_file(AT_FDCWD, "/proc/self/exe", 256 << 20,
				       &elf, &err),
			 0);
	assert_int_equal(
		mkv_program_libc_minor(elf.data, elf.size, &whole, &err), 0);
	assert_in_range(whole, 2, 200);
	for (size_t size = 0; size < elf.size; size += elf.size / 97) {
		auto_free char *cut = malloc(size + 1);
		assert_non_null(cut);
		memcpy(cut, elf.data, size);
		if (mkv_program_libc_minor(cut, size, &minor, &err) == 0)
			assert_true(minor <= whole);
	}
	assert_int_equal(
		mkv_program_libc_minor("#!/bin/sh\n", 10, &minor, &err),
		-ENOEXEC);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_result_is_found_by_exactly_its_inputs),
		CASE(the_reason_names_what_changed),
		CASE(a_staging_directory_replaces_the_whole_appliance),
		CASE(builds_of_one_number_have_staging_directories_of_their_own),
		CASE(a_removed_staging_directory_is_not_placed),
		CASE(an_interrupted_build_leaves_no_staging_directory),
		CASE(builds_that_end_at_once_leave_one_whole_appliance),
		CASE(a_path_that_is_no_appliance_is_not_replaced),
		CASE(finished_parts_are_hashed_once),
		CASE(a_staging_directory_that_can_not_be_synced_is_not_placed),
		CASE(artifacts_are_all_files_in_order),
		CASE(inputs_of_any_bytes_stay_one_line),
		CASE(an_overlay_differing_from_its_lock_ends_the_build),
		CASE(the_required_libc_of_programs_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
