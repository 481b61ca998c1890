/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/input/recipe/cross.h"

static void check_oci(const struct mkv_cross *c,
		      const struct mkv_oci_image *oci)
{
	bool built = oci->packages.count || oci->programs.count ||
		     oci->overlays.count;
	bool configured = oci->user || oci->entrypoint.count ||
			  oci->command.count || oci->volumes.count ||
			  oci->ports.count || oci->environment.count ||
			  oci->labels.count || oci->working_dir ||
			  oci->stop_signal;
	if (oci->external && (built || configured))
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "oci.%s", oci->name),
			"an external image is used unchanged: 'external' can't "
			"be combined with other keys");
	if (oci->external)
		return;
	if (!built)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "oci.%s", oci->name),
			"the OCI image is empty: set 'packages', 'overlays', "
			"'programs' or 'external'");
	if (!oci->entrypoint.count && !oci->command.count)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "oci.%s", oci->name),
			"the OCI image has no program to run: set 'entrypoint' "
			"or 'command'");
	for (size_t i = 0; i < oci->ports.count; i++) {
		unsigned long port = strtoul(oci->ports.items[i], NULL, 10);
		if (port == 0 || port > 65535)
			mkv_diagnose(c->load,
				     mkv_cross_mark(c, "oci.%s.ports.%zu",
						    oci->name, i),
				     "'%s': a port must be from 1 to 65535",
				     oci->ports.items[i]);
	}
}

struct publish {
	const char *address; /* "" for any */
	size_t address_length;
	unsigned long host, container;
	bool udp;
};

/* "[ADDRESS:]HOST:CONTAINER[/PROTOCOL]"; the text has matched the schema's
 * pattern. */
static struct publish parse_publish(const char *text)
{
	struct publish p = {.address = text};
	const char *colon = strrchr(text, ':');
	const char *host = colon;
	while (host > text && host[-1] != ':')
		host--;
	p.address_length = host > text ? (size_t)(host - text) - 1 : 0;
	p.host = strtoul(host, NULL, 10);
	p.container = strtoul(colon + 1, NULL, 10);
	p.udp = strstr(text, "/udp") != NULL;
	return p;
}

static bool is_same_port(const char *a, const char *b)
{
	struct publish x = parse_publish(a), y = parse_publish(b);
	if (x.host != y.host || x.udp != y.udp)
		return false;
	return !x.address_length || !y.address_length ||
	       (x.address_length == y.address_length &&
		memcmp(x.address, y.address, x.address_length) == 0);
}

/* Whether some host runs both containers. */
static bool share_host(const struct mkv_recipe *r,
		       const struct mkv_container *a,
		       const struct mkv_container *b)
{
	for (size_t i = 0; i < r->n_hosts; i++) {
		const struct mkv_host *host = &r->hosts[i];
		const struct mkv_strings *containers =
			&r->images[host->image].containers;
		if (mkv_strings_has(containers, a->name) &&
		    mkv_strings_has(containers, b->name) &&
		    (!a->roles.count ||
		     mkv_strings_has(&a->roles, host->role)) &&
		    (!b->roles.count || mkv_strings_has(&b->roles, host->role)))
			return true;
	}
	return false;
}

static void check_port_clash(const struct mkv_cross *c,
			     const struct mkv_container *one,
			     const struct mkv_container *other)
{
	if (!share_host(c->recipe, one, other))
		return;
	for (size_t i = 0; i < one->ports.count; i++)
		for (size_t j = 0; j < other->ports.count; j++)
			if (is_same_port(one->ports.items[i],
					 other->ports.items[j]))
				mkv_diagnose(
					c->load,
					mkv_cross_mark(
						c, "containers.%s.ports.%zu",
						one->name, i),
					"'%s': container '%s' already "
					"publishes this port on the same host",
					one->ports.items[i], other->name);
}

static void check_ports(const struct mkv_cross *c,
			const struct mkv_container *container)
{
	for (size_t i = 0; i < container->ports.count; i++) {
		struct publish p = parse_publish(container->ports.items[i]);
		if (p.host == 0 || p.host > 65535 || p.container == 0 ||
		    p.container > 65535)
			mkv_diagnose(c->load,
				     mkv_cross_mark(c,
						    "containers.%s.ports.%zu",
						    container->name, i),
				     "'%s': a port must be from 1 to 65535",
				     container->ports.items[i]);
	}
	if (container->ports.count && strcmp(container->network, "host") == 0)
		mkv_diagnose(c->load,
			     mkv_cross_mark(c, "containers.%s.ports",
					    container->name),
			     "a container on the host's network can't publish "
			     "ports: remove 'ports'");
}

static void check_roles(const struct mkv_cross *c,
			const struct mkv_container *container)
{
	for (size_t i = 0; i < container->roles.count; i++)
		(void)mkv_cross_role(c,
				     mkv_cross_mark(c,
						    "containers.%s.roles.%zu",
						    container->name, i),
				     container->roles.items[i]);
}

static void check_mounts(const struct mkv_cross *c,
			 const struct mkv_container *container)
{
	for (size_t i = 0; i < container->n_mounts; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(container->mounts[i].path,
				   container->mounts[j].path) == 0)
				mkv_diagnose(
					c->load,
					mkv_cross_mark(
						c, "containers.%s.mounts.%s",
						container->name,
						container->mounts[i].volume),
					"volume '%s' is already mounted at %s",
					container->mounts[j].volume,
					container->mounts[j].path);
}

/* An image with containers needs Docker. */
static void check_docker(const struct mkv_cross *c,
			 const struct mkv_image *image)
{
	if (!image->containers.count)
		return;
	struct mkv_mark mark =
		mkv_cross_mark(c, "images.%s.containers", image->name);
	if (!c->recipe->docker.storage_driver)
		mkv_diagnose(c->load, mark,
			     "'containers' requires 'docker' in the recipe");
	if (!mkv_strings_has(&image->packages, "docker.io"))
		mkv_diagnose(
			c->load, mark,
			"'containers' requires the package docker.io in the "
			"image");
}

void mkv_cross_container(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	for (size_t i = 0; i < r->n_oci_images; i++)
		check_oci(c, &r->oci_images[i]);
	for (size_t i = 0; i < r->n_images; i++)
		check_docker(c, &r->images[i]);
	for (size_t i = 0; i < r->n_containers; i++) {
		check_ports(c, &r->containers[i]);
		check_roles(c, &r->containers[i]);
		check_mounts(c, &r->containers[i]);
		for (size_t j = 0; j < i; j++)
			check_port_clash(c, &r->containers[i],
					 &r->containers[j]);
	}
}
