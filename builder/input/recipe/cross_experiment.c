/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/input/recipe/cross.h"
#include "lib/template.h"

/* Settings that the key `tracing` of a campaign's arm sets. */
static const char *const by_tracing[] = {"OTLP_ENDPOINT", "TRACE_FILE"};

static void check_field_names(const struct mkv_cross *c)
{
	const struct mkv_experiment *e = &c->recipe->experiment;
	for (size_t i = 0; i < e->n_fields; i++)
		if (strcmp(e->fields[i].name, "n") == 0)
			mkv_diagnose(c->load,
				     mkv_cross_mark(c, "experiment.fields.n"),
				     "'{n}' is the number of the request: "
				     "choose another name for the field");
	if (e->n_fields > MKV_TEMPLATE_FIELDS_MAX)
		mkv_diagnose(c->load, mkv_cross_mark(c, "experiment.fields"),
			     "%zu fields, more than the maximum of %d",
			     e->n_fields, (int)MKV_TEMPLATE_FIELDS_MAX);
}

static const struct mkv_container *find_container(const struct mkv_recipe *r,
						  const struct mkv_host *host,
						  const char *name)
{
	for (size_t i = 0; i < r->n_containers; i++) {
		const struct mkv_container *one = &r->containers[i];
		if (strcmp(one->name, name) == 0 &&
		    mkv_strings_has(&r->images[host->image].containers, name) &&
		    (!one->roles.count ||
		     mkv_strings_has(&one->roles, host->role)))
			return one;
	}
	return NULL;
}

/* Whether a port of the host leads to `port` of the container. */
static bool publishes(const struct mkv_container *container, unsigned port)
{
	if (strcmp(container->network, "host") == 0)
		return true;
	for (size_t i = 0; i < container->ports.count; i++) {
		const char *text = container->ports.items[i];
		const char *colon = strrchr(text, ':');
		const char *host = colon;
		while (host > text && host[-1] != ':')
			host--;
		if (strtoul(host, NULL, 10) == port && !strstr(text, "/udp"))
			return true;
	}
	return false;
}

/* A unit of mkvbench's own programs needs the program in the image; other
 * units come from packages and overlays, which are not read here. */
static bool has_unit(const struct mkv_recipe *r, const struct mkv_host *host,
		     const char *unit)
{
	static const char prefix[] = "mkvbench-";
	char name[256];
	if (strncmp(unit, prefix, strlen(prefix)) != 0)
		return true;
	int length = (int)strlen(unit) - (int)strlen(prefix) -
		     (int)strlen(".service");
	(void)snprintf(name, sizeof(name), "%.*s", length,
		       unit + strlen(prefix));
	return mkv_strings_has(&r->images[host->image].programs, name);
}

static void check_host(const struct mkv_cross *c,
		       const struct mkv_experiment_service *service,
		       const struct mkv_host *host)
{
	const struct mkv_container *container =
		find_container(c->recipe, host, service->name);
	if (container && !publishes(container, service->port))
		mkv_diagnose(c->load,
			     mkv_cross_mark(c, "experiment.services.%s.port",
					    service->name),
			     "container '%s' does not publish port %u on host "
			     "'%s'",
			     service->name, service->port, host->name);
	if (!container && !has_unit(c->recipe, host, service->unit))
		mkv_diagnose(c->load,
			     mkv_cross_mark(c, "experiment.services.%s.unit",
					    service->name),
			     "host '%s' has neither a container '%s' nor the "
			     "unit %s: set 'unit', or add the program to the "
			     "image",
			     host->name, service->name, service->unit);
}

static void check_vary(const struct mkv_cross *c,
		       const struct mkv_experiment_service *service)
{
	for (size_t i = 0; i < sizeof(by_tracing) / sizeof(*by_tracing); i++)
		if (mkv_strings_has(&service->vary, by_tracing[i]))
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "experiment.services.%s.vary",
					       service->name),
				"'%s' follows from 'tracing' of a campaign: "
				"remove it from 'vary'",
				by_tracing[i]);
}

static void check_service(const struct mkv_cross *c,
			  const struct mkv_experiment_service *service)
{
	const struct mkv_recipe *r = c->recipe;
	struct mkv_mark mark =
		mkv_cross_mark(c, "experiment.services.%s.role", service->name);
	(void)mkv_cross_role(c, mark, service->role);
	for (size_t i = 0; i < r->n_hosts; i++)
		if (strcmp(r->hosts[i].role, service->role) == 0)
			check_host(c, service, &r->hosts[i]);
	check_vary(c, service);
}

/* The hosts that measure: one sends the load, one collects. */
static void check_measuring(const struct mkv_cross *c, const char *role)
{
	const struct mkv_recipe *r = c->recipe;
	size_t count = 0;
	for (size_t i = 0; i < r->n_hosts; i++)
		count += strcmp(r->hosts[i].role, role) == 0;
	if (count != 1)
		mkv_diagnose(c->load, mkv_cross_mark(c, "experiment"),
			     "'experiment' requires exactly one host with the "
			     "role '%s', not %zu",
			     role, count);
}

void mkv_cross_experiment(const struct mkv_cross *c)
{
	const struct mkv_experiment *e = &c->recipe->experiment;
	if (!c->recipe->has_experiment)
		return;
	check_measuring(c, "loadgen");
	check_measuring(c, "collector");
	check_field_names(c);
	mkv_cross_request(c, "experiment.request", &e->request);
	mkv_cross_timeout(c, "experiment.timeout", e->rate, e->timeout_ns);
	for (size_t i = 0; i < e->n_services; i++)
		check_service(c, &e->services[i]);
}
