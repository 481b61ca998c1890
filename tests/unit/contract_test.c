/* SPDX-License-Identifier: MIT */
/* The parser of contracts: a complete contract, and one error at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "lib/contract.h"

static const char whole[] =
	"{\"mkvbench_contract\":1,\"name\":\"small\",\"scenario\":\"kvm-"
	"docker\","
	"\"suite\":\"trixie\",\"epoch\":1763856000,"
	"\"key\":{\"algorithm\":\"ed25519\",\"id\":"
	"\"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"},"
	"\"verify\":{\"mode\":\"gate\",\"accept\":[{\"check\":\"memory\","
	"\"reason\":\"emulated\"}]},"
	"\"clock\":{\"server\":\"collector\",\"address\":\"10.77.0.1\","
	"\"upstream\":[],\"limit_ns\":80000,\"settle_ns\":0,\"dwell_ns\":1000},"
	"\"vlan\":{\"id\":100,\"subnet\":\"10.77.0.0/"
	"24\",\"nic\":2,\"mtu\":1500},"
	"\"hosts\":{\"order\":{\"image\":\"dut\",\"role\":\"order\","
	"\"containers\":[\"postgres\"]},"
	"\"collector\":{\"image\":\"dut\",\"role\":\"collector\"}},"
	"\"images\":{\"dut\":{\"platform\":\"guest\","
	"\"kernel\":{\"release\":\"6.12\",\"command_line\":[\"ro\",\"quiet\"]},"
	"\"cpu\":{\"vendor\":\"AuthenticAMD\",\"family\":23,\"hypervisor\":"
	"true,"
	"\"features\":[\"avx2\"],\"sockets\":1,\"cores\":6,\"threads\":2},"
	"\"caches\":[{\"level\":1,\"type\":\"data\",\"size\":32768,\"ways\":8,"
	"\"line\":64,\"shared_by\":2}],"
	"\"sysctls\":{\"vm.swappiness\":\"1\"},"
	"\"packages\":[{\"name\":\"chrony\",\"version\":\"4.6\","
	"\"architecture\":\"amd64\"}],"
	"\"docker\":{\"networks\":[{\"name\":\"app\",\"driver\":\"bridge\"}],"
	"\"volumes\":[\"db\"],\"containers\":[{\"name\":\"postgres\","
	"\"image\":\"postgres\",\"mounts\":[{\"volume\":\"db\",\"path\":"
	"\"/var/lib/postgresql\"}]}]}}},"
	"\"oci\":{\"postgres\":{\"manifest\":\"sha256:"
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\","
	"\"config\":\"sha256:"
	"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\","
	"\"layers\":[]}}}";

static void reads_a_whole_contract(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	assert_int_equal(
		mkv_contract_parse(whole, strlen(whole), &contract, &err), 0);
	assert_string_equal(contract->name, "small");
	assert_true(contract->is_gate);
	assert_int_equal(contract->n_accept, 1);
	assert_int_equal(contract->clock.limit_ns, 80000);
	assert_int_equal(contract->n_hosts, 2);
	assert_string_equal(contract->hosts[0].name, "collector");
	const struct mkv_contract_image *dut =
		mkv_contract_find_image(contract, "dut");
	assert_non_null(dut);
	assert_int_equal(dut->platform, MKV_PLATFORM_GUEST);
	assert_int_equal(dut->cpu.family, 23);
	assert_int_equal(dut->cpu.model, -1);
	assert_int_equal(dut->cpu.hypervisor, 1);
	assert_int_equal(dut->caches[0].size_bytes, 32768);
	assert_int_equal(dut->memory.huge_pages, -1);
	assert_string_equal(dut->docker.containers[0].mounts[0].volume, "db");
	assert_true(mkv_contract_strings_have(&dut->docker.volumes, "db"));
	assert_null(mkv_contract_find_host(contract, "payment"));
}

/* Every prefix of a contract is refused, and none crashes the parser. */
static void refuses_every_prefix(void **state)
{
	(void)state;
	for (size_t size = 0; size < strlen(whole); size++) {
		struct mkv_error err = {0};
		struct mkv_contract *contract = NULL;
		assert_true(mkv_contract_parse(whole, size, &contract, &err) <
			    0);
		assert_null(contract);
	}
}

static char *replace_once(const char *from, const char *to)
{
	const char *at = strstr(whole, from);
	assert_non_null(at);
	struct mkv_buf text = {0};
	mkv_buf_add(&text, whole, (size_t)(at - whole));
	mkv_buf_str(&text, to);
	mkv_buf_str(&text, at + strlen(from));
	return mkv_buf_take(&text);
}

