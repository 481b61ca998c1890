/* SPDX-License-Identifier: MIT */
/* The writer of bundles: what it refuses, and what it does when the disk fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/dsse.h"
#include "lib/io.h"

/* Stand in for libc's: the disk is full, or fails. */
static ssize_t write_limit = -1; /* bytes that may still be written; -1: all */
static int fsyncs_to_fail, truncates_to_fail;

ssize_t write(int fd, const void *data, size_t size)
{
	if (write_limit >= 0 && fd > 2) {
		if (write_limit == 0) {
			errno = ENOSPC;
			return -1;
		}
		size = size < (size_t)write_limit ? size : (size_t)write_limit;
		write_limit -= (ssize_t)size;
	}
	return syscall(SYS_write, fd, data, size);
}

int fsync(int fd)
{
	if (fsyncs_to_fail > 0) {
		fsyncs_to_fail--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fsync, fd);
}

int ftruncate(int fd, off_t size)
{
	if (truncates_to_fail > 0) {
		truncates_to_fail--;
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_ftruncate, fd, size);
}

static char place[] = "/tmp/mkvbench-bundle-XXXXXX";
static char path[128];
static struct mkv_private_key *key;
static struct mkv_buf plan, plan_bundle;
static struct mkv_bundle_inputs inputs;
static struct mkv_error err;

static void good(int rc)
{
	if (rc < 0)
		fail_msg("%s", err.message);
}

static void refused(int rc, const char *message)
{
	assert_true(rc < 0);
	if (!strstr(err.message, message))
		fail_msg("'%s' is not in '%s'", message, err.message);
}

static void make_plan(void)
{
	auto_json json_t *document = NULL;
	auto_buf struct mkv_buf statement = {0};
	struct mkv_sha256 sha256;
	char id[MKV_SHA256_HEX_SIZE];
	good(mkv_json_load_file(AT_FDCWD, "tests/fuzz/plan/plan.json", 1 << 20,
				&document, &err));
	mkv_sha256_hex(&mkv_private_key_public(key)->id, id);
	json_object_set_new(document, "key_id", json_string(id));
	good(mkv_json_dump_compact(document, &plan, &err));
	mkv_buf_char(&plan, '\n');
	good(mkv_sha256_bytes(plan.data, plan.size, &sha256, &err));
	good(mkv_statement_print(
		json_pack("[o]", mkv_statement_subject("plan.json", &sha256)),
		MKV_PLAN_TYPE, json_incref(document), &statement, &err));
	good(mkv_dsse_sign(key, statement.data, statement.size, &plan_bundle,
			   &err));
}

