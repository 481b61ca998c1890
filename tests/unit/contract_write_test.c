/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "builder/config/generate/generate.h"
#include "builder/evidence/contract/contract.h"
#include "lib/contract.h"
#include "lib/io.h"
#include "tests/unit/contract_fixture.h"

/* The recipes that are shipped: every scenario. */
static const char *const recipes[] = {
	"recipes/small.yaml", "recipes/bare-metal.yaml", "recipes/docker.yaml",
	"recipes/kvm.yaml",   "recipes/kvm-docker.yaml",
};

static void write_contract(const struct mkv_recipe *recipe, struct mkv_buf *ret)
{
	fixture_contract(recipe, FIXTURE_KEY_ID, ret);
}

static void the_strict_reader_reads_every_scenario(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++) {
		auto_recipe struct mkv_recipe *recipe =
			fixture_load(recipes[i]);
		auto_buf struct mkv_buf text = {0};
		write_contract(recipe, &text);
		auto_contract struct mkv_contract *contract = NULL;
		struct mkv_error err = {0};
		if (mkv_contract_parse(text.data, text.size, &contract, &err) <
		    0)
			fail_msg("%s: %s", recipes[i], err.message);
		assert_string_equal(contract->name, recipe->name);
		assert_int_equal(contract->n_hosts, recipe->n_hosts);
		assert_int_equal(contract->n_images, recipe->n_images);
		assert_int_equal(contract->clock.limit_ns,
				 recipe->time.limit_ns);
		assert_int_equal(contract->n_oci, recipe->n_oci_images);
		for (size_t m = 0; m < recipe->n_images; m++)
			assert_string_equal(
				contract->images[m].kernel.initramfs_sha256,
				"c1000000000000000000000000000000"
				"00000000000000000000000000000000");
		for (size_t h = 0; h < recipe->n_hosts; h++)
			assert_string_equal(contract->hosts[h].name,
					    recipe->hosts[h].name);
		/* And it is the same each time. */
		auto_buf struct mkv_buf again = {0};
		write_contract(recipe, &again);
		assert_int_equal(text.size, again.size);
		assert_memory_equal(text.data, again.data, text.size);
	}
}

/* The same work in all four, and nothing of it left to a default. */
static void every_scenario_tells_services_the_study_s_values(void **state)
{
	(void)state;
	static const char *const told[][3] = {
		{"order", "data_dir", "/var/lib/order"},
		{"order", "fsync", "none"},
		{"order", "large_file", "5MB"},
		{"order", "small_count", "10"},
		{"order", "small_file", "140B"},
		{"payment", "linpack_size", "350"},
		{"payment", "sleep", "0us"},
		{"user", "linpack_size", "200"},
		{"user", "users", "1000"},
	};
	for (size_t i = 1; i < sizeof(recipes) / sizeof(*recipes); i++) {
		auto_recipe struct mkv_recipe *recipe =
			fixture_load(recipes[i]);
		auto_buf struct mkv_buf text = {0};
		auto_contract struct mkv_contract *contract = NULL;
		struct mkv_error err = {0};
		size_t row = 0;
		write_contract(recipe, &text);
		assert_int_equal(mkv_contract_parse(text.data, text.size,
						    &contract, &err),
				 0);
		for (size_t s = 0; s < contract->n_services; s++) {
			const struct mkv_contract_service *service =
				&contract->services[s];
			for (size_t k = 0; k < service->settings.count;
			     k++, row++) {
				assert_true(row < sizeof(told) / sizeof(*told));
				assert_string_equal(service->name,
						    told[row][0]);
				assert_string_equal(
					service->settings.items[k].key,
					told[row][1]);
				assert_string_equal(
					service->settings.items[k].value,
					told[row][2]);
			}
		}
		assert_int_equal(row, sizeof(told) / sizeof(*told));
	}
}

