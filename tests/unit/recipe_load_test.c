/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "builder/input/recipe/recipe.h"

static struct mkv_recipe *load(const char *path)
{
	struct mkv_recipe *recipe = NULL;
	struct mkv_diagnostics diagnostics = {0};
	struct mkv_error err = {0};
	int rc = mkv_recipe_load(path, &recipe, &diagnostics, &err);
	if (rc < 0)
		print_error("%s\n", err.message);
	for (size_t i = 0; i < diagnostics.count; i++)
		print_error("%s\n", diagnostics.items[i].message);
	assert_int_equal(rc, 0);
	assert_int_equal(diagnostics.count, 0);
	return recipe;
}

static const struct mkv_image *image(const struct mkv_recipe *recipe,
				     const char *name)
{
	for (size_t i = 0; i < recipe->n_images; i++)
		if (strcmp(recipe->images[i].name, name) == 0)
			return &recipe->images[i];
	fail_msg("no image %s", name);
	return NULL;
}

static void the_recipe_of_all_parts_becomes_one_value(void **state)
{
	(void)state;
	auto_recipe struct mkv_recipe *r = load("recipes/kvm-docker.yaml");
	assert_string_equal(r->path, "recipes/kvm-docker.yaml");
	assert_string_equal(r->name, "kvm-docker");
	assert_string_equal(r->suite, "trixie");
	assert_int_equal(r->scenario, MKV_KVM_DOCKER);
	assert_string_equal(r->files.items[0], "kvm-docker.yaml");
	assert_int_equal(strlen(r->sha256), 64);

	assert_int_equal(r->hardware.cpu_family, 23);
	assert_true(r->hardware.has_cpu_stepping);
	assert_false(r->hardware.hypervisor);
	assert_int_equal(r->hardware.n_caches, 4);
	assert_string_equal(r->hardware.caches[0].type, "data");
	assert_int_equal(r->hardware.caches[3].size_bytes, 16 << 20);
	assert_int_equal(r->hardware.caches[3].line_bytes, 64);
	assert_int_equal(r->hardware.memory_bytes, 32ULL << 30);

	assert_int_equal(r->vlan.id, 100);
	assert_int_equal(r->vlan.mtu, 1500);
	assert_int_equal(r->time.limit_ns, 80000);
	assert_int_equal(r->time.upstream.count, 3);

	assert_true(r->has_hypervisor);
	assert_string_equal(r->images[r->hypervisor.image].name, "hypervisor");
	assert_int_equal(r->hypervisor.huge_page_bytes, 1 << 30);
	assert_string_equal(r->hypervisor.features.items[0], "+topoext");
	assert_string_equal(r->docker.network.name, "app");
	assert_int_equal(r->docker.volumes.count, 2);
	assert_int_equal(r->verify_mode, MKV_VERIFY_GATE);
}

static void maps_are_sorted_and_references_are_indexes(void **state)
{
	(void)state;
	auto_recipe struct mkv_recipe *r = load("recipes/kvm-docker.yaml");
	static const struct {
		const char *host, *image, *role;
	} rows[] = {
		{"collector", "collector", "collector"},
		{"loadgen", "loadgen", "loadgen"},
		{"order", "dut", "order"},
		{"order-machine", "hypervisor", "hypervisor"},
		{"payment", "dut", "payment"},
		{"payment-machine", "hypervisor", "hypervisor"},
		{"user", "dut", "user"},
		{"user-machine", "hypervisor", "hypervisor"},
	};
	assert_int_equal(r->n_hosts, 8);
	for (size_t i = 0; i < 8; i++) {
		assert_string_equal(r->hosts[i].name, rows[i].host);
		assert_string_equal(r->hosts[i].role, rows[i].role);
		assert_string_equal(r->images[r->hosts[i].image].name,
				    rows[i].image);
	}
	assert_int_equal(r->hosts[2].guests.count, 0);
	assert_int_equal(r->hosts[3].guests.count, 1);
	assert_string_equal(r->hosts[3].guests.items[0], "order");
	assert_string_equal(r->containers[1].name, "payment");
	assert_string_equal(r->containers[1].roles.items[0], "payment");
	const struct mkv_settings *order = &r->services[0].settings;
	assert_string_equal(order->items[0].key, "data_dir");
	assert_string_equal(order->items[0].value, "/var/lib/order");
}