static int setup(void **state)
{
	struct mkv_public_key public;
	(void)state;
	assert_non_null(mkdtemp(place));
	(void)snprintf(path, sizeof(path), "%s/key.pem", place);
	good(mkv_key_generate(path, &public, &err));
	good(mkv_private_key_load(path, &key, &err));
	make_plan();
	inputs = (struct mkv_bundle_inputs){
		.plan = plan.data,
		.plan_size = plan.size,
		.plan_bundle = plan_bundle.data,
		.plan_bundle_size = plan_bundle.size,
		.campaign = "",
		.key = mkv_private_key_public(key),
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mkv_private_key_free(key);
	mkv_buf_done(&plan);
	mkv_buf_done(&plan_bundle);
	good(mkv_remove_tree(AT_FDCWD, place, &err));
	return 0;
}

static struct mkv_bundle *create(const char *name)
{
	struct mkv_bundle *bundle = NULL;
	(void)snprintf(path, sizeof(path), "%s/%s", place, name);
	good(mkv_bundle_create(path, &inputs, 5, &bundle, &err));
	return bundle;
}

static void put(const char *directory, const char *name, const char *text,
		struct mkv_bundle_file *ret)
{
	char file[512];
	(void)snprintf(file, sizeof(file), "%s/%s", directory, name);
	good(mkv_write_file(file, 0644, text, strlen(text), &err));
	ret->name = name;
	ret->size_bytes = strlen(text);
	good(mkv_sha256_bytes(text, strlen(text), &ret->sha256, &err));
}

/* run.json of the plan's first run. */
static char *run_text(const struct mkv_bundle *bundle, const char *run,
		      unsigned attempt, const char *tail)
{
	struct mkv_buf text = {0};
	mkv_buf_printf(
		&text,
		"{\"mkvbench_run\":1,\"run\":\"%s\",\"attempt\":%u,"
		"\"plan_sha256\":\"%s\",\"contract_sha256\":\"%s\",%s}",
		run, attempt, bundle->plan_sha256,
		bundle->plan->arms[bundle->plan->runs[0].arm].contract_sha256,
		tail);
	return mkv_buf_take(&text);
}

static const char valid[] = "\"valid\":true,\"reasons\":[]";

static void only_the_listed_files_are_adopted(void **state)
{
	(void)state;
	auto_bundle struct mkv_bundle *bundle = create("adopt");
	const char *run = bundle->plan->runs[0].id;
	auto_free char *directory = NULL, *text = NULL;
	struct mkv_bundle_file files[2];
	struct mkv_bundle_run is;
	good(mkv_bundle_begin_run(bundle, run, 1, &directory, &err));
	text = run_text(bundle, run, 1, valid);
	put(directory, "run.json", text, &files[0]);
	put(directory, "load.csv", "request\n", &files[1]);
#define ADOPT(count) mkv_bundle_adopt_run(bundle, run, 1, files, count, 9, &err)
	refused(ADOPT(1), "'load.csv' isn't a file of the run");
	files[1].size_bytes++;
	refused(ADOPT(2), "'load.csv' has 8 bytes, expected 9");
	files[1].size_bytes--;
	files[1].sha256.bytes[0] ^= 1;
	refused(ADOPT(2), "'load.csv': its SHA-256 differs");
	files[1].sha256.bytes[0] ^= 1;
	static const char *const names[][2] = {
		{"../load.csv", "isn't a valid path"},
		{"/load.csv", "isn't a valid path"},
		{"a//b", "isn't a valid path"},
		{"run.json", "appears twice"},
		{"a\nb", "isn't a valid path"},
		{"1/2/3/4/5/6/7/8/9/10", "isn't a valid name of a file"},
		{"missing.csv", "'load.csv' isn't a file of the run"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		files[1].name = names[i][0];
		refused(ADOPT(2), names[i][1]);
		assert_int_equal(err.kind, MKV_UNVERIFIED);
	}
	files[1].name = "load.csv";
	refused(mkv_bundle_adopt_run(bundle, "99-1-x", 1, files, 2, 9, &err),
		"isn't a run of the plan");
	mkv_bundle_find_run(bundle, run, &is);
	assert_int_equal(is.adopted, 0);
	good(ADOPT(2));
	mkv_bundle_find_run(bundle, run, &is);
	assert_int_equal(is.valid, 1);
	refused(ADOPT(2), "is in the journal already");
	free(mkv_take(directory));
	refused(mkv_bundle_begin_run(bundle, run, 1, &directory, &err),
		"is in the journal already");
}

static void a_link_is_not_adopted(void **state)
{
	(void)state;
	auto_bundle struct mkv_bundle *bundle = create("link");
	const char *run = bundle->plan->runs[0].id;
	auto_free char *directory = NULL, *text = NULL;
	struct mkv_bundle_file files[2];
	char link[512];
	good(mkv_bundle_begin_run(bundle, run, 1, &directory, &err));
	text = run_text(bundle, run, 1, valid);
	put(directory, "run.json", text, &files[0]);
	put(directory, "load.csv", "", &files[1]);
	(void)snprintf(link, sizeof(link), "%s/load.csv", directory);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(symlink("/dev/null", link), 0);
	refused(mkv_bundle_adopt_run(bundle, run, 1, files, 2, 9, &err),
		"'load.csv' isn't a regular file");
}

static void a_run_of_another_identity_is_not_adopted(void **state)
{
	(void)state;
	auto_bundle struct mkv_bundle *bundle = create("identity");
	const char *run = bundle->plan->runs[0].id;
	const struct {
		const char *run;
		unsigned attempt;
		const char *tail, *message;
	} cases[] = {
		{bundle->plan->runs[1].id, 1, valid, "run: is '"},
		{run, 2, valid, "run: is '"},
		{run, 1, "\"valid\":true,\"reasons\":[\"late\"]",
		 "reasons: contradict"},
		{run, 1, "\"valid\":false,\"reasons\":[]",
		 "reasons: contradict"},
		{run, 1, "\"reasons\":[]", "valid: missing"},
		{run, 1, "\"valid\":true", "reasons: missing"},
		{run, 1, "\"valid\":true,\"reasons\":[],\"run\":\"x\"",
		 "duplicate"},
	};
	auto_free char *directory = NULL;
	good(mkv_bundle_begin_run(bundle, run, 1, &directory, &err));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mkv_bundle_file file;
		auto_free char *text = run_text(
			bundle, cases[i].run, cases[i].attempt, cases[i].tail);
		put(directory, "run.json", text, &file);
		refused(mkv_bundle_adopt_run(bundle, run, 1, &file, 1, 9, &err),
			cases[i].message);
		assert_int_equal(err.kind, MKV_UNVERIFIED);
	}
}

static void sequences_grow_over_a_reopening(void **state)
{
	(void)state;
	uint64_t first = 0, second = 0, third = 0;
	struct mkv_bundle *bundle = create("sequence");
	const char *run = bundle->plan->runs[0].id;
	good(mkv_bundle_next_sequence(bundle, 6, run, 1, "prepare", &first,
				      &err));
	good(mkv_bundle_next_sequence(bundle, 6, run, 1, "load", &second,
				      &err));
	assert_true(first == 1 && second == 2);
	refused(mkv_bundle_finish(bundle, key, 9, &err),
		"attempt 1, was ordered and is neither here nor lost");
	mkv_bundle_free(bundle);
	good(mkv_bundle_open(path, &inputs, 7, &bundle, &err));
	run = bundle->plan->runs[0].id;
	struct mkv_bundle_run is;
	mkv_bundle_find_run(bundle, run, &is);
	assert_true(is.is_pending && is.attempts == 1);
	good(mkv_bundle_next_sequence(bundle, 8, run, 1, "abort", &third,
				      &err));
	assert_true(third == 3);
	good(mkv_bundle_lose_run(bundle, run, 1, "interrupted", 9, &err));
	mkv_bundle_find_run(bundle, run, &is);
	assert_true(!is.is_pending && is.adopted == 1 && is.valid == 0);
	good(mkv_bundle_finish(bundle, key, 9, &err));
	assert_true(mkv_bundle_is_finished(bundle));
	refused(mkv_bundle_next_sequence(bundle, 8, run, 2, "prepare", &third,
					 &err),
		"is complete: nothing can be added");
	mkv_bundle_free(bundle);
}

static void a_boot_is_journaled_once(void **state)
{
	(void)state;
	auto_bundle struct mkv_bundle *bundle = create("boots");
	uint64_t before = mkv_journal_count(mkv_bundle_journal(bundle));
	for (int i = 0; i < 3; i++)
		good(mkv_bundle_add_boot(bundle, "order", "b", "c", 6, &err));
	good(mkv_bundle_add_boot(bundle, "order", "b2", "c", 6, &err));
	assert_int_equal(mkv_journal_count(mkv_bundle_journal(bundle)),
			 before + 2);
}

static void another_key_neither_creates_nor_finishes(void **state)
{
	(void)state;
	struct mkv_public_key public;
	auto_private_key struct mkv_private_key *other = NULL;
	auto_bundle struct mkv_bundle *bundle = create("key"), *none = NULL;
	struct mkv_bundle_inputs wrong = inputs;
	(void)snprintf(path, sizeof(path), "%s/other.pem", place);
	good(mkv_key_generate(path, &public, &err));
	good(mkv_private_key_load(path, &other, &err));
	refused(mkv_bundle_finish(bundle, other, 9, &err),
		"the signing key isn't the plan's");
	wrong.key = &public;
	(void)snprintf(path, sizeof(path), "%s/none", place);
	refused(mkv_bundle_create(path, &wrong, 5, &none, &err),
		"plan.sigstore.json: ");
	assert_true(access(path, F_OK) < 0);
	refused(mkv_bundle_open(path, &inputs, 5, &none, &err), "open");
	assert_int_equal(err.code, ENOENT);
}

static void a_full_disk_leaves_no_part_of_a_line(void **state)
{
	(void)state;
	struct mkv_bundle *bundle = create("full");
	struct mkv_journal *journal = mkv_bundle_journal(bundle);
	uint64_t before = mkv_journal_count(journal);
	size_t count = 1;
	for (int i = 0; i < 40; i += 13) {
		write_limit = i;
		refused(mkv_journal_append(journal, 6, "note", NULL, &err),
			"No space left");
		write_limit = -1;
	}
	fsyncs_to_fail = 1;
	refused(mkv_journal_append(journal, 6, "note", NULL, &err),
		"Input/output error");
	assert_int_equal(mkv_journal_count(journal), before);
	good(mkv_journal_append(journal, 6, "note", NULL, &err));
	/* The end of the file is unknown: nothing more is written. */
	fsyncs_to_fail = truncates_to_fail = 1;
	refused(mkv_journal_append(journal, 6, "note", NULL, &err),
		"Input/output error");
	refused(mkv_journal_append(journal, 6, "note", NULL, &err),
		"an earlier write failed: open the bundle again");
	mkv_bundle_free(bundle);
	good(mkv_bundle_open(path, &inputs, 7, &bundle, &err));
	(void)mkv_bundle_repairs(bundle, &count);
	assert_int_equal(count, 0);
	mkv_bundle_free(bundle);
}

static void a_full_disk_adopts_nothing(void **state)
{
	(void)state;
	struct mkv_bundle *bundle = create("full-run");
	const char *run = bundle->plan->runs[0].id;
	auto_free char *directory = NULL, *text = NULL;
	struct mkv_bundle_file file;
	struct mkv_bundle_run is;
	good(mkv_bundle_begin_run(bundle, run, 1, &directory, &err));
	text = run_text(bundle, run, 1, valid);
	put(directory, "run.json", text, &file);
	for (int i = 0; i < 2; i++) {
		write_limit = i == 0 ? 30 : -1;
		fsyncs_to_fail = i == 1;
		refused(mkv_bundle_adopt_run(bundle, run, 1, &file, 1, 9, &err),
			i == 0 ? "No space left" : "Input/output error");
		write_limit = -1;
		mkv_bundle_find_run(bundle, run, &is);
		assert_int_equal(is.adopted, 0);
		assert_int_equal(access(directory, F_OK), 0);
	}
	good(mkv_bundle_adopt_run(bundle, run, 1, &file, 1, 9, &err));
	mkv_bundle_free(bundle);
}

static void a_staging_directory_is_found_again(void **state)
{
	(void)state;
	struct mkv_bundle *bundle = create("staging");
	const char *run = bundle->plan->runs[0].id;
	auto_free char *directory = NULL, *again = NULL;
	struct mkv_bundle_file file;
	char name[512];
	good(mkv_bundle_begin_run(bundle, run, 1, &directory, &err));
	put(directory, "load.csv", "half", &file);
	put(directory, "load.csv.new.12.3", "temporary", &file);
	put(directory, "x.new.12", "not temporary", &file);
	mkv_bundle_free(bundle);
	good(mkv_bundle_open(path, &inputs, 7, &bundle, &err));
	good(mkv_bundle_begin_run(bundle, bundle->plan->runs[0].id, 1, &again,
				  &err));
	assert_string_equal(directory, again);
	(void)snprintf(name, sizeof(name), "%s/load.csv", again);
	assert_int_equal(access(name, F_OK), 0);
	(void)snprintf(name, sizeof(name), "%s/x.new.12", again);
	assert_int_equal(access(name, F_OK), 0);
	(void)snprintf(name, sizeof(name), "%s/load.csv.new.12.3", again);
	assert_true(access(name, F_OK) < 0);
	refused(mkv_bundle_finish(bundle, key, 9, &err),
		"is of a run that isn't complete");
	mkv_bundle_free(bundle);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_listed_files_are_adopted),
		cmocka_unit_test(a_link_is_not_adopted),
		cmocka_unit_test(a_run_of_another_identity_is_not_adopted),
		cmocka_unit_test(sequences_grow_over_a_reopening),
		cmocka_unit_test(a_boot_is_journaled_once),
		cmocka_unit_test(another_key_neither_creates_nor_finishes),
		cmocka_unit_test(a_full_disk_leaves_no_part_of_a_line),
		cmocka_unit_test(a_full_disk_adopts_nothing),
		cmocka_unit_test(a_staging_directory_is_found_again),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