/* With the defaults that the recipe leaves out. */
static void every_scenario_has_the_study_s_experiment(void **state)
{
	(void)state;
	for (size_t i = 1; i < sizeof(recipes) / sizeof(*recipes); i++) {
		auto_recipe struct mkv_recipe *recipe =
			fixture_load(recipes[i]);
		auto_buf struct mkv_buf text = {0};
		auto_contract struct mkv_contract *contract = NULL;
		struct mkv_error err = {0};
		write_contract(recipe, &text);
		assert_int_equal(mkv_contract_parse(text.data, text.size,
						    &contract, &err),
				 0);
		const struct mkv_contract_experiment *e = &contract->experiment;
		assert_true(e->promised);
		assert_string_equal(e->request.method, "POST");
		assert_string_equal(e->request.path,
				    "/orders/create/id/{user}");
		assert_string_equal(e->request.body,
				    "{\"productName\":\"tea\",\"price\":0.01}");
		assert_int_equal(e->request.status, 200);
		assert_int_equal(e->fields[0].count, 1000);
		assert_string_equal(e->arrivals, "constant");
		assert_int_equal(e->connections, 64);
		assert_true(e->timeout_ns == INT64_C(30000000000));
		assert_int_equal(e->warm_up, 5000);
		assert_int_equal(e->measured, 10000);
		const struct mkv_contract_experiment_service *order =
			mkv_contract_find_experiment_service(contract, "order");
		assert_string_equal(order->role, "order");
		assert_string_equal(order->unit, "mkvbench-order.service");
		assert_string_equal(order->clean_up.items[1], "--clean-up");
		assert_true(
			mkv_contract_find_experiment_service(contract, "user")
				->has_spans);
	}
}

static void a_recipe_without_an_experiment_promises_none(void **state)
{
	(void)state;
	auto_recipe struct mkv_recipe *recipe = fixture_load(recipes[0]);
	auto_buf struct mkv_buf text = {0};
	write_contract(recipe, &text);
	assert_null(strstr(text.data, "experiment"));
}

/* What follows from the study's recipe and machine for a guest and its
 * hypervisor. */
static void a_guest_has_its_domain_and_its_machine(void **state)
{
	(void)state;
	static const unsigned pins[] = {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11};
	auto_recipe struct mkv_recipe *recipe =
		fixture_load("recipes/kvm-docker.yaml");
	auto_buf struct mkv_buf text = {0};
	auto_contract struct mkv_contract *contract = NULL;
	struct mkv_error err = {0};
	write_contract(recipe, &text);
	assert_int_equal(
		mkv_contract_parse(text.data, text.size, &contract, &err), 0);
	const struct mkv_contract_host *order =
		mkv_contract_find_host(contract, "order");
	const struct mkv_contract_host *machine =
		mkv_contract_find_hypervisor_host(contract, "order");
	const struct mkv_contract_hypervisor *hv = &order->hypervisor;
	assert_true(hv->promised);
	assert_string_equal(machine->name, "order-machine");
	assert_string_equal(machine->role, "hypervisor");
	assert_false(machine->hypervisor.promised);
	assert_null(mkv_contract_find_hypervisor_host(contract, "collector"));
	assert_string_equal(hv->domain, "kvm-docker-order");
	assert_string_equal(hv->nic.network, "mkvbench-kvm-docker");
	assert_string_equal(hv->nic.bridge, "br-vlan");
	assert_string_equal(hv->firmware, "uefi");
	/* An L3 of three cores: two dies of three, or the cache is parted
	 * wrongly. */
	assert_int_equal(hv->cpu.dies, 2);
	assert_int_equal(hv->cpu.cores, 3);
	assert_int_equal(hv->cpu.migratable, 0);
	assert_int_equal(hv->cpu.pins.count, 12);
	assert_memory_equal(hv->cpu.pins.items, pins, sizeof(pins));
	assert_int_equal(hv->cpu.others.count, 0);
	assert_int_equal(hv->timers.count, 1);
	/* The disk is the image, which is as large as the recipe says; the
	 * hypervisor's own and others' aren't. */
	assert_true(hv->disk.size_bytes == 8ULL << 30);
	for (size_t i = 0; i < recipe->n_images; i++)
		assert_int_equal(recipe->images[i].size_bytes == 8ULL << 30,
				 strcmp(recipe->images[i].name, "dut") == 0);
	assert_string_equal(hv->timers.items[0], "kvmclock");
	/* With fewer cores than the machine, the rest is QEMU's. */
	static const unsigned others[] = {4, 5, 10, 11};
	recipe->hypervisor.cores = 4;
	recipe->hypervisor.clocksources.count = 0;
	auto_buf struct mkv_buf less = {0};
	auto_contract struct mkv_contract *second = NULL;
	write_contract(recipe, &less);
	assert_int_equal(
		mkv_contract_parse(less.data, less.size, &second, &err), 0);
	hv = &mkv_contract_find_host(second, "order")->hypervisor;
	assert_int_equal(hv->cpu.dies, 1);
	assert_int_equal(hv->cpu.migratable, 1);
	assert_int_equal(hv->cpu.pins.count, 8);
	assert_int_equal(hv->cpu.others.count, 4);
	assert_memory_equal(hv->cpu.others.items, others, sizeof(others));
	assert_int_equal(hv->timers.count, 0);
}

