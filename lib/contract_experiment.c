/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "lib/contract_internal.h"

static void read_fields(struct mkv_json_reader *r, const json_t *object,
			struct mkv_contract_experiment *into)
{
	json_t *map = mkv_json_member(r, object, "fields", JSON_OBJECT, false);
	into->fields = mkv_contract_room(r, json_object_size(map),
					 sizeof(*into->fields));
	if (!into->fields)
		return;
	const char *name;
	json_t *value;
	size_t mark = mkv_json_enter(r, "fields");
	json_object_foreach(map, name, value)
		into->fields[into->n_fields++] = (struct mkv_contract_field){
		.name = name,
		.count = (unsigned)mkv_json_integer(
			r, map, name, 1, MKV_EXPERIMENT_FIELD_MAX, true, 0),
	};
	mkv_json_leave(r, mark);
	qsort(into->fields, into->n_fields, sizeof(*into->fields),
	      mkv_contract_by_key);
	struct mkv_template_fields fields;
	struct mkv_error why;
	if (r->rc == 0 && mkv_contract_template_fields(into, &fields, &why) < 0)
		mkv_json_mistake(r, "fields", "%s", why.message);
}

bool mkv_contract_is_setting(const char *name)
{
	size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	return isupper((unsigned char)name[0]) && length <= 64 && !name[length];
}

static void read_service(struct mkv_json_reader *r, const json_t *object,
			 struct mkv_contract_experiment_service *service)
{
	mkv_json_only(r, object,
		      (const char *const[]){"role", "unit", "port", "health",
					    "clean_up", "vary", "spans", NULL});
	service->role = mkv_contract_read_name(r, object, "role", true);
	service->unit = mkv_contract_read_name(r, object, "unit", true);
	service->port = (unsigned)mkv_json_integer(r, object, "port", 1, 65535,
						   true, 0);
	service->health = mkv_contract_read_path(r, object, "health");
	service->clean_up = mkv_contract_read_strings(r, object, "clean_up");
	service->vary = mkv_contract_read_strings(r, object, "vary");
	for (size_t i = 0; i < service->vary.count; i++)
		if (!mkv_contract_is_setting(service->vary.items[i]))
			mkv_json_mistake(r, "vary",
					 "'%.80s' is not a setting's name",
					 service->vary.items[i]);
	service->has_spans = mkv_json_boolean(r, object, "spans") == 1;
}

void mkv_contract_read_experiment(struct mkv_json_reader *r, const json_t *root,
				  struct mkv_contract_experiment *into)
{
	json_t *object =
		mkv_json_member(r, root, "experiment", JSON_OBJECT, false);
	if (!object)
		return;
	into->promised = true;
	size_t mark = mkv_json_enter(r, "experiment");
	mkv_json_only(r, object,
		      (const char *const[]){"request", "fields", "rate",
					    "arrivals", "connections",
					    "timeout_ns", "warm_up", "measured",
					    "services", NULL});
	json_t *request =
		mkv_json_member(r, object, "request", JSON_OBJECT, true);
	size_t inner = mkv_json_enter(r, "request");
	mkv_contract_read_request(r, request, &into->request);
	mkv_json_leave(r, inner);
	read_fields(r, object, into);
	into->rate = (unsigned)mkv_json_integer(
		r, object, "rate", 1, MKV_EXPERIMENT_RATE_MAX, true, 0);
	into->arrivals = mkv_contract_read_arrivals(r, object);
	into->connections = (unsigned)mkv_json_integer(
		r, object, "connections", 1, MKV_EXPERIMENT_CONNECTIONS_MAX,
		true, 0);
	into->timeout_ns =
		mkv_json_integer(r, object, "timeout_ns", 1000000,
				 MKV_EXPERIMENT_TIMEOUT_MAX_NS, true, 0);
	into->warm_up = (unsigned)mkv_json_integer(
		r, object, "warm_up", 0, MKV_EXPERIMENT_REQUESTS_MAX, true, 0);
	into->measured = (unsigned)mkv_json_integer(
		r, object, "measured", 1, MKV_EXPERIMENT_REQUESTS_MAX, true, 0);
	MKV_READ_MAP(r, object, "services", false, read_service, into->services,
		     into->n_services);
	mkv_json_leave(r, mark);
}

const char *mkv_contract_read_arrivals(struct mkv_json_reader *r,
				       const json_t *object)
{
	return mkv_contract_read_word(
		r, object, "arrivals",
		(const char *const[]){"constant", "jittered", "poisson", NULL});
}

static bool has_role(const struct mkv_contract *contract, const char *role)
{
	for (size_t i = 0; i < contract->n_hosts; i++)
		if (strcmp(contract->hosts[i].role, role) == 0)
			return true;
	return false;
}

void mkv_contract_check_experiment(struct mkv_json_reader *r,
				   const struct mkv_contract *contract)
{
	const struct mkv_contract_experiment *e = &contract->experiment;
	if (r->rc < 0 || !e->promised)
		return;
	size_t mark = mkv_json_enter(r, "experiment");
	size_t inner = mkv_json_enter(r, "request");
	mkv_contract_check_request(r, contract, &e->request);
	mkv_json_leave(r, inner);
	for (size_t i = 0; i < e->n_services; i++)
		if (!has_role(contract, e->services[i].role))
			mkv_json_mistake(r, "services",
					 "no host has '%s', the role of '%s'",
					 e->services[i].role,
					 e->services[i].name);
	mkv_json_leave(r, mark);
}

void mkv_contract_free_experiment(struct mkv_contract_experiment *experiment)
{
	for (size_t i = 0; i < experiment->n_services; i++) {
		free(experiment->services[i].clean_up.items);
		free(experiment->services[i].vary.items);
	}
	free(experiment->services);
	free(experiment->fields);
	mkv_contract_request_done(&experiment->request);
}

const struct mkv_contract_experiment_service *
mkv_contract_find_experiment_service(const struct mkv_contract *contract,
				     const char *name)
{
	const struct mkv_contract_experiment *e = &contract->experiment;
	for (size_t i = 0; i < e->n_services; i++)
		if (strcmp(e->services[i].name, name) == 0)
			return &e->services[i];
	return NULL;
}

const struct mkv_contract_host *
mkv_contract_find_role(const struct mkv_contract *contract, const char *role)
{
	const struct mkv_contract_host *found = NULL;
	for (size_t i = 0; i < contract->n_hosts; i++) {
		if (strcmp(contract->hosts[i].role, role) != 0)
			continue;
		if (found)
			return NULL;
		found = &contract->hosts[i];
	}
	return found;
}