static void diagnostics_have_the_position_of_the_error(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *message;
	} cases[] = {
		{"\"mkvbench_contract\":1", "\"mkvbench_contract\":2",
		 "mkvbench_contract: must be between 1 and 1"},
		{"\"family\":23", "\"family\":\"23\"",
		 "images.dut.cpu.family: must be an integer, is a string"},
		{"\"family\":23", "\"familie\":23",
		 "images.dut.cpu.familie: unknown member"},
		{"\"family\":23", "\"family\":-5",
		 "images.dut.cpu.family: must be between"},
		{"\"level\":1", "\"level\":9",
		 "images.dut.caches[0].level: must be between"},
		{"\"type\":\"data\"", "\"type\":\"trace\"",
		 "images.dut.caches[0].type: unknown value 'trace'"},
		{"\"mode\":\"gate\"", "\"mode\":\"off\"",
		 "verify.mode: unknown value"},
		{"\"reason\":\"emulated\"", "\"reason\":\"\"",
		 "verify.accept[0].reason: is empty"},
		{"\"image\":\"dut\"", "\"image\":\"dat\"",
		 "'order' has image 'dat'"},
		{"\"server\":\"collector\"", "\"server\":\"nobody\"",
		 "clock.server: 'nobody' is not a host of the contract"},
		{"\"limit_ns\":80000", "\"limit_ns\":0",
		 "clock.limit_ns: must be between"},
		{"\"volumes\":[\"db\"]", "\"volumes\":[\"../db\"]",
		 "images.dut.docker.volumes: not a valid name"},
		{"\"release\":", "\"initramfs_sha256\":\"c1\",\"release\":",
		 "images.dut.kernel.initramfs_sha256: not a SHA-256"},
		{"[\"ro\",\"quiet\"]", "[\"ro\",7]",
		 "kernel.command_line: must be a string"},
		{"\"vm.swappiness\":\"1\"", "\"vm.swappiness\":1",
		 "sysctls.vm.swappiness: must be a string"},
		{"[\"ro\",\"quiet\"]", "[\"ro\\u001b[2J\"]",
		 "contains a control character"},
		{"[\"ro\",\"quiet\"]", "[\"ro\\u0000\"]", "NUL"},
		{"\"suite\":\"trixie\"", "\"name\":\"twice\"", "duplicate"},
		{"sha256:ff", "sha256:fF", "not 'sha256:' and 64"},
		{"\"id\":100", "\"id\":4095", "vlan.id: must be between"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *text = replace_once(cases[i].from, cases[i].to);
		struct mkv_error err = {0};
		struct mkv_contract *contract = NULL;
		int rc =
			mkv_contract_parse(text, strlen(text), &contract, &err);
		if (rc == 0 || !strstr(err.message, cases[i].message))
			fail_msg("case %zu: '%s', not '%s'", i, err.message,
				 cases[i].message);
		assert_null(contract);
	}
}

static void refuses_deep_nesting(void **state)
{
	(void)state;
	char text[4096];
	memset(text, '[', sizeof(text));
	struct mkv_error err = {0};
	struct mkv_contract *contract = NULL;
	assert_int_equal(
		mkv_contract_parse(text, sizeof(text), &contract, &err),
		-EINVAL);
	assert_non_null(strstr(err.message, "nested deeper"));
}

static void reads_a_manifest(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int rc;
	} cases[] = {
		{"dut/disk.raw", 0},	 {"../disk.raw", -EINVAL},
		{"/disk.raw", -EINVAL},	 {"dut//disk.raw", -EINVAL},
		{"dut/./disk", -EINVAL}, {"dut/", -EINVAL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mkv_buf text = {0};
		mkv_buf_printf(&text,
			       "{\"mkvbench_manifest\":1,\"contract\":%s,"
			       "\"artifacts\":{\"%s\":{\"sha256\":\"%064d\","
			       "\"size\":12}},\"tool\":{\"name\":\"mkvbench\","
			       "\"version\":\"0\"}}",
			       whole, cases[i].path, 0);
		auto_free char *owned = mkv_buf_take(&text);
		struct mkv_error err = {0};
		auto_manifest struct mkv_manifest *manifest = NULL;
		assert_int_equal(mkv_manifest_parse(owned, strlen(owned),
						    &manifest, &err),
				 cases[i].rc);
		if (cases[i].rc == 0) {
			assert_int_equal(manifest->n_artifacts, 1);
			assert_int_equal(manifest->artifacts[0].size_bytes, 12);
			assert_string_equal(manifest->contract->name, "small");
		}
	}
}

static void writes_canonically(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_json json_t *json = NULL;
	const char *text = "{\"b\":[1,{}],\"a\":\"\\u00e9\"}";
	assert_int_equal(mkv_json_load(text, strlen(text), &json, &err), 0);
	auto_buf struct mkv_buf out = {0};
	assert_int_equal(mkv_json_dump(json, &out, &err), 0);
	assert_string_equal(out.data, "{\n \"a\": \"é\",\n \"b\": [\n  1,\n"
				      "  {}\n ]\n}\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_whole_contract),
		cmocka_unit_test(refuses_every_prefix),
		cmocka_unit_test(diagnostics_have_the_position_of_the_error),
		cmocka_unit_test(refuses_deep_nesting),
		cmocka_unit_test(reads_a_manifest),
		cmocka_unit_test(writes_canonically),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