/* `from` in a good contract becomes `to`: the reader must refuse it. */
static void domains_that_make_no_sense_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *message;
	} rows[] = {
		{"\"order-machine\": {",
		 "\"order-machine\": {\"hypervisor\": 1,", "hypervisor"},
		{"\"guests\": [\n    \"order\"",
		 "\"guests\": [\n    \"loadgen\"", "which is not a guest"},
		{"\"guests\": [\n    \"order\"",
		 "\"guests\": [\n    \"nobody\"", "which is not a guest"},
		{"\"guests\": [\n    \"payment\"",
		 "\"guests\": [\n    \"order\"",
		 "which already runs on another host"},
		{"\"bridge\": \"br-vlan\"", "\"bridge\": \"br0\"",
		 "is not on the network and bridge"},
		{"\"pins\": [", "\"pins\": [0,", "13 pins for 12 CPUs"},
		{"\"pins\": [\n      0", "\"pins\": [\n      -1",
		 "an element is not an integer from 0 to"},
		{"\"dies\": 2", "\"dies\": 4096", "the topology has more than"},
		{"\"file\": \"/", "\"file\": \"", "not an absolute path"},
		{"\"firmware\": \"uefi\"", "\"firmware\": \"uboot\"",
		 "unknown value"},
	};
	auto_recipe struct mkv_recipe *recipe =
		fixture_load("recipes/kvm-docker.yaml");
	auto_buf struct mkv_buf text = {0};
	write_contract(recipe, &text);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_contract struct mkv_contract *contract = NULL;
		auto_buf struct mkv_buf bad = {0};
		struct mkv_error err = {0};
		const char *at = strstr(text.data, rows[i].from);
		if (!at)
			fail_msg("row %zu: not there", i);
		mkv_buf_add(&bad, text.data, (size_t)(at - text.data));
		mkv_buf_str(&bad, rows[i].to);
		mkv_buf_str(&bad, at + strlen(rows[i].from));
		int rc =
			mkv_contract_parse(bad.data, bad.size, &contract, &err);
		if (rc == 0 || !strstr(err.message, rows[i].message))
			fail_msg("row %zu: %d '%s'", i, rc, err.message);
	}
}

static void every_host_has_a_clock_and_an_exporter(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++) {
		auto_recipe struct mkv_recipe *recipe =
			fixture_load(recipes[i]);
		unsigned servers = 0;
		if (strcmp(recipe->name, "small") == 0)
			continue;
		for (size_t h = 0; h < recipe->n_hosts; h++) {
			const struct mkv_host *host = &recipe->hosts[h];
			const struct mkv_strings *packages =
				&recipe->images[host->image].packages;
			if (!mkv_strings_has(packages, "chrony") ||
			    !mkv_strings_has(packages,
					     "prometheus-node-exporter"))
				fail_msg("%s: %s", recipes[i], host->name);
			servers += strcmp(host->name, recipe->time.server) == 0;
		}
		assert_int_equal(servers, 1);
	}
}

