/* SPDX-License-Identifier: MIT */
/* Commands: as bundles, of which only the seed that the key has signed may
 * pass, and as statements that the key has signed, which are read and compared
 * with a contract. */
#include <fcntl.h>

#include "lib/base64.h"
#include "lib/command.h"
#include "lib/dsse.h"
#include "lib/json.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/command/*.json", NULL};
static const char *const fuzz_words[] = {"{}",
					 "[]",
					 "null",
					 "-1",
					 "99999999999999999999",
					 "\"../\"",
					 "\\u0000",
					 "\\n",
					 "\"load\"",
					 "\"settings\":{",
					 "\"request\":",
					 "\"boots\":",
					 "\"step\"",
					 "abort",
					 ",",
					 "\"",
					 "1e9",
					 "\"seed\"",
					 NULL};

#include "tests/fuzz/driver.h"

/* An input that begins as the seed's bundle is one; any other is a statement,
 * which is read as if the key had signed it. */
static struct mkv_public_key key;
static struct mkv_buf payload; /* of the seed */
static struct mkv_contract *contract;
static struct mkv_sha256 contract_sha256;

static void claim(bool holds)
{
	if (!holds)
		abort();
}

static void load(void)
{
	struct mkv_error err;
	static char text[FUZZ_INPUT_MAX];
	FILE *f = fopen("tests/fuzz/command/bundle.json", "re");
	claim(f && mkv_public_key_load(AT_FDCWD, "tests/fuzz/command/key.pub",
				       &key, &err) == 0);
	size_t size = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	claim(mkv_dsse_verify(text, size, &key, MKV_DSSE_IN_TOTO, &payload,
			      &err) == 0);
	f = fopen("tests/fuzz/command/contract", "re");
	claim(f);
	size = fread(text, 1, sizeof(text), f);
	(void)fclose(f);
	claim(mkv_sha256_bytes(text, size, &contract_sha256, &err) == 0);
	claim(mkv_contract_parse(text, size, &contract, &err) == 0);
}

/* What the agent relies on: names are never paths, values are lines. */
static void check_command(const struct mkv_command *command)
{
	struct mkv_error err;
	claim(command->step < MKV_STEPS && command->sequence > 0);
	claim(!strchr(command->run, '/') && !strchr(command->run, '.'));
	claim(strlen(command->run) < MKV_PLAN_ID_MAX);
	claim(command->load.rate > 0 && command->load.measured > 0);
	for (size_t i = 0; i < command->boots.count; i++)
		claim(strlen(command->boots.items[i].value) == 36);
	for (size_t i = 0; i < command->settings.count; i++) {
		const struct mkv_contract_service *one =
			&command->settings.services[i];
		claim(one->name[0] != '.' && !strchr(one->name, '/'));
		claim(mkv_command_settings(command, one->name));
		for (size_t j = 0; j < one->settings.count; j++)
			claim(!strpbrk(one->settings.items[j].key, "=/\n") &&
			      !strchr(one->settings.items[j].value, '\n'));
	}
	if (mkv_command_check(command, contract, &contract_sha256, &err) == 0)
		for (size_t i = 0; i < command->settings.count; i++)
			claim(mkv_contract_find_experiment_service(
				contract, command->settings.services[i].name));
}

static void try_bundle(const char *text, size_t size)
{
	struct mkv_error err;
	auto_buf struct mkv_buf got = {0};
	auto_command struct mkv_command *command = NULL;
	int rc = mkv_command_verify(text, size, &key, &command, &err);
	claim(rc == 0 || rc == -EINVAL || rc == -EBADMSG);
	if (rc < 0)
		return;
	check_command(command);
	claim(mkv_dsse_verify(text, size, &key, MKV_DSSE_IN_TOTO, &got, &err) ==
		      0 &&
	      got.size == payload.size &&
	      memcmp(got.data, payload.data, got.size) == 0);
}

static void try_statement(const char *text, size_t size)
{
	struct mkv_error err = {0};
	auto_command struct mkv_command *command = NULL;
	int rc = mkv_command_parse(text, size, &command, &err);
	claim(rc == 0 || (rc == -EINVAL && err.message[0]));
	if (rc == 0)
		check_command(command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char begin[] = "{\"dsseEnvelope\"";
	const char *text = (const char *)data;
	if (!contract)
		load();
	if (size >= sizeof(begin) - 1 &&
	    memcmp(text, begin, sizeof(begin) - 1) == 0)
		try_bundle(text, size);
	else
		try_statement(text, size);
	return 0;
}
