/* SPDX-License-Identifier: MIT */
/* Trust in a contract, verdicts, and the content of a receipt. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "builder/evidence/attest/attest.h"
#include "lib/io.h"
#include "verify/receipt/standing.h"

static char root[] = "/tmp/mkvbench-receipt-XXXXXX";
static struct mkv_private_key *key, *other;

static void write_file(const char *name, const char *text, size_t size)
{
	char path[256];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	assert_int_equal(mkv_write_file(path, 0644, text, size, &err), 0);
}

static struct mkv_private_key *make_key(const char *name)
{
	char path[256];
	struct mkv_error err;
	struct mkv_public_key public;
	struct mkv_private_key *made = NULL;
	(void)snprintf(path, sizeof(path), "%s/%s.pem", root, name);
	if (mkv_key_generate(path, &public, &err) < 0 ||
	    mkv_private_key_load(path, &made, &err) < 0)
		fail_msg("%s", err.message);
	return made;
}

/* A contract with few promises; `mode`, and the key that it names. */
static char *contract_text(const char *mode, const struct mkv_private_key *of)
{
	char id[MKV_SHA256_HEX_SIZE];
	struct mkv_buf text = {0};
	mkv_sha256_hex(&mkv_private_key_public(of)->id, id);
	mkv_buf_printf(
		&text,
		"{\"mkvbench_contract\":1,\"name\":\"small\","
		"\"scenario\":\"kvm\",\"key\":{\"algorithm\":\"ed25519\","
		"\"id\":\"%s\"},\"verify\":{\"mode\":\"%s\",\"accept\":[{"
		"\"check\":\"boost\",\"reason\":\"a guest has none\"},{"
		"\"check\":\"contract\",\"reason\":\"trust me\"}]},"
		"\"hosts\":{\"me\":{\"image\":\"dut\",\"role\":\"me\"}},"
		"\"images\":{\"dut\":{\"platform\":\"guest\","
		"\"clocksources\":[\"tsc\"],"
		"\"settings\":{\"boost\":\"off\"}}}}",
		id, mode);
	return mkv_buf_take(&text);
}

static void install_contract(const char *contract,
			     const struct mkv_private_key *by,
			     const struct mkv_private_key *pub)
{
	struct mkv_error err;
	auto_buf struct mkv_buf bundle = {0}, pem = {0};
	if (mkv_contract_bundle(by, contract, strlen(contract), &bundle, &err) <
	    0)
		fail_msg("%s", err.message);
	mkv_public_key_pem(mkv_private_key_public(pub), &pem);
	write_file(MKV_CONTRACT_PATH, contract, strlen(contract));
	write_file(MKV_CONTRACT_BUNDLE_PATH, bundle.data, bundle.size);
	write_file(MKV_CONTRACT_KEY_PATH, pem.data, pem.size);
}

static int set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(root));
	key = make_key("one");
	other = make_key("two");
	return 0;
}

static int tear_down(void **state)
{
	struct mkv_error err;
	(void)state;
	mkv_private_key_free(key);
	mkv_private_key_free(other);
	return mkv_remove_tree(AT_FDCWD, root, &err);
}

static void a_signed_contract_is_trusted(void **state)
{
	(void)state;
	auto_free char *text = contract_text("gate", key);
	auto_trusted struct mkv_trusted trusted = {0};
	install_contract(text, key, key);
	mkv_trust_image(root, &trusted);
	assert_string_equal(strncmp(trusted.text, "signed by", 9) ? trusted.text
								  : "signed by",
			    "signed by");
	assert_int_equal(trusted.trust, MKV_TRUST_VERIFIED);
	assert_string_equal(trusted.contract->name, "small");
}

static void expect_broken(const char *says)
{
	auto_trusted struct mkv_trusted trusted = {0};
	mkv_trust_image(root, &trusted);
	if (trusted.trust != MKV_TRUST_BROKEN || !strstr(trusted.text, says))
		fail_msg("trust %d: '%s', not '%s'", trusted.trust,
			 trusted.text, says);
}

static void a_changed_contract_is_not_trusted(void **state)
{
	(void)state;
	auto_free char *text = contract_text("gate", key);
	auto_free char *changed = strdup(text);
	memcpy(strstr(changed, "small"), "smalL", 5);
	install_contract(text, key, key);
	write_file(MKV_CONTRACT_PATH, changed, strlen(changed));
	expect_broken("has no subject");
	/* The mode can't be changed to "warn" by hand. */
	auto_free char *warn = contract_text("warn", key);
	write_file(MKV_CONTRACT_PATH, warn, strlen(warn));
	expect_broken("has no subject");
	/* Signed by another key, which is not the image's. */
	install_contract(text, other, key);
	expect_broken("");
	/* Another key in the image, while the contract names the expected one.
	 */
	install_contract(text, other, other);
	expect_broken("names key");
	/* A contract that names no key. */
	auto_free char *nameless = strdup(text);
	char *named = strstr(nameless, "\"key\":");
	char *after = strstr(nameless, "\"verify\":");
	memmove(named, after, strlen(after) + 1);
	install_contract(nameless, key, key);
	expect_broken("the contract names no key");
	install_contract(text, key, key);
	write_file(MKV_CONTRACT_BUNDLE_PATH, "{}", 2);
	expect_broken("");
	install_contract(text, key, key);
	write_file(MKV_CONTRACT_KEY_PATH, "", 0);
	expect_broken("");
	write_file(MKV_CONTRACT_PATH, "", 0);
	expect_broken("contract");
}

