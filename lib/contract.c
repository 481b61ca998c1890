/* SPDX-License-Identifier: MIT */
#include "lib/contract.h"

#include <ctype.h>
#include <limits.h>
#include <string.h>

#include "lib/io.h"

/* The reader of one document: the JSON reader does the checking, `oom` says that
 * a list couldn't be kept. */
typedef struct mkv_json_reader *reader;

static bool is_name(const char *name)
{
	size_t length = strlen(name);
	if (length == 0 || length > 128 || name[0] == '.' || name[0] == '-')
		return false;
	for (const char *at = name; *at; at++)
		if (!isalnum((unsigned char)*at) && !strchr("._+:@-", *at))
			return false;
	return true;
}

/* A path that stays where it is put: no empty, "." or ".." component. */
static bool is_plain_path(const char *path)
{
	if (strlen(path) >= PATH_MAX)
		return false;
	while (*path) {
		size_t length = strcspn(path, "/");
		if (length == 0 || (length == 1 && path[0] == '.') ||
		    (length == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += length;
		if (*path == '/' && *++path == '\0')
			return false;
	}
	return true;
}

static const char *read_name(reader r, const json_t *object, const char *key,
			     bool required)
{
	const char *name = mkv_json_string(r, object, key, required);
	if (name && !is_name(name)) {
		mkv_json_mistake(r, key, "isn't a name: '%.80s'", name);
		return NULL;
	}
	return name;
}

/* One of the words, which end with NULL. */
static const char *read_word(reader r, const json_t *object, const char *key,
			     const char *const *words)
{
	const char *word = mkv_json_string(r, object, key, true);
	if (!word)
		return NULL;
	for (size_t i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0)
			return word;
	mkv_json_mistake(r, key, "unknown value '%.40s'", word);
	return NULL;
}

static const char *read_hex(reader r, const json_t *object, const char *key,
			    bool required, struct mkv_sha256 *ret)
{
	const char *text = mkv_json_string(r, object, key, required);
	struct mkv_sha256 sha;
	if (!text)
		return NULL;
	if (mkv_sha256_parse(text, &sha) < 0) {
		mkv_json_mistake(r, key, "isn't a SHA-256");
		return NULL;
	}
	if (ret)
		*ret = sha;
	return text;
}

static const char *read_digest(reader r, const json_t *object, const char *key)
{
	const char *text = mkv_json_string(r, object, key, true);
	struct mkv_sha256 sha;
	if (!text)
		return NULL;
	if (strncmp(text, "sha256:", 7) != 0 ||
	    mkv_sha256_parse(text + 7, &sha) < 0) {
		mkv_json_mistake(r, key, "isn't a sha256: digest");
		return NULL;
	}
	return text;
}

static unsigned read_unsigned(reader r, const json_t *object, const char *key,
			      int64_t max, bool required)
{
	return (unsigned)mkv_json_integer(r, object, key, 0, max, required, 0);
}

/* Room for every element of an array or object; NULL for none. */
static void *room(reader r, size_t count, size_t size)
{
	if (r->rc < 0 || count == 0)
		return NULL;
	void *items = calloc(count, size);
	if (!items)
		r->rc = mkv_oom(r->err);
	return items;
}

static struct mkv_contract_strings read_strings(reader r, const json_t *object,
						const char *key)
{
	struct mkv_contract_strings strings = {0};
	json_t *array = mkv_json_member(r, object, key, JSON_ARRAY, false);
	strings.items = room(r, json_array_size(array), sizeof(char *));
	if (!strings.items)
		return strings;
	size_t mark = mkv_json_enter(r, key);
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *text = mkv_json_value_text(r, json_array_get(array, i));
		if (text)
			strings.items[strings.count++] = text;
	}
	mkv_json_leave(r, mark);
	return strings;
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct mkv_contract_pairs read_pairs(reader r, const json_t *object,
					    const char *key)
{
	struct mkv_contract_pairs pairs = {0};
	json_t *map = mkv_json_member(r, object, key, JSON_OBJECT, false);
	pairs.items = room(r, json_object_size(map), sizeof(*pairs.items));
	if (!pairs.items)
		return pairs;
	size_t mark = mkv_json_enter(r, key);
	const char *name;
	json_t *value;
	json_object_foreach(map, name, value) {
		const char *text = mkv_json_string(r, map, name, true);
		if (text)
			pairs.items[pairs.count++] =
				(struct mkv_contract_pair){name, text};
	}
	mkv_json_leave(r, mark);
	if (pairs.count)
		qsort(pairs.items, pairs.count, sizeof(*pairs.items), by_key);
	return pairs;
}

static void read_kernel(reader r, const json_t *image,
			struct mkv_contract_kernel *kernel)
{
	json_t *object = mkv_json_member(r, image, "kernel", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "kernel");
	mkv_json_only(r, object,
		      (const char *const[]){"package", "version", "release",
					    "command_line", NULL});
	kernel->package = mkv_json_string(r, object, "package", false);
	kernel->version = mkv_json_string(r, object, "version", false);
	kernel->release = mkv_json_string(r, object, "release", false);
	kernel->has_command_line =
		json_object_get(object, "command_line") != NULL;
	kernel->command_line = read_strings(r, object, "command_line");
	mkv_json_leave(r, mark);
}

static void read_cpu(reader r, const json_t *image, struct mkv_contract_cpu *cpu)
{
	cpu->family = cpu->model = cpu->stepping = cpu->hypervisor = -1;
	json_t *object = mkv_json_member(r, image, "cpu", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "cpu");
	mkv_json_only(r, object,
		      (const char *const[]){"vendor", "family", "model",
					    "stepping", "brand", "features",
					    "hypervisor", "hypervisor_signature",
					    "sockets", "cores", "threads",
					    NULL});
	cpu->vendor = mkv_json_string(r, object, "vendor", false);
	cpu->brand = mkv_json_string(r, object, "brand", false);
	cpu->family = (int)mkv_json_integer(r, object, "family", 0, 0x10e,
					    false, -1);
	cpu->model = (int)mkv_json_integer(r, object, "model", 0, 255, false,
					   -1);
	cpu->stepping = (int)mkv_json_integer(r, object, "stepping", 0, 15,
					      false, -1);
	cpu->features = read_strings(r, object, "features");
	cpu->hypervisor = mkv_json_boolean(r, object, "hypervisor");
	cpu->hypervisor_signature =
		mkv_json_string(r, object, "hypervisor_signature", false);
	cpu->sockets = read_unsigned(r, object, "sockets", 1024, false);
	cpu->cores = read_unsigned(r, object, "cores", 4096, false);
	cpu->threads = read_unsigned(r, object, "threads", 16, false);
	mkv_json_leave(r, mark);
}

static void read_cache(reader r, const json_t *row,
		       struct mkv_contract_cache *cache)
{
	mkv_json_only(r, row,
		      (const char *const[]){"level", "type", "size", "ways",
					    "line", "shared_by", "instances",
					    NULL});
	cache->level =
		(unsigned)mkv_json_integer(r, row, "level", 1, 4, true, 0);
	cache->type = read_word(r, row, "type",
				(const char *const[]){"data", "instruction",
						      "unified", NULL});
	cache->size_bytes = (uint64_t)mkv_json_integer(
		r, row, "size", 1, INT64_MAX, true, 0);
	cache->ways = read_unsigned(r, row, "ways", 65536, false);
	cache->line_bytes = read_unsigned(r, row, "line", 65536, false);
	cache->shared_by = read_unsigned(r, row, "shared_by", 65536, false);
	cache->instances = read_unsigned(r, row, "instances", 65536, false);
}

static void read_memory(reader r, const json_t *image,
			struct mkv_contract_memory *memory)
{
	memory->huge_pages = -1;
	json_t *object = mkv_json_member(r, image, "memory", JSON_OBJECT, false);
	if (!object)
		return;
	memory->promised = true;
	size_t mark = mkv_json_enter(r, "memory");
	mkv_json_only(r, object,
		      (const char *const[]){"bytes", "numa_nodes",
					    "huge_page_bytes", "huge_pages",
					    NULL});
	memory->bytes = (uint64_t)mkv_json_integer(r, object, "bytes", 0,
						   INT64_MAX, false, 0);
	memory->numa_nodes = read_unsigned(r, object, "numa_nodes", 1024, false);
	memory->huge_page_bytes = (uint64_t)mkv_json_integer(
		r, object, "huge_page_bytes", 0, INT64_MAX, false, 0);
	memory->huge_pages = mkv_json_integer(r, object, "huge_pages", 0,
					      INT64_MAX, false, -1);
	mkv_json_leave(r, mark);
}

static void read_package(reader r, const json_t *row,
			 struct mkv_contract_package *package)
{
	mkv_json_only(r, row,
		      (const char *const[]){"name", "version", "architecture",
					    NULL});
	package->name = read_name(r, row, "name", true);
	package->version = mkv_json_string(r, row, "version", true);
	package->architecture = mkv_json_string(r, row, "architecture", true);
}

static void read_files(reader r, const json_t *image,
		       struct mkv_contract_files *files)
{
	json_t *object = mkv_json_member(r, image, "files", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "files");
	mkv_json_only(r, object,
		      (const char *const[]){"list", "sha256", "count", NULL});
	files->list = mkv_json_string(r, object, "list", true);
	if (files->list &&
	    (files->list[0] != '/' || !is_plain_path(files->list + 1)))
		mkv_json_mistake(r, "list", "isn't a plain absolute path");
	(void)read_hex(r, object, "sha256", true, &files->sha256);
	files->count = (uint64_t)mkv_json_integer(r, object, "count", 0,
						  100000000, false, 0);
	mkv_json_leave(r, mark);
}

static void read_units(reader r, const json_t *image,
		       struct mkv_contract_image *into)
{
	json_t *object = mkv_json_member(r, image, "units", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "units");
	mkv_json_only(r, object,
		      (const char *const[]){"enabled", "masked", NULL});
	into->units_enabled = read_strings(r, object, "enabled");
	into->units_masked = read_strings(r, object, "masked");
	for (size_t i = 0; i < into->units_enabled.count; i++)
		if (!is_name(into->units_enabled.items[i]))
			mkv_json_mistake(r, "enabled", "isn't a unit's name");
	for (size_t i = 0; i < into->units_masked.count; i++)
		if (!is_name(into->units_masked.items[i]))
			mkv_json_mistake(r, "masked", "isn't a unit's name");
	mkv_json_leave(r, mark);
}

static void read_network(reader r, const json_t *row,
			 struct mkv_contract_network *network)
{
	mkv_json_only(r, row,
		      (const char *const[]){"name", "driver", "subnet", NULL});
	network->name = read_name(r, row, "name", true);
	network->driver = mkv_json_string(r, row, "driver", true);
	network->subnet = mkv_json_string(r, row, "subnet", false);
}

static void read_mount(reader r, const json_t *row,
		       struct mkv_contract_mount *mount)
{
	mkv_json_only(r, row, (const char *const[]){"volume", "path", NULL});
	mount->volume = read_name(r, row, "volume", true);
	mount->path = mkv_json_string(r, row, "path", true);
	if (mount->path && mount->path[0] != '/')
		mkv_json_mistake(r, "path", "isn't absolute");
}

/* Calls `read` for each object of the array `key` and returns the rows. */
#define READ_ROWS(r, object, key, read, items, count)                          \
	do {                                                                   \
		json_t *rows_ = mkv_json_member(r, object, key, JSON_ARRAY,    \
						false);                        \
		(items) = room(r, json_array_size(rows_), sizeof(*(items)));   \
		for (size_t i_ = 0; (items) && i_ < json_array_size(rows_);    \
		     i_++) {                                                   \
			char where_[64];                                       \
			(void)snprintf(where_, sizeof(where_), "%s[%zu]", key, \
				       i_);                                    \
			size_t mark_ = mkv_json_enter(r, where_);              \
			const json_t *row_ = json_array_get(rows_, i_);        \
			if (!json_is_object(row_))                             \
				mkv_json_mistake(r, NULL, "must be an object"); \
			else                                                   \
				read(r, row_, &(items)[i_]);                   \
			(count) = i_ + 1;                                      \
			mkv_json_leave(r, mark_);                              \
		}                                                              \
	} while (0)

static void read_container(reader r, const json_t *row,
			   struct mkv_contract_container *container)
{
	mkv_json_only(r, row,
		      (const char *const[]){"name", "image", "network",
					    "mounts", "roles", "ports",
					    "environment", NULL});
	container->name = read_name(r, row, "name", true);
	container->image = read_name(r, row, "image", true);
	container->network = read_name(r, row, "network", false);
	container->roles = read_strings(r, row, "roles");
	container->ports = read_strings(r, row, "ports");
	container->environment = read_pairs(r, row, "environment");
	READ_ROWS(r, row, "mounts", read_mount, container->mounts,
		  container->n_mounts);
}

static void read_docker(reader r, const json_t *image,
			struct mkv_contract_docker *docker)
{
	json_t *object = mkv_json_member(r, image, "docker", JSON_OBJECT, false);
	if (!object)
		return;
	docker->promised = true;
	size_t mark = mkv_json_enter(r, "docker");
	mkv_json_only(r, object,
		      (const char *const[]){"version", "storage_driver",
					    "networks", "volumes", "containers",
					    NULL});
	docker->version = mkv_json_string(r, object, "version", false);
	docker->storage_driver =
		mkv_json_string(r, object, "storage_driver", false);
	docker->volumes = read_strings(r, object, "volumes");
	for (size_t i = 0; i < docker->volumes.count; i++)
		if (!is_name(docker->volumes.items[i]))
			mkv_json_mistake(r, "volumes", "isn't a name");
	READ_ROWS(r, object, "networks", read_network, docker->networks,
		  docker->n_networks);
	READ_ROWS(r, object, "containers", read_container, docker->containers,
		  docker->n_containers);
	mkv_json_leave(r, mark);
}

static void read_image(reader r, const json_t *object,
		       struct mkv_contract_image *image)
{
	static const char *const platforms[] = {"metal", "guest", "hypervisor",
						NULL};
	mkv_json_only(r, object,
		      (const char *const[]){
			      "platform", "kernel", "cpu", "caches", "memory",
			      "clocksources", "packages", "files", "units",
			      "sysctls", "interfaces", "settings", "docker",
			      NULL});
	const char *platform = read_word(r, object, "platform", platforms);
	for (unsigned i = 0; platform && platforms[i]; i++)
		if (strcmp(platform, platforms[i]) == 0)
			image->platform = (enum mkv_contract_platform)i;
	read_kernel(r, object, &image->kernel);
	read_cpu(r, object, &image->cpu);
	READ_ROWS(r, object, "caches", read_cache, image->caches,
		  image->n_caches);
	read_memory(r, object, &image->memory);
	image->clocksources = read_strings(r, object, "clocksources");
	READ_ROWS(r, object, "packages", read_package, image->packages,
		  image->n_packages);
	read_files(r, object, &image->files);
	read_units(r, object, image);
	image->sysctls = read_pairs(r, object, "sysctls");
	image->interfaces = read_pairs(r, object, "interfaces");
	image->settings = read_pairs(r, object, "settings");
	read_docker(r, object, &image->docker);
}

static void read_host(reader r, const json_t *object,
		      struct mkv_contract_host *host)
{
	mkv_json_only(r, object,
		      (const char *const[]){"image", "role", "address", "mac",
					    "containers", NULL});
	host->image = read_name(r, object, "image", true);
	host->role = read_name(r, object, "role", true);
	host->address = mkv_json_string(r, object, "address", false);
	host->mac = mkv_json_string(r, object, "mac", false);
	host->containers = read_strings(r, object, "containers");
}

static void read_layer(reader r, const json_t *row,
		       struct mkv_contract_layer *layer)
{
	mkv_json_only(r, row, (const char *const[]){"digest", "diff_id", NULL});
	layer->digest = read_digest(r, row, "digest");
	layer->diff_id = read_digest(r, row, "diff_id");
}

static void read_oci(reader r, const json_t *object,
		     struct mkv_contract_oci *oci)
{
	mkv_json_only(r, object,
		      (const char *const[]){"manifest", "config", "layers",
					    NULL});
	oci->manifest = read_digest(r, object, "manifest");
	oci->config = read_digest(r, object, "config");
	READ_ROWS(r, object, "layers", read_layer, oci->layers, oci->n_layers);
}

/* Calls `read` for each member of the map `key`; the item's first field takes
 * the member's name, by which the items are sorted. */
#define READ_MAP(r, object, key, required, read, items, count)                 \
	do {                                                                   \
		json_t *map_ = mkv_json_member(r, object, key, JSON_OBJECT,    \
					       required);                      \
		size_t mark_ = mkv_json_enter(r, key);                         \
		(items) = room(r, json_object_size(map_), sizeof(*(items)));   \
		const char *name_;                                             \
		json_t *value_;                                                \
		if (items)                                                     \
			json_object_foreach(map_, name_, value_) {             \
				size_t inner_ = mkv_json_enter(r, name_);      \
				(items)[count].name = name_;                   \
				if (!is_name(name_))                           \
					mkv_json_mistake(r, NULL,              \
							 "isn't a name");      \
				else if (!json_is_object(value_))              \
					mkv_json_mistake(r, NULL,              \
							 "must be an object"); \
				else                                           \
					read(r, value_, &(items)[count]);      \
				(count)++;                                     \
				mkv_json_leave(r, inner_);                     \
			}                                                      \
		if (count)                                                     \
			qsort(items, count, sizeof(*(items)), by_key);         \
		mkv_json_leave(r, mark_);                                      \
	} while (0)

static void read_acceptance(reader r, const json_t *row,
			    struct mkv_contract_acceptance *accept)
{
	mkv_json_only(r, row, (const char *const[]){"check", "reason", NULL});
	accept->check = read_name(r, row, "check", true);
	accept->reason = mkv_json_string(r, row, "reason", true);
	if (accept->reason && accept->reason[0] == '\0')
		mkv_json_mistake(r, "reason", "is empty");
}

static void read_verify(reader r, const json_t *root,
			struct mkv_contract *contract)
{
	contract->is_gate = true;
	json_t *object = mkv_json_member(r, root, "verify", JSON_OBJECT, true);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "verify");
	mkv_json_only(r, object, (const char *const[]){"mode", "accept", NULL});
	const char *mode = read_word(
		r, object, "mode", (const char *const[]){"gate", "warn", NULL});
	contract->is_gate = !mode || strcmp(mode, "gate") == 0;
	READ_ROWS(r, object, "accept", read_acceptance, contract->accept,
		  contract->n_accept);
	mkv_json_leave(r, mark);
}

static void read_clock(reader r, const json_t *root,
		       struct mkv_contract *contract)
{
	const int64_t hour_ns = 3600 * INT64_C(1000000000);
	json_t *object = mkv_json_member(r, root, "clock", JSON_OBJECT, false);
	if (!object)
		return;
	struct mkv_contract_clock *clock = &contract->clock;
	contract->has_clock = true;
	size_t mark = mkv_json_enter(r, "clock");
	mkv_json_only(r, object,
		      (const char *const[]){"server", "address", "upstream",
					    "limit_ns", "settle_ns", "dwell_ns",
					    NULL});
	clock->server = read_name(r, object, "server", true);
	clock->address = mkv_json_string(r, object, "address", true);
	clock->upstream = read_strings(r, object, "upstream");
	clock->limit_ns = mkv_json_integer(r, object, "limit_ns", 1,
					   INT64_C(1000000000), true, 0);
	clock->settle_ns = mkv_json_integer(r, object, "settle_ns", 0, hour_ns,
					    true, 0);
	clock->dwell_ns =
		mkv_json_integer(r, object, "dwell_ns", 0, hour_ns, true, 0);
	mkv_json_leave(r, mark);
}

static void read_vlan(reader r, const json_t *root,
		      struct mkv_contract_vlan *vlan)
{
	json_t *object = mkv_json_member(r, root, "vlan", JSON_OBJECT, false);
	if (!object)
		return;
	size_t mark = mkv_json_enter(r, "vlan");
	mkv_json_only(r, object,
		      (const char *const[]){"id", "subnet", "nic", "mtu", NULL});
	vlan->id = (unsigned)mkv_json_integer(r, object, "id", 1, 4094, true, 0);
	vlan->subnet = mkv_json_string(r, object, "subnet", true);
	vlan->nic = read_unsigned(r, object, "nic", 64, false);
	vlan->mtu = read_unsigned(r, object, "mtu", 65535, false);
	mkv_json_leave(r, mark);
}

static void read_head(reader r, const json_t *root,
		      struct mkv_contract *contract)
{
	mkv_json_only(r, root,
		      (const char *const[]){
			      "mkvbench_contract", "name", "scenario", "suite",
			      "epoch", "recipe_sha256", "lock_sha256", "key",
			      "verify", "clock", "vlan", "hardware", "hosts",
			      "images", "oci", NULL});
	(void)mkv_json_integer(r, root, "mkvbench_contract", 1, 1, true, 0);
	contract->name = read_name(r, root, "name", true);
	contract->scenario = read_word(
		r, root, "scenario",
		(const char *const[]){"bare-metal", "docker", "kvm",
				      "kvm-docker", NULL});
	contract->suite = mkv_json_string(r, root, "suite", false);
	contract->epoch_s = mkv_json_integer(r, root, "epoch", 0, INT64_MAX,
					     false, 0);
	contract->recipe_sha256 = read_hex(r, root, "recipe_sha256", false,
					   NULL);
	contract->lock_sha256 = read_hex(r, root, "lock_sha256", false, NULL);
	json_t *key = mkv_json_member(r, root, "key", JSON_OBJECT, false);
	if (key) {
		size_t mark = mkv_json_enter(r, "key");
		mkv_json_only(r, key,
			      (const char *const[]){"algorithm", "id", NULL});
		(void)read_word(r, key, "algorithm",
				(const char *const[]){"ed25519", NULL});
		contract->key_id = read_hex(r, key, "id", true, NULL);
		mkv_json_leave(r, mark);
	}
	json_t *hardware =
		mkv_json_member(r, root, "hardware", JSON_OBJECT, false);
	if (hardware) {
		size_t mark = mkv_json_enter(r, "hardware");
		mkv_json_only(r, hardware, (const char *const[]){"name", NULL});
		contract->hardware = read_name(r, hardware, "name", true);
		mkv_json_leave(r, mark);
	}
}

/* Names that must lead somewhere. */
static void check_references(reader r, const struct mkv_contract *contract)
{
	for (size_t i = 0; i < contract->n_hosts && r->rc == 0; i++) {
		const struct mkv_contract_host *host = &contract->hosts[i];
		if (!mkv_contract_find_image(contract, host->image))
			mkv_json_mistake(r, "hosts", "'%s' has image '%s', "
					 "which isn't there", host->name,
					 host->image);
	}
	if (r->rc == 0 && contract->has_clock &&
	    !mkv_contract_find_host(contract, contract->clock.server))
		mkv_json_mistake(r, "clock.server", "'%s' isn't a host",
				 contract->clock.server);
}

int mkv_contract_from_json(json_t *document, struct mkv_contract **ret,
			   struct mkv_error *err)
{
	struct mkv_json_reader state;
	mkv_json_reader_init(&state, err);
	reader r = &state;
	auto_contract struct mkv_contract *contract =
		calloc(1, sizeof(*contract));
	if (!contract)
		return mkv_oom(err);
	contract->document = json_incref(document);
	read_head(r, document, contract);
	read_verify(r, document, contract);
	read_clock(r, document, contract);
	read_vlan(r, document, &contract->vlan);
	READ_MAP(r, document, "hosts", true, read_host, contract->hosts,
		 contract->n_hosts);
	READ_MAP(r, document, "images", true, read_image, contract->images,
		 contract->n_images);
	READ_MAP(r, document, "oci", false, read_oci, contract->oci,
		 contract->n_oci);
	check_references(r, contract);
	if (r->rc < 0)
		return mkv_wrap(err, r->rc, "contract");
	*ret = mkv_take(contract);
	return 0;
}

int mkv_contract_parse(const char *text, size_t size, struct mkv_contract **ret,
		       struct mkv_error *err)
{
	if (size > MKV_CONTRACT_LIMIT_BYTES)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"contract: %zu bytes are over the limit", size);
	auto_json json_t *document = NULL;
	int rc = mkv_json_load(text, size, &document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "contract");
	return mkv_contract_from_json(document, ret, err);
}

