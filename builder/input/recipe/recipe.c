/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/recipe.h"

#include <string.h>

#include "builder/input/recipe/cross.h"
#include "builder/input/recipe/load.h"
#include "builder/input/recipe/schema.h"

const char *mkv_scenario_name(enum mkv_scenario scenario)
{
	static const char *const names[] = {
		[MKV_BARE_METAL] = "bare-metal",
		[MKV_DOCKER] = "docker",
		[MKV_KVM] = "kvm",
		[MKV_KVM_DOCKER] = "kvm-docker",
	};
	return names[scenario];
}

const char *mkv_platform_name(enum mkv_image_platform platform)
{
	static const char *const names[] = {
		[MKV_ON_METAL] = "metal",
		[MKV_ON_KVM] = "guest",
		[MKV_HYPERVISOR] = "hypervisor",
	};
	return names[platform];
}

static void release_rows(const struct mkv_table *table, void *base);

static void release_items(const struct mkv_row *row, void *base)
{
	struct mkv_items *list = (void *)((char *)base + row->offset);
	const struct mkv_table *table = row->table;
	for (size_t i = 0; i < list->count; i++) {
		char *item = (char *)list->items + i * table->size;
		if (row->kind == MKV_ROW_MAP)
			free(*(char **)(void *)(item + table->key_offset));
		release_rows(table, item);
	}
	free(list->items);
}

static void release_strings(struct mkv_strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
}

static void release_rows(const struct mkv_table *table, void *base)
{
	for (const struct mkv_row *row = table->rows; row->kind; row++) {
		void *member = (char *)base + row->offset;
		switch (row->kind) {
		case MKV_ROW_TEXT:
		case MKV_ROW_ANY:
			free(*(char **)member);
			break;
		case MKV_ROW_LIST:
			release_strings(member);
			break;
		case MKV_ROW_OBJECT:
			release_rows(row->table, base);
			break;
		case MKV_ROW_OBJECTS:
		case MKV_ROW_MAP:
			release_items(row, base);
			break;
		default:
			break;
		}
	}
}

void mkv_schema_release(const struct mkv_table *table, void *object)
{
	release_rows(table, object);
}

void mkv_recipe_free(struct mkv_recipe *recipe)
{
	if (!recipe)
		return;
	mkv_schema_release(&mkv_schema_recipe, recipe);
	release_strings(&recipe->files);
	free(recipe->path);
	free(recipe->canonical);
	free(recipe->sha256);
	free(recipe);
}

static void load_done(struct mkv_recipe_loader *load)
{
	mkv_arena_done(&load->arena);
}
#define auto_load __attribute__((cleanup(load_done)))

static void derive_services(struct mkv_recipe_loader *load,
			    struct mkv_experiment *experiment)
{
	for (size_t i = 0; i < experiment->n_services; i++) {
		struct mkv_experiment_service *service =
			&experiment->services[i];
		if (!service->name)
			continue;
		if (!service->role)
			service->role = strdup(service->name);
		if (!service->unit &&
		    asprintf(&service->unit, "mkvbench-%s.service",
			     service->name) < 0)
			service->unit = NULL;
		load->failed = load->failed || !service->role || !service->unit;
	}
}

/* Sets omitted values that are derived from other values. */
static void derive_defaults(struct mkv_recipe_loader *load,
			    const struct mkv_node *root,
			    struct mkv_recipe *recipe)
{
	bool kvm = recipe->scenario == MKV_KVM ||
		   recipe->scenario == MKV_KVM_DOCKER;
	const struct mkv_node *images = mkv_node_at(root, "images");
	for (size_t i = 0; i < recipe->n_images; i++) {
		struct mkv_image *image = &recipe->images[i];
		const struct mkv_node_entry *node =
			image->name ? mkv_node_find(images, image->name) : NULL;
		if (kvm && node && !mkv_node_find(node->value, "platform"))
			image->platform = MKV_ON_KVM;
		/* A guest's disk and its image have the same size. */
		if (image->platform == MKV_ON_KVM && recipe->has_hypervisor &&
		    !image->size_bytes)
			image->size_bytes = recipe->hypervisor.disk_bytes;
	}
	for (size_t i = 0; i < recipe->n_hosts; i++) {
		struct mkv_host *host = &recipe->hosts[i];
		if (!host->role && host->name)
			host->role = strdup(host->name);
		load->failed = load->failed || !host->role;
	}
	derive_services(load, &recipe->experiment);
}

/* The environment variable of a setting: MKVBENCH_LARGE_FILE for "large_file".
 */