static void containers_get_the_settings_of_their_services(void **state)
{
	(void)state;
	auto_recipe struct mkv_recipe *r = load("recipes/kvm-docker.yaml");
	static const char *const rows[][2] = {
		{"MKVBENCH_DATA_DIR", "/var/lib/order"},
		{"MKVBENCH_FSYNC", "none"},
		{"MKVBENCH_LARGE_FILE", "5MB"},
		{"MKVBENCH_SMALL_COUNT", "10"},
		{"MKVBENCH_SMALL_FILE", "140B"},
		{"PGHOST", "postgres"},
	};
	enum { ROWS = sizeof(rows) / sizeof(*rows) };
	const struct mkv_settings *order = &r->containers[0].environment;
	assert_string_equal(r->containers[0].name, "order");
	assert_int_equal(order->count, ROWS);
	for (size_t i = 0; i < ROWS; i++) {
		assert_string_equal(order->items[i].key, rows[i][0]);
		assert_string_equal(order->items[i].value, rows[i][1]);
	}
}

static void an_image_runs_where_its_scenario_says(void **state)
{
	(void)state;
	static const struct {
		const char *path, *image;
		enum mkv_image_platform platform;
	} rows[] = {
		{"recipes/bare-metal.yaml", "dut", MKV_ON_METAL},
		{"recipes/docker.yaml", "dut", MKV_ON_METAL},
		{"recipes/kvm.yaml", "dut", MKV_ON_KVM},
		{"recipes/kvm-docker.yaml", "dut", MKV_ON_KVM},
		{"recipes/kvm.yaml", "collector", MKV_ON_METAL},
		{"recipes/kvm.yaml", "hypervisor", MKV_HYPERVISOR},
		{"recipes/small.yaml", "small", MKV_ON_METAL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		auto_recipe struct mkv_recipe *r = load(rows[i].path);
		assert_int_equal(image(r, rows[i].image)->platform,
				 rows[i].platform);
	}
}

/* What the four scenarios are for: nothing else differs. */
static void the_scenarios_differ_only_in_what_they_mean_to(void **state)
{
	(void)state;
	auto_recipe struct mkv_recipe *metal = load("recipes/bare-metal.yaml");
	auto_recipe struct mkv_recipe *kvm = load("recipes/kvm.yaml");
	auto_recipe struct mkv_recipe *docker = load("recipes/docker.yaml");
	assert_string_equal(metal->containers[0].network, "host");
	assert_string_equal(kvm->containers[0].network, "host");
	assert_int_equal(metal->n_containers, 1);
	/* The agent runs on every host. */
	assert_int_equal(image(metal, "dut")->programs.count, 4);
	assert_int_equal(image(docker, "dut")->programs.count, 1);
	assert_int_equal(image(docker, "dut")->containers.count, 4);
	static const char *const recipes[] = {"recipes/docker.yaml",
					      "recipes/kvm.yaml",
					      "recipes/kvm-docker.yaml"};
	for (size_t i = 0; i < 3; i++) {
		auto_recipe struct mkv_recipe *r = load(recipes[i]);
		const struct mkv_strings *a = &image(metal, "dut")->packages;
		const struct mkv_strings *b = &image(r, "dut")->packages;
		assert_int_equal(a->count, b->count);
		for (size_t j = 0; j < a->count; j++)
			assert_string_equal(a->items[j], b->items[j]);
		assert_int_equal(metal->time.limit_ns, r->time.limit_ns);
		/* Each guest has a machine, which is a host too. */
		assert_int_equal(metal->n_hosts,
				 r->n_hosts - (r->has_hypervisor ? 3 : 0));
	}
}

static void a_path_that_is_no_file_is_refused_at_once(void **state)
{
	(void)state;
	char fifo[] = "/tmp/mkv-recipe-XXXXXX";
	assert_non_null(mkdtemp(fifo));
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/fifo.yaml", fifo);
	assert_int_equal(mkfifo(path, 0600), 0);
	const char *const paths[] = {path, "recipes", "recipes/none.yaml",
				     "/dev/null", ""};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct mkv_recipe *recipe = NULL;
		auto_diagnostics struct mkv_diagnostics diagnostics = {0};
		struct mkv_error err = {0};
		assert_true(mkv_recipe_load(paths[i], &recipe, &diagnostics,
					    &err) < 0);
		assert_null(recipe);
		assert_int_equal(diagnostics.count, 1);
		assert_int_equal(err.kind, MKV_BAD_RECIPE);
	}
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(fifo), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_recipe_of_all_parts_becomes_one_value),
		cmocka_unit_test(maps_are_sorted_and_references_are_indexes),
		cmocka_unit_test(containers_get_the_settings_of_their_services),
		cmocka_unit_test(an_image_runs_where_its_scenario_says),
		cmocka_unit_test(
			the_scenarios_differ_only_in_what_they_mean_to),
		cmocka_unit_test(a_path_that_is_no_file_is_refused_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