static void free_image(struct mkv_contract_image *image)
{
	free(image->kernel.command_line.items);
	free(image->cpu.features.items);
	free(image->caches);
	free(image->clocksources.items);
	free(image->packages);
	free(image->units_enabled.items);
	free(image->units_masked.items);
	free(image->sysctls.items);
	free(image->interfaces.items);
	free(image->settings.items);
	free(image->docker.networks);
	free(image->docker.volumes.items);
	for (size_t i = 0; i < image->docker.n_containers; i++) {
		free(image->docker.containers[i].mounts);
		free(image->docker.containers[i].roles.items);
		free(image->docker.containers[i].ports.items);
		free(image->docker.containers[i].environment.items);
	}
	free(image->docker.containers);
}

void mkv_contract_free(struct mkv_contract *contract)
{
	if (!contract)
		return;
	for (size_t i = 0; i < contract->n_images; i++)
		free_image(&contract->images[i]);
	for (size_t i = 0; i < contract->n_hosts; i++)
		free(contract->hosts[i].containers.items);
	for (size_t i = 0; i < contract->n_oci; i++)
		free(contract->oci[i].layers);
	free(contract->images);
	free(contract->hosts);
	free(contract->oci);
	free(contract->accept);
	free(contract->clock.upstream.items);
	json_decref(contract->document);
	free(contract);
}