static void the_schema_accepts_every_scenario(void **state)
{
	(void)state;
	if (system("python3 -c 'import jsonschema' 2>/dev/null") != 0)
		skip();
	static const char program[] =
		"import json, jsonschema, sys\n"
		"schema = json.load(open('docs/contract.schema.json'))\n"
		"v = jsonschema.Draft202012Validator(schema)\n"
		"one = json.loads(sys.stdin.readline())\n"
		"v.validate(one)\n"
		"one['surprise'] = 1\n"
		"assert not v.is_valid(one)\n";
	char command[1024];
	(void)snprintf(command, sizeof(command), "python3 -c \"%s\"", program);
	for (size_t i = 0; i < sizeof(recipes) / sizeof(*recipes); i++) {
		auto_recipe struct mkv_recipe *recipe =
			fixture_load(recipes[i]);
		auto_buf struct mkv_buf text = {0};
		write_contract(recipe, &text);
		FILE *python = popen(command, "w");
		assert_non_null(python);
		for (size_t c = 0; c < text.size; c++)
			(void)fputc(text.data[c] == '\n' ? ' ' : text.data[c],
				    python);
		(void)fputc('\n', python);
		assert_int_equal(pclose(python), 0);
	}
}

static void
the_command_line_has_root_consoles_and_the_recipes_words(void **state)
{
	static const uint8_t uuid[16] = {0x01, 0x23, 0x45, 0x67, 0x89, 0xab,
					 0x5d, 0xef, 0x80, 0,	 0,    0,
					 0,    0,    0,	   0xff};
	char *own[] = {(char *)"quiet", (char *)"mitigations=off"};
	char *console[] = {(char *)"console=hvc0"};
	const struct {
		struct mkv_strings words;
		const char *expected;
		enum mkv_image_platform platform;
	} rows[] = {
		{{0}, " console=tty0 console=ttyS0,115200", MKV_ON_METAL},
		{{own, 2},
		 " console=tty0 console=ttyS0,115200 quiet mitigations=off",
		 MKV_ON_METAL},
		{{console, 1}, " console=hvc0", MKV_ON_METAL},
		{{console, 1}, " console=hvc0", MKV_ON_KVM},
		{{console, 1},
		 " hugepagesz=1024M hugepages=24 console=hvc0",
		 MKV_HYPERVISOR},
	};
	(void)state;
	char *guests[] = {(char *)"order"};
	struct mkv_host host = {.guests = {guests, 1}};
	const struct mkv_recipe recipe = {
		.hosts = &host,
		.n_hosts = 1,
		.has_hypervisor = true,
		.hypervisor = {.disk_bus = (char *)"virtio",
			       .nic_model = (char *)"virtio",
			       .memory_bytes = 24ULL << 30,
			       .huge_page_bytes = 1ULL << 30},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct mkv_image image = {.cmdline = rows[i].words,
						.platform = rows[i].platform};
		auto_strings struct mkv_strings words = {0};
		auto_buf struct mkv_buf text = {0};
		struct mkv_error err;
		assert_int_equal(mkv_contract_command_line(&recipe, &image,
							   uuid, &words, &err),
				 0);
		for (size_t j = 0; j < words.count; j++)
			mkv_buf_printf(&text, "%s%s", j ? " " : "",
				       words.items[j]);
		char expected[256];
		(void)snprintf(expected, sizeof(expected),
			       "root=UUID=01234567-89ab-5def-8000-"
			       "0000000000ff rw%s",
			       rows[i].expected);
		assert_string_equal(text.data, expected);
	}
}

/* The text of a file in a tree; static. */
static const char *text_of(const struct mkv_tree *tree, const char *path)
{
	static char text[8192];
	struct mkv_error err;
	const struct mkv_inode *inode = mkv_tree_lookup(tree, path);
	if (!inode || !inode->content)
		fail_msg("no %s", path);
	size_t size = (size_t)mkv_content_size(inode->content);
	assert_true(size < sizeof(text));
	assert_int_equal(mkv_content_read(inode->content, 0, text, size, &err),
			 0);
	text[size] = '\0';
	return text;
}