static char *variable_of(const char *setting)
{
	char *name;
	if (asprintf(&name, "MKVBENCH_%s", setting) < 0)
		return NULL;
	for (char *at = name; *at; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
	return name;
}

/* Inserts a variable in the order of names. A variable that the recipe sets is
 * kept. Returns false when out of memory. */
static bool add_variable(struct mkv_settings *environment,
			 const struct mkv_setting *setting)
{
	auto_free char *key = variable_of(setting->key);
	auto_free char *value = strdup(setting->value);
	struct mkv_setting *items = reallocarray(
		environment->items, environment->count + 1, sizeof(*items));
	if (items)
		environment->items = items;
	if (!items || !key || !value)
		return false;
	size_t at = 0;
	while (at < environment->count && strcmp(items[at].key, key) < 0)
		at++;
	if (at < environment->count && strcmp(items[at].key, key) == 0)
		return true;
	memmove(items + at + 1, items + at,
		(environment->count - at) * sizeof(*items));
	items[at].key = mkv_take(key);
	items[at].value = mkv_take(value);
	environment->count++;
	return true;
}

static const struct mkv_oci_image *oci_of(const struct mkv_recipe *recipe,
					  const struct mkv_container *container)
{
	for (size_t i = 0; i < recipe->n_oci_images; i++)
		if (strcmp(recipe->oci_images[i].name, container->oci) == 0)
			return &recipe->oci_images[i];
	return NULL;
}

/* Adds the settings of services to the environment of the containers whose OCI
 * images include them. The recipe must be valid. */
static int add_service_settings(struct mkv_recipe *recipe,
				struct mkv_error *err)
{
	for (size_t i = 0; i < recipe->n_containers; i++) {
		struct mkv_container *container = &recipe->containers[i];
		const struct mkv_oci_image *oci = oci_of(recipe, container);
		for (size_t j = 0; oci && j < recipe->n_services; j++) {
			const struct mkv_service *service =
				&recipe->services[j];
			if (!mkv_strings_has(&oci->programs, service->name))
				continue;
			for (size_t k = 0; k < service->settings.count; k++)
				if (!add_variable(&container->environment,
						  &service->settings.items[k]))
					return mkv_oom(err);
		}
	}
	return 0;
}

static int compare_caches(const void *a, const void *b)
{
	const struct mkv_cache *x = a, *y = b;
	int order = (x->level > y->level) - (x->level < y->level);
	return order || !x->type || !y->type ? order : strcmp(x->type, y->type);
}

static void sort_caches(struct mkv_recipe *recipe)
{
	if (recipe->hardware.n_caches > 1)
		qsort(recipe->hardware.caches, recipe->hardware.n_caches,
		      sizeof(struct mkv_cache), compare_caches);
}

static int keep_files(const struct mkv_recipe_loader *load, const char *path,
		      struct mkv_recipe *recipe, struct mkv_error *err)
{
	recipe->path = strdup(path);
	if (!recipe->path)
		return mkv_oom(err);
	for (size_t i = 0; i < load->n_sources; i++) {
		const char *name = load->sources[i].relative;
		if (mkv_strings_has(&recipe->files, name))
			continue;
		int rc = mkv_strings_append(&recipe->files, strdup(name), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int summarise_diagnostics(const struct mkv_diagnostics *diagnostics,
				 const char *path, struct mkv_error *err)
{
	return mkv_fail(err, MKV_BAD_RECIPE, EINVAL, "recipe '%s': %zu error%s",
			path, diagnostics->count,
			diagnostics->count == 1 ? "" : "s");
}

int mkv_recipe_load(const char *path, struct mkv_recipe **ret,
		    struct mkv_diagnostics *diagnostics, struct mkv_error *err)
{
	return mkv_recipe_load_in(NULL, path, ret, diagnostics, err);
}

int mkv_recipe_load_in(const struct mkv_recipe_world *world, const char *path,
		       struct mkv_recipe **ret,
		       struct mkv_diagnostics *diagnostics,
		       struct mkv_error *err)
{
	auto_load struct mkv_recipe_loader load = {
		.diagnostics = diagnostics, .world = world, .path = path};
	auto_recipe struct mkv_recipe *recipe = calloc(1, sizeof(*recipe));
	if (!recipe)
		return mkv_oom(err);
	*diagnostics = (struct mkv_diagnostics){0};
	struct mkv_node *root = mkv_merge_load(&load, path);
	if (root) {
		mkv_decode_document(&load, &mkv_schema_recipe, root, recipe);
		derive_defaults(&load, root, recipe);
		sort_caches(recipe);
	}
	if (root && !load.failed && !load.arena.failed)
		mkv_cross_check(&load, root, recipe);
	if (load.failed || load.arena.failed)
		return mkv_oom(err);
	mkv_diagnostics_sort(diagnostics);
	if (diagnostics->count > 0)
		return summarise_diagnostics(diagnostics, path, err);
	int rc = keep_files(&load, path, recipe, err);
	if (rc < 0)
		return rc;
	rc = add_service_settings(recipe, err);
	if (rc < 0)
		return rc;
	rc = mkv_canonical_digest(recipe, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(recipe);
	return 0;
}
