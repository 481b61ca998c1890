/* SPDX-License-Identifier: MIT */
/* External images for the test:
 *
 *   external resolve REFERENCE                 prints the digest
 *   external fetch REFERENCE DIGEST DIR
 *   external keep STORE REFERENCE DIGEST HOW   fetches into a store unless it
 *                                              has the image; HOW is online or
 *                                              offline; prints the directory
 *   external layout DIR DIGEST OUT             writes an OCI layout; prints the
 *                                              image id */
#include <stdio.h>
#include <string.h>

#include "builder/format/oci/docker_root.h"
#include "builder/format/oci/external.h"
#include "builder/format/oci/layout.h"

static int layout(const char *directory, const char *digest, const char *out,
		  struct mkv_error *err)
{
	auto_oci_external struct mkv_oci_external *external = NULL;
	auto_oci_layout struct mkv_oci_layout *made = NULL;
	auto_tree struct mkv_tree *root = NULL;
	int rc = mkv_oci_external_open(directory, digest, "app", "pinned",
				       "/tmp", &external, err);
	if (rc < 0)
		return rc;
	const struct mkv_oci_built *image = mkv_oci_external_image(external);
	rc = mkv_tree_new(0, &root, err);
	if (rc < 0)
		return rc;
	rc = mkv_docker_root_put(root, &image, 1, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_layout_new(out, &made, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_layout_add(made, image, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_layout_finish(made, err);
	if (rc < 0)
		return rc;
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&image->config_digest, hex);
	printf("sha256:%s\n", hex);
	return 0;
}

static int keep(const char *path, const char *reference, const char *digest,
		bool offline, struct mkv_error *err)
{
	auto_store struct mkv_store *store = NULL;
	auto_free char *directory = NULL;
	int rc = mkv_store_open(path, &store, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_keep(store, reference, digest, offline,
				   &directory, err);
	if (rc < 0)
		return rc;
	puts(directory);
	return rc;
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	int rc = -EINVAL;
	char *digest = NULL;
	if (argc == 3 && strcmp(argv[1], "resolve") == 0) {
		rc = mkv_oci_external_resolve(argv[2], &digest, &err);
		if (rc == 0)
			puts(digest);
	} else if (argc == 5 && strcmp(argv[1], "fetch") == 0) {
		rc = mkv_oci_external_fetch(argv[2], argv[3], argv[4], &err);
	} else if (argc == 6 && strcmp(argv[1], "keep") == 0) {
		rc = keep(argv[2], argv[3], argv[4],
			  strcmp(argv[5], "offline") == 0, &err);
	} else if (argc == 5 && strcmp(argv[1], "layout") == 0) {
		rc = layout(argv[2], argv[3], argv[4], &err);
	}
	free(digest);
	if (rc == 0)
		return 0;
	fprintf(stderr, "%s\n", err.message);
	return err.kind ? mkv_exit_status(err.kind) : 2;
}
