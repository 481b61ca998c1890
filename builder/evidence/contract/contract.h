/* SPDX-License-Identifier: MIT */
#pragma once
/* Writes the contract (docs/CONTRACT.md) from the recipe, its lock and the
 * properties of each built image. */

#include <jansson.h>

#include "builder/input/lock/lock.h"
#include "lib/buf.h"
#include "lib/strings.h"

/* Properties of an image that its recipe doesn't determine. */
struct mkv_built_image {
	const char *kernel_package, *kernel_version; /* NULL: no kernel */
	const char *kernel_release;
	const struct mkv_sha256 *initramfs_sha256; /* NULL: not promised */
	struct mkv_strings command_line;
	struct mkv_strings enabled, masked; /* units of the finished tree */
	struct mkv_sha256 files_sha256;	    /* of files.list */
	size_t files_count;
};

struct mkv_built_layer {
	struct mkv_sha256 digest, diff_id;
};

/* One OCI image, built or fetched. */
struct mkv_built_oci {
	const char *name;
	struct mkv_sha256 manifest, config;
	const struct mkv_built_layer *layers; /* lowest first */
	size_t n_layers;
};

struct mkv_contract_inputs {
	const struct mkv_recipe *recipe;
	const struct mkv_lock *lock;
	const struct mkv_sha256 *lock_sha256; /* of its canonical text */
	const char *key_id;
	const uint8_t (*domain_ids)[16]; /* a UUID for each host of the recipe;
					    used for guests only */
	const struct mkv_built_image *images; /* as many as the recipe has */
	const struct mkv_built_oci *oci;
	size_t n_oci;
};

/* Appends contract.json, canonical. */
int mkv_contract_write(const struct mkv_contract_inputs *inputs,
		       struct mkv_buf *into,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* The member `request` of an experiment or a plan. NULL when out of memory. */
json_t *mkv_contract_request(const struct mkv_request *request) mkv_nonnull(1);

/* An image's kernel command line, in order: root, rw, consoles unless the
 * recipe names one, huge pages for a hypervisor's guests, parameters of the
 * settings, parameters of the recipe. The caller owns the list and its strings.
 * `root_uuid` is the UUID of the root file system. */
int mkv_contract_command_line(const struct mkv_recipe *recipe,
			      const struct mkv_image *image,
			      const uint8_t root_uuid[static 16],
			      struct mkv_strings *ret,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
