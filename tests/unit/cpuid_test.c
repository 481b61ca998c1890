/* SPDX-License-Identifier: MIT */
/* CPUID registers of recorded machines. More recordings are read from the
 * directory MKVBENCH_RECORDINGS, if it is set. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "lib/io.h"
#include "verify/probe/cpufacts.h"

struct expected_cache {
	unsigned level;
	enum mkv_cache_type type;
	unsigned kib, ways, shared_by, instances;
};
#define D MKV_CACHE_DATA
#define I MKV_CACHE_INSTRUCTION
#define U MKV_CACHE_UNIFIED

struct machine {
	const char *file;
	const char *vendor, *brand;
	unsigned family, model, stepping;
	const char *hypervisor; /* NULL: no bit */
	size_t cpus, cores, packages;
	bool sharing_known;
	struct expected_cache caches[10];
};

static const struct machine own[] = {
	{"ryzen-5-pro-3600.txt",
	 "AuthenticAMD",
	 "AMD Ryzen 5 PRO 3600 6-Core Processor",
	 23,
	 113,
	 0,
	 NULL,
	 12,
	 6,
	 1,
	 true,
	 {{1, D, 32, 8, 2, 6},
	  {1, I, 32, 8, 2, 6},
	  {2, U, 512, 8, 2, 6},
	  {3, U, 16384, 16, 6, 2}}},
	{"zen3-5600x.txt",
	 "AuthenticAMD",
	 "AMD Ryzen 5 5600X 6-Core Processor",
	 25,
	 33,
	 0,
	 NULL,
	 12,
	 6,
	 1,
	 true,
	 {{1, D, 32, 8, 2, 6},
	  {1, I, 32, 8, 2, 6},
	  {2, U, 512, 8, 2, 6},
	  {3, U, 32768, 16, 12, 1}}},
	/* Passed-through caches without the gap between the host's APIC ids:
	 * the first L3 appears to have eight threads, as on real guests. */
	{"amd-guest-topoext.txt",
	 "AuthenticAMD",
	 "AMD Ryzen 5 PRO 3600 6-Core Processor",
	 23,
	 113,
	 0,
	 "KVMKVMKVM",
	 12,
	 6,
	 1,
	 true,
	 {{1, D, 32, 8, 2, 6},
	  {1, I, 32, 8, 2, 6},
	  {2, U, 512, 8, 2, 6},
	  {3, U, 16384, 16, 8, 1},
	  {3, U, 16384, 16, 4, 1}}},
	{"amd-guest-no-topoext.txt",
	 "AuthenticAMD",
	 "AMD Ryzen 5 PRO 3600 6-Core Processor",
	 23,
	 113,
	 0,
	 "KVMKVMKVM",
	 12,
	 12,
	 1,
	 false,
	 {{1, D, 32, 8, 1, 12},
	  {1, I, 32, 8, 1, 12},
	  {2, U, 512, 8, 1, 12},
	  {3, U, 16384, 0, 1, 12}}},
	{"intel-hybrid.txt",
	 "GenuineIntel",
	 "12th Gen Intel(R) Core(TM) i9-12900K",
	 6,
	 151,
	 2,
	 NULL,
	 8,
	 6,
	 1,
	 true,
	 {{1, D, 48, 12, 2, 2},
	  {1, D, 32, 8, 1, 4},
	  {1, I, 32, 8, 2, 2},
	  {1, I, 64, 8, 1, 4},
	  {2, U, 1280, 10, 2, 2},
	  {2, U, 2048, 16, 4, 1},
	  {3, U, 25600, 10, 8, 1}}},
	{"xeon-two-dies.txt",
	 "GenuineIntel",
	 "Intel(R) Xeon(R) Platinum 9242 CPU @ 2.30GHz",
	 6,
	 85,
	 7,
	 NULL,
	 16,
	 8,
	 2,
	 true,
	 {{1, D, 32, 8, 2, 8},
	  {1, I, 32, 8, 2, 8},
	  {2, U, 1024, 16, 2, 8},
	  {3, U, 28160, 11, 4, 4}}},
	{"kvm-epyc-genoa-guest.txt",
	 "AuthenticAMD",
	 "AMD EPYC",
	 25,
	 17,
	 1,
	 "KVMKVMKVM",
	 2,
	 2,
	 1,
	 true,
	 {{1, D, 32, 8, 1, 2},
	  {1, I, 32, 8, 1, 2},
	  {2, U, 1024, 8, 1, 2},
	  {3, U, 32768, 16, 2, 1}}},
	{"tcg-epyc-rome.txt",
	 "AuthenticAMD",
	 "AMD EPYC-Rome Processor",
	 23,
	 49,
	 0,
	 "TCGTCGTCGTCG",
	 4,
	 2,
	 1,
	 false,
	 {{1, D, 32, 8, 1, 4},
	  {1, I, 32, 8, 1, 4},
	  {2, U, 512, 8, 1, 4},
	  {3, U, 16384, 16, 1, 4}}},
	{"tcg-skylake-server.txt",
	 "GenuineIntel",
	 "Intel Xeon Processor (Skylake)",
	 6,
	 85,
	 4,
	 "TCGTCGTCGTCG",
	 4,
	 2,
	 1,
	 true,
	 {{1, D, 32, 8, 1, 4},
	  {1, I, 32, 8, 1, 4},
	  {2, U, 4096, 16, 2, 2},
	  {3, U, 16384, 16, 4, 1}}},
	{"tcg-max.txt",
	 "AuthenticAMD",
	 "QEMU TCG CPU version 2.5+",
	 15,
	 107,
	 1,
	 "TCGTCGTCGTCG",
	 4,
	 2,
	 1,
	 false,
	 {{1, D, 64, 2, 1, 4},
	  {1, I, 64, 2, 1, 4},
	  {2, U, 512, 16, 1, 4},
	  {3, U, 16384, 16, 1, 4}}},
};

