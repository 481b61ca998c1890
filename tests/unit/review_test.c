/* SPDX-License-Identifier: MIT */
/* A valid receipt, and one error of it at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "builder/evidence/receipt/review_internal.h"
#include "lib/checks.h"
#include "lib/io.h"
#include "lib/utf8.h"
#include "verify/check/check.h"

/* Replaces that of the C library, by which a list of problems grows. */
static bool deny_memory;
void *reallocarray(void *old, size_t count, size_t size)
{
	return deny_memory ? NULL : realloc(old, count * size);
}

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
	"{\"name\":\"" name "\",\"why\":\"w\",\"result\":\"" result "\"," more \
	"\"findings\":[{\"what\":\"a\",\"result\":\"" finding                  \
	"\",\"source\":\"s\"}]}"

static const char receipt_text[] =
	"{\"mkvbench_receipt\":1,\"verifier\":\"0\",\"phase\":\"boot\","
	"\"result\":\"pass\",\"verdict\":\"pass\","
	"\"contract\":{\"sha256\":\"" SHA "\",\"signature\":\"verified\"},"
	"\"host\":{\"name\":\"me\",\"role\":\"order\",\"image\":\"dut\","
	"\"files_sha256\":\"" SHA "\"},"
	"\"machine\":{\"boot_id\":\"b\",\"dmi\":{}},\"checks\":[" CHECK("contract", "pass", "pass", "") "," CHECK("cpu-model", "pass", "pass", "") "," CHECK(
		"hypervisor", "pass", "pass",
		"") "," CHECK("kernel", "pass", "pass",
			      "") "," CHECK("daemons", "pass", "pass",
					    "") "," CHECK("memory",
							  "not-established",
							  "not-established",
							  "\"accepted\":\"emulated\",") "," CHECK("boost",
												  "not-promised",
												  "not-promised",
												  "") "," CHECK("numa-balancing",
														"pass",
														"pass",
														"") "," CHECK("drivers",
															      "pass",
															      "pass",
															      "") "," CHECK("files",
																	    "pass",
																	    "pass",
																	    "") "]}";