#define DEFINE_FIND(what, items, count)                                        \
	const struct mkv_contract_##what *mkv_contract_find_##what(            \
		const struct mkv_contract *contract, const char *name)         \
	{                                                                      \
		for (size_t i = 0; i < contract->count; i++)                   \
			if (strcmp(contract->items[i].name, name) == 0)        \
				return &contract->items[i];                    \
		return NULL;                                                   \
	}
DEFINE_FIND(host, hosts, n_hosts)
DEFINE_FIND(image, images, n_images)
DEFINE_FIND(oci, oci, n_oci)

bool mkv_contract_strings_have(const struct mkv_contract_strings *strings,
			       const char *word)
{
	for (size_t i = 0; i < strings->count; i++)
		if (strcmp(strings->items[i], word) == 0)
			return true;
	return false;
}

const char *mkv_contract_platform_name(enum mkv_contract_platform platform)
{
	switch (platform) {
	case MKV_PLATFORM_METAL:
		return "metal";
	case MKV_PLATFORM_GUEST:
		return "guest";
	case MKV_PLATFORM_HYPERVISOR:
		return "hypervisor";
	}
	return "?";
}

static void read_artifacts(reader r, const json_t *root,
			   struct mkv_manifest *manifest)
{
	json_t *map =
		mkv_json_member(r, root, "artifacts", JSON_OBJECT, true);
	manifest->artifacts = room(r, json_object_size(map),
				   sizeof(*manifest->artifacts));
	if (!manifest->artifacts)
		return;
	size_t mark = mkv_json_enter(r, "artifacts");
	const char *path;
	json_t *value;
	json_object_foreach(map, path, value) {
		struct mkv_manifest_artifact *artifact =
			&manifest->artifacts[manifest->n_artifacts++];
		artifact->path = path;
		size_t inner = mkv_json_enter(r, path);
		if (!is_plain_path(path) || !json_is_object(value)) {
			mkv_json_mistake(r, NULL, "isn't an artifact below the "
						  "appliance's folder");
		} else {
			mkv_json_only(r, value,
				      (const char *const[]){"sha256", "size",
							    NULL});
			(void)read_hex(r, value, "sha256", true,
				       &artifact->sha256);
			artifact->size_bytes = (uint64_t)mkv_json_integer(
				r, value, "size", 0, INT64_MAX, true, 0);
		}
		mkv_json_leave(r, inner);
	}
	qsort(manifest->artifacts, manifest->n_artifacts,
	      sizeof(*manifest->artifacts), by_key);
	mkv_json_leave(r, mark);
}