static const struct machine foreign[] = {
	{"zen2-ryzen-5-3600x.txt",
	 "AuthenticAMD",
	 "AMD Ryzen 5 3600X 6-Core Processor",
	 23,
	 113,
	 0,
	 NULL,
	 12,
	 6,
	 1,
	 true,
	 {{1, D, 32, 8, 2, 6},
	  {1, I, 32, 8, 2, 6},
	  {2, U, 512, 8, 2, 6},
	  {3, U, 16384, 16, 6, 2}}},
	{"zen2-epyc-rome.txt",
	 "AuthenticAMD",
	 "AMD Ryzen Threadripper PRO 3975WX 32-Cores",
	 23,
	 49,
	 0,
	 NULL,
	 64,
	 32,
	 1,
	 true,
	 {{1, D, 32, 8, 2, 32},
	  {1, I, 32, 8, 2, 32},
	  {2, U, 512, 8, 2, 32},
	  {3, U, 16384, 16, 8, 8}}},
	{"zen3-vermeer.txt",
	 "AuthenticAMD",
	 "AMD Ryzen 5 5600X3D 6-Core Processor",
	 25,
	 33,
	 2,
	 NULL,
	 12,
	 6,
	 1,
	 true,
	 {{1, D, 32, 8, 2, 6},
	  {1, I, 32, 8, 2, 6},
	  {2, U, 512, 8, 2, 6},
	  {3, U, 98304, 16, 12, 1}}},
	{"alderlake-hybrid.txt",
	 "GenuineIntel",
	 "12th Gen Intel(R) Core(TM) i7-12800HX",
	 6,
	 151,
	 2,
	 NULL,
	 24,
	 16,
	 1,
	 true,
	 {{1, D, 48, 12, 2, 8},
	  {1, D, 32, 8, 1, 8},
	  {1, I, 32, 8, 2, 8},
	  {1, I, 64, 8, 1, 8},
	  {2, U, 1280, 10, 2, 8},
	  {2, U, 2048, 16, 4, 2},
	  {3, U, 25600, 10, 24, 1}}},
	{"skylake-xeon.txt",
	 "GenuineIntel",
	 "Intel(R) Xeon(R) Platinum 8160 CPU @ 2.10GHz",
	 6,
	 85,
	 4,
	 NULL,
	 96,
	 48,
	 2,
	 true,
	 {{1, D, 32, 8, 2, 48},
	  {1, I, 32, 8, 2, 48},
	  {2, U, 1024, 16, 2, 48},
	  {3, U, 33792, 11, 48, 2}}},
};

static struct mkv_cpuid_dump *load_dump(const char *directory, const char *file)
{
	char path[4096];
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	struct mkv_cpuid_dump *dump = NULL;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, file);
	if (mkv_read_file(AT_FDCWD, path, 16 << 20, &text, &err) < 0 ||
	    mkv_cpuid_parse(text.data, text.size, &dump, &err) < 0)
		fail_msg("%s", err.message);
	return dump;
}

