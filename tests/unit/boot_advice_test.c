/* SPDX-License-Identifier: MIT */
/* Diagnostics of `mkvbench boot` before QEMU starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "builder/cmd/boot_advice.h"

static void estimates_follow_hosts_containers_and_cpus(void **state)
{
	(void)state;
	static const struct {
		struct mkv_boot_load_size size;
		unsigned seconds;
	} rows[] = {
		{{1, 0, 2}, 40},  {{1, 0, 64}, 40},  {{2, 0, 2}, 50},
		{{2, 0, 1}, 70},  {{5, 7, 2}, 120},  {{5, 7, 16}, 50},
		{{5, 7, 0}, 200}, {{64, 0, 2}, 670}, {{0, 0, 2}, 30},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(mkv_boot_estimate_s(&rows[i].size),
				 rows[i].seconds);
}

static void a_cpu_that_this_boot_lacks_is_named(void **state)
{
	(void)state;
	static const char ryzen[] = "AMD Ryzen 5 PRO 3600 6-Core Processor";
	static const char skylake[] = "Intel Xeon Processor (Skylake)";
	static const struct {
		const char *brand, *signature, *host;
		enum mkv_accel accel;
		bool is_missing;
	} rows[] = {
		{NULL, NULL, ryzen, MKV_ACCEL_KVM, false},
		{NULL, NULL, NULL, MKV_ACCEL_TCG, false},
		{ryzen, NULL, ryzen, MKV_ACCEL_KVM, false},
		{ryzen, NULL, skylake, MKV_ACCEL_KVM, true},
		{ryzen, NULL, NULL, MKV_ACCEL_KVM, false},
		/* Emulation accepts any brand, but lacks features of that CPU.
		 */
		{ryzen, NULL, ryzen, MKV_ACCEL_TCG, true},
		{skylake, NULL, ryzen, MKV_ACCEL_TCG, false},
		{skylake, "TCGTCGTCGTCG", ryzen, MKV_ACCEL_TCG, false},
		{skylake, "KVMKVMKVM", ryzen, MKV_ACCEL_TCG, true},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_contract_image image = {
			.cpu = {.brand = rows[i].brand,
				.hypervisor_signature = rows[i].signature},
		};
		const char *missing = mkv_boot_missing_cpu(
			&image, rows[i].accel, rows[i].host);
		assert_true((missing != NULL) == rows[i].is_missing);
		assert_true(!missing || strcmp(missing, rows[i].brand) == 0);
	}
}

static void hosts_are_those_named_or_all_but_hypervisors(void **state)
{
	(void)state;
	const char *guest = "order";
	struct mkv_contract_host hosts[] = {
		{.name = "machine", .guests = {&guest, 1}},
		{.name = "order", .containers = {&guest, 1}},
		{.name = "payment", .containers = {&guest, 1}},
	};
	const struct mkv_contract contract = {.hosts = hosts, .n_hosts = 3};
	const struct mkv_contract_host *first = NULL;
	struct mkv_boot_load_size size = {.cpus = 2};
	struct mkv_error err = {0};
	assert_int_equal(
		mkv_boot_measure(&contract, NULL, 0, &size, &first, &err), 0);
	assert_int_equal(size.hosts, 2);
	assert_int_equal(size.containers, 2);
	assert_int_equal(size.cpus, 2);
	assert_ptr_equal(first, &hosts[1]);
	const char *named[] = {"machine", "payment"};
	assert_int_equal(
		mkv_boot_measure(&contract, named, 2, &size, &first, &err), 0);
	assert_int_equal(size.hosts, 2);
	assert_int_equal(size.containers, 1);
	assert_ptr_equal(first, &hosts[0]);
	const char *unknown[] = {"payment", "paymnet"};
	assert_int_equal(
		mkv_boot_measure(&contract, unknown, 2, &size, &first, &err),
		-EINVAL);
	assert_int_equal(err.kind, MKV_BAD_USAGE);
	assert_string_equal(err.message, "the appliance has no host 'paymnet'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(estimates_follow_hosts_containers_and_cpus),
		cmocka_unit_test(a_cpu_that_this_boot_lacks_is_named),
		cmocka_unit_test(hosts_are_those_named_or_all_but_hypervisors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