int mkv_manifest_parse(const char *text, size_t size, struct mkv_manifest **ret,
		       struct mkv_error *err)
{
	struct mkv_json_reader state;
	mkv_json_reader_init(&state, err);
	auto_manifest struct mkv_manifest *manifest =
		calloc(1, sizeof(*manifest));
	if (!manifest)
		return mkv_oom(err);
	int rc = mkv_json_load(text, size, &manifest->document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "manifest");
	const json_t *root = manifest->document;
	mkv_json_only(&state, root,
		      (const char *const[]){"mkvbench_manifest", "contract",
					    "artifacts", "tool", NULL});
	(void)mkv_json_integer(&state, root, "mkvbench_manifest", 1, 1, true, 0);
	read_artifacts(&state, root, manifest);
	json_t *tool = mkv_json_member(&state, root, "tool", JSON_OBJECT, true);
	manifest->tool_name = mkv_json_string(&state, tool, "name", true);
	manifest->tool_version = mkv_json_string(&state, tool, "version", true);
	json_t *contract =
		mkv_json_member(&state, root, "contract", JSON_OBJECT, true);
	if (state.rc < 0)
		return mkv_wrap(err, state.rc, "manifest");
	rc = mkv_contract_from_json(contract, &manifest->contract, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "manifest");
	*ret = mkv_take(manifest);
	return 0;
}

void mkv_manifest_free(struct mkv_manifest *manifest)
{
	if (!manifest)
		return;
	mkv_contract_free(manifest->contract);
	free(manifest->artifacts);
	json_decref(manifest->document);
	free(manifest);
}
