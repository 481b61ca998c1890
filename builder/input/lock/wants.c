/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/wants.h"

#include <string.h>

#include "lib/grow.h"

/* What something is that needs packages. */
enum {
	FOR_IMAGE = 1,
	FOR_UEFI = 2,
	FOR_PROGRAMS = 4, /* an OCI image that carries a program of ours */
	FOR_TPM = 8,
};

/* What the tool itself needs inside, so that what it promises works. */
static const struct need {
	const char *suite; /* NULL: any */
	const char *package;
	unsigned for_what; /* any of these */
} needs[] = {
	{NULL, "systemd-sysv", FOR_IMAGE}, /* init */
	{NULL, "udev", FOR_IMAGE},	   /* names of NICs */
	{NULL, "kmod", FOR_IMAGE},
	{NULL, "iproute2", FOR_IMAGE},
	{NULL, "systemd-boot-efi", FOR_UEFI},		   /* a UKI's stub */
	{"bookworm", "libssl3", FOR_IMAGE | FOR_PROGRAMS}, /* they link it */
	{"trixie", "libssl3t64", FOR_IMAGE | FOR_PROGRAMS},
	{"bookworm", "libtss2-sys1", FOR_TPM}, /* tpm-sign links it */
	{"trixie", "libtss2-sys1t64", FOR_TPM},
};

static void strings_done(struct mkv_strings *strings)
{
	for (size_t i = 0; i < strings->count; i++)
		free(strings->items[i]);
	free(strings->items);
	*strings = (struct mkv_strings){0};
}

void mkv_wants_done(struct mkv_wants *wants)
{
	for (size_t i = 0; i < wants->n_sets; i++) {
		free(wants->sets[i].set);
		strings_done(&wants->sets[i].names);
	}
	free(wants->sets);
	strings_done(&wants->overlays);
	strings_done(&wants->externals);
	*wants = (struct mkv_wants){0};
}

static int add(struct mkv_strings *to, const char *text, struct mkv_error *err)
{
	for (size_t i = 0; i < to->count; i++)
		if (strcmp(to->items[i], text) == 0)
			return 0;
	char **last = mkv_grow(&to->items, &to->count);
	if (!last)
		return mkv_oom(err);
	*last = strdup(text);
	return *last ? 0 : mkv_oom(err);
}

static int add_all(struct mkv_strings *to, const struct mkv_strings *from,
		   struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < from->count; i++)
		rc = add(to, from->items[i], err);
	return rc;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(struct mkv_strings *strings)
{
	if (strings->count)
		qsort(strings->items, strings->count, sizeof(char *), by_text);
}

static int add_needs(struct mkv_strings *to, const char *suite, unsigned what,
		     struct mkv_error *err)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct need *need = &needs[i];
		if (need->suite && strcmp(need->suite, suite) != 0)
			continue;
		if (!(need->for_what & what))
			continue;
		int rc = add(to, need->package, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static struct mkv_want *new_set(struct mkv_wants *wants, const char *kind,
				const char *name)
{
	struct mkv_want *want = mkv_grow(&wants->sets, &wants->n_sets);
	if (!want || asprintf(&want->set, "%s/%s", kind, name) < 0)
		return NULL;
	return want;
}

static int add_image(struct mkv_wants *wants, const struct mkv_recipe *recipe,
		     const struct mkv_image *image, struct mkv_error *err)
{
	struct mkv_want *want = new_set(wants, "image", image->name);
	if (!want)
		return mkv_oom(err);
	want->is_whole = true;
	int rc = add_needs(&want->names, recipe->suite,
			   FOR_IMAGE | (image->uefi ? FOR_UEFI : 0) |
				   (recipe->verify_sign ? FOR_TPM : 0),
			   err);
	if (rc == 0 && image->kernel)
		rc = add(&want->names, image->kernel, err);
	if (rc == 0)
		rc = add_all(&want->names, &image->packages, err);
	if (rc == 0)
		rc = add_all(&wants->overlays, &image->overlays, err);
	sort(&want->names);
	return rc;
}

static int add_oci(struct mkv_wants *wants, const struct mkv_recipe *recipe,
		   const struct mkv_oci_image *oci, struct mkv_error *err)
{
	if (oci->external)
		return add(&wants->externals, oci->external, err);
	struct mkv_want *want = new_set(wants, "oci", oci->name);
	if (!want)
		return mkv_oom(err);
	int rc = add_needs(&want->names, recipe->suite,
			   oci->programs.count ? FOR_PROGRAMS : 0, err);
	if (rc == 0)
		rc = add_all(&want->names, &oci->packages, err);
	if (rc == 0)
		rc = add_all(&wants->overlays, &oci->overlays, err);
	sort(&want->names);
	return rc;
}

static int by_set(const void *a, const void *b)
{
	return strcmp(((const struct mkv_want *)a)->set,
		      ((const struct mkv_want *)b)->set);
}

int mkv_wants_of(const struct mkv_recipe *recipe, struct mkv_wants *ret,
		 struct mkv_error *err)
{
	auto_wants struct mkv_wants wants = {0};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < recipe->n_images; i++)
		rc = add_image(&wants, recipe, &recipe->images[i], err);
	for (size_t i = 0; rc == 0 && i < recipe->n_oci_images; i++)
		rc = add_oci(&wants, recipe, &recipe->oci_images[i], err);
	if (rc < 0)
		return rc;
	if (wants.n_sets)
		qsort(wants.sets, wants.n_sets, sizeof(*wants.sets), by_set);
	sort(&wants.overlays);
	sort(&wants.externals);
	*ret = wants;
	wants = (struct mkv_wants){0};
	return 0;
}

void mkv_set_text(const char *set, char ret[static 96])
{
	bool oci = strncmp(set, "oci/", 4) == 0;
	(void)snprintf(ret, 96, "%s '%.70s'", oci ? "OCI image" : "image",
		       strchr(set, '/') + 1);
}
