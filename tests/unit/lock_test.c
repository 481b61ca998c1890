/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/input/lock/change.h"
#include "builder/input/lock/lock.h"
#include "builder/input/lock/valid.h"
#include "lib/io.h"

#include <fcntl.h>

static struct mkv_buf good;

static int read_good(void **state mkv_unused)
{
	struct mkv_error err;
	return mkv_read_file(AT_FDCWD, "tests/golden/lock/two-sets.lock", 65536,
			     &good, &err);
}

static int drop_good(void **state mkv_unused)
{
	mkv_buf_done(&good);
	return 0;
}

static int parse_lock(const char *text, size_t size, struct mkv_lock **lock,
		      struct mkv_error *err)
{
	return mkv_lock_parse("x.lock", text, size, lock, err);
}

static void a_lock_says_what_its_text_says(void **state mkv_unused)
{
	struct mkv_error err;
	auto_lock struct mkv_lock *lock = NULL;
	assert_int_equal(parse_lock(good.data, good.size, &lock, &err), 0);
	assert_int_equal(lock->epoch_s, 1763856000);
	assert_int_equal(lock->n_indexes, 2);
	assert_string_equal(lock->indexes[1].suite, "trixie-security");
	assert_int_equal(lock->n_packages, 4);
	assert_int_equal(lock->packages[0].size_bytes, 309712);
	assert_int_equal(lock->n_sets, 2);
	const struct mkv_lock_set *set = mkv_lock_find_set(lock, "image/dut");
	assert_non_null(set);
	assert_int_equal(set->requested.count, 2);
	assert_int_equal(set->count, 3);
	assert_int_equal(set->packages[0], 1);
	assert_int_equal(set->packages[1], 3);
	assert_int_equal(set->packages[2], 0);
	assert_int_equal(mkv_lock_find_set(lock, "oci/postgres")->packages[0],
			 2);
	assert_null(mkv_lock_find_set(lock, "image/other"));
	assert_string_equal(lock->locals[1].name, "overlay/ntp");
	assert_string_equal(lock->externals[0].reference,
			    "registry.example/app:1");
}

static void printing_gives_the_same_bytes(void **state mkv_unused)
{
	struct mkv_error err;
	auto_lock struct mkv_lock *lock = NULL;
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(parse_lock(good.data, good.size, &lock, &err), 0);
	assert_int_equal(mkv_lock_print(lock, &text, &err), 0);
	assert_int_equal(text.size, good.size);
	assert_memory_equal(text.data, good.data, good.size);
}

