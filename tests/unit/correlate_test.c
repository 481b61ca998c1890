/* SPDX-License-Identifier: MIT */
/* Receipts of a guest and of its hypervisor host that correlate, and one error
 * of either at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <cmocka.h>

#include "builder/evidence/receipt/correlate.h"

/* A check of the host's receipt, with a finding about the guest. */
#define ROW(name)                                                              \
	"{\"name\":\"" name "\",\"result\":\"pass\",\"findings\":[{\"what\":"  \
	"\"order: " name "\",\"result\":\"pass\"}]}"
#define UUID "8752ac13-2a93-5399-8a8f-2494ff542c48"

/* Replaces that of the C library, by which a list of problems grows. */
static bool deny_memory;
void *reallocarray(void *old, size_t count, size_t size)
{
	return deny_memory ? NULL : realloc(old, count * size);
}

static const char contract_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"kvm\","
	"\"verify\":{\"mode\":\"gate\"},"
	"\"hosts\":{\"machine\":{\"image\":\"hv\",\"role\":\"hypervisor\","
	"\"guests\":[\"order\"]},\"other\":{\"image\":\"hv\",\"role\":\"x\"},"
	"\"order\":{\"image\":\"dut\",\"role\":\"order\",\"mac\":"
	"\"52:54:00:77:00:11\",\"hypervisor\":{\"domain\":\"t-order\","
	"\"uuid\":\"" UUID "\",\"firmware\":\"bios\","
	"\"cpu\":{\"mode\":\"host-passthrough\",\"sockets\":1,\"dies\":1,"
	"\"cores\":2,\"threads\":1,\"caches\":\"passthrough\",\"pins\":[0,1]},"
	"\"memory\":{\"bytes\":67108864,\"huge_page_bytes\":0},"
	"\"disk\":{\"file\":\"/d\",\"bus\":\"virtio\",\"cache\":\"none\",\"io\":"
	"\"native\",\"iothreads\":1,\"size\":33554432},"
	"\"nic\":{\"model\":\"virtio\",\"queues\":2,\"network\":\"mkvbench-t\","
	"\"bridge\":\"br-vlan\"},\"timers\":[]}}},"
	"\"images\":{\"hv\":{\"platform\":\"hypervisor\"},"
	"\"dut\":{\"platform\":\"guest\"}}}";

static const char guest_text[] =
	"{\"host\":{\"name\":\"order\"},\"machine\":{\"product_uuid\":\"" UUID
	"\",\"booted\":1000}}";
static const char machine_text[] =
	"{\"host\":{\"name\":\"machine\"},\"started\":1100,\"guests\":[{"
	"\"host\":\"order\",\"uuid\":\"" UUID "\",\"started\":990,"
	"\"state\":\"running\"}],\"checks\":[" ROW("guests") "," ROW("guest-cpu") "," ROW(
		"guest-memory") "," ROW("guest-devices") "," ROW("guest-pinning") "]}";

static json_t *replace_once(const char *text, const char *from, const char *to)
{
	auto_buf struct mkv_buf changed = {0};
	const char *at = strstr(text, from);
	struct mkv_error err;
	json_t *json = NULL;
	assert_non_null(at);
	mkv_buf_add(&changed, text, (size_t)(at - text));
	mkv_buf_str(&changed, to);
	mkv_buf_str(&changed, at + strlen(from));
	assert_int_equal(mkv_json_load(changed.data, changed.size, &json, &err),
			 0);
	return json;
}