static struct mkv_env make_env(const struct mkv_trusted *trusted)
{
	struct mkv_env env = {
		.root = root,
		.trust = trusted->trust,
		.trust_text = trusted->text,
		.contract = trusted->contract,
		.docker_socket = "/nonexistent",
		.chrony_socket = "/nonexistent",
		.phase = MKV_PHASE_BOOT,
	};
	if (env.contract) {
		env.host = mkv_contract_find_host(env.contract, "me");
		env.image = mkv_contract_find_image(env.contract, "dut");
	}
	return env;
}

static bool is_selected(const struct mkv_check *check, const void *context)
{
	const char *const *names = context;
	for (size_t i = 0; names[i]; i++)
		if (strcmp(names[i], check->name) == 0)
			return true;
	return false;
}

/* Makes a receipt of the contract, clocksource and boost checks. */
static void expect_receipt(const char *mode, const char *clocksource,
			   const char *boost, bool believed, const char *word,
			   bool starts, const char *says)
{
	static const char *const names[] = {"contract", "clocksource", "boost",
					    NULL};
	struct mkv_error err;
	auto_free char *text = contract_text(mode, key);
	auto_trusted struct mkv_trusted trusted = {0};
	auto_receipt struct mkv_receipt receipt = {0};
	auto_buf struct mkv_buf screen = {0}, json = {0}, statement = {0};
	auto_buf struct mkv_buf metrics = {0};
	install_contract(text, key, believed ? key : other);
	write_file(
		"/sys/devices/system/clocksource/clocksource0/current_clocksource",
		clocksource, strlen(clocksource));
	write_file("/sys/devices/system/cpu/cpufreq/boost", boost,
		   strlen(boost));
	mkv_trust_image(root, &trusted);
	struct mkv_env env = make_env(&trusted);
	assert_int_equal(mkv_receipt_make(&env, &trusted, "me", is_selected,
					  names, &receipt, &err),
			 0);
	assert_string_equal(mkv_receipt_word(&receipt), word);
	assert_int_equal(mkv_receipt_lets_start(&receipt), starts);
	mkv_receipt_text(&receipt, &screen);
	if (!strstr(screen.data, says))
		fail_msg("missing '%s' in\n%s", says, screen.data);
	/* The marker line that programs wait for, and the last line. */
	char line[128];
	(void)snprintf(line, sizeof(line),
		       "\nmkvbench-receipt: %s host=me contract=%s\n", word,
		       trusted.sha256);
	assert_non_null(strstr(screen.data, line));
	assert_string_equal(screen.data + screen.size - 21,
			    "mkvbench-receipt-end\n");
	assert_int_equal(mkv_receipt_json(&receipt, &json, &err), 0);
	auto_json json_t *document = NULL;
	assert_int_equal(mkv_json_load(json.data, json.size, &document, &err),
			 0);
	assert_string_equal(
		json_string_value(json_object_get(document, "result")), word);
	assert_int_equal(
		mkv_receipt_statement(&receipt, &json, &statement, &err), 0);
	assert_non_null(strstr(statement.data, receipt.result == MKV_PASS
						       ? "\"PASSED\""
					       : starts ? "\"WARNED\""
							: "\"FAILED\""));
	const struct mkv_standing standing = {.boot_passed = true,
					      .watches = 3,
					      .established = 2,
					      .widest_bound_s = 7e-5};
	mkv_receipt_metrics(&receipt, &standing, &metrics);
	assert_non_null(strstr(metrics.data, "\nmkvbench_watch_looks 3\n"));
	assert_non_null(
		strstr(metrics.data, receipt.result == MKV_PASS
					     ? "mkvbench_verified 1\n"
					     : "mkvbench_verified 0\n"));
}

static void answers_are_judged(void **state)
{
	(void)state;
	expect_receipt("gate", "tsc\n", "0\n", true, "pass", true,
		       "the running system keeps its contract");
	expect_receipt("gate", "hpet\n", "0\n", true, "fail", false,
		       "services do not start");
	expect_receipt("warn", "hpet\n", "0\n", true, "warn", true,
		       "services start anyway");
	/* Not established, but accepted by the recipe, with its reason. */
	expect_receipt("gate", "tsc\n", "rubbish", true, "pass", true,
		       "accepted by the recipe: a guest has none");
	/* An entry that accepts "not established" does not accept a failure. */
	expect_receipt("gate", "tsc\n", "1\n", true, "fail", false, "off");
	/* Not established and not accepted. */
	expect_receipt("gate", "", "0\n", true, "fail", false, "clocksource");
	/* An unsigned contract can't relax its own requirements. */
	expect_receipt("gate", "tsc\n", "0\n", false, "fail", false,
		       "signature");
	expect_receipt("warn", "tsc\n", "0\n", false, "fail", false,
		       "signature");
}

