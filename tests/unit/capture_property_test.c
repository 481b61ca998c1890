/* SPDX-License-Identifier: MIT */
/* Property of --capture for any machine: either a recipe can't describe the
 * machine and nothing is written, or the recipe is accepted and the verifier's
 * checks pass on the machine. Machines are generated from seeds; a failure
 * names its seed, and MKVBENCH_SEED=N tries only that one. */
#include <dirent.h>
#include <unistd.h>

#include "tests/unit/captured.h"
#include "tests/unit/generated_machine.h"

enum { MACHINES = 600 };

static void put_file(const char *name, const char *text)
{
	char path[4096];
	if (text) {
		write_to(name, text, strlen(text));
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	(void)unlink(path);
}

/* Makes the disk of the root belong to a device with this driver. */
static void put_driver(const char *driver)
{
	char link[4096], target[512];
	(void)snprintf(link, sizeof(link), "%s/machine/sys/devices/disk/driver",
		       directory);
	(void)unlink(link);
	if (!driver)
		return;
	(void)snprintf(target, sizeof(target), "../drivers/%s", driver);
	assert_int_equal(symlink(target, link), 0);
}

static void put_files(const struct generated *g)
{
	put_file("machine/proc/meminfo", *g->meminfo ? g->meminfo : NULL);
	put_file("machine/sys/devices/system/node/online", g->nodes);
	put_file("machine/sys/devices/system/clocksource/clocksource0/"
		 "current_clocksource",
		 g->clocksource);
	put_file("machine/sys/hypervisor/type", g->interface);
	put_driver(g->driver);
}

static int make_root(void **state)
{
	char link[4096];
	(void)state;
	assert_non_null(mkdtemp(directory));
	write_to("machine/proc/self/mountinfo",
		 "22 1 259:2 / / rw - ext4 /dev/x rw\n", 35);
	write_to("machine/sys/devices/disk/part/partition", "1\n", 2);
	write_to("machine/sys/dev/block/empty", "", 0);
	(void)snprintf(link, sizeof(link), "%s/machine/sys/dev/block/259:2",
		       directory);
	return symlink("../../devices/disk/part", link);
}

static int remove_root(void **state)
{
	struct mkv_error err;
	(void)state;
	return mkv_remove_tree(AT_FDCWD, directory, &err);
}

static struct mkv_env make_env(const char *root,
			       const struct mkv_cpuid_dump *dump)
{
	return (struct mkv_env){.root = root, .cpuid = dump};
}

/* Runs every check whose promise follows from the hardware. */
static void expect_nothing_wrong(const struct mkv_env *env, const char *what)
{
	expect_result(env, "cpu-model", MKV_PASS, what);
	expect_result(env, "hypervisor", MKV_PASS, what);
	expect_result(env, "cpu-topology", MKV_NOT_ESTABLISHED, what);
	expect_result(env, "smt", MKV_NOT_ESTABLISHED, what);
	expect_result(env, "cache-topology", MKV_NOT_ESTABLISHED, what);
	expect_result(env, "memory", MKV_NOT_ESTABLISHED, what);
	expect_result(env, "clocksource", MKV_NOT_ESTABLISHED, what);
	expect_result(env, "drivers", MKV_NOT_ESTABLISHED, what);
}

/* Returns false if a recipe can't describe the machine. */
static bool try_capture(const char *what, const struct mkv_cpuid_dump *dump,
			struct mkv_contract **ret)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err = {0};
	char root[256];
	(void)snprintf(root, sizeof(root), "%s/machine", directory);
	struct mkv_env env = make_env(root, dump);
	if (mkv_capture(&env, &text, &err) < 0) {
		if (err.kind != MKV_HOST_CANNOT || !*err.message)
			fail_msg("%s: refused without a reason: '%s'", what,
				 err.message);
		return false;
	}
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] != '\n' &&
		    (text.data[i] < ' ' || text.data[i] > '~'))
			fail_msg("%s: byte 0x%02x in the output", what,
				 (unsigned char)text.data[i]);
	auto_contract struct mkv_contract *contract =
		make_contract(&text, what);
	env.contract = contract;
	env.host = &contract->hosts[0];
	env.image = &contract->images[0];
	expect_nothing_wrong(&env, what);
	*ret = mkv_take(contract);
	return true;
}

