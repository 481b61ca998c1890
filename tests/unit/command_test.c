/* SPDX-License-Identifier: MIT */
/* Commands: a whole one, one mistake at a time, and what an agent compares with
 * its contract. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "builder/evidence/attest/attest.h"
#include "lib/dsse.h"
#include "lib/io.h"

#define PLAN "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define CONTRACT                                                               \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define BOOT "0f0e0d0c-0b0a-4908-8706-050403020100"

static const char good[] =
	"{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"name\":"
	"\"plan.json\",\"digest\":{\"sha256\":\"" PLAN "\"}}],"
	"\"predicateType\":\"urn:mkvbench:command:1\",\"predicate\":{"
	"\"mkvbench_command\":1,\"plan_sha256\":\"" PLAN "\","
	"\"contract_sha256\":\"" CONTRACT "\",\"run\":\"03-2-kvm-docker\","
	"\"attempt\":2,\"step\":\"prepare\",\"sequence\":17,"
	"\"boots\":{\"order\":\"" BOOT "\"},"
	"\"settings\":{\"order\":{\"DATA_DIR\":\"/tmp/order\"}},"
	"\"tracing\":\"otlp\",\"load\":{\"rate\":20,\"arrivals\":\"constant\","
	"\"connections\":64,\"warm_up\":5000,\"measured\":10000,"
	"\"timeout_ns\":30000000000,\"seed\":7}}}";

static const char contract_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"small\",\"scenario\":"
	"\"kvm-docker\",\"verify\":{\"mode\":\"gate\"},\"hosts\":{\"order\":{\"image\":\"dut\",\"role\":"
	"\"order\"}},\"images\":{\"dut\":{\"platform\":\"metal\"}},"
	"\"experiment\":{\"request\":{\"method\":\"GET\",\"role\":\"order\","
	"\"port\":80,\"path\":\"/\",\"status\":200},\"rate\":20,\"arrivals\":"
	"\"constant\",\"connections\":64,\"timeout_ns\":1000000000,"
	"\"warm_up\":0,\"measured\":1,\"services\":{\"order\":{\"role\":"
	"\"order\",\"unit\":\"mkvbench-order.service\",\"port\":80,"
	"\"health\":\"/\",\"vary\":[\"DATA_DIR\"]}}}}";

struct fixture {
	char dir[64];
	struct mkv_private_key *key, *other;
};

static int make_key(const char *dir, const char *name,
		    struct mkv_private_key **ret)
{
	struct mkv_error err;
	struct mkv_public_key public;
	char path[128];
	(void)snprintf(path, sizeof(path), "%s/%s/key.pem", dir, name);
	return mkv_key_generate(path, &public, &err) < 0
		       ? -1
		       : mkv_private_key_load(path, ret, &err);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	(void)snprintf(f->dir, sizeof(f->dir), "/tmp/mkv-command-XXXXXX");
	*state = f;
	return !mkdtemp(f->dir) || make_key(f->dir, "k", &f->key) < 0 ||
			       make_key(f->dir, "other", &f->other) < 0
		       ? -1
		       : 0;
}

static int teardown(void **state)
{
	struct mkv_error err;
	struct fixture *f = *state;
	mkv_private_key_free(f->key);
	mkv_private_key_free(f->other);
	int rc = mkv_remove_tree(AT_FDCWD, f->dir, &err);
	free(f);
	return rc;
}

/* `good` with the first `from` replaced by `to`. */
static char *change(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *changed = NULL;
	if (!at)
		fail_msg("the text has no %s", from);
	assert_true(asprintf(&changed, "%.*s%s%s", (int)(at - text), text, to,
			     at + strlen(from)) > 0);
	return changed;
}

static int verify(const struct fixture *f, const struct mkv_private_key *signer,
		  const char *statement, struct mkv_command **ret,
		  struct mkv_error *err)
{
	auto_buf struct mkv_buf bundle = {0};
	assert_int_equal(mkv_dsse_sign(signer, statement, strlen(statement),
				       &bundle, err),
			 0);
	return mkv_command_verify(bundle.data, bundle.size,
				  mkv_private_key_public(f->key), ret, err);
}

