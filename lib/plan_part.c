/* SPDX-License-Identifier: MIT */
/* The parts of a plan that a command has, too. */
#include <string.h>

#include "lib/contract_internal.h"
#include "lib/plan_internal.h"

void mkv_plan_read_load(struct mkv_json_reader *r, const json_t *object,
			bool has_seed, struct mkv_plan_load *ret)
{
	*ret = (struct mkv_plan_load){.seed = -1};
	mkv_json_only(r, object,
		      (const char *const[]){"rate", "arrivals", "connections",
					    "warm_up", "measured", "timeout_ns",
					    "request", has_seed ? "seed" : NULL,
					    NULL});
	ret->rate = (unsigned)mkv_json_integer(
		r, object, "rate", 1, MKV_EXPERIMENT_RATE_MAX, true, 0);
	ret->arrivals = mkv_contract_read_arrivals(r, object);
	ret->connections = (unsigned)mkv_json_integer(
		r, object, "connections", 1, MKV_EXPERIMENT_CONNECTIONS_MAX,
		true, 0);
	ret->warm_up = (unsigned)mkv_json_integer(
		r, object, "warm_up", 0, MKV_EXPERIMENT_REQUESTS_MAX, true, 0);
	ret->measured = (unsigned)mkv_json_integer(
		r, object, "measured", 1, MKV_EXPERIMENT_REQUESTS_MAX, true, 0);
	ret->timeout_ns =
		mkv_json_integer(r, object, "timeout_ns", 1000000,
				 MKV_EXPERIMENT_TIMEOUT_MAX_NS, true, 0);
	if (has_seed)
		ret->seed = mkv_json_integer(r, object, "seed", 0,
					     MKV_PLAN_SEED_MAX, true, -1);
	json_t *request =
		mkv_json_member(r, object, "request", JSON_OBJECT, false);
	if (!request)
		return;
	ret->has_request = true;
	size_t mark = mkv_json_enter(r, "request");
	mkv_contract_read_request(r, request, &ret->request);
	mkv_json_leave(r, mark);
}

void mkv_plan_load_done(struct mkv_plan_load *load)
{
	mkv_contract_request_done(&load->request);
	*load = (struct mkv_plan_load){.seed = -1};
}

static void read_values(struct mkv_json_reader *r, const json_t *map,
			const char *name, struct mkv_contract_service *service)
{
	service->name = name;
	if (!mkv_contract_is_name(name))
		mkv_json_mistake(r, name, "not a valid name");
	service->settings = mkv_contract_read_pairs(r, map, name);
	for (size_t i = 0; i < service->settings.count; i++) {
		const char *key = service->settings.items[i].key;
		if (!mkv_contract_is_setting(key))
			mkv_json_mistake(r, name,
					 "'%.80s' is not a setting's name",
					 key);
		if (strlen(service->settings.items[i].value) >
		    MKV_PLAN_VALUE_MAX)
			mkv_json_mistake(r, name,
					 "'%s' is longer than %d bytes", key,
					 MKV_PLAN_VALUE_MAX);
	}
}

void mkv_plan_read_settings(struct mkv_json_reader *r, const json_t *object,
			    const char *key, struct mkv_plan_settings *ret)
{
	*ret = (struct mkv_plan_settings){0};
	json_t *map = mkv_json_member(r, object, key, JSON_OBJECT, true);
	ret->services = mkv_contract_room(r, json_object_size(map),
					  sizeof(*ret->services));
	if (!ret->services)
		return;
	size_t mark = mkv_json_enter(r, key);
	const char *name;
	json_t *value;
	json_object_foreach(map, name, value)
		read_values(r, map, name, &ret->services[ret->count++]);
	mkv_json_leave(r, mark);
	qsort(ret->services, ret->count, sizeof(*ret->services),
	      mkv_contract_by_key);
}

void mkv_plan_settings_done(struct mkv_plan_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++)
		free(settings->services[i].settings.items);
	free(settings->services);
	*settings = (struct mkv_plan_settings){0};
}

const char *mkv_plan_read_tracing(struct mkv_json_reader *r,
				  const json_t *object)
{
	return mkv_contract_read_word(
		r, object, "tracing",
		(const char *const[]){"otlp", "file", "off", NULL});
}

void mkv_plan_check_settings(struct mkv_json_reader *r,
			     const struct mkv_contract *contract,
			     const struct mkv_plan_settings *settings)
{
	for (size_t i = 0; i < settings->count && r->rc == 0; i++) {
		const struct mkv_contract_service *one = &settings->services[i];
		const struct mkv_contract_experiment_service *service =
			mkv_contract_find_experiment_service(contract,
							     one->name);
		if (!service)
			mkv_json_mistake(r, "settings",
					 "'%s' is not a service of the "
					 "contract's experiment",
					 one->name);
		for (size_t j = 0; service && j < one->settings.count; j++)
			if (!mkv_contract_strings_have(
				    &service->vary, one->settings.items[j].key))
				mkv_json_mistake(
					r, "settings",
					"the contract's experiment doesn't "
					"vary '%s' of '%s'",
					one->settings.items[j].key, one->name);
	}
}
