/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/requested.h"

#include <string.h>

#include "lib/grow.h"
#include "lib/strings.h"

/* Users of packages that the tool itself requests. */
enum {
	FOR_IMAGE = 1,
	FOR_UEFI = 2,
	FOR_PROGRAMS = 4, /* an OCI image with programs of mkvbench */
	FOR_TPM = 8,
};

/* Packages that the tool requests itself: what it generates depends on them. */
static const struct need {
	const char *suite; /* NULL: any */
	const char *package;
	unsigned users; /* any of FOR_* */
} needs[] = {
	{NULL, "systemd-sysv", FOR_IMAGE}, /* init */
	{NULL, "udev", FOR_IMAGE},	   /* NIC names */
	{NULL, "kmod", FOR_IMAGE},
	{NULL, "iproute2", FOR_IMAGE},
	{NULL, "systemd-boot-efi", FOR_UEFI}, /* stub of a UKI */
	{"bookworm", "libssl3",
	 FOR_IMAGE | FOR_PROGRAMS}, /* linked by programs */
	{"trixie", "libssl3t64", FOR_IMAGE | FOR_PROGRAMS},
	{"bookworm", "libtss2-sys1", FOR_TPM}, /* linked by tpm-sign */
	{"trixie", "libtss2-sys1t64", FOR_TPM},
};

void mkv_requested_done(struct mkv_requested *requested)
{
	for (size_t i = 0; i < requested->n_sets; i++) {
		free(requested->sets[i].set);
		mkv_strings_done(&requested->sets[i].names);
	}
	free(requested->sets);
	mkv_strings_done(&requested->overlays);
	mkv_strings_done(&requested->externals);
	*requested = (struct mkv_requested){0};
}

static int insert_all(struct mkv_strings *to, const struct mkv_strings *from,
		      struct mkv_error *err)
{
	for (size_t i = 0; i < from->count; i++) {
		int rc = mkv_strings_insert(to, from->items[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int insert_needs(struct mkv_strings *to, const char *suite,
			unsigned users, struct mkv_error *err)
{
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		const struct need *need = &needs[i];
		if (need->suite && strcmp(need->suite, suite) != 0)
			continue;
		if (!(need->users & users))
			continue;
		int rc = mkv_strings_insert(to, need->package, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static struct mkv_requested_set *new_set(struct mkv_requested *requested,
					 const char *kind, const char *name)
{
	struct mkv_requested_set *set =
		mkv_grow(&requested->sets, &requested->n_sets);
	if (!set || asprintf(&set->set, "%s/%s", kind, name) < 0)
		return NULL;
	return set;
}

static int add_image(struct mkv_requested *requested,
		     const struct mkv_recipe *recipe,
		     const struct mkv_image *image, struct mkv_error *err)
{
	struct mkv_requested_set *set =
		new_set(requested, "image", image->name);
	if (!set)
		return mkv_oom(err);
	set->is_whole = true;
	int rc = insert_needs(&set->names, recipe->suite,
			      FOR_IMAGE | (image->uefi ? FOR_UEFI : 0) |
				      (recipe->verify_sign ? FOR_TPM : 0),
			      err);
	if (rc < 0)
		return rc;
	rc = image->kernel ? mkv_strings_insert(&set->names, image->kernel, err)
			   : 0;
	if (rc < 0)
		return rc;
	rc = insert_all(&set->names, &image->packages, err);
	return rc < 0 ? rc
		      : insert_all(&requested->overlays, &image->overlays, err);
}

static int add_oci(struct mkv_requested *requested,
		   const struct mkv_recipe *recipe,
		   const struct mkv_oci_image *oci, struct mkv_error *err)
{
	if (oci->external)
		return mkv_strings_insert(&requested->externals, oci->external,
					  err);
	struct mkv_requested_set *set = new_set(requested, "oci", oci->name);
	if (!set)
		return mkv_oom(err);
	int rc = insert_needs(&set->names, recipe->suite,
			      oci->programs.count ? FOR_PROGRAMS : 0, err);
	if (rc < 0)
		return rc;
	rc = insert_all(&set->names, &oci->packages, err);
	return rc < 0 ? rc
		      : insert_all(&requested->overlays, &oci->overlays, err);
}

static int by_set(const void *a, const void *b)
{
	return strcmp(((const struct mkv_requested_set *)a)->set,
		      ((const struct mkv_requested_set *)b)->set);
}

int mkv_requested_init(const struct mkv_recipe *recipe,
		       struct mkv_requested *ret, struct mkv_error *err)
{
	auto_requested struct mkv_requested requested = {0};
	for (size_t i = 0; i < recipe->n_images; i++) {
		int rc = add_image(&requested, recipe, &recipe->images[i], err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < recipe->n_oci_images; i++) {
		int rc = add_oci(&requested, recipe, &recipe->oci_images[i],
				 err);
		if (rc < 0)
			return rc;
	}
	if (requested.n_sets)
		qsort(requested.sets, requested.n_sets, sizeof(*requested.sets),
		      by_set);
	*ret = requested;
	requested = (struct mkv_requested){0};
	return 0;
}

void mkv_set_label(const char *set, char ret[static 96])
{
	bool is_oci = strncmp(set, "oci/", 4) == 0;
	(void)snprintf(ret, 96, "%s '%.70s'", is_oci ? "OCI image" : "image",
		       strchr(set, '/') + 1);
}
