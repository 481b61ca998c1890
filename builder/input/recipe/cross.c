/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/cross.h"

#include <stdarg.h>
#include <string.h>

#include "lib/text.h"

struct mkv_mark mkv_cross_mark(const struct mkv_cross *cross, const char *path,
			       ...)
{
	char text[256];
	va_list ap;
	va_start(ap, path);
	(void)vsnprintf(text, sizeof(text), path, ap);
	va_end(ap);
	for (;;) {
		const struct mkv_node *node = mkv_node_at(cross->root, text);
		if (node)
			return node->mark;
		char *dot = strrchr(text, '.');
		if (!dot)
			return cross->root->mark;
		*dot = '\0';
	}
}

size_t mkv_cross_role(const struct mkv_cross *c, struct mkv_mark mark,
		      const char *role)
{
	const struct mkv_recipe *r = c->recipe;
	size_t count = 0;
	const char **roles = mkv_arena_take(&c->load->arena,
					    (r->n_hosts + 1) * sizeof(*roles));
	if (!roles)
		return 1;
	for (size_t i = 0; i < r->n_hosts; i++) {
		roles[i] = r->hosts[i].role;
		count += strcmp(roles[i], role) == 0;
	}
	if (count)
		return count;
	const char *near = mkv_nearest(role, roles, r->n_hosts);
	mkv_diagnose(c->load, mark, "no host has the role '%s'%s%s%s", role,
		     near ? " (did you mean '" : "", near ? near : "",
		     near ? "'?)" : "");
	mkv_diagnose_suggest(c->load, near);
	return 0;
}

static void check_scenario(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	const char *name = mkv_scenario_name(r->scenario);
	bool kvm = r->scenario == MKV_KVM || r->scenario == MKV_KVM_DOCKER;
	bool docker =
		r->scenario == MKV_DOCKER || r->scenario == MKV_KVM_DOCKER;
	if (kvm && !r->has_hypervisor)
		mkv_diagnose(c->load, mkv_cross_mark(c, "scenario"),
			     "scenario %s requires 'hypervisor'", name);
	if (!kvm && r->has_hypervisor)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "hypervisor"),
			"scenario %s does not support 'hypervisor': only kvm "
			"and kvm-docker do",
			name);
	if (docker && !r->docker.network.name)
		mkv_diagnose(c->load, mkv_cross_mark(c, "scenario"),
			     "scenario %s requires 'docker.network'", name);
	if (!docker && r->docker.network.name)
		mkv_diagnose(
			c->load, mkv_cross_mark(c, "docker.network"),
			"scenario %s does not support 'docker.network': its "
			"containers use the host's network",
			name);
}

/* Settings of a service that no image runs are probably a typing error. */
static void check_services(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	for (size_t i = 0; i < r->n_services; i++) {
		const char *name = r->services[i].name;
		bool runs = false;
		for (size_t j = 0; j < r->n_images; j++)
			runs = runs ||
			       mkv_strings_has(&r->images[j].programs, name);
		for (size_t j = 0; j < r->n_oci_images; j++)
			runs = runs ||
			       mkv_strings_has(&r->oci_images[j].programs,
					       name);
		if (!runs)
			mkv_diagnose(
				c->load, mkv_cross_mark(c, "services.%s", name),
				"unused service '%s': no image or OCI image "
				"lists it in 'programs'",
				name);
	}
}

/* The verifier can compare a TPM's key only if the images contain the TPM
 * tools. */
static void check_tpm_keys(const struct mkv_cross *c)
{
	const struct mkv_recipe *r = c->recipe;
	for (size_t i = 0; !r->verify_sign && i < r->n_hosts; i++)
		if (r->hosts[i].tpm_key)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "hosts.%s.tpm-key",
					       r->hosts[i].name),
				"'tpm-key' requires TPM support in the images: "
				"set 'verify: {sign: tpm}'");
}

/* A check runs only if all keys that it reads passed the schema: otherwise
 * members of the recipe may be unset. */
struct check {
	void (*run)(const struct mkv_cross *cross);
	const char *needs; /* top-level keys, each between spaces */
};

static const struct check checks[] = {
	{check_scenario, " scenario hypervisor docker "},
	{mkv_cross_network, " vlan hosts docker "},
	{mkv_cross_image, " scenario images hypervisor settings "},
	{mkv_cross_container, " oci containers docker hosts images "},
	{mkv_cross_machine, " scenario hardware hypervisor images hosts "},
	{mkv_cross_outside, " images oci "},
	{mkv_cross_experiment, " experiment hosts images containers oci "},
	{check_services, " services images oci "},
	{check_tpm_keys, " hosts verify "},
};

static bool is_broken(const struct mkv_recipe_loader *load, const char *needs)
{
	char key[32];
	for (size_t i = 0; i < load->n_broken; i++) {
		(void)snprintf(key, sizeof(key), " %s ", load->broken[i]);
		if (strstr(needs, key))
			return true;
	}
	return false;
}

void mkv_cross_check(struct mkv_recipe_loader *load,
		     const struct mkv_node *root,
		     const struct mkv_recipe *recipe)
{
	const struct mkv_cross cross = {load, root, recipe};
	if (load->partial ||
	    load->diagnostics->count >= MKV_RECIPE_DIAGNOSTICS_MAX)
		return;
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		if (!is_broken(load, checks[i].needs))
			checks[i].run(&cross);
}