static struct mkv_command *verified(const struct fixture *f,
				    const char *statement)
{
	struct mkv_command *command = NULL;
	struct mkv_error err = {0};
	if (verify(f, f->key, statement, &command, &err) < 0)
		fail_msg("%s", err.message);
	return command;
}

static void a_command_is_read_whole(void **state)
{
	auto_command struct mkv_command *command = verified(*state, good);
	assert_string_equal(command->run, "03-2-kvm-docker");
	assert_int_equal(command->attempt, 2);
	assert_int_equal(command->step, MKV_STEP_PREPARE);
	assert_int_equal(command->sequence, 17);
	assert_string_equal(mkv_command_boot(command, "order"), BOOT);
	assert_null(mkv_command_boot(command, "user"));
	const struct mkv_contract_service *order =
		mkv_command_settings(command, "order");
	assert_non_null(order);
	assert_int_equal(order->settings.count, 1);
	assert_string_equal(order->settings.items[0].key, "DATA_DIR");
	assert_string_equal(order->settings.items[0].value, "/tmp/order");
	assert_null(mkv_command_settings(command, "payment"));
	assert_string_equal(command->tracing, "otlp");
	assert_int_equal(command->load.rate, 20);
	assert_int_equal(command->load.seed, 7);
	assert_false(command->load.has_request);
}

static const struct {
	const char *from, *to, *message;
} mistakes[] = {
	{"\"attempt\":2", "\"attempt\":2,\"shell\":\"sh\"",
	 "predicate.shell: unknown member"},
	{"\"mkvbench_command\":1", "\"mkvbench_command\":2",
	 "mkvbench_command: must be between 1 and 1"},
	{"\"attempt\":2,", "", "predicate.attempt: missing"},
	{"\"attempt\":2", "\"attempt\":0", "attempt: must be between 1"},
	{"\"attempt\":2", "\"attempt\":\"2\"", "attempt: must be an integer"},
	{"\"attempt\":2", "\"attempt\":2,\"attempt\":3", "duplicate"},
	{"\"sequence\":17", "\"sequence\":0", "sequence: must be between 1"},
	{"\"sequence\":17", "\"sequence\":99999999999999999999", "too big"},
	{"\"step\":\"prepare\"", "\"step\":\"shell\"",
	 "step: unknown value 'shell'"},
	{"03-2-kvm-docker", "../../etc/cron.d/x", "is not the id of a run"},
	{"03-2-kvm-docker", "03-2-..", "is not the id of a run"},
	{"03-2-kvm-docker", "03-2-a/b", "is not the id of a run"},
	{"03-2-kvm-docker", "", "is not the id of a run"},
	{"03-2-kvm-docker", "03-2-a\\u0000b", "NUL"},
	{"03-2-kvm-docker", "03-2-a\\nb", "control character"},
	{"\"" BOOT "\"", "\"\"", "is not a boot id"},
	{"\"" BOOT "\"", "\"0F0E0D0C-0B0A-4908-8706-050403020100\"",
	 "is not a boot id"},
	{"{\"order\":\"" BOOT "\"}", "{}", "must have 1 to"},
	{"{\"order\":\"" BOOT "\"}", "{\"../order\":\"" BOOT "\"}",
	 "'../order' is not a name"},
	{"\"order\":{\"DATA_DIR\"", "\"../order\":{\"DATA_DIR\"",
	 "not a valid name"},
	{"\"DATA_DIR\":", "\"PATH=x\":", "is not a setting's name"},
	{"\"DATA_DIR\":", "\"A\\nB\":", "is not a setting's name"},
	{"\"/tmp/order\"", "\"a\\nLD_PRELOAD=x\"", "control character"},
	{"\"/tmp/order\"", "7", "must be a string"},
	{"\"tracing\":\"otlp\"", "\"tracing\":\"on\"",
	 "tracing: unknown value 'on'"},
	{"\"rate\":20", "\"rate\":0", "load.rate: must be between 1"},
	{"\"rate\":20", "\"rate\":20.5", "load.rate: must be an integer"},
	{",\"seed\":7", "", "load.seed: missing"},
	{"\"seed\":7", "\"seed\":7,\"think\":1", "load.think: unknown member"},
	{"urn:mkvbench:command:1", "urn:mkvbench:plan:1",
	 "predicateType: is 'urn:mkvbench:plan:1'"},
	{"Statement/v1", "Statement/v2", "_type: is"},
	{"\"name\":\"plan.json\"", "\"name\":\"contract.json\"",
	 "is not plan.json"},
	{"\"digest\":{\"sha256\":\"" PLAN, "\"digest\":{\"sha256\":\"" CONTRACT,
	 "differs from the command's plan_sha256"},
	{"\"subject\":[{", "\"subject\":[{},{", "subject: must be one object"},
	{"\"predicate\":{", "\"extra\":1,\"predicate\":{",
	 "extra: unknown member"},
};

