/* SPDX-License-Identifier: MIT */
#pragma once
/* What one build of one recipe works with. Everything is borrowed from the
 * command that builds. */

#include "builder/build/step.h"
#include "builder/build/tool_files.h"
#include "builder/core/progress/progress.h"
#include "builder/core/tree/tree.h"
#include "builder/evidence/attest/key.h"
#include "builder/format/oci/external.h"
#include "builder/format/oci/image.h"
#include "builder/input/lock/lock.h"

struct mkv_build {
	const struct mkv_recipe *recipe;
	const struct mkv_lock *lock;
	struct mkv_sha256 lock_sha256; /* of its canonical text */
	struct mkv_store *store;
	struct mkv_progress *progress;
	const struct mkv_private_key *key;
	const struct mkv_tool_files *tool;
};

/* Builds those of the lock that the store lacks, several at once. */
int mkv_build_rootfs_all(const struct mkv_build *build,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Ids derive from the lock and from what they name, never from what contains
 * them. */
int mkv_build_uuid(const struct mkv_build *build, const char *image,
		   const char *what, uint8_t ret[static 16],
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

/* Loads an overlay, at the lock's time; -ESTALE when it isn't what the lock, or
 * build->tool, says. Frozen, its contents can't change any more
 * (builder/core/tree/freeze.h). */
int mkv_build_overlay_load(const struct mkv_build *build, const char *name,
			   bool freeze, struct mkv_tree **ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* The content of one of the tool's programs, frozen; -ESTALE likewise. */
int mkv_build_program(const struct mkv_build *build, const char *program,
		      struct mkv_content **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
int mkv_build_program_put(const struct mkv_build *build, const char *program,
			  const char *path, struct mkv_tree *tree,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Lays overlays over a tree, in order, and puts programs of programs/ into
 * /usr/bin as mkvbench-NAME. */
int mkv_build_overlays(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
int mkv_build_programs(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* An OCI image of the recipe: what its packages install is one layer, what
 * overlays and programs add the next. */
enum { MKV_BUILD_OCI_LAYERS = 2, MKV_BUILD_OCI_LAYERS_MAX = 120 };
struct mkv_build_oci_image {
	struct mkv_oci_external
		*external; /* or NULL: trees, layers and built */
	struct mkv_tree *trees[MKV_BUILD_OCI_LAYERS];
	struct mkv_oci_layer *layers[MKV_BUILD_OCI_LAYERS];
	struct mkv_oci_built *built;
	const struct mkv_oci_built *image; /* either kind; borrowed */
};
struct mkv_build_oci {
	struct mkv_build_oci_image *images; /* in the recipe's order */
	size_t count;
};
int mkv_build_oci_images(const struct mkv_build *build,
			 struct mkv_build_oci *ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_build_oci_done(struct mkv_build_oci *oci) mkv_nonnull(1);
#define auto_build_oci __attribute__((cleanup(mkv_build_oci_done)))

/* One disk image on its way: its tree, and what the contract says of it. */
struct mkv_build_image {
	const struct mkv_image *recipe;
	struct mkv_tree *tree;
	struct mkv_content *kernel, *initramfs;
	char *kernel_release, *kernel_package, *kernel_version;
	struct mkv_strings command_line;
	struct mkv_strings enabled, masked; /* units */
	uint8_t disk_uuid[16], esp_uuid[16], root_uuid[16];
	uint8_t esp_partition_uuid[16], root_partition_uuid[16];
	uint8_t (*data_uuids)[16]; /* of the data partitions' file systems */
	struct mkv_buf files;	   /* files.list */
	struct mkv_sha256 files_sha256;
	size_t files_count;
};
void mkv_build_image_done(struct mkv_build_image *image) mkv_nonnull(1);

/* Everything of an image but the contract, which needs all images. */
int mkv_build_image_prepare(const struct mkv_build *build, size_t index,
			    const struct mkv_build_oci *oci,
			    struct mkv_build_image *ret,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);
/* Puts the contract, its bundle and the list of files into the tree. */
int mkv_build_image_seal(struct mkv_build_image *image,
			 const struct mkv_buf *contract,
			 const struct mkv_buf *bundle,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Writes DIR/disk.raw, boot/, and what else the recipe asks for. */
int mkv_build_image_write(const struct mkv_build *build,
			  struct mkv_build_image *image, const char *dir,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The whole appliance, into OUTPUT/<recipe name>/, which appears when complete
 * and replaces the one before. `ret_path` is the caller's. */
int mkv_build_appliance(const struct mkv_build *build, const char *output,
			char **ret_path, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
