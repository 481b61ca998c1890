/* SPDX-License-Identifier: MIT */
/* Without arguments a unit test. For scripts that check and damage what the
 * library writes: with DIR and KEY it attests the directory DIR, which has
 * manifest.json and artifacts; with CONTRACT, KEY and BUNDLE it signs a
 * contract. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "builder/evidence/attest/sums.h"
#include "lib/io.h"
#include "tests/unit/attest_fixture.h"

enum { FILES_MAX = 256 };
static struct mkv_artifact files[FILES_MAX];
static size_t n_files, prefix;

static int collect_artifact(const char *path, const struct stat *st, int type,
			    struct FTW *ftw)
{
	struct mkv_error err;
	(void)ftw;
	if (type != FTW_F || strcmp(path + prefix, "manifest.json") == 0)
		return 0;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (n_files == FILES_MAX || fd < 0)
		return -1;
	struct mkv_artifact *a = &files[n_files++];
	a->path = strdup(path + prefix);
	a->size_bytes = (uint64_t)st->st_size;
	return mkv_sha256_fd(fd, &a->sha256, NULL, &err);
}

static int attest_directory(const char *dir, const char *key_path)
{
	struct mkv_error err = {0};
	auto_private_key struct mkv_private_key *key = NULL;
	auto_buf struct mkv_buf manifest = {0};
	auto_free char *place = NULL;
	prefix = strlen(dir) + 1;
	if (asprintf(&place, "%s/manifest.json", dir) < 0 ||
	    nftw(dir, collect_artifact, 8, FTW_PHYS) != 0)
		return 1;
	struct mkv_attest_inputs inputs = {.recipe = &fixture_recipe,
					   .lock = &fixture_lock,
					   .artifacts = files,
					   .n_artifacts = n_files};
	int rc = mkv_private_key_load(key_path, &key, &err);
	if (rc == 0)
		rc = mkv_read_file(AT_FDCWD, place, 1 << 20, &manifest, &err);
	inputs.manifest = manifest.data;
	inputs.manifest_size = manifest.size;
	if (rc == 0)
		rc = mkv_attest_appliance(dir, key, &inputs, &err);
	for (size_t i = 0; i < n_files; i++)
		free(files[i].path);
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err.message);
	return rc < 0;
}

static int sign_contract(const char *contract, const char *key_path,
			 const char *bundle_path)
{
	struct mkv_error err = {0};
	auto_private_key struct mkv_private_key *key = NULL;
	auto_buf struct mkv_buf text = {0}, bundle = {0};
	int rc = mkv_private_key_load(key_path, &key, &err);
	if (rc == 0)
		rc = mkv_read_file(AT_FDCWD, contract, 1 << 20, &text, &err);
	if (rc == 0)
		rc = mkv_contract_bundle(key, text.data, text.size, &bundle,
					 &err);
	if (rc == 0)
		rc = mkv_write_file(bundle_path, 0644, bundle.data, bundle.size,
				    &err);
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err.message);
	return rc < 0;
}

static void sums_are_sorted_and_read_back(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_sums struct mkv_sums *sums = mkv_sums_new(), *back = NULL;
	auto_buf struct mkv_buf text = {0};
	const struct mkv_sha256 sha = {{1}};
	assert_int_equal(mkv_sums_add(sums, "b/x", &sha, &err), 0);
	assert_int_equal(mkv_sums_add(sums, "a", &sha, &err), 0);
	assert_int_equal(mkv_sums_print(sums, &text, &err), 0);
	assert_int_equal(mkv_sums_parse(text.data, text.size, &back, &err), 0);
	assert_int_equal(back->count, 2);
	assert_string_equal(back->items[0].path, "a");
	assert_non_null(mkv_sums_find(back, "b/x"));
	assert_null(mkv_sums_find(back, "b"));
	assert_int_equal(mkv_sums_add(sums, "a", &sha, &err), 0);
	assert_int_equal(mkv_sums_print(sums, &text, &err), -EEXIST);
}

#define HEX "0100000000000000000000000000000000000000000000000000000000000000"
static const char *const bad_sums[] = {
	HEX "  a",
	HEX " a\n",
	HEX "  \n",
	HEX "  /a\n",
	HEX "  ../a\n",
	HEX "  a/../b\n",
	HEX "  a//b\n",
	HEX "  a/\n",
	HEX "  ./a\n",
	HEX "  a\\n\n",
	HEX "  b\n" HEX "  a\n",
	HEX "  a\n" HEX "  a\n",
	"0" HEX "  a\n",
	HEX " *a\n",
	"\n",
	"G" HEX "  a\n",
	HEX "  a\r\n",
};

static void other_sums_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_sums) / sizeof(bad_sums[0]); i++) {
		struct mkv_error err = {0};
		auto_sums struct mkv_sums *sums = NULL;
		int rc = mkv_sums_parse(bad_sums[i], strlen(bad_sums[i]), &sums,
					&err);
		if (rc != -EBADMSG)
			fail_msg("case %zu: %d", i, rc);
	}
}

static void another_key_than_the_contracts_is_refused(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	struct mkv_public_key public;
	auto_private_key struct mkv_private_key *key = NULL;
	char dir[] = "/tmp/mkv-attest-XXXXXX", path[64];
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key.pem", dir);
	assert_int_equal(mkv_key_generate(path, &public, &err), 0);
	assert_int_equal(mkv_key_generate(path, &public, &err), -EEXIST);
	assert_int_equal(mkv_private_key_load(path, &key, &err), 0);
	assert_int_equal(mkv_attest_appliance(dir, key, &fixture_inputs, &err),
			 -EINVAL);
	assert_non_null(strstr(err.message, "the contract names the key"));
	assert_true(mkv_key_check_place(path, dir, &err) < 0);
	assert_non_null(strstr(err.message, "inside the output"));
	assert_int_equal(mkv_key_check_place(path, "/tmp/mkv-attest-", &err),
			 0);
	assert_int_equal(mkv_remove_tree(AT_FDCWD, dir, &err), 0);
}

static const struct key_case {
	mode_t mode;
	const char *text, *message;
} keys[] = {
	{0640, "", "accessible to other users"},
	{0604, "", "accessible to other users"},
	{0600, "", "not an unencrypted PEM private key"},
	{0600,
	 "-----BEGIN PRIVATE "
	 "KEY-----\nMC4CAQAwBQYDK2VuBCIEIHcHbQpzGKV9PBbBclGyZkX"
	 "fTC+H68CZKrF3+6UduSwq\n-----END PRIVATE KEY-----\n",
	 "not an Ed25519 key"},
};

static void a_key_that_is_not_private_is_refused(void **state)
{
	(void)state;
	char dir[] = "/tmp/mkv-attest-XXXXXX", path[64], link[64];
	struct mkv_error err = {0};
	struct mkv_private_key *key = NULL;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key.pem", dir);
	(void)snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(mkv_private_key_load(path, &key, &err), -ENOENT);
	assert_non_null(strstr(err.message, "keygen"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_int_equal(mkv_write_file(path, keys[i].mode,
						keys[i].text,
						strlen(keys[i].text), &err),
				 0);
		assert_true(mkv_private_key_load(path, &key, &err) < 0);
		if (!strstr(err.message, keys[i].message))
			fail_msg("%s", err.message);
	}
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(mkv_private_key_load(link, &key, &err), -ELOOP);
	assert_int_equal(mkv_remove_tree(AT_FDCWD, dir, &err), 0);
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return attest_directory(argv[1], argv[2]);
	if (argc == 4)
		return sign_contract(argv[1], argv[2], argv[3]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_sorted_and_read_back),
		cmocka_unit_test(other_sums_are_refused),
		cmocka_unit_test(another_key_than_the_contracts_is_refused),
		cmocka_unit_test(a_key_that_is_not_private_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
