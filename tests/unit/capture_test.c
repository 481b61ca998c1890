/* SPDX-License-Identifier: MIT */
/* What is captured from a machine's registers is what the verifier then finds
 * in them: recording -> hardware contract -> recipe -> contract -> checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "builder/evidence/contract/contract.h"
#include "lib/io.h"
#include "tests/unit/attest_fixture.h"
#include "verify/capture.h"
#include "verify/check/check.h"

static char folder[] = "/tmp/mkvbench-capture-XXXXXX";

static const char recipe_text[] =
	"mkvbench: 1\nname: t\nscenario: bare-metal\nhardware: %s\n"
	"vlan: {id: 100, subnet: 10.77.0.0/24}\ntime: {server: me}\n"
	"hosts: {me: {image: dut, address: 10.77.0.1, mac: "
	"52:54:00:77:00:01}}\n"
	"images: {dut: {packages: [chrony]}}\n";

static void write_to(const char *name, const char *data, size_t size)
{
	char path[4096];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	path[strlen(path)] = '/';
	assert_int_equal(mkv_write_file(path, 0644, data, size, &err), 0);
}

static struct mkv_cpuid_dump *read_dump(const char *name)
{
	struct mkv_cpuid_dump *dump = NULL;
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err = {0};
	char path[256];
	(void)snprintf(path, sizeof(path), "tests/golden/cpuid/%s.txt", name);
	if (mkv_read_file(AT_FDCWD, path, 16 << 20, &text, &err) < 0 ||
	    mkv_cpuid_parse(text.data, text.size, &dump, &err) < 0)
		fail_msg("%s", err.message);
	return dump;
}

/* The contract of a recipe on the machine that was captured. */
static struct mkv_contract *make_contract(const struct mkv_buf *captured)
{
	struct mkv_error err = {0};
	struct mkv_complaints complaints = {0};
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_buf struct mkv_buf text = {0}, contract = {0};
	char name[256], path[4096];
	const char *line = strstr(captured->data, "\nname: ");
	assert_non_null(line);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 7, "\n"),
		       line + 7);
	(void)snprintf(path, sizeof(path), "hardware/%s.yaml", name);
	write_to(path, captured->data, captured->size);
	mkv_buf_printf(&text, recipe_text, name);
	write_to("t.yaml", text.data, text.size);
	(void)snprintf(path, sizeof(path), "%s/t.yaml", folder);
	if (mkv_recipe_load(path, &recipe, &complaints, &err) < 0)
		fail_msg("%s: %s", err.message, complaints.items[0].message);
	const struct mkv_sha256 lock = {{1}};
	const struct mkv_built_image image = {.files_count = 1};
	const uint8_t ids[1][16] = {{0}};
	const struct mkv_contract_inputs inputs = {
		.recipe = recipe,
		.lock = &fixture_lock,
		.lock_sha256 = &lock,
		.key_id = "c1000000000000000000000000000000000000000000000000"
			  "00000000000000",
		.domain_ids = ids,
		.images = &image,
	};
	struct mkv_contract *ret = NULL;
	if (mkv_contract_write(&inputs, &contract, &err) < 0 ||
	    mkv_contract_parse(contract.data, contract.size, &ret, &err) < 0)
		fail_msg("%s", err.message);
	return ret;
}

static void expect(const struct mkv_env *env, const char *name,
		   enum mkv_result worst, const char *recording)
{
	auto_answer struct mkv_answer answer = {0};
	mkv_check_find(name)->run(env, &answer);
	if (mkv_answer_result(&answer) <= worst)
		return;
	for (size_t i = 0; i < answer.count; i++)
		print_message("%s: %s / %s\n", answer.items[i].what,
			      answer.items[i].expected,
			      answer.items[i].observed);
	fail_msg("%s: %s: %s", recording, name,
		 mkv_result_name(mkv_answer_result(&answer)));
}

static void what_is_captured_is_found(void **state)
{
	static const char *const recordings[] = {
		"ryzen-5-pro-3600",
		"zen3-5600x",
		"xeon-two-dies",
		"kvm-epyc-genoa-guest",
		"amd-guest-topoext",
		"amd-guest-no-topoext",
		"tcg-skylake-server",
		"tcg-epyc-rome",
		"tcg-max",
	};
	(void)state;
	assert_non_null(mkdtemp(folder));
	write_to("machine/proc/meminfo", "MemTotal: 32774144 kB\n", 22);
	char root[256];
	(void)snprintf(root, sizeof(root), "%s/machine", folder);
	for (size_t i = 0; i < sizeof(recordings) / sizeof(recordings[0]);
	     i++) {
		auto_cpuid struct mkv_cpuid_dump *dump =
			read_dump(recordings[i]);
		auto_buf struct mkv_buf text = {0};
		struct mkv_error err = {0};
		struct mkv_env env = {.root = root, .cpuid = dump};
		if (mkv_capture(&env, &text, &err) < 0)
			fail_msg("%s: %s", recordings[i], err.message);
		auto_contract struct mkv_contract *contract =
			make_contract(&text);
		env.contract = contract;
		env.host = &contract->hosts[0];
		env.image = &contract->images[0];
		expect(&env, "cpu-model", MKV_PASS, recordings[i]);
		expect(&env, "hypervisor", MKV_PASS, recordings[i]);
		expect(&env, "memory", MKV_NOT_ESTABLISHED, recordings[i]);
		/* Here is no kernel to agree with. */
		expect(&env, "cpu-topology", MKV_NOT_ESTABLISHED,
		       recordings[i]);
		expect(&env, "cache-topology", MKV_NOT_ESTABLISHED,
		       recordings[i]);
		/* Another machine's registers fail. */
		auto_cpuid struct mkv_cpuid_dump *other =
			read_dump(i == 2 ? "tcg-max" : "xeon-two-dies");
		auto_answer struct mkv_answer answer = {0};
		env.cpuid = other;
		mkv_check_find("cpu-topology")->run(&env, &answer);
		assert_int_equal(mkv_answer_result(&answer), MKV_FAIL);
	}
	struct mkv_error err;
	assert_int_equal(mkv_remove_tree(AT_FDCWD, folder, &err), 0);
}

static void what_a_recipe_cannot_say_is_refused(void **state)
{
	auto_cpuid struct mkv_cpuid_dump *dump = read_dump("intel-hybrid");
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err = {0};
	const struct mkv_env env = {.root = "", .cpuid = dump};
	(void)state;
	assert_true(mkv_capture(&env, &text, &err) < 0);
	assert_int_equal(err.kind, MKV_HOST_CANNOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_captured_is_found),
		cmocka_unit_test(what_a_recipe_cannot_say_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
