/* SPDX-License-Identifier: MIT */
/* The verifier's checks agree with what --capture wrote for the same registers:
 * recording -> hardware contract -> recipe -> contract -> checks. */
#include "tests/unit/captured.h"

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

static void the_captured_hardware_passes_the_checks(void **state)
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
	assert_non_null(mkdtemp(directory));
	write_to("machine/proc/meminfo", "MemTotal: 32774144 kB\n", 22);
	char root[256];
	(void)snprintf(root, sizeof(root), "%s/machine", directory);
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
			make_contract(&text, recordings[i]);
		env.contract = contract;
		env.host = &contract->hosts[0];
		env.image = &contract->images[0];
		expect_result(&env, "cpu-model", MKV_PASS, recordings[i]);
		expect_result(&env, "hypervisor", MKV_PASS, recordings[i]);
		expect_result(&env, "memory", MKV_NOT_ESTABLISHED,
			      recordings[i]);
		/* The kernel's view is missing. */
		expect_result(&env, "cpu-topology", MKV_NOT_ESTABLISHED,
			      recordings[i]);
		expect_result(&env, "cache-topology", MKV_NOT_ESTABLISHED,
			      recordings[i]);
		/* The registers of another machine fail. */
		auto_cpuid struct mkv_cpuid_dump *other =
			read_dump(i == 2 ? "tcg-max" : "xeon-two-dies");
		auto_answer struct mkv_answer answer = {0};
		env.cpuid = other;
		mkv_check_find("cpu-topology")->run(&env, &answer);
		assert_int_equal(mkv_answer_result(&answer), MKV_FAIL);
	}
	struct mkv_error err;
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

static void a_machine_that_a_recipe_cannot_describe_is_refused(void **state)
{
	auto_cpuid struct mkv_cpuid_dump *dump = read_dump("intel-hybrid");
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err = {0};
	const struct mkv_env env = {.root = "", .cpuid = dump};
	(void)state;
	assert_true(mkv_capture(&env, &text, &err) < 0);
	assert_int_equal(err.kind, MKV_HOST_CANNOT);
}

/* A contract may have another notation of the registers' bytes. */
static void texts_are_compared_by_their_bytes(void **state)
{
	static const struct {
		const char *vendor, *brand, *signature;
		enum mkv_result model, hypervisor;
	} rows[] = {
		{"AuthenticAMD", "AMD EPYC", "KVMKVMKVM", MKV_PASS, MKV_PASS},
		{"Authentic\\x41MD", "AMD\\x20EPYC", "KVMKVMKVM\\x00\\x00\\x00",
		 MKV_PASS, MKV_PASS},
		{"AuthenticAMD", "AMD EPYC\\xae", "KVMKVMKVM ", MKV_FAIL,
		 MKV_FAIL},
		{"AuthenticAMD ", "AMD EPYC", "KVM\\x00KVMKVM", MKV_FAIL,
		 MKV_FAIL},
	};
	auto_cpuid struct mkv_cpuid_dump *dump =
		read_dump("kvm-epyc-genoa-guest");
	const struct mkv_contract contract = {0};
	const struct mkv_contract_host host = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct mkv_contract_image image = {
			.cpu = {.vendor = rows[i].vendor,
				.brand = rows[i].brand,
				.family = -1,
				.model = -1,
				.stepping = -1,
				.hypervisor = 1,
				.hypervisor_signature = rows[i].signature},
		};
		const struct mkv_env env = {.root = "/nonexistent",
					    .cpuid = dump,
					    .contract = &contract,
					    .host = &host,
					    .image = &image};
		auto_answer struct mkv_answer model = {0}, hypervisor = {0};
		mkv_check_find("cpu-model")->run(&env, &model);
		mkv_check_find("hypervisor")->run(&env, &hypervisor);
		assert_int_equal(mkv_answer_result(&model), rows[i].model);
		assert_int_equal(mkv_answer_result(&hypervisor),
				 rows[i].hypervisor);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_captured_hardware_passes_the_checks),
		cmocka_unit_test(
			a_machine_that_a_recipe_cannot_describe_is_refused),
		cmocka_unit_test(texts_are_compared_by_their_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
