/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/input/recipe/cross.h"

/* Kernel parameters that the builder sets. */
static const char *const reserved[] = {"root=", "rootfstype=", "ro",
				       "rw",	"init=",       "rdinit="};

static bool is_reserved(const char *word)
{
	for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++) {
		size_t length = strlen(reserved[i]);
		bool prefix = reserved[i][length - 1] == '=';
		if (prefix ? strncmp(word, reserved[i], length) == 0
			   : strcmp(word, reserved[i]) == 0)
			return true;
	}
	return false;
}

/* Kernel parameters that `settings` sets. */
static void check_settings_parameter(const struct mkv_cross *c,
				     const struct mkv_image *image,
				     size_t index)
{
	const struct mkv_kernel_settings *s = &c->recipe->settings;
	const struct {
		bool given;
		const char *word, *key;
	} rows[] = {
		{s->governor, "cpufreq.default_governor=", "governor"},
		{s->transparent_huge_pages,
		 "transparent_hugepage=", "transparent-huge-pages"},
		{s->has_mitigations, "mitigations=", "mitigations"},
		{s->has_numa_balancing, "numa_balancing=", "numa-balancing"},
	};
	const char *word = image->cmdline.items[index];
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].given &&
		    strncmp(word, rows[i].word, strlen(rows[i].word)) == 0)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "images.%s.command-line.%zu",
					       image->name, index),
				"kernel parameter '%s' conflicts with "
				"'settings.%s', which sets it",
				word, rows[i].key);
}

static void check_parameters(const struct mkv_cross *c,
			     const struct mkv_image *image)
{
	for (size_t i = 0; i < image->cmdline.count; i++)
		if (is_reserved(image->cmdline.items[i]))
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "images.%s.command-line.%zu",
					       image->name, i),
				"kernel parameter '%s' is reserved: the "
				"builder sets it",
				image->cmdline.items[i]);
	for (size_t i = 0; i < image->cmdline.count; i++)
		check_settings_parameter(c, image, i);
	if (mkv_strings_has(&image->packages, image->kernel))
		mkv_diagnose(
			c->load,
			mkv_cross_mark(c, "images.%s.packages", image->name),
			"'%s' is the image's kernel: remove it from 'packages'",
			image->kernel);
	for (size_t i = 0; i < image->mask.count; i++)
		if (mkv_strings_has(&image->enable, image->mask.items[i]))
			mkv_diagnose(c->load,
				     mkv_cross_mark(c,
						    "images.%s.units.mask.%zu",
						    image->name, i),
				     "unit '%s' is both enabled and masked",
				     image->mask.items[i]);
}

static void check_partitions(const struct mkv_cross *c,
			     const struct mkv_image *image)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < image->n_partitions; i++) {
		const struct mkv_partition *p = &image->partitions[i];
		struct mkv_mark mark =
			mkv_cross_mark(c, "images.%s.disk.partitions.%s",
				       image->name, p->label);
		if (__builtin_add_overflow(sum, p->size_bytes, &sum))
			sum = UINT64_MAX;
		for (size_t j = 0; j < i; j++)
			if (strcmp(image->partitions[j].mount, p->mount) == 0)
				mkv_diagnose(
					c->load, mark,
					"partition '%s' is already mounted at "
					"%s",
					image->partitions[j].label, p->mount);
		if (strcmp(p->label, "esp") == 0 ||
		    strcmp(p->label, "root") == 0)
			mkv_diagnose(c->load, mark,
				     "partition label '%s' is reserved: choose "
				     "another label",
				     p->label);
	}
	if (image->size_bytes && sum >= image->size_bytes)
		mkv_diagnose(
			c->load,
			mkv_cross_mark(c, "images.%s.disk.size", image->name),
			"the data partitions leave no space for the root "
			"partition");
}

/* An image is a directory of its appliance, next to these fixed directories. */
static void check_name(const struct mkv_cross *c, const struct mkv_image *image)
{
	static const char *const taken[] = {"attestations", "libvirt", "oci",
					    "pxe"};
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (strcmp(image->name, taken[i]) == 0)
			mkv_diagnose(
				c->load,
				mkv_cross_mark(c, "images.%s", image->name),
				"image name '%s' is reserved for a directory "
				"of the appliance: choose another name",
				image->name);
}

static void check_platform(const struct mkv_cross *c,
			   const struct mkv_image *image)
{
	const struct mkv_recipe *r = c->recipe;
	size_t index = (size_t)(image - r->images);
	struct mkv_mark mark =
		mkv_cross_mark(c, "images.%s.platform", image->name);
	const char *platform = mkv_platform_name(image->platform);
	if (image->platform != MKV_ON_METAL && !r->has_hypervisor)
		mkv_diagnose(c->load, mark,
			     "platform %s requires 'hypervisor' in the recipe",
			     platform);
	else if (image->platform == MKV_HYPERVISOR &&
		 r->hypervisor.image != index)
		mkv_diagnose(
			c->load, mark,
			"platform hypervisor is reserved for the hypervisor's "
			"image, which is '%s'",
			r->images[r->hypervisor.image].name);
	else if (r->has_hypervisor && r->hypervisor.image == index &&
		 image->platform != MKV_HYPERVISOR)
		mkv_diagnose(c->load, mark,
			     "the hypervisor's image must have the platform "
			     "hypervisor, not %s",
			     platform);
}

void mkv_cross_image(const struct mkv_cross *c)
{
	for (size_t i = 0; i < c->recipe->n_images; i++) {
		const struct mkv_image *image = &c->recipe->images[i];
		check_name(c, image);
		check_parameters(c, image);
		check_partitions(c, image);
		check_platform(c, image);
	}
}