static char *replace_once(const char *from, const char *to)
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
		const char *from, *to, *problem; /* NULL: valid */
	} cases[] = {
		{"\"pass\"", "\"pass\"", NULL},
		{"\"phase\":\"boot\"", "\"phase\":\"after-start\"", NULL},
		{"\"sha256\":\"00", "\"sha256\":\"ff", "contract: the receipt"},
		{"\"verified\"", "\"unchecked\"", "its signature as unchecked"},
		{"\"name\":\"me\"", "\"name\":\"you\"", "'you' isn't a host"},
		{"\"order\"", "\"payment\"", "role: the receipt has 'payment'"},
		{"\"files_sha256\":\"00", "\"files_sha256\":\"ff",
		 "list of files"},
		{"\"result\":\"pass\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"pass\"",
		 "\"result\":\"pass\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"fail\"",
		 "'pass' does not follow from its findings"},
		{"\"result\":\"pass\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"pass\"",
		 "\"result\":\"fail\",\"findings\":[{\"what\":\"a\",\"result\":"
		 "\"fail\"",
		 "contract: fail"},
		{"\"verdict\":\"pass\"", "\"verdict\":\"fail\"",
		 "verdict: 'fail' does not follow"},
		{"\"name\":\"cpu-model\"", "\"name\":\"cpu-muddle\"",
		 "cpu-model: promised, but the check did not run"},
		{"\"name\":\"numa-balancing\"", "\"name\":\"numa\"",
		 "numa-balancing: promised, but the check did not run"},
		{"\"name\":\"drivers\"", "\"name\":\"driver\"",
		 "drivers: promised, but the check did not run"},
		{"\"name\":\"memory\"", "\"name\":\"huge\"",
		 "huge: accepted, but the contract does not accept it"},
		{"\"accepted\":\"emulated\",", "", "memory: not-established"},
		{"\"name\":\"boost\",\"why\":\"w\",\"result\":\"not-promised\"",
		 "\"name\":\"boost\",\"why\":\"w\",\"result\":\"perhaps\"",
		 "does not follow"},
	};
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	assert_int_equal(mkv_contract_parse(contract_text,
					    strlen(contract_text), &contract,
					    &err),
			 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *text = replace_once(cases[i].from, cases[i].to);
		auto_receipt_review struct mkv_receipt_review review = {0};
		if (mkv_receipt_review(contract, SHA, text, strlen(text),
				       &review, &err) < 0)
			fail_msg("case %zu: %s", i, err.message);
		bool found = !cases[i].problem && review.n_problems == 0;
		for (size_t j = 0; cases[i].problem && j < review.n_problems;
		     j++)
			found = found ||
				strstr(review.problems[j], cases[i].problem);
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

/* A machine with every possible promise. */
static const char whole_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"kvm\","
	"\"verify\":{\"mode\":\"gate\"},"
	"\"clock\":{\"server\":\"me\",\"address\":\"10.77.0.1\",\"limit_ns\":"
	"80000,\"settle_ns\":0,\"dwell_ns\":0},"
	"\"hosts\":{\"me\":{\"image\":\"hv\",\"role\":\"hypervisor\","
	"\"tpm_key\":\"" SHA "\",\"guests\":[\"order\"],\"containers\":["
	"\"postgres\"]},"
	"\"order\":{\"image\":\"hv\",\"role\":\"order\",\"hypervisor\":{"
	"\"domain\":\"d\",\"uuid\":\"8752ac13-2a93-5399-8a8f-2494ff542c48\","
	"\"firmware\":\"bios\",\"cpu\":{\"mode\":\"host-passthrough\","
	"\"sockets\":1,\"dies\":1,\"cores\":2,\"threads\":1,\"caches\":"
	"\"passthrough\",\"pins\":[0,1]},\"memory\":{\"bytes\":67108864,"
	"\"huge_page_bytes\":0},\"disk\":{\"file\":\"/d\",\"bus\":\"virtio\","
	"\"cache\":\"none\",\"io\":\"native\",\"iothreads\":1,\"size\":1048576},"
	"\"nic\":{\"model\":\"virtio\",\"queues\":2,\"network\":\"n\","
	"\"bridge\":\"b\"},\"timers\":[]}}},"
	"\"images\":{\"hv\":{\"platform\":\"hypervisor\","
	"\"kernel\":{\"release\":\"6\",\"command_line\":[\"ro\"]},"
	"\"cpu\":{\"stepping\":0,\"sockets\":1,\"cores\":6,\"threads\":2},"
	"\"caches\":[{\"level\":1,\"type\":\"data\",\"size\":32768}],"
	"\"memory\":{\"bytes\":5,\"huge_page_bytes\":2097152,\"huge_pages\":4},"
	"\"clocksources\":[\"tsc\"],\"packages\":[{\"name\":\"a\",\"version\":"
	"\"1\",\"architecture\":\"amd64\"}],"
	"\"files\":{\"list\":\"/l\",\"sha256\":\"" SHA "\"},"
	"\"units\":{\"enabled\":[\"a.service\"]},\"sysctls\":{\"a\":\"1\"},"
	"\"interfaces\":{\"vlan0\":\"vlan\"},\"settings\":{\"governor\":\"x\","
	"\"boost\":\"off\",\"transparent_hugepage\":\"x\",\"ksm\":\"off\","
	"\"numa_balancing\":\"off\",\"swap\":\"none\",\"io_scheduler\":\"none\","
	"\"nic_driver\":\"igb\"},"
	"\"docker\":{\"version\":\"26\",\"networks\":[{\"name\":\"app\","
	"\"driver\":\"bridge\"}],\"volumes\":[\"db\"],\"containers\":[{"
	"\"name\":\"postgres\",\"image\":\"postgres\"}]}}}}";

/* A receipt of that machine with every check of the phase except one. */
static char *make_receipt(const char *phase, const char *without,
			  const char *guests_say, const char *state)
{
	struct mkv_buf text = {0};
	bool watch = strcmp(phase, "watch") == 0;
	mkv_buf_printf(&text,
		       "{\"mkvbench_receipt\":1,\"phase\":\"%s\",\"result\":"
		       "\"pass\",\"verdict\":\"pass\",\"contract\":{\"sha256\":"
		       "\"" SHA "\",\"signature\":\"verified\"},\"host\":{"
		       "\"name\":\"me\",\"role\":\"hypervisor\",\"image\":"
		       "\"hv\",\"files_sha256\":\"" SHA "\"},\"machine\":{},"
		       "\"guests\":[{\"host\":\"order\",\"state\":\"%s\"}],"
		       "\"checks\":[",
		       phase, state);
	for (const struct mkv_check *c = mkv_checks; c->name; c++) {
		const char *says = strncmp(c->name, "guest-", 6) == 0
					   ? guests_say
					   : "pass";
		if ((watch && !c->watched) || strcmp(c->name, without) == 0)
			continue;
		mkv_buf_printf(&text,
			       "%s{\"name\":\"%s\",\"result\":\"%s\","
			       "\"findings\":[{\"result\":\"%s\"}]}",
			       c == mkv_checks ||
					       text.data[text.size - 1] == '['
				       ? ""
				       : ",",
			       c->name, says, says);
	}
	mkv_buf_str(&text, "]}");
	return mkv_buf_take(&text);
}

static void expect_problem(const struct mkv_contract *contract,
			   const char *receipt, const char *problem)
{
	auto_receipt_review struct mkv_receipt_review review = {0};
	struct mkv_error err = {0};
	if (mkv_receipt_review(contract, SHA, receipt, strlen(receipt), &review,
			       &err) < 0)
		fail_msg("%s", err.message);
	if (review.n_problems != (problem != NULL) ||
	    (problem && strcmp(review.problems[0], problem) != 0))
		fail_msg("%zu problems, '%s', not '%s'", review.n_problems,
			 review.n_problems ? review.problems[0] : "",
			 problem ? problem : "");
}

/* Each missing check is a problem, at the gate and in a watch. */
static void every_promised_check_is_required(void **state)
{
	static const char *const phases[] = {"boot", "after-start", "watch"};
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	(void)state;
	if (mkv_contract_parse(whole_text, strlen(whole_text), &contract,
			       &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < 3; i++) {
		auto_free char *whole =
			make_receipt(phases[i], "", "pass", "running");
		expect_problem(contract, whole, NULL);
		for (const struct mkv_check *c = mkv_checks; c->name; c++) {
			char problem[96];
			auto_free char *text = make_receipt(phases[i], c->name,
							    "pass", "running");
			bool asked = i < 2 || c->watched;
			(void)snprintf(
				problem, sizeof(problem),
				"%s: promised, but the check did not run",
				c->name);
			expect_problem(contract, text, asked ? problem : NULL);
		}
	}
	/* Without running guests the checks have no findings, but must be in
	 * the receipt; with a running guest they need findings. */
	auto_free char *before =
		make_receipt("boot", "", "not-promised", "shutoff");
	expect_problem(contract, before, NULL);
	auto_free char *without =
		make_receipt("boot", "guest-memory", "not-promised", "shutoff");
	expect_problem(contract, without,
		       "guest-memory: promised, but the check did not run");
	auto_free char *silent =
		make_receipt("watch", "", "not-promised", "running");
	auto_receipt_review struct mkv_receipt_review review = {0};
	assert_int_equal(mkv_receipt_review(contract, SHA, silent,
					    strlen(silent), &review, &err),
			 0);
	assert_int_equal(review.n_problems, 4);
}

/* The table of promises has the verifier's checks, in their order. */
static void the_table_has_the_verifiers_checks(void **state)
{
	size_t i = 0;
	(void)state;
	for (const struct mkv_check *c = mkv_checks; c->name; c++, i++) {
		const struct mkv_check_promise *promise =
			&mkv_check_promises[i];
		assert_non_null(promise->name);
		assert_string_equal(promise->name, c->name);
		if (promise->watched != c->watched)
			fail_msg("%s is%s watched", promise->name,
				 c->watched ? "" : "n't");
	}
	assert_null(mkv_check_promises[i].name);
}

/* A receipt whose checks all failed, with more problems than the maximum. */
static void problems_beyond_the_maximum_are_counted(void **state)
{
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	auto_receipt_review struct mkv_receipt_review review = {0};
	auto_buf struct mkv_buf checks = {0};
	(void)state;
	assert_int_equal(mkv_contract_parse(contract_text,
					    strlen(contract_text), &contract,
					    &err),
			 0);
	mkv_buf_str(&checks, "\"checks\":[");
	for (int i = 0; i < 250; i++)
		mkv_buf_printf(&checks,
			       "{\"name\":\"extra-%d\",\"result\":\"fail\","
			       "\"findings\":[{\"result\":\"fail\"}]},",
			       i);
	auto_free char *text = replace_once("\"checks\":[", checks.data);
	if (mkv_receipt_review(contract, SHA, text, strlen(text), &review,
			       &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(review.n_problems, MKV_RECEIPT_PROBLEMS_MAX);
	assert_string_equal(review.problems[0], "extra-0: fail");
	/* The verdict, which contradicts the checks, is one more problem. */
	assert_int_equal(review.n_problems + review.n_omitted, 251);
}

/* Texts that are truncated within a character stay valid UTF-8, as JSON
 * requires. */
static void truncated_texts_are_valid_utf8(void **state)
{
	static const char long_name[] =
		"\"name\":\"x\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\"";
	static const struct {
		const char *from, *to;
	} cases[] = {
		{"\"name\":\"me\"", long_name},
		{"\"phase\":\"boot\"",
		 "\"phase\":\"b\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\""},
		{"\"result\":\"pass\",\"verdict\"",
		 "\"result\":\"\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"
		 "\u00e4\u00e4\u00e4\u00e4\u00e4\",\"verdict\""},
	};
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	(void)state;
	assert_int_equal(mkv_contract_parse(contract_text,
					    strlen(contract_text), &contract,
					    &err),
			 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *text = replace_once(cases[i].from, cases[i].to);
		auto_receipt_review struct mkv_receipt_review review = {0};
		if (mkv_receipt_review(contract, SHA, text, strlen(text),
				       &review, &err) < 0)
			fail_msg("case %zu: %s", i, err.message);
		const char *fields[] = {review.host, review.phase,
					review.result};
		for (size_t j = 0; j < 3; j++)
			assert_true(mkv_utf8_is_valid(fields[j],
						      strlen(fields[j])));
		for (size_t j = 0; j < review.n_problems; j++)
			if (!mkv_utf8_is_valid(review.problems[j],
					       strlen(review.problems[j])))
				fail_msg("case %zu: '%s'", i,
					 review.problems[j]);
	}
}

/* An allocation failure is reported wherever a problem may be added. */
static void allocation_failures_are_reported(void **state)
{
	struct mkv_error err = {0};
	struct mkv_receipt_boot known = {.tpm_key = SHA, .boot_id = "a"};
	struct mkv_receipt_boot boot;
	auto_receipt_review struct mkv_receipt_review review = {.tpm_key = SHA,
								.boot_id = "b"};
	(void)state;
	deny_memory = true;
	int rc = mkv_receipt_review_boot(&review, &known, 1, &boot, &err);
	deny_memory = false;
	assert_int_equal(rc, -ENOMEM);
	assert_string_equal(err.message, "out of memory");
	review.failed = false;
	assert_int_equal(
		mkv_receipt_review_boot(&review, &known, 1, &boot, &err), 0);
	assert_int_equal(review.n_problems, 1);
}

static void a_broken_receipt_of_the_same_boot_is_found(void **state)
{
	static const struct {
		const char *text, *says; /* NULL: no problem */
	} cases[] = {
		{NULL, NULL},
		{"{\"machine\":{\"boot_id\":\"another\"},\"checks\":[]}", NULL},
		{"{\"machine\":{\"boot_id\":\"b\"},\"checks\":[{\"name\":"
		 "\"ksm\",\"result\":\"pass\"},{\"name\":\"clock\","
		 "\"result\":\"fail\"},{\"name\":\"swap\",\"result\":"
		 "\"fail\"},{\"name\":\"boost\",\"result\":"
		 "\"not-established\"}]}",
		 "did not pass: clock, swap"},
		{"{\"machine\":{\"boot_id\":\"b\"},\"checks\":[{\"name\":"
		 "\"boost\",\"result\":\"not-established\"}]}",
		 "did not pass: boost"},
		{"{}", "it names no check"},
		{"{", "can't be read"},
	};
	char directory[] = "/tmp/mkvbench-review-XXXXXX";
	struct mkv_error err;
	(void)state;
	assert_non_null(mkdtemp(directory));
	auto_fd int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_receipt_review struct mkv_receipt_review review = {
			.boot_id = "b"};
		char path[64];
		(void)snprintf(path, sizeof(path), "%s/receipt.broken.json",
			       directory);
		if (cases[i].text)
			assert_int_equal(
				mkv_write_file(path, 0644, cases[i].text,
					       strlen(cases[i].text), &err),
				0);
		assert_int_equal(mkv_receipt_review_broken(fd, &review, &err),
				 0);
		if (review.n_problems != (cases[i].says != NULL) ||
		    (cases[i].says &&
		     !strstr(review.problems[0], cases[i].says)))
			fail_msg("case %zu: '%s'", i,
				 review.n_problems ? review.problems[0] : "");
	}
	assert_int_equal(mkv_remove_tree(AT_FDCWD, directory, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receipts_are_reviewed),
		cmocka_unit_test(every_promised_check_is_required),
		cmocka_unit_test(the_table_has_the_verifiers_checks),
		cmocka_unit_test(problems_beyond_the_maximum_are_counted),
		cmocka_unit_test(truncated_texts_are_valid_utf8),
		cmocka_unit_test(allocation_failures_are_reported),
		cmocka_unit_test(a_broken_receipt_of_the_same_boot_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