static void check_caches(const struct machine *m,
			 const struct mkv_cpuid_dump *dump)
{
	struct mkv_error err = {0};
	auto_cache_list struct mkv_cache_list list = {0};
	const char *leaf = NULL;
	size_t expected = 0;
	if (mkv_cpuid_caches(dump, &list, &leaf, &err) < 0)
		fail_msg("%s: %s", m->file, err.message);
	assert_int_equal(list.sharing_known, m->sharing_known);
	for (const struct expected_cache *c = m->caches; c->level; c++) {
		unsigned found = 0;
		for (size_t i = 0; i < list.count; i++)
			found += list.items[i].level == c->level &&
				 list.items[i].type == c->type &&
				 list.items[i].size_bytes == (uint64_t)c->kib
								     << 10 &&
				 list.items[i].ways == c->ways &&
				 list.items[i].line_bytes == 64 &&
				 mkv_cpuset_count(&list.items[i].cpus) ==
					 c->shared_by;
		if (found != c->instances)
			fail_msg("%s: L%u type %d: %u of %u", m->file, c->level,
				 c->type, found, c->instances);
		expected += found;
	}
	assert_int_equal(list.count, expected);
}

static void check_machine(const char *directory, const struct machine *m)
{
	struct mkv_error err = {0};
	auto_cpuid struct mkv_cpuid_dump *dump = load_dump(directory, m->file);
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	const char *leaf = NULL;
	assert_int_equal(dump->count, m->cpus);
	for (size_t i = 0; i < dump->count; i++) {
		struct mkv_cpu_identity id;
		assert_true(mkv_cpu_identify(&dump->cpus[i], &id));
		assert_string_equal(id.vendor, m->vendor);
		assert_string_equal(id.brand, m->brand);
		assert_int_equal(id.family, m->family);
		assert_int_equal(id.model, m->model);
		assert_int_equal(id.stepping, m->stepping);
		assert_int_equal(id.hypervisor, m->hypervisor != NULL);
		assert_string_equal(id.hypervisor_signature,
				    m->hypervisor ? m->hypervisor : "");
	}
	assert_int_equal(
		mkv_cpuid_topology(dump, &cores, &packages, &leaf, &err), 0);
	if (cores.count != m->cores || packages.count != m->packages)
		fail_msg("%s: %zu cores, %zu packages by %s", m->file,
			 cores.count, packages.count, leaf);
	check_caches(m, dump);
}

static void recordings_of_the_tests_are_decoded(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		check_machine("tests/golden/cpuid", &own[i]);
}

static void external_recordings_are_decoded(void **state)
{
	(void)state;
	const char *directory = getenv("MKVBENCH_RECORDINGS");
	if (!directory || !*directory)
		return;
	auto_dir DIR *dir = opendir(directory);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir));) {
		size_t length = strlen(entry->d_name);
		const struct machine *known = NULL;
		if (length < 5 || strcmp(entry->d_name + length - 4, ".txt"))
			continue;
		for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]);
		     i++)
			if (strcmp(foreign[i].file, entry->d_name) == 0)
				known = &foreign[i];
		if (known) {
			check_machine(directory, known);
			continue;
		}
		/* An unknown machine must at least be described without an
		 * error.
		 */
		auto_cpuid struct mkv_cpuid_dump *dump =
			load_dump(directory, entry->d_name);
		assert_true(dump->count > 0);
	}
}

static void a_recording_survives_writing_and_reading(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_cpuid struct mkv_cpuid_dump *dump =
		load_dump("tests/golden/cpuid", "ryzen-5-pro-3600.txt");
	auto_cpuid struct mkv_cpuid_dump *again = NULL;
	auto_buf struct mkv_buf text = {0}, twice = {0};
	mkv_cpuid_write(dump, &text);
	assert_int_equal(mkv_cpuid_parse(text.data, text.size, &again, &err),
			 0);
	mkv_cpuid_write(again, &twice);
	assert_string_equal(text.data, twice.data);
}

static void leaves_over_the_maximum_are_not_read(void **state)
{
	(void)state;
	static const char text[] =
		"CPUID 00000000: 00000004-756E6547-6C65746E-49656E69\n"
		"CPUID 00000001: 00050654-00000800-7FFEFBFF-BFEBFBFF\n"
		"CPUID 0000000B: 00000001-00000002-00000100-00000000 [SL 00]\n"
		"CPUID 40000000: 40000001-4B4D564B-564B4D56-0000004D\n"
		"CPUID 80000000: 80000004-00000000-00000000-00000000\n"
		"CPUID 8000001D: 00000121-01C0003F-0000003F-00000000 [SL 00]\n";
	struct mkv_error err = {0};
	auto_cpuid struct mkv_cpuid_dump *dump = NULL;
	assert_int_equal(mkv_cpuid_parse(text, strlen(text), &dump, &err), 0);
	assert_non_null(mkv_cpuid_get(&dump->cpus[0], 1, 0));
	assert_null(mkv_cpuid_get(&dump->cpus[0], 0xb, 0));
	assert_null(mkv_cpuid_get(&dump->cpus[0], 0x8000001d, 0));
	/* Without the hypervisor bit that leaf has the registers of another
	 * one.
	 */
	assert_null(mkv_cpuid_get(&dump->cpus[0], 0x40000000, 0));
}

