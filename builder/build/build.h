/* SPDX-License-Identifier: MIT */
#pragma once
/* The inputs of one build of one recipe, all borrowed from the command. */

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

/* Builds the root file systems of the lock that the store lacks, several in
 * parallel. */
int mkv_build_rootfs_all(const struct mkv_build *build,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* The id (UUIDv5, RFC 9562) of an object `what` of an image, derived from the
 * lock and the two names. */
int mkv_build_uuid(const struct mkv_build *build, const char *image,
		   const char *what, uint8_t ret[static 16],
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);

/* Loads an overlay with the lock's time; -ESTALE when its digest is not that of
 * the lock or of build->tool. With `freeze` the contents are private copies
 * (builder/core/tree/freeze.h). */
int mkv_build_overlay_load(const struct mkv_build *build, const char *name,
			   bool freeze, struct mkv_tree **ret,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
/* A private copy of one of the tool's programs; -ESTALE when its digest is not
 * that of build->tool. */
int mkv_build_program(const struct mkv_build *build, const char *program,
		      struct mkv_content **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Puts such a program into a tree, 0755 root:root. */
int mkv_build_program_put(const struct mkv_build *build, const char *program,
			  const char *path, struct mkv_tree *tree,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
/* Applies overlays to a tree, in order. */
int mkv_build_overlays(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
/* Puts programs of programs/ into a tree as /usr/bin/mkvbench-NAME. */
int mkv_build_programs(const struct mkv_build *build,
		       const struct mkv_strings *names, struct mkv_tree *tree,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* An OCI image of the recipe. The first layer holds the packages, the second
 * what overlays and programs add or change. */
enum { MKV_BUILD_OCI_LAYERS = 2, MKV_BUILD_OCI_LAYERS_MAX = 120 };
struct mkv_build_oci_image {
	struct mkv_oci_external
		*external; /* NULL: built, from trees and layers */
	struct mkv_tree *trees[MKV_BUILD_OCI_LAYERS];
	struct mkv_oci_layer *layers[MKV_BUILD_OCI_LAYERS];
	struct mkv_oci_built *built;
	const struct mkv_oci_built *image; /* of external or built */
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

/* A disk image that is being built: its tree and its facts for the contract. */
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

/* Builds an image up to the contract, which needs the facts of all images. */
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
/* Writes DIR/disk.raw, DIR/boot/ and the formats that the recipe requests. */
int mkv_build_image_write(const struct mkv_build *build,
			  struct mkv_build_image *image, const char *dir,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Builds the whole appliance OUTPUT/NAME of the recipe. The directory appears
 * when it is complete and replaces a previous appliance. The caller owns
 * *ret_path. Appends the fingerprint of the files that were written
 * (mkv_artifacts_fingerprint()). */
int mkv_build_appliance(const struct mkv_build *build, const char *output,
			char **ret_path, struct mkv_buf *fingerprint,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
