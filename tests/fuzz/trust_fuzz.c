/* SPDX-License-Identifier: MIT */
/* The three files by which a contract is trusted, one of them mutated: an input
 * is a letter (c contract, b bundle, k key) and the bytes of the file. Only the
 * signed contract is accepted as verified, and no other contract makes a
 * receipt that passes. */
#include <sys/stat.h>

#include "lib/io.h"
#include "verify/receipt/receipt.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/trust/*", NULL};
static const char *const fuzz_words[] = {"\"",
					 "{}",
					 "[]",
					 "=",
					 "null",
					 "\\u0000",
					 "\"mode\":",
					 "warn",
					 "gate",
					 "\"accept\":",
					 "\"platform\":",
					 ",",
					 "\n",
					 " ",
					 "-1",
					 "true",
					 NULL};

#include "tests/fuzz/driver.h"

static char root[] = "/tmp/mkvbench-trust-XXXXXX";
static const struct {
	char letter;
	const char *seed, *path;
} parts[] = {
	{'c', "tests/fuzz/trust/contract", MKV_CONTRACT_PATH},
	{'b', "tests/fuzz/trust/bundle", MKV_CONTRACT_BUNDLE_PATH},
	{'k', "tests/fuzz/trust/key", MKV_CONTRACT_KEY_PATH},
};
static struct mkv_buf right[3];

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void write_part(size_t part, const void *data, size_t size)
{
	char path[256];
	(void)snprintf(path, sizeof(path), "%s%s", root, parts[part].path);
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

static void clean_up(void)
{
	struct mkv_error err;
	require(mkv_remove_tree(AT_FDCWD, root, &err) == 0);
	for (size_t i = 0; i < 3; i++)
		mkv_buf_done(&right[i]);
}

static void set_up(void)
{
	struct mkv_error err;
	char path[256];
	require(mkdtemp(root));
	(void)snprintf(path, sizeof(path), "%s/usr/lib/mkvbench", root);
	require(mkv_make_dirs(path, &err) == 0);
	for (size_t i = 0; i < 3; i++) {
		require(mkv_read_file(AT_FDCWD, parts[i].seed, 1 << 20,
				      &right[i], &err) == 0);
		write_part(i, right[i].data + 1, right[i].size - 1);
	}
	(void)atexit(clean_up);
}

/* Selects only the check of the contract, as no machine is simulated. */
static bool is_contracts(const struct mkv_check *check, const void *context)
{
	(void)context;
	return strcmp(check->name, "contract") == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!right[0].data)
		set_up();
	size_t part = 0;
	while (part < 3 && (size == 0 || parts[part].letter != data[0]))
		part++;
	if (part == 3)
		return 0;
	bool is_same = size == right[part].size &&
		       memcmp(data, right[part].data, size) == 0;
	struct mkv_error err;
	auto_trusted struct mkv_trusted trusted = {0};
	auto_receipt struct mkv_receipt receipt = {0};
	write_part(part, data + 1, size - 1);
	mkv_trust_image(root, &trusted);
	write_part(part, right[part].data + 1, right[part].size - 1);
	/* Another encoding of the same bundle or key is valid too. */
	if (part == 0)
		require((trusted.trust == MKV_TRUST_VERIFIED) == is_same);
	if (trusted.trust == MKV_TRUST_VERIFIED)
		return 0;
	struct mkv_env env = {
		.root = root,
		.trust = trusted.trust,
		.trust_text = trusted.text,
		.contract = trusted.contract,
	};
	if (env.contract)
		env.host = mkv_contract_find_host(env.contract, "me");
	if (env.host)
		env.image =
			mkv_contract_find_image(env.contract, env.host->image);
	require(mkv_receipt_make(&env, &trusted, "me", is_contracts, NULL,
				 &receipt, &err) == 0);
	require(receipt.result != MKV_PASS &&
		!mkv_receipt_lets_start(&receipt));
	return 0;
}