static void hostile_recordings_are_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"",
		"nothing in it\n",
		"[Logical CPU #4096]\n",
		"[Logical CPU #1]\n[Logical CPU #0]\n",
		"[Logical CPU #0]\n[Logical CPU #0]\n",
		"CPUID 4: 0-0-0-0 [SL zz]\n",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct mkv_error err = {0};
		struct mkv_cpuid_dump *dump = NULL;
		assert_true(mkv_cpuid_parse(texts[i], strlen(texts[i]), &dump,
					    &err) < 0);
		assert_null(dump);
	}
	struct mkv_error err = {0};
	auto_buf struct mkv_buf many = {0};
	struct mkv_cpuid_dump *dump = NULL;
	for (int i = 0; i < 600; i++)
		mkv_buf_str(&many, "CPUID 4: 0-0-0-0\n");
	assert_true(mkv_cpuid_parse(many.data, many.size, &dump, &err) < 0);
	/* Cache leaves with all bits set: the maximum sizes, ways and counts
	 * must not overflow. */
	static const char ones[] =
		"CPUID 0: FFFFFFFF-756E6547-6C65746E-49656E69\n"
		"CPUID 1: FFFFFFFF-FFFFFFFF-FFFFFFFF-FFFFFFFF\n"
		"CPUID 4: FFFFFFE3-FFFFFFFF-FFFFFFFF-FFFFFFFF\n"
		"CPUID B: FFFFFFFF-FFFFFFFF-FFFFFFFF-FFFFFFFF\n"
		"CPUID 1F: FFFFFFFF-FFFFFFFF-FFFFFFFF-FFFFFFFF\n";
	assert_int_equal(mkv_cpuid_parse(ones, strlen(ones), &dump, &err), 0);
	auto_cache_list struct mkv_cache_list list = {0};
	auto_cpu_sets struct mkv_cpu_sets cores = {0}, packages = {0};
	const char *leaf;
	assert_int_equal(mkv_cpuid_caches(dump, &list, &leaf, &err), 0);
	assert_true(list.items[0].size_bytes >= UINT64_C(1) << 62);
	assert_int_equal(
		mkv_cpuid_topology(dump, &cores, &packages, &leaf, &err), 0);
	mkv_cpuid_free(dump);
}

static void lists_of_cpus_are_read_and_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool good;
		unsigned count;
	} cases[] = {
		{"0-3,8", true, 5},
		{"0", true, 1},
		{"", true, 0},
		{"3-1", false, 0},
		{"0,", false, 0},
		{"-1", false, 0},
		{"4096", false, 0},
		{"0-", false, 0},
		{"0 1", false, 0},
		{"0-4095", true, 4096},
		{"99999999999", false, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mkv_cpuset set = {0};
		char text[64];
		assert_int_equal(mkv_cpuset_parse(cases[i].text, &set),
				 cases[i].good);
		if (!cases[i].good)
			continue;
		assert_int_equal(mkv_cpuset_count(&set), cases[i].count);
		mkv_cpuset_text(&set, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void this_machine_can_be_measured(void **state)
{
	(void)state;
	struct mkv_cpuset online = {0};
	struct mkv_error err = {0};
	auto_cpuid struct mkv_cpuid_dump *dump = NULL;
	auto_buf struct mkv_buf text = {0};
	assert_int_equal(mkv_read_file(AT_FDCWD,
				       "/sys/devices/system/cpu/online", 4096,
				       &text, &err),
			 0);
	text.data[strcspn(text.data, "\n")] = '\0';
	assert_true(mkv_cpuset_parse(text.data, &online));
	if (mkv_cpuid_measure(&online, &dump, &err) < 0)
		skip(); /* a container may hide CPUs */
	assert_int_equal(dump->count, mkv_cpuset_count(&online));
	struct mkv_cpu_identity id;
	assert_true(mkv_cpu_identify(&dump->cpus[0], &id));
	assert_true(strlen(id.vendor) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recordings_of_the_tests_are_decoded),
		cmocka_unit_test(external_recordings_are_decoded),
		cmocka_unit_test(a_recording_survives_writing_and_reading),
		cmocka_unit_test(leaves_over_the_maximum_are_not_read),
		cmocka_unit_test(hostile_recordings_are_refused),
		cmocka_unit_test(lists_of_cpus_are_read_and_written),
		cmocka_unit_test(this_machine_can_be_measured),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