static void each_mistake_is_named(void **state)
{
	const struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(*mistakes); i++) {
		auto_free char *text =
			change(good, mistakes[i].from, mistakes[i].to);
		auto_command struct mkv_command *command = NULL;
		struct mkv_error err = {0};
		int rc = verify(f, f->key, text, &command, &err);
		if (rc != -EINVAL || !strstr(err.message, mistakes[i].message))
			fail_msg("%s: %d %s", mistakes[i].to, rc, err.message);
		assert_null(command);
	}
}

static void another_key_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct mkv_command *command = NULL;
	struct mkv_error err = {0};
	assert_int_equal(verify(f, f->other, good, &command, &err), -EBADMSG);
	assert_int_equal(err.kind, MKV_UNVERIFIED);
	assert_non_null(strstr(err.message, "signed by another key"));
	assert_null(command);
}

/* The other key's signature below the name of ours. */
static void a_wrong_signature_is_refused(void **state)
{
	const struct fixture *f = *state;
	auto_buf struct mkv_buf bundle = {0};
	char ours[MKV_SHA256_HEX_SIZE], theirs[MKV_SHA256_HEX_SIZE];
	struct mkv_command *command = NULL;
	struct mkv_error err = {0};
	assert_int_equal(
		mkv_dsse_sign(f->other, good, strlen(good), &bundle, &err), 0);
	mkv_sha256_hex(&mkv_private_key_public(f->key)->id, ours);
	mkv_sha256_hex(&mkv_private_key_public(f->other)->id, theirs);
	for (char *at; (at = strstr(bundle.data, theirs));)
		memcpy(at, ours, strlen(ours));
	assert_int_equal(mkv_command_verify(bundle.data, bundle.size,
					    mkv_private_key_public(f->key),
					    &command, &err),
			 -EBADMSG);
	assert_null(command);
}

