/* SPDX-License-Identifier: MIT */
/* The experiment: what the recipe states, with its defaults. */
#include "builder/evidence/contract/contract_internal.h"

json_t *mkv_contract_request(const struct mkv_request *request)
{
	json_t *part = json_object();
	put_string(part, "method", request->method);
	put_string(part, "role", request->role);
	put_integer(part, "port", request->port);
	put_string(part, "path", request->path);
	put_string(part, "body", request->body);
	put_integer(part, "status", request->status);
	put(part, "headers", settings(&request->headers));
	return part;
}

static json_t *service_part(const struct mkv_experiment_service *service)
{
	json_t *part = json_object();
	put_string(part, "role", service->role);
	put_string(part, "unit", service->unit);
	put_integer(part, "port", service->port);
	put_string(part, "health", service->health);
	put(part, "clean_up", strings(&service->clean_up));
	put(part, "vary", strings(&service->vary));
	put(part, "spans", json_boolean(service->spans));
	return part;
}

json_t *mkv_contract_experiment(const struct mkv_experiment *experiment)
{
	json_t *part = json_object(), *fields = json_object(),
	       *services = json_object();
	put(part, "request", mkv_contract_request(&experiment->request));
	for (size_t i = 0; i < experiment->n_fields; i++)
		put_integer(fields, experiment->fields[i].name,
			    experiment->fields[i].count);
	put(part, "fields", fields);
	put_integer(part, "rate", experiment->rate);
	put_string(part, "arrivals", experiment->arrivals);
	put_integer(part, "connections", experiment->connections);
	put_integer(part, "timeout_ns", experiment->timeout_ns);
	put_integer(part, "warm_up", experiment->warm_up);
	put_integer(part, "measured", experiment->measured);
	for (size_t i = 0; i < experiment->n_services; i++)
		put(services, experiment->services[i].name,
		    service_part(&experiment->services[i]));
	put(part, "services", services);
	return part;
}