static void generated_files_follow_from_the_recipe(void **state)
{
	(void)state;
	auto_recipe struct mkv_recipe *recipe =
		fixture_load("recipes/small.yaml");
	auto_tree struct mkv_tree *tree = NULL;
	struct mkv_error err = {0};
	assert_int_equal(mkv_tree_new(1763856000, &tree, &err), 0);
	assert_int_equal(mkv_tree_make_dirs(tree, "/usr", &err), 0);
	struct mkv_partition data = {.mount = (char *)"/srv/data"};
	char *masked[] = {(char *)"man-db.timer"};
	struct mkv_setting sysctl = {(char *)"vm.swappiness", (char *)"0"};
	struct mkv_image image = recipe->images[0];
	image.partitions = &data;
	image.n_partitions = 1;
	image.mask = (struct mkv_strings){masked, 1};
	image.sysctls = (struct mkv_settings){&sysctl, 1};
	static const uint8_t uuids[1][16] = {{0xff}};
	const struct mkv_generate_inputs inputs = {recipe, &image, 0, uuids};
	if (mkv_generate(tree, &inputs, &err) < 0)
		fail_msg("%s", err.message);
	assert_non_null(
		strstr(text_of(tree, "/etc/hosts"), "\n10.77.0.11\tnode\n"));
	assert_non_null(
		strstr(text_of(tree, "/etc/hosts"), "\n10.77.0.1\tserver\n"));
	assert_string_equal(text_of(tree, "/etc/hostname"), "mkvbench\n");
	assert_string_equal(text_of(tree, "/usr/lib/mkvbench/image"),
			    "small\n");
	assert_string_equal(text_of(tree, "/etc/sysctl.d/90-mkvbench.conf"),
			    "vm.swappiness = 0\n");
	assert_non_null(strstr(text_of(tree, "/etc/fstab"),
			       "\nUUID=ff000000-0000-0000-0000-000000000000 "
			       "/srv/data ext4 defaults 0 2\n"));
	assert_non_null(mkv_tree_lookup(tree, "/srv/data"));
	assert_non_null(strstr(text_of(tree, "/etc/.updated"),
			       "\nTIMESTAMP_NSEC=1763856000000000000\n"));
	assert_string_equal(mkv_tree_lookup(tree, "/etc/systemd/system/"
						  "man-db.timer")
				    ->target,
			    "/dev/null");
	/* A unit that no package brings. */
	char *enabled[] = {(char *)"nowhere.service"};
	image.enable = (struct mkv_strings){enabled, 1};
	assert_true(mkv_generate(tree, &inputs, &err) < 0);
	assert_non_null(strstr(err.message, "nowhere.service"));
}

static struct mkv_contract *contract_of(const struct mkv_recipe *recipe)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_contract *contract = NULL;
	struct mkv_error err = {0};
	write_contract(recipe, &text);
	if (mkv_contract_parse(text.data, text.size, &contract, &err) < 0)
		fail_msg("%s", err.message);
	return contract;
}

static const char *setting_of(const struct mkv_contract_image *image,
			      const char *key)
{
	for (size_t i = 0; i < image->settings.count; i++)
		if (strcmp(image->settings.items[i].key, key) == 0)
			return image->settings.items[i].value;
	return "";
}