/* Malformed locks: the valid one with `from` replaced by `to` once. */
static const struct reject {
	const char *from, *to, *message;
} rejects[] = {
	{"mkvbench-lock 1", "mkvbench-lock 2",
	 "x.lock:1:15: schema '2' is unknown"},
	{"mkvbench-lock 1\n", "", "x.lock:1:1: expected 'mkvbench-lock'"},
	{"mkvbench-lock 1\n", "mkvbench-lock 1\n\n",
	 "x.lock:2:1: expected 'recipe'"},
	{"recipe a", "recipe A", "x.lock:2:8: 'Aaaa"},
	{"recipe a", "recipe ", "is not a SHA-256"},
	{"epoch 1763856000", "epoch 0", "x.lock:3:7: 0 is not in 1.."},
	{"epoch 1763856000", "epoch -1", "'-1' is not a number"},
	{"epoch 1763856000", "epoch 01763856000",
	 "x.lock:3:7: not in canonical form"},
	{"epoch 1763856000", "epoch 9999999999999",
	 "is not in 1..253402300799"},
	{"epoch 1763856000", "epoch 1763856000 ",
	 "x.lock:3:1: 'epoch' takes 2 fields, found 3"},
	{"epoch 1763856000", "epoch\t1763856000",
	 "x.lock:3:6: invalid byte 0x09"},
	{"epoch 1763856000\n", "epoch 1763856000\r\n",
	 "x.lock:3:17: invalid byte 0x0d"},
	{"index trixie main", "index trixie-security main",
	 "x.lock:5:7: duplicate 'trixie-security'"},
	{"index trixie main", "index zz main",
	 "x.lock:5:7: 'trixie-security' is not in sorted order"},
	{"index trixie main", "index ../x main", "'../x' is not a suite"},
	{"56620099", "99999999999", "is not in 1..1073741824"},
	{"package chrony", "package Chrony",
	 "x.lock:6:9: 'Chrony' is not a package name"},
	{"package chrony", "package zz", "'libc6' is not in sorted order"},
	{"package chrony 4.6.1-3", "package chrony 4.6_1-3",
	 "is not a version"},
	{"amd64 309712", "arm64 309712",
	 "x.lock:6:24: 'arm64' is not an architecture"},
	{"309712", "0", "0 is not in 1..4294967296"},
	{"309712", "18446744073709551617", "is not a number"},
	{"debian pool/main/c/", "ubuntu pool/main/c/",
	 "'ubuntu' is not an archive"},
	{"pool/main/c/chrony/", "pool/main/../../etc/",
	 "is not the path of a .deb below pool/"},
	{"pool/main/c/chrony/", "pool//c/chrony/",
	 "is not the path of a .deb below pool/"},
	{"pool/main/c/chrony/", "/pool/main/c/chrony/",
	 "is not the path of a .deb below pool/"},
	{"chrony_4.6.1-3_amd64.deb", "chrony_4.6.1-3_amd64.exe",
	 "is not the path of a .deb below pool/"},
	{"libc6 2.41-13 amd64", "libc6 2.41-12 amd64",
	 "x.lock:8:9: duplicate 'libc6'"},
	{"want image/dut tzdata\n",
	 "want image/dut tzdata\nwant image/dut tzdata\n",
	 "is not in sorted order"},
	{"want image/dut tzdata\n", "want image/dut aa\n",
	 "x.lock:11:16: 'aa' is not in sorted order"},
	{"want image/dut chrony", "want dut chrony", "'dut' is not a set"},
	{"want image/dut chrony", "want image/../x chrony", "is not a set"},
	{"in image/dut tzdata\n", "in image/dut tzdata\nwant image/dut zz\n",
	 "a `want` line follows an `in` line of the same set"},
	{"in image/dut tzdata\n", "in image/dut tzdata\nin image/dut tzdata\n",
	 "set 'image/dut' lists 'tzdata' twice"},
	{"in image/dut chrony\n", "", "package 'chrony' is in no set"},
	{"in image/dut tzdata", "in image/dut tzdate",
	 "no `package` line names 'tzdate'"},
	{"in image/dut libc6=2.41-12", "in image/dut libc6",
	 "'libc6' has several versions: write NAME=VERSION"},
	{"in image/dut libc6=2.41-12", "in image/dut libc6=2.41-14",
	 "no `package` line has version '2.41-14'"},
	{"in image/dut chrony", "in image/dut chrony=4.6.1-3",
	 "'chrony' has one version: write only the name"},
	{"want image/dut tzdata", "want image/dut tzdatb",
	 "set 'image/dut' requests 'tzdatb' but does not contain it"},
	{"in oci/postgres", "in image/aaa",
	 "set 'image/aaa' is not in sorted order"},
	{"in oci/postgres libc6=2.41-13\n", "want oci/postgres libc6\n",
	 "set 'oci/postgres' has no `in` line"},
	{"local overlay/ntp", "local overlay/common",
	 "duplicate 'overlay/common'"},
	{"local overlay/ntp", "local overlay/../ntp", "is not overlay/NAME"},
	{"local overlay/ntp", "locals overlay/ntp",
	 "unknown line keyword 'locals'"},
	{"external registry", "package registry",
	 "x.lock:18:1: 'package' lines must precede 'local' lines"},
	{"sha256:d", "sha512:d", "is not a digest (sha256:...)"},
	{"registry.example", "registry example",
	 "'external' takes 3 fields, found 4"},
	{"d\n", "d",
	 "x.lock:18:1: the last line has no newline: the file is truncated"},
};

static void what_is_no_lock_is_refused(void **state mkv_unused)
{
	for (size_t i = 0; i < sizeof(rejects) / sizeof(rejects[0]); i++) {
		const struct reject *r = &rejects[i];
		struct mkv_error err = {0};
		auto_lock struct mkv_lock *lock = NULL;
		const char *at = strstr(good.data, r->from);
		if (strcmp(r->from, "d\n") == 0)
			at = good.data + good.size - 2;
		assert_non_null(at);
		auto_buf struct mkv_buf text = {0};
		mkv_buf_add(&text, good.data, (size_t)(at - good.data));
		mkv_buf_str(&text, r->to);
		mkv_buf_str(&text, at + strlen(r->from));
		int rc = parse_lock(text.data, text.size, &lock, &err);
		if (rc != -EINVAL || err.kind != MKV_BAD_RECIPE ||
		    !strstr(err.message, r->message))
			fail_msg("'%s' -> '%s': %d %s", r->from, r->to, rc,
				 err.message);
	}
}

