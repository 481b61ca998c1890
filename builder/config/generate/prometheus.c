/* SPDX-License-Identifier: MIT */
/* The configuration of Prometheus, for an image with that package. Targets are
 * the node exporter of every host, whose textfile directory has the verifier's
 * metrics, and /metrics of every program of the application, as a process or in
 * a container. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/config/generate/generate_internal.h"

enum { NODE_PORT = 9100, OWN_PORT = 9090 };
/* Seconds between two scrapes: runs of a campaign are short, and its default is
 * the same (metrics: {scrape-interval: 5s}). */
enum { EXPERIMENT_S = 5, OTHER_S = 15 };

/* The application's programs that serve /metrics, with their default ports. */
static const struct {
	const char *name;
	unsigned port;
} programs[] = {
	{"order", 8080},
	{"payment", 8080},
	{"user", 8080},
	{"collector", 4318},
};

static void put_target(struct mkv_buf *into, const struct mkv_host *host,
		       unsigned port, const char *service)
{
	mkv_buf_printf(into,
		       "      - targets: [\"%s:%u\"]\n"
		       "        labels: {host: \"%s\", role: \"%s\"",
		       host->address, port, host->name, host->role);
	if (service)
		mkv_buf_printf(into, ", service: \"%s\"", service);
	mkv_buf_str(into, "}\n");
}

static const char *find_setting(const struct mkv_settings *settings,
				const char *key)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcasecmp(settings->items[i].key, key) == 0)
			return settings->items[i].value;
	return NULL;
}

static unsigned port_of_process(const struct mkv_recipe *recipe, size_t program)
{
	const char *text = NULL;
	for (size_t i = 0; i < recipe->n_services; i++)
		if (strcmp(recipe->services[i].name, programs[program].name) ==
		    0)
			text = find_setting(&recipe->services[i].settings,
					    "port");
	return text ? (unsigned)strtoul(text, NULL, 10)
		    : programs[program].port;
}

/* The host's port that is published for the program's port in the container; 0:
 * none. */
static unsigned port_of_container(const struct mkv_container *container,
				  size_t program)
{
	const char *text =
		find_setting(&container->environment, "MKVBENCH_PORT");
	unsigned long port =
		text ? strtoul(text, NULL, 10) : programs[program].port;
	if (strcmp(container->network, "host") == 0)
		return (unsigned)port;
	for (size_t i = 0; i < container->ports.count; i++) {
		/* "[ADDRESS:]HOST:CONTAINER[/PROTOCOL]" */
		const char *item = container->ports.items[i];
		const char *colon = strrchr(item, ':');
		const char *host = colon;
		while (host > item && host[-1] != ':')
			host--;
		if (strtoul(colon + 1, NULL, 10) == port)
			return (unsigned)strtoul(host, NULL, 10);
	}
	return 0;
}

/* A program runs as a process on the host with the role of the same name. */
static void put_processes(struct mkv_buf *into, const struct mkv_recipe *recipe,
			  const struct mkv_host *host)
{
	const struct mkv_image *image = &recipe->images[host->image];
	for (size_t i = 0; i < sizeof(programs) / sizeof(*programs); i++)
		if (strcmp(host->role, programs[i].name) == 0 &&
		    mkv_strings_has(&image->programs, programs[i].name))
			put_target(into, host, port_of_process(recipe, i),
				   programs[i].name);
}

static const struct mkv_oci_image *oci_of(const struct mkv_recipe *recipe,
					  const struct mkv_container *container)
{
	for (size_t i = 0; i < recipe->n_oci_images; i++)
		if (strcmp(recipe->oci_images[i].name, container->oci) == 0)
			return &recipe->oci_images[i];
	return NULL;
}

static void put_containers(struct mkv_buf *into,
			   const struct mkv_recipe *recipe,
			   const struct mkv_host *host)
{
	const struct mkv_image *image = &recipe->images[host->image];
	for (size_t i = 0; i < recipe->n_containers; i++) {
		const struct mkv_container *container = &recipe->containers[i];
		const struct mkv_oci_image *oci = oci_of(recipe, container);
		if (!oci ||
		    !mkv_strings_has(&image->containers, container->name) ||
		    (container->roles.count &&
		     !mkv_strings_has(&container->roles, host->role)))
			continue;
		for (size_t j = 0; j < sizeof(programs) / sizeof(*programs);
		     j++) {
			unsigned port = port_of_container(container, j);
			if (port &&
			    mkv_strings_has(&oci->programs, programs[j].name))
				put_target(into, host, port, programs[j].name);
		}
	}
}

static void put_nodes(struct mkv_buf *into, const struct mkv_recipe *recipe,
		      const struct mkv_host *host)
{
	if (mkv_strings_has(&recipe->images[host->image].packages,
			    "prometheus-node-exporter"))
		put_target(into, host, NODE_PORT, NULL);
}

static void put_own(struct mkv_buf *into, const struct mkv_recipe *recipe,
		    const struct mkv_host *host)
{
	if (mkv_strings_has(&recipe->images[host->image].packages,
			    "prometheus"))
		put_target(into, host, OWN_PORT, "prometheus");
}

/* The targets of a job are those that its functions put for each host. */
static const struct {
	const char *name;
	void (*put[2])(struct mkv_buf *into, const struct mkv_recipe *recipe,
		       const struct mkv_host *host);
} jobs[] = {
	{"node", {put_nodes, NULL}},
	{"service", {put_processes, put_containers}},
	{"prometheus", {put_own, NULL}},
};

int mkv_generate_prometheus(struct mkv_tree *tree,
			    const struct mkv_generate_inputs *inputs,
			    struct mkv_error *err)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	if (!mkv_strings_has(&inputs->image->packages, "prometheus"))
		return 0;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text,
		       "# Written from the recipe.\n"
		       "global:\n"
		       "  scrape_interval: %us\n"
		       "  external_labels: {recipe: \"%s\", scenario: \"%s\"}\n"
		       "scrape_configs:\n",
		       recipe->has_experiment ? (unsigned)EXPERIMENT_S
					      : (unsigned)OTHER_S,
		       recipe->name, mkv_scenario_name(recipe->scenario));
	for (size_t i = 0; i < sizeof(jobs) / sizeof(*jobs); i++) {
		auto_buf struct mkv_buf targets = {0};
		for (size_t h = 0; h < recipe->n_hosts; h++)
			for (size_t j = 0; j < 2 && jobs[i].put[j]; j++)
				if (recipe->hosts[h].address)
					jobs[i].put[j](&targets, recipe,
						       &recipe->hosts[h]);
		int rc = mkv_buf_check(&targets, err);
		if (rc < 0)
			return rc;
		if (!targets.size)
			continue;
		mkv_buf_printf(&text,
			       "  - job_name: %s\n    static_configs:\n%s",
			       jobs[i].name, targets.data);
	}
	return mkv_generate_put(tree, "/etc/prometheus/prometheus.yml", &text,
				err);
}
