/* SPDX-License-Identifier: MIT */
#pragma once
/* Contracts of recipes, with made-up properties of their images. */

#include "builder/evidence/contract/contract.h"
#include "tests/unit/attest_fixture.h"

#define FIXTURE_KEY_ID                                                         \
	"c100000000000000000000000000000000000000000000000000000000000000"

static struct mkv_recipe *fixture_load(const char *path)
{
	struct mkv_recipe *recipe = NULL;
	struct mkv_diagnostics diagnostics = {0};
	struct mkv_error err = {0};
	if (mkv_recipe_load(path, &recipe, &diagnostics, &err) < 0)
		fail_msg("%s: %s", path, err.message);
	return recipe;
}

/* The contract of a recipe, with what a build would have found out. */
static void fixture_contract(const struct mkv_recipe *recipe,
			     const char *key_id, struct mkv_buf *ret)
{
	struct mkv_error err = {0};
	auto_free struct mkv_built_image *images =
		calloc(recipe->n_images, sizeof(*images));
	auto_free struct mkv_built_oci *oci =
		calloc(recipe->n_oci_images + 1, sizeof(*oci));
	char *words[] = {(char *)"root=UUID=1", (char *)"rw"};
	static const struct mkv_sha256 initramfs = {{0xc1}};
	for (size_t i = 0; i < recipe->n_images; i++)
		images[i] = (struct mkv_built_image){
			.kernel_package = "linux-image-6.12-amd64",
			.kernel_version = "6.12.1-1",
			.kernel_release = "6.12-amd64",
			.initramfs_sha256 = &initramfs,
			.command_line = {words, 2},
			.files_sha256 = {{0xf1}},
			.files_count = 1234,
		};
	static const struct mkv_built_layer layers[] = {{{{0x11}}, {{0x12}}},
							{{{0x21}}, {{0x22}}}};
	for (size_t i = 0; i < recipe->n_oci_images; i++)
		oci[i] = (struct mkv_built_oci){recipe->oci_images[i].name,
						{{0xa1}},
						{{0xa2}},
						layers,
						2};
	const struct mkv_sha256 lock = {{0xb1}};
	auto_free uint8_t(*ids)[16] = calloc(recipe->n_hosts, sizeof(*ids));
	struct mkv_contract_inputs inputs = {
		.recipe = recipe,
		.lock = &fixture_lock,
		.lock_sha256 = &lock,
		.key_id = key_id,
		.domain_ids = ids,
		.images = images,
		.oci = oci,
		.n_oci = recipe->n_oci_images,
	};
	if (mkv_contract_write(&inputs, ret, &err) < 0)
		fail_msg("%s: %s", recipe->name, err.message);
}