/* Every proper prefix of a lock, and every lock with one byte removed or
 * replaced by a NUL. */
static void no_part_of_a_lock_is_a_lock(void **state mkv_unused)
{
	struct mkv_error err;
	auto_free char *copy = malloc(good.size);
	for (size_t i = 0; i < good.size; i++) {
		auto_lock struct mkv_lock *lock = NULL;
		(void)parse_lock(good.data, i, &lock, &err);
		/* Truncated between two facts it may be a lock of fewer facts.
		 */
		assert_true(!lock || good.data[i - 1] == '\n');
		memcpy(copy, good.data, good.size);
		copy[i] = '\0';
		auto_lock struct mkv_lock *other = NULL;
		assert_true(parse_lock(copy, good.size, &other, &err) < 0);
	}
}

static const struct {
	bool (*is_valid)(const char *);
	const char *text;
	bool expected;
} texts[] = {
	{mkv_valid_package_name, "libstdc++6", true},
	{mkv_valid_package_name, "0ad", true},
	{mkv_valid_package_name, "a", false},
	{mkv_valid_package_name, "", false},
	{mkv_valid_package_name, "-a", false},
	{mkv_valid_package_name, "a/b", false},
	{mkv_valid_version, "1:2.41.5-0+deb13u1~bpo", true},
	{mkv_valid_version, "", false},
	{mkv_valid_version, "1/2", false},
	{mkv_valid_pool_path, "pool/main/a/a_1.deb", true},
	{mkv_valid_pool_path, "pool/main/a/a_1%3a2.deb", true},
	{mkv_valid_pool_path, "pool/./a.deb", false},
	{mkv_valid_pool_path, "pool/a/../b.deb", false},
	{mkv_valid_pool_path, "pool/a b.deb", false},
	{mkv_valid_pool_path, "pool/a?b.deb", false},
	{mkv_valid_pool_path, "pool/a#b.deb", false},
	{mkv_valid_pool_path, "dists/a.deb", false},
	{mkv_valid_set_name, "image/dut", true},
	{mkv_valid_set_name, "image/", false},
	{mkv_valid_set_name, "image/.", false},
	{mkv_valid_set_name, "image/a/b", false},
	{mkv_valid_reference, "registry.example:5000/a/b:c@sha256:0", true},
	{mkv_valid_reference, "[::1]:5000/a", true},
	{mkv_valid_reference, "--option", false},
	{mkv_valid_reference, "/a", false},
};

static void fields_hold_what_they_may(void **state mkv_unused)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].is_valid(texts[i].text) != texts[i].expected)
			fail_msg("'%s'", texts[i].text);
}

static int collect_change(const struct mkv_lock_change *change, void *context,
			  struct mkv_error *err mkv_unused)
{
	mkv_buf_printf(context, "%s %s %s>%s\n", change->what, change->name,
		       change->old ? change->old : "",
		       change->new ? change->new : "");
	return 0;
}

static void changes_are_named(void **state mkv_unused)
{
	struct mkv_error err;
	auto_lock struct mkv_lock *before = NULL;
	auto_lock struct mkv_lock *after = NULL;
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(parse_lock(good.data, good.size, &before, &err), 0);
	assert_int_equal(parse_lock(good.data, good.size, &after, &err), 0);
	assert_int_equal(
		mkv_lock_compare(before, after, collect_change, &text, &err),
		0);
	assert_int_equal(text.size, 0);
	memcpy(after->packages[0].version, "4.7.0-1", 8);
	memcpy(after->packages[3].name, "uzdata", 7);
	after->locals[0].sha256.bytes[0] ^= 1;
	free(after->locals[1].name);
	after->n_locals = 1;
	assert_int_equal(
		mkv_lock_compare(before, after, collect_change, &text, &err),
		0);
	assert_string_equal(text.data, "package chrony 4.6.1-3>4.7.0-1\n"
				       "package tzdata 2025b-4+deb13u1>\n"
				       "package uzdata >2025b-4+deb13u1\n"
				       "local overlay/common >\n"
				       "local overlay/ntp >\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lock_says_what_its_text_says),
		cmocka_unit_test(printing_gives_the_same_bytes),
		cmocka_unit_test(what_is_no_lock_is_refused),
		cmocka_unit_test(no_part_of_a_lock_is_a_lock),
		cmocka_unit_test(fields_hold_what_they_may),
		cmocka_unit_test(changes_are_named),
	};
	return cmocka_run_group_tests(tests, read_good, drop_good);
}