static struct mkv_cpuid_dump *parse_dump(const struct mkv_buf *text)
{
	struct mkv_cpuid_dump *dump = NULL;
	struct mkv_error err = {0};
	if (mkv_cpuid_parse(text->data, text->size, &dump, &err) < 0)
		fail_msg("%s", err.message);
	return dump;
}

/* The machine with the highest bit of one byte flipped never passes. */
static void expect_difference(struct generated g, size_t offset,
			      const struct mkv_contract *contract,
			      const char *check, const char *what)
{
	auto_buf struct mkv_buf text = {0};
	auto_answer struct mkv_answer answer = {0};
	((uint8_t *)&g)[offset] ^= 0x80;
	write_recording(&g, &text);
	auto_cpuid struct mkv_cpuid_dump *dump = parse_dump(&text);
	struct mkv_env env = make_env("/nonexistent", dump);
	env.contract = contract;
	env.host = &contract->hosts[0];
	env.image = &contract->images[0];
	mkv_check_find(check)->run(&env, &answer);
	if (mkv_answer_result(&answer) != MKV_FAIL)
		fail_msg("%s: %s passes with a changed byte %zu", what, check,
			 offset);
}

static void expect_differences(const struct generated *g, size_t at,
			       const struct mkv_contract *contract,
			       const char *what)
{
	expect_difference(*g, offsetof(struct generated, vendor) + at, contract,
			  "cpu-model", what);
	if (g->has_brand)
		expect_difference(*g, offsetof(struct generated, brand),
				  contract, "cpu-model", what);
	if (g->hypervisor && g->has_signature)
		expect_difference(*g,
				  offsetof(struct generated, signature) + at,
				  contract, "hypervisor", what);
}

static void the_capture_of_any_machine_is_accepted_and_passes(void **state)
{
	unsigned accepted = 0;
	const char *only = getenv("MKVBENCH_SEED");
	(void)state;
	for (unsigned seed = 1; seed <= MACHINES; seed++) {
		char what[32];
		if (only && seed != (unsigned)atoi(only))
			continue;
		(void)snprintf(what, sizeof(what), "seed %u", seed);
		const struct generated g = generate_machine(seed);
		auto_buf struct mkv_buf text = {0};
		auto_contract struct mkv_contract *contract = NULL;
		write_recording(&g, &text);
		auto_cpuid struct mkv_cpuid_dump *dump = parse_dump(&text);
		put_files(&g);
		if (!try_capture(what, dump, &contract))
			continue;
		accepted++;
		expect_differences(&g, seed % 12, contract, what);
	}
	print_message("%u of %d machines can be described\n", accepted,
		      MACHINES);
	assert_true(only || accepted > MACHINES / 4);
}

/* Tries all recordings of a directory; returns how many can be described. */
static unsigned try_directory(const char *path)
{
	struct dirent **names;
	unsigned accepted = 0;
	int count = scandir(path, &names, NULL, alphasort);
	assert_true(count > 0);
	for (int i = 0; i < count; i++) {
		size_t length = strlen(names[i]->d_name);
		char file[4096];
		struct mkv_error err = {0};
		auto_buf struct mkv_buf text = {0};
		auto_contract struct mkv_contract *contract = NULL;
		(void)snprintf(file, sizeof(file), "%s/%s", path,
			       names[i]->d_name);
		if (length > 4 &&
		    strcmp(names[i]->d_name + length - 4, ".txt") == 0) {
			if (mkv_read_file(AT_FDCWD, file, 16 << 20, &text,
					  &err) < 0)
				fail_msg("%s", err.message);
			auto_cpuid struct mkv_cpuid_dump *dump =
				parse_dump(&text);
			accepted += try_capture(file, dump, &contract);
		}
		free(names[i]);
	}
	free(names);
	return accepted;
}

static void the_capture_of_recorded_machines_passes(void **state)
{
	const struct generated files = {
		.meminfo = "MemTotal: 32774144 kB\n",
		.nodes = "0\n",
		.clocksource = "tsc\n",
		.driver = "nvme",
	};
	const char *more = getenv("MKVBENCH_RECORDINGS");
	(void)state;
	put_files(&files);
	assert_true(try_directory("tests/golden/cpuid") >= 9);
	if (more)
		assert_true(try_directory(more) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			the_capture_of_any_machine_is_accepted_and_passes),
		cmocka_unit_test(the_capture_of_recorded_machines_passes),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