/* What must be seen on a device under test, and on the machine below it. */
static void each_scenario_promises_what_it_means(void **state)
{
	static const struct {
		const char *recipe, *image;
		int hypervisor;
		const char *signature, *governor, *disk;
		const char *network; /* of the database's container */
		size_t networks, volumes, containers;
	} rows[] = {
		{"bare-metal", "dut", 0, NULL, "performance", "", "host", 0, 1,
		 1},
		{"docker", "dut", 0, NULL, "performance", "", "app", 1, 2, 4},
		{"kvm", "dut", 1, "KVMKVMKVM", "", "virtio_blk", "host", 0, 1,
		 1},
		{"kvm-docker", "dut", 1, "KVMKVMKVM", "", "virtio_blk", "app",
		 1, 2, 4},
		{"kvm", "hypervisor", 0, NULL, "performance", "", NULL, 0, 0,
		 0},
		{"kvm", "loadgen", 0, NULL, "performance", "", NULL, 0, 0, 0},
	};
	static const char *const everywhere[][2] = {
		{"transparent_hugepage", "madvise"},
		{"ksm", "off"},
		{"numa_balancing", "off"},
		{"io_scheduler", "none"},
		{"mitigations", "on"},
		{"swap", "none"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "recipes/%s.yaml",
			       rows[i].recipe);
		auto_recipe struct mkv_recipe *recipe = fixture_load(path);
		auto_contract struct mkv_contract *contract =
			contract_of(recipe);
		const struct mkv_contract_image *image =
			mkv_contract_find_image(contract, rows[i].image);
		assert_non_null(image);
		assert_int_equal(image->cpu.hypervisor, rows[i].hypervisor);
		if (rows[i].signature)
			assert_string_equal(image->cpu.hypervisor_signature,
					    rows[i].signature);
		/* Passed through or not, it is the study's processor. */
		assert_string_equal(image->cpu.brand,
				    "AMD Ryzen 5 PRO 3600 6-Core Processor");
		assert_int_equal(image->cpu.cores, 6);
		assert_int_equal(image->cpu.threads, 2);
		assert_int_equal(image->n_caches, 4);
		assert_string_equal(setting_of(image, "governor"),
				    rows[i].governor);
		assert_string_equal(setting_of(image, "boost"),
				    *rows[i].governor ? "off" : "");
		assert_string_equal(setting_of(image, "disk_driver"),
				    rows[i].disk);
		for (size_t j = 0; j < 6; j++)
			assert_string_equal(setting_of(image, everywhere[j][0]),
					    everywhere[j][1]);
		const struct mkv_contract_docker *docker = &image->docker;
		assert_int_equal(docker->n_networks, rows[i].networks);
		assert_int_equal(docker->volumes.count, rows[i].volumes);
		assert_int_equal(docker->n_containers, rows[i].containers);
		if (!rows[i].network)
			continue;
		assert_string_equal(docker->storage_driver, "overlay2");
		for (size_t j = 0; j < docker->n_containers; j++)
			if (strcmp(docker->containers[j].name, "postgres") == 0)
				assert_string_equal(
					docker->containers[j].network,
					rows[i].network);
	}
}