static void what_is_no_bundle_is_refused(void **state)
{
	const struct fixture *f = *state;
	static const struct {
		const char *text;
		int rc;
	} cases[] = {
		{"", -EINVAL},	   {"{", -EINVAL},   {"\xff\xfe", -EINVAL},
		{"{}", -EBADMSG},  {"[]", -EBADMSG}, {"{} {}", -EINVAL},
		{"null", -EINVAL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mkv_command *command = NULL;
		struct mkv_error err = {0};
		int rc = mkv_command_verify(
			cases[i].text, strlen(cases[i].text),
			mkv_private_key_public(f->key), &command, &err);
		if (rc != cases[i].rc)
			fail_msg("%s: %d %s", cases[i].text, rc, err.message);
	}
}

static void a_bundle_over_the_limit_is_not_parsed(void **state)
{
	const struct fixture *f = *state;
	struct mkv_command *command = NULL;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf bundle = {0};
	assert_int_equal(
		mkv_dsse_sign(f->key, good, strlen(good), &bundle, &err), 0);
	mkv_buf_fill(&bundle, ' ', MKV_COMMAND_BUNDLE_MAX - bundle.size);
	assert_int_equal(mkv_command_verify(bundle.data, bundle.size,
					    mkv_private_key_public(f->key),
					    &command, &err),
			 0);
	mkv_command_free(command);
	command = NULL;
	mkv_buf_char(&bundle, ' ');
	assert_int_equal(mkv_command_verify(bundle.data, bundle.size,
					    mkv_private_key_public(f->key),
					    &command, &err),
			 -EFBIG);
	assert_null(command);
}

static void check(const struct fixture *f, const char *from, const char *to,
		  int expected, const char *message)
{
	struct mkv_contract *contract = NULL;
	struct mkv_error err = {0};
	struct mkv_sha256 sha256;
	auto_free char *text = change(good, from, to);
	auto_command struct mkv_command *command = verified(f, text);
	if (mkv_contract_parse(contract_text, strlen(contract_text), &contract,
			       &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(mkv_sha256_parse(CONTRACT, &sha256), 0);
	int rc = mkv_command_check(command, contract, &sha256, &err);
	mkv_contract_free(contract);
	if (rc != expected || (rc < 0 && !strstr(err.message, message)))
		fail_msg("%s: %d %s", to, rc, err.message);
	assert_true(rc == 0 || err.kind == MKV_UNVERIFIED);
}

static void a_command_is_compared_with_the_contract(void **state)
{
	const struct fixture *f = *state;
	check(f, "17", "17", 0, "");
	check(f, "\"settings\":{\"order\":{\"DATA_DIR\":\"/tmp/order\"}}",
	      "\"settings\":{}", 0, "");
	check(f, CONTRACT, PLAN, -EACCES, "not the contract of this");
	check(f, "\"boots\":{", "\"boots\":{\"user\":\"" BOOT "\",", -EACCES,
	      "no host 'user'");
	check(f, "DATA_DIR", "FSYNC", -EACCES, "doesn't vary 'FSYNC'");
	check(f, "{\"order\":{\"DATA", "{\"payment\":{\"DATA", -EACCES,
	      "'payment' is not a service");
	check(f, "\"seed\":7",
	      "\"seed\":7,\"request\":{\"method\":\"GET\",\"role\":\"order\","
	      "\"port\":80,\"path\":\"/\",\"status\":200}",
	      0, "");
	check(f, "\"seed\":7",
	      "\"seed\":7,\"request\":{\"method\":\"GET\",\"role\":\"user\","
	      "\"port\":80,\"path\":\"/\",\"status\":200}",
	      -EACCES, "not exactly one host is 'user'");
}

/* What was read is written again as the same statement. */
static void a_signed_command_is_the_same(void **state)
{
	const struct fixture *f = *state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf bundle = {0}, payload = {0}, canonical = {0};
	auto_json json_t *json = NULL;
	auto_free char *text =
		change(good, "\"seed\":7",
		       "\"seed\":7,\"request\":{\"method\":\"POST\",\"role\":"
		       "\"order\",\"port\":80,\"path\":\"/{n}\",\"body\":\"x\","
		       "\"status\":201,\"headers\":{\"A\":\"b\"}}");
	auto_command struct mkv_command *command = verified(f, text);
	assert_int_equal(mkv_command_sign(f->key, command, &bundle, &err), 0);
	assert_int_equal(mkv_dsse_verify(bundle.data, bundle.size,
					 mkv_private_key_public(f->key),
					 MKV_DSSE_IN_TOTO, &payload, &err),
			 0);
	assert_int_equal(mkv_json_load(text, strlen(text), &json, &err), 0);
	assert_int_equal(mkv_json_dump_compact(json, &canonical, &err), 0);
	assert_string_equal(payload.data, canonical.data);
}

static void a_command_that_no_agent_reads_is_not_signed(void **state)
{
	const struct fixture *f = *state;
	auto_command struct mkv_command *command = verified(f, good);
	struct mkv_error err = {0};
	auto_buf struct mkv_buf bundle = {0};
	command->run = "03-2-../x";
	assert_true(mkv_command_sign(f->key, command, &bundle, &err) < 0);
	assert_int_equal(bundle.size, 0);
	command->run = "03-2-x";
	command->step = MKV_STEPS;
	assert_true(mkv_command_sign(f->key, command, &bundle, &err) < 0);
	assert_int_equal(bundle.size, 0);
	command->step = MKV_STEP_ABORT;
	assert_int_equal(mkv_command_sign(f->key, command, &bundle, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_read_whole),
		cmocka_unit_test(each_mistake_is_named),
		cmocka_unit_test(another_key_is_refused),
		cmocka_unit_test(a_wrong_signature_is_refused),
		cmocka_unit_test(what_is_no_bundle_is_refused),
		cmocka_unit_test(a_bundle_over_the_limit_is_not_parsed),
		cmocka_unit_test(a_command_is_compared_with_the_contract),
		cmocka_unit_test(a_signed_command_is_the_same),
		cmocka_unit_test(a_command_that_no_agent_reads_is_not_signed),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
