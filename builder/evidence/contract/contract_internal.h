/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the contract's parts. jansson's constructors and `_new` setters
 * accept NULL and then fail, so a document is built without a check at each
 * step. */

#include <jansson.h>

#include "builder/evidence/contract/contract.h"

static inline void put(json_t *object, const char *key, json_t *value)
{
	(void)json_object_set_new(object, key, value);
}

/* A member that isn't promised (NULL) is left out. */
static inline void put_string(json_t *object, const char *key, const char *text)
{
	if (text)
		put(object, key, json_string(text));
}

static inline void put_integer(json_t *object, const char *key, int64_t number)
{
	put(object, key, json_integer(number));
}

static inline void put_sha256(json_t *object, const char *key,
			      const struct mkv_sha256 *sha256,
			      const char *prefix)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	put(object, key, json_sprintf("%s%s", prefix, hex));
}

static inline json_t *strings(const struct mkv_strings *list)
{
	json_t *array = json_array();
	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, json_string(list->items[i]));
	return array;
}

static inline json_t *settings(const struct mkv_settings *list)
{
	json_t *object = json_object();
	for (size_t i = 0; i < list->count; i++)
		put_string(object, list->items[i].key, list->items[i].value);
	return object;
}

/* Adds cpu, caches, memory and clocksources of the machine that an image runs
 * on: the hardware, or the virtual machine of a guest. */
void mkv_contract_machine(const struct mkv_recipe *recipe,
			  const struct mkv_image *image, json_t *part);

/* The domain of a host that is a guest. */
json_t *mkv_contract_hypervisor(const struct mkv_recipe *recipe,
				const struct mkv_host *host,
				const uint8_t uuid[static 16]);

/* The number of huge pages that a hypervisor's image allocates: enough for the
 * host with the most guests. 0 for any other image. */
uint64_t mkv_contract_huge_pages(const struct mkv_recipe *recipe,
				 const struct mkv_image *image);

/* Docker's version, networks, volumes and containers of an image. */
json_t *mkv_contract_docker(const struct mkv_recipe *recipe,
			    const struct mkv_lock *lock,
			    const struct mkv_image *image);

/* The experiment of a recipe. */
json_t *mkv_contract_experiment(const struct mkv_experiment *experiment);