static void a_guest_promises_the_cpu_that_it_is_given(void **state)
{
	static const struct {
		const char *mode, *model, *hidden;
		const char *vendor, *brand;
		int family;
		size_t features, caches;
	} rows[] = {
		{"host-passthrough", NULL, "+topoext", "AuthenticAMD",
		 "AMD Ryzen 5 PRO 3600 6-Core Processor", 23, 9, 4},
		{"host-passthrough", NULL, "-sha-ni", "AuthenticAMD",
		 "AMD Ryzen 5 PRO 3600 6-Core Processor", 23, 8, 4},
		{"custom", "EPYC-Rome", "+topoext", "AuthenticAMD",
		 "AMD EPYC-Rome Processor", 23, 0, 0},
		{"custom", "EPYC-Rome-v2", "+topoext", NULL, NULL, -1, 0, 0},
		{"host-model", NULL, "+topoext", "AuthenticAMD", NULL, -1, 0,
		 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_recipe struct mkv_recipe *recipe =
			fixture_load("recipes/kvm.yaml");
		struct mkv_hypervisor *hv = &recipe->hypervisor;
		free(hv->cpu_mode);
		hv->cpu_mode = strdup(rows[i].mode);
		hv->cpu_model = rows[i].model ? strdup(rows[i].model) : NULL;
		free(hv->features.items[0]);
		hv->features.items[0] = strdup(rows[i].hidden);
		auto_contract struct mkv_contract *contract =
			contract_of(recipe);
		const struct mkv_contract_image *image =
			mkv_contract_find_image(contract, "dut");
		const struct mkv_contract_cpu *cpu = &image->cpu;
		assert_int_equal(cpu->hypervisor, 1);
		assert_int_equal(cpu->cores, 6);
		assert_int_equal(cpu->family, rows[i].family);
		assert_int_equal(cpu->features.count, rows[i].features);
		assert_int_equal(image->n_caches, rows[i].caches);
		if (rows[i].vendor)
			assert_string_equal(cpu->vendor, rows[i].vendor);
		else
			assert_null(cpu->vendor);
		if (rows[i].brand)
			assert_string_equal(cpu->brand, rows[i].brand);
		else
			assert_null(cpu->brand);
	}
}

/* Words and files that bring the settings about. */
static void settings_are_set_where_they_are_promised(void **state)
{
	static const char *const words[] = {
		"cpufreq.default_governor=performance",
		"transparent_hugepage=madvise",
	};
	static const char *const lines[] = {
		"w /sys/devices/system/cpu/cpufreq/boost - - - - 0\n",
		"w /sys/devices/system/cpu/intel_pstate/no_turbo - - - - 1\n",
		"w /sys/block/nvme*/queue/scheduler - - - - none\n",
		"w /sys/kernel/mm/ksm/run - - - - 0\n",
		"w /proc/sys/kernel/numa_balancing - - - - 0\n",
	};
	static const uint8_t uuid[16];
	auto_recipe struct mkv_recipe *recipe =
		fixture_load("recipes/kvm.yaml");
	struct mkv_error err = {0};
	(void)state;
	for (size_t i = 0; i < recipe->n_images; i++) {
		const struct mkv_image *image = &recipe->images[i];
		bool guest = image->platform == MKV_ON_KVM;
		auto_strings struct mkv_strings line = {0};
		auto_tree struct mkv_tree *tree = NULL;
		assert_int_equal(mkv_contract_command_line(recipe, image, uuid,
							   &line, &err),
				 0);
		for (size_t w = 0; w < 2; w++) {
			bool found = false;
			for (size_t j = 0; j < line.count; j++)
				found = found ||
					strcmp(line.items[j], words[w]) == 0;
			assert_int_equal(found, !guest || w > 0);
		}
		const struct mkv_generate_inputs inputs = {recipe, image, i,
							   NULL};
		assert_int_equal(mkv_tree_new(0, &tree, &err), 0);
		assert_int_equal(mkv_tree_make_dirs(tree, "/usr", &err), 0);
		if (mkv_generate(tree, &inputs, &err) < 0)
			fail_msg("%s", err.message);
		const char *text =
			text_of(tree, "/usr/lib/mkvbench/settings.conf");
		for (size_t j = 0; j < sizeof(lines) / sizeof(*lines); j++)
			assert_int_equal(strstr(text, lines[j]) != NULL,
					 !guest || j > 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_strict_reader_reads_every_scenario),
		cmocka_unit_test(
			every_scenario_tells_services_the_study_s_values),
		cmocka_unit_test(every_scenario_has_the_study_s_experiment),
		cmocka_unit_test(a_recipe_without_an_experiment_promises_none),
		cmocka_unit_test(a_guest_has_its_domain_and_its_machine),
		cmocka_unit_test(domains_that_make_no_sense_are_refused),
		cmocka_unit_test(every_host_has_a_clock_and_an_exporter),
		cmocka_unit_test(the_schema_accepts_every_scenario),
		cmocka_unit_test(
			the_command_line_has_root_consoles_and_the_recipes_words),
		cmocka_unit_test(generated_files_follow_from_the_recipe),
		cmocka_unit_test(each_scenario_promises_what_it_means),
		cmocka_unit_test(a_guest_promises_the_cpu_that_it_is_given),
		cmocka_unit_test(settings_are_set_where_they_are_promised),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