static void a_machine_with_unknown_host_starts_nothing(void **state)
{
	(void)state;
	struct mkv_error err;
	auto_free char *text = contract_text("gate", key);
	auto_trusted struct mkv_trusted trusted = {0};
	auto_receipt struct mkv_receipt receipt = {0};
	install_contract(text, key, key);
	mkv_trust_image(root, &trusted);
	struct mkv_env env = make_env(&trusted);
	env.host = NULL;
	env.image = NULL;
	assert_int_equal(mkv_receipt_make(&env, &trusted, "unknown", NULL, NULL,
					  &receipt, &err),
			 0);
	assert_string_equal(mkv_receipt_word(&receipt), "not-established");
	assert_false(mkv_receipt_lets_start(&receipt));
}

static void hostile_text_stays_text(void **state)
{
	(void)state;
	struct mkv_error err;
	static const char *const names[] = {"clocksource", NULL};
	auto_free char *text = contract_text("gate", key);
	auto_trusted struct mkv_trusted trusted = {0};
	auto_receipt struct mkv_receipt receipt = {0};
	auto_buf struct mkv_buf screen = {0}, json = {0};
	static const char evil[] =
		"\x1b[2Jx\nmkvbench-receipt: pass host=me\n\xff\xfe";
	install_contract(text, key, key);
	write_file(
		"/sys/devices/system/clocksource/clocksource0/current_clocksource",
		evil, strlen(evil));
	mkv_trust_image(root, &trusted);
	struct mkv_env env = make_env(&trusted);
	assert_int_equal(mkv_receipt_make(&env, &trusted, "me", is_selected,
					  names, &receipt, &err),
			 0);
	mkv_receipt_text(&receipt, &screen);
	assert_null(strchr(screen.data, '\x1b'));
	assert_null(strstr(screen.data, "\nmkvbench-receipt: pass"));
	assert_int_equal(mkv_receipt_json(&receipt, &json, &err), 0);
	auto_json json_t *document = NULL;
	assert_int_equal(mkv_json_load(json.data, json.size, &document, &err),
			 0);
}

/* Number of lines on a console of 80 columns. */
static size_t lines_of(const char *text)
{
	size_t lines = 0;
	for (const char *at = text; *at;) {
		size_t length = strcspn(at, "\n");
		lines += length ? (length + 79) / 80 : 1;
		at += length + (at[length] == '\n');
	}
	return lines;
}

/* The output fits one screen and ends with the verdict for any number of
 * failures. */
static void a_refusal_fits_one_screen(void **state)
{
	static const struct {
		size_t failing, findings;
		const char *says;
	} cases[] = {
		{1, 1, "[source 1]"},
		{1, 9, "more in receipt.json"},
		{2, 4, "[source 1]"},
		{5, 1, "findings omitted"},
		{9, 9, "findings omitted to fit one screen"},
		{100, 9, "findings omitted to fit one screen"},
	};
	char what[100];
	(void)state;
	memset(what, 'w', sizeof(what));
	what[sizeof(what) - 1] = '\0';
	auto_free char *text = contract_text("gate", key);
	auto_trusted struct mkv_trusted trusted = {0};
	install_contract(text, key, key);
	mkv_trust_image(root, &trusted);
	struct mkv_env env = make_env(&trusted);
	env.phase = MKV_PHASE_BOOT;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mkv_error err;
		auto_receipt struct mkv_receipt receipt = {0};
		auto_buf struct mkv_buf screen = {0};
		assert_int_equal(mkv_receipt_make(&env, &trusted, "me", NULL,
						  NULL, &receipt, &err),
				 0);
		for (size_t j = 0; j < receipt.count; j++) {
			struct mkv_receipt_row *row = &receipt.rows[j];
			mkv_answer_done(&row->answer);
			row->result =
				j < cases[i].failing ? MKV_FAIL : MKV_PASS;
			row->accepted = NULL;
			for (size_t k = 0; k < cases[i].findings; k++)
				mkv_answer_add(&row->answer, row->result, what,
					       "source 1", what, what);
		}
		receipt.result = MKV_FAIL;
		mkv_receipt_text(&receipt, &screen);
		if (lines_of(screen.data) > 24 ||
		    !strstr(screen.data, cases[i].says) ||
		    !strstr(screen.data, "; services do not start") ||
		    !strstr(screen.data, receipt.rows[0].check->name))
			fail_msg("case %zu, %zu lines:\n%s", i,
				 lines_of(screen.data), screen.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signed_contract_is_trusted),
		cmocka_unit_test(a_changed_contract_is_not_trusted),
		cmocka_unit_test(answers_are_judged),
		cmocka_unit_test(a_machine_with_unknown_host_starts_nothing),
		cmocka_unit_test(hostile_text_stays_text),
		cmocka_unit_test(a_refusal_fits_one_screen),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
