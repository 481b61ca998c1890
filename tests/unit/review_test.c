/* SPDX-License-Identifier: MIT */
/* A receipt that holds, and one thing wrong with it at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "builder/receipt/review.h"

#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char contract_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"kvm\","
	"\"verify\":{\"mode\":\"gate\",\"accept\":[{\"check\":\"memory\","
	"\"reason\":\"emulated\"}]},"
	"\"hosts\":{\"me\":{\"image\":\"dut\",\"role\":\"order\"}},"
	"\"images\":{\"dut\":{\"platform\":\"guest\",\"cpu\":{\"vendor\":\"x\"},"
	"\"memory\":{\"bytes\":5},"
	"\"settings\":{\"numa_balancing\":\"off\",\"nic_driver\":\"igb\"},"
	"\"files\":{\"list\":\"/l\",\"sha256\":\"" SHA "\"}}}}";

#define CHECK(name, result, finding, more)                                     \
	"{\"name\":\"" name "\",\"why\":\"w\",\"result\":\"" result "\"," more      \
	"\"findings\":[{\"what\":\"a\",\"result\":\"" finding                       \
	"\",\"source\":\"s\"}]}"

static const char receipt_text[] =
	"{\"mkvbench_receipt\":1,\"verifier\":\"0\",\"phase\":\"boot\","
	"\"result\":\"pass\",\"verdict\":\"pass\","
	"\"contract\":{\"sha256\":\"" SHA "\",\"signature\":\"verified\"},"
	"\"host\":{\"name\":\"me\",\"role\":\"order\",\"image\":\"dut\","
	"\"files_sha256\":\"" SHA "\"},"
	"\"machine\":{\"boot_id\":\"b\",\"dmi\":{}},\"checks\":["
	CHECK("contract", "pass", "pass", "") ","
	CHECK("cpu-model", "pass", "pass", "") ","
	CHECK("hypervisor", "pass", "pass", "") ","
	CHECK("memory", "not-established", "not-established",
	      "\"accepted\":\"emulated\",") ","
	CHECK("boost", "not-promised", "not-promised", "") ","
	CHECK("numa-balancing", "pass", "pass", "") ","
	CHECK("drivers", "pass", "pass", "") ","
	CHECK("files", "pass", "pass", "") "]}";

static char *replaced(const char *from, const char *to)
{
	struct mkv_buf text = {0};
	const char *at = strstr(receipt_text, from);
	assert_non_null(at);
	mkv_buf_add(&text, receipt_text, (size_t)(at - receipt_text));
	mkv_buf_str(&text, to);
	mkv_buf_str(&text, at + strlen(from));
	return mkv_buf_take(&text);
}

static void receipts_are_reviewed(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *problem; /* NULL: it holds */
	} cases[] = {
		{"\"pass\"", "\"pass\"", NULL},
		{"\"phase\":\"boot\"", "\"phase\":\"after-start\"", NULL},
		{"\"sha256\":\"00", "\"sha256\":\"ff", "contract: the receipt"},
		{"\"verified\"", "\"unchecked\"", "its signature was unchecked"},
		{"\"name\":\"me\"", "\"name\":\"you\"", "'you' isn't a host"},
		{"\"order\"", "\"payment\"", "role: the receipt says 'payment'"},
		{"\"files_sha256\":\"00", "\"files_sha256\":\"ff",
		 "list of files"},
		{"\"result\":\"pass\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"pass\"",
		 "\"result\":\"pass\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"fail\"",
		 "'pass' doesn't follow from its findings"},
		{"\"result\":\"pass\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"pass\"",
		 "\"result\":\"fail\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"fail\"",
		 "contract: fail"},
		{"\"verdict\":\"pass\"", "\"verdict\":\"fail\"",
		 "verdict: 'fail' doesn't follow"},
		{"\"name\":\"cpu-model\"", "\"name\":\"cpu-muddle\"",
		 "cpu-model: promised, but not asked"},
		{"\"name\":\"numa-balancing\"", "\"name\":\"numa\"",
		 "numa-balancing: promised, but not asked"},
		{"\"name\":\"drivers\"", "\"name\":\"driver\"",
		 "drivers: promised, but not asked"},
		{"\"name\":\"memory\"", "\"name\":\"huge\"",
		 "huge: accepted, but not by the contract"},
		{"\"accepted\":\"emulated\",", "", "memory: not-established"},
		{"\"name\":\"boost\",\"why\":\"w\",\"result\":\"not-promised\"",
		 "\"name\":\"boost\",\"why\":\"w\",\"result\":\"perhaps\"",
		 "doesn't follow"},
	};
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	assert_int_equal(mkv_contract_parse(contract_text,
					    strlen(contract_text), &contract,
					    &err),
			 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *text = replaced(cases[i].from, cases[i].to);
		auto_receipt_review struct mkv_receipt_review review = {0};
		if (mkv_receipt_review(contract, SHA, text, strlen(text),
				       &review, &err) < 0)
			fail_msg("case %zu: %s", i, err.message);
		bool found = !cases[i].problem && review.n_problems == 0;
		for (size_t j = 0; cases[i].problem && j < review.n_problems;
		     j++)
			found = found || strstr(review.problems[j],
						cases[i].problem);
		if (!found)
			fail_msg("case %zu: %zu problems, '%s'", i,
				 review.n_problems,
				 review.n_problems ? review.problems[0] : "");
	}
	for (size_t size = 0; size < strlen(receipt_text); size += 7) {
		struct mkv_receipt_review review = {0};
		assert_true(mkv_receipt_review(contract, SHA, receipt_text,
					       size, &review, &err) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receipts_are_reviewed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