static void receipts_are_correlated(void **state)
{
	static const struct {
		const char *guest[2], *machine[2];
		enum mkv_correlation correlation;
		const char *problem;
	} rows[] = {
		{{"order", "order"}, {"order", "order"}, MKV_CORRELATED, NULL},
		{{"8752ac13", "8752AC13"}, {"x", "x"}, MKV_CORRELATED, NULL},
		{{"order", "order"},
		 {"\"name\":\"machine\"", "\"name\":\"other\""},
		 MKV_CORRELATION_ABSENT,
		 NULL},
		{{"order", "order"},
		 {"\"host\":\"order\"", "\"host\":\"user\""},
		 MKV_CORRELATION_BROKEN,
		 "hypervisor host 'machine': its receipt does not list the guest"},
		{{"order", "order"},
		 {"guests", "ghosts"},
		 MKV_CORRELATION_BROKEN,
		 "does not list the guest"},
		{{"order", "order"},
		 {"8752ac13", "1752ac13"},
		 MKV_CORRELATION_BROKEN,
		 "has a domain with another UUID"},
		{{"8752ac13", "1752ac13"},
		 {"x", "x"},
		 MKV_CORRELATION_BROKEN,
		 "the guest's machine has another UUID"},
		{{"product_uuid", "product"},
		 {"x", "x"},
		 MKV_CORRELATION_BROKEN,
		 "the guest's machine has another UUID"},
		{{"1000", "980"},
		 {"x", "x"},
		 MKV_CORRELATION_BROKEN,
		 "the guest booted before its domain started"},
		{{"1000", "1200"},
		 {"x", "x"},
		 MKV_CORRELATION_BROKEN,
		 "its checks ran before the guest booted"},
		{{"1000", "\"1000\""},
		 {"x", "x"},
		 MKV_CORRELATION_BROKEN,
		 "one of the receipts lacks a time"},
		{{"x", "x"},
		 {"running", "paused"},
		 MKV_CORRELATION_BROKEN,
		 "the guest was not running during its checks"},
		{{"x", "x"},
		 {"\"state\"", "\"mood\""},
		 MKV_CORRELATION_BROKEN,
		 "was not running"},
		{{"x", "x"},
		 {"\"guests\",\"result\":\"pass\"",
		  "\"guests\",\"result\":\"fail\""},
		 MKV_CORRELATION_BROKEN,
		 "check guests did not pass"},
		{{"x", "x"},
		 {"guest-cpu\",\"result", "guest-CPU\",\"result"},
		 MKV_CORRELATION_BROKEN,
		 "check guest-cpu did not pass"},
		{{"x", "x"},
		 {"guest-memory\",\"result\":\"pass\"",
		  "guest-memory\",\"result\":\"not-established\""},
		 MKV_CORRELATION_BROKEN,
		 "check guest-memory did not pass"},
		{{"x", "x"},
		 {"guest-memory\",\"result\":\"pass\"",
		  "guest-memory\",\"accepted\":\"so\",\"result\":"
		  "\"not-established\""},
		 MKV_CORRELATED,
		 NULL},
		{{"x", "x"},
		 {"order: guest-devices", "other: guest-devices"},
		 MKV_CORRELATION_BROKEN,
		 "check guest-devices did not pass"},
		{{"x", "x"},
		 {"guest-pinning\",\"result\":\"pass\"",
		  "guest-pinning\",\"result\":\"not-promised\""},
		 MKV_CORRELATION_BROKEN,
		 "check guest-pinning did not pass"},
		{{"order", "order"},
		 {"1100", "null"},
		 MKV_CORRELATION_BROKEN,
		 "lacks a time"},
		{{"order", "order"},
		 {"990", "{}"},
		 MKV_CORRELATION_BROKEN,
		 "lacks a time"},
		{{"order", "machine"}, {"x", "x"}, MKV_CORRELATION_NONE, NULL},
	};
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	(void)state;
	if (mkv_contract_parse(contract_text, strlen(contract_text), &contract,
			       &err) < 0)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool whole = strcmp(rows[i].guest[0], "x") == 0;
		auto_json json_t *guest = replace_once(
			guest_text, whole ? "order" : rows[i].guest[0],
			whole ? "order" : rows[i].guest[1]);
		bool same = strcmp(rows[i].machine[0], "x") == 0;
		auto_json json_t *machine =
			same ? replace_once(machine_text, "order", "order")
			     : replace_once(machine_text, rows[i].machine[0],
					    rows[i].machine[1]);
		json_t *all[] = {guest, machine};
		auto_receipt_review struct mkv_receipt_review review = {0};
		(void)snprintf(
			review.host, sizeof(review.host), "%s",
			json_string_value(json_object_get(
				json_object_get(guest, "host"), "name")));
		size_t with = 99;
		enum mkv_correlation correlation = MKV_CORRELATION_NONE;
		assert_int_equal(mkv_receipt_correlate(contract, all, 2, 0,
						       &review, &correlation,
						       &with, &err),
				 0);
		if (correlation != rows[i].correlation ||
		    (correlation == MKV_CORRELATED) != (with == 1) ||
		    (rows[i].problem != NULL) != (review.n_problems == 1) ||
		    (rows[i].problem &&
		     !strstr(review.problems[0], rows[i].problem)))
			fail_msg("row %zu: %d, with %zu, '%s'", i,
				 (int)correlation, with,
				 review.n_problems ? review.problems[0] : "");
	}
}

/* One of several receipts of the host is sufficient. */
static void one_correlated_receipt_is_sufficient(void **state)
{
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	(void)state;
	assert_int_equal(mkv_contract_parse(contract_text,
					    strlen(contract_text), &contract,
					    &err),
			 0);
	auto_json json_t *boot = replace_once(machine_text, "guests", "none");
	auto_json json_t *watch = replace_once(machine_text, "order", "order");
	auto_json json_t *guest = replace_once(guest_text, "order", "order");
	json_t *all[] = {boot, watch, guest};
	auto_receipt_review struct mkv_receipt_review review = {
		.host = "order"};
	size_t with = 99;
	enum mkv_correlation correlation = MKV_CORRELATION_NONE;
	assert_int_equal(mkv_receipt_correlate(contract, all, 3, 2, &review,
					       &correlation, &with, &err),
			 0);
	assert_int_equal(correlation, MKV_CORRELATED);
	assert_int_equal(with, 1);
	assert_int_equal(review.n_problems, 0);
}

/* If a reason can't be stored, the review fails. */
static void allocation_failures_are_reported(void **state)
{
	struct mkv_error err = {0};
	auto_contract struct mkv_contract *contract = NULL;
	(void)state;
	assert_int_equal(mkv_contract_parse(contract_text,
					    strlen(contract_text), &contract,
					    &err),
			 0);
	auto_json json_t *machine =
		replace_once(machine_text, "guests", "none");
	auto_json json_t *guest = replace_once(guest_text, "order", "order");
	json_t *all[] = {guest, machine};
	auto_receipt_review struct mkv_receipt_review review = {
		.host = "order"};
	size_t with = 99;
	enum mkv_correlation correlation = MKV_CORRELATION_NONE;
	deny_memory = true;
	int rc = mkv_receipt_correlate(contract, all, 2, 0, &review,
				       &correlation, &with, &err);
	deny_memory = false;
	assert_int_equal(rc, -ENOMEM);
	assert_string_equal(err.message, "out of memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receipts_are_correlated),
		cmocka_unit_test(one_correlated_receipt_is_sufficient),
		cmocka_unit_test(allocation_failures_are_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
