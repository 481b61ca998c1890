/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/external.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "builder/format/oci/external_internal.h"
#include "lib/io.h"
#include "lib/json.h"
#include "lib/process.h"

enum { MANIFEST_MAX = 4 * 1024 * 1024, TIMEOUT_S = 1800, PATH_LIMIT = 4096 };
/* skopeo retries after lost connections, but not after most errors that a
 * registry reports. */
#define RETRY "--retry-times=3"

/* Checks the characters. A leading letter or digit means that skopeo can't take
 * the reference for an option. */
static int check_reference(const char *reference, struct mkv_error *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	static const char inner[] = "-._/:";
	size_t length = strlen(reference);
	bool good = length > 0 && length < 512 && strchr(plain, *reference) &&
		    strchr(reference, '/');
	for (size_t i = 0; good && i < length; i++)
		good = strchr(plain, reference[i]) ||
		       strchr(inner, reference[i]);
	return good ? 0
		    : mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
			       "'%s' is not HOST/NAME:TAG", reference);
}

static const char *tls_option(const char *reference)
{
	bool is_local = strncmp(reference, "localhost", 9) == 0
				? strchr(":/", reference[9]) != NULL
				: strncmp(reference, "127.", 4) == 0;
	return is_local ? "false" : "true";
}

/* `skopeo inspect --raw` prints the bytes that the digest covers. */
static int read_manifest(const char *source, const char *reference,
			 struct mkv_buf *ret, struct mkv_error *err)
{
	char tls[32];
	(void)snprintf(tls, sizeof(tls), "--tls-verify=%s",
		       tls_option(reference));
	const char *const argv[] = {"skopeo", "inspect", "--raw", RETRY,
				    tls,      "--",	 source,  NULL};
	const struct mkv_process process = {
		.argv = argv,
		.output = ret,
		.output_limit_bytes = MANIFEST_MAX,
		.timeout_s = TIMEOUT_S,
	};
	return mkv_process_run(&process, NULL, err);
}

static int digest_of(const struct mkv_buf *bytes, char **ret,
		     struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_sha256_bytes(bytes->data, bytes->size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	return asprintf(ret, "sha256:%s", hex) < 0 ? mkv_oom(err) : 0;
}

/* The digest for linux/amd64 in an index or manifest list. */
static int choose_manifest(const json_t *manifests, char **ret,
			   struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	size_t i;
	json_t *entry;
	json_array_foreach((json_t *)(uintptr_t)manifests, i, entry)
	{
		const char *os = "", *architecture = "", *digest = "";
		(void)json_unpack(entry, "{s:s, s:{s:s, s:s}}", "digest",
				  &digest, "platform", "os", &os,
				  "architecture", &architecture);
		if (strcmp(os, "linux") != 0 ||
		    strcmp(architecture, "amd64") != 0)
			continue;
		if (mkv_oci_external_digest(digest, &sha256, err) < 0)
			break;
		*ret = strdup(digest);
		return *ret ? 0 : mkv_oom(err);
	}
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"the registry has no image for linux/amd64");
}

static int resolve_reference(const char *reference, char **ret,
			     struct mkv_error *err)
{
	auto_free char *source = NULL;
	auto_buf struct mkv_buf bytes = {0};
	auto_json json_t *manifest = NULL;
	if (asprintf(&source, "docker://%s", reference) < 0)
		return mkv_oom(err);
	int rc = read_manifest(source, reference, &bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_load(bytes.data, bytes.size, &manifest, err);
	if (rc < 0)
		return rc;
	const json_t *manifests = json_object_get(manifest, "manifests");
	return json_is_array(manifests) ? choose_manifest(manifests, ret, err)
					: digest_of(&bytes, ret, err);
}

int mkv_oci_external_resolve(const char *reference, char **ret_digest,
			     struct mkv_error *err)
{
	int rc = check_reference(reference, err);
	rc = rc < 0 ? rc : resolve_reference(reference, ret_digest, err);
	return rc < 0 ? mkv_wrap(err, rc, "external OCI image '%s'", reference)
		      : 0;
}

/* "host:5000/name:tag" with a digest: "docker://host:5000/name@sha256:...". */
static int pinned_source(const char *reference, const char *digest, char **ret,
			 struct mkv_error *err)
{
	const char *colon = strrchr(reference, ':');
	const char *slash = strrchr(reference, '/');
	size_t length = colon && colon > slash ? (size_t)(colon - reference)
					       : strlen(reference);
	return asprintf(ret, "docker://%.*s@%s", (int)length, reference,
			digest) < 0
		       ? mkv_oom(err)
		       : 0;
}

static int check_manifest(const char *dir, const char *digest,
			  struct mkv_error *err)
{
	char path[PATH_LIMIT];
	auto_buf struct mkv_buf bytes = {0};
	auto_free char *own = NULL;
	(void)snprintf(path, sizeof(path), "%s/manifest.json", dir);
	int rc = mkv_read_file(AT_FDCWD, path, MANIFEST_MAX, &bytes, err);
	if (rc < 0)
		return rc;
	rc = digest_of(&bytes, &own, err);
	if (rc < 0)
		return rc;
	return strcmp(own, digest) == 0
		       ? 0
		       : mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				  "the manifest's digest is %s, pinned is %s",
				  own, digest);
}

static int copy_image(const char *reference, const char *digest,
		      const char *dir, struct mkv_error *err)
{
	char tls[32];
	auto_free char *source = NULL, *target = NULL;
	struct mkv_sha256 sha256;
	if (mkv_oci_external_digest(digest, &sha256, err) < 0)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"'%s' is not a SHA-256 digest", digest);
	int rc = pinned_source(reference, digest, &source, err);
	if (rc < 0)
		return rc;
	if (asprintf(&target, "dir:%s", dir) < 0)
		return mkv_oom(err);
	(void)snprintf(tls, sizeof(tls), "--src-tls-verify=%s",
		       tls_option(reference));
	/* The host's signature policy is not consulted: the digest
	 * authenticates the image. */
	const char *const argv[] = {
		"skopeo", "--insecure-policy",	 "copy", "--quiet", RETRY,
		tls,	  "--remove-signatures", "--",	 source,    target,
		NULL};
	const struct mkv_process process = {.argv = argv,
					    .timeout_s = TIMEOUT_S};
	rc = mkv_process_run(&process, NULL, err);
	return rc < 0 ? rc : check_manifest(dir, digest, err);
}

int mkv_oci_external_fetch(const char *reference, const char *digest,
			   const char *dir, struct mkv_error *err)
{
	int rc = check_reference(reference, err);
	rc = rc < 0 ? rc : copy_image(reference, digest, dir, err);
	return rc < 0 ? mkv_wrap(err, rc, "external OCI image '%s'", reference)
		      : 0;
}
