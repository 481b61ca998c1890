/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "lib/dsse.h"
#include "lib/io.h"

enum {
	SUMS_MAX = 64 * 1024 * 1024,
	MANIFEST_MAX = 64 * 1024 * 1024,
	PATH_SIZE = 4400,
};

/* One appliance. */
struct appliance {
	struct mkv_bundle_audit *at;
	const char *name;
	struct mkv_sums *sums;
	struct mkv_manifest *manifest;
	char contract[MKV_SHA256_HEX_SIZE];
};

static void appliance_done(struct appliance *appliance)
{
	mkv_sums_free(appliance->sums);
	mkv_manifest_free(appliance->manifest);
}

static void path_of(const struct appliance *appliance, const char *file,
		    char ret[static PATH_SIZE])
{
	(void)snprintf(ret, PATH_SIZE, "appliances/%s/%s", appliance->name,
		       file);
}

static int read_sums(struct appliance *appliance, struct mkv_error *err)
{
	struct mkv_bundle_audit *at = appliance->at;
	auto_buf struct mkv_buf text = {0}, signature = {0};
	char path[PATH_SIZE];
	path_of(appliance, "SHA256SUMS", path);
	int rc = mkv_audit_read(&at->audit, path, SUMS_MAX, &text, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	path_of(appliance, "SHA256SUMS.sig", path);
	rc = mkv_audit_read(&at->audit, path, 4096, &signature, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (signature.size != MKV_SIGNATURE_SIZE ||
	    mkv_signature_verify(&at->audit.report->key,
				 text.data ? text.data : "", text.size,
				 (const uint8_t *)signature.data, err) < 0) {
		mkv_bundle_find(at, path,
				"isn't the signature of SHA256SUMS by the "
				"verification key");
		return 0;
	}
	at->audit.report->signatures++;
	rc = mkv_sums_parse(text.data ? text.data : "", text.size,
			    &appliance->sums, err);
	path_of(appliance, "SHA256SUMS", path);
	return rc < 0 ? mkv_bundle_find_error(at, path, rc, err) : 0;
}

static bool is_disk(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strncmp(slash ? slash + 1 : path, "disk.", 5) == 0;
}

/* Whether the copy may lack a file: a disk, or a large one. */
static bool may_be_missing(const struct appliance *appliance, const char *path)
{
	const struct mkv_manifest *manifest = appliance->manifest;
	for (size_t i = 0; manifest && i < manifest->n_artifacts; i++)
		if (strcmp(manifest->artifacts[i].path, path) == 0)
			return is_disk(path) ||
			       manifest->artifacts[i].size_bytes >
				       MKV_BUNDLE_COPY_LIMIT_BYTES;
	return false;
}

static int check_file(const struct appliance *appliance,
		      const struct mkv_sum *sum, struct mkv_error *err)
{
	struct mkv_bundle_audit *at = appliance->at;
	char path[PATH_SIZE];
	struct mkv_sha256 sha256;
	auto_fd int fd = -1;
	path_of(appliance, sum->path, path);
	int rc = mkv_audit_open(&at->audit, path, &fd);
	if (rc == -ENOENT && may_be_missing(appliance, sum->path))
		return 0;
	if (rc < 0) {
		mkv_bundle_find(at, path, "%s",
				rc == -EINVAL	? "isn't a regular file"
				: rc == -ENOENT ? "missing"
						: strerror(-rc));
		return 0;
	}
	rc = mkv_sha256_fd(fd, &sha256, NULL, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&sha256, &sum->sha256))
		mkv_bundle_find(at, path,
				"its SHA-256 isn't the one of the appliance's "
				"SHA256SUMS");
	return 0;
}

/* manifest.json and the digest of its contract, as the images hold it. */
static int read_manifest(struct appliance *appliance, struct mkv_error *err)
{
	struct mkv_bundle_audit *at = appliance->at;
	auto_buf struct mkv_buf text = {0}, bytes = {0};
	struct mkv_sha256 sha256;
	char path[PATH_SIZE];
	path_of(appliance, "manifest.json", path);
	int rc = mkv_audit_read(&at->audit, path, MANIFEST_MAX, &text, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_manifest_parse(text.data ? text.data : "", text.size,
				&appliance->manifest, err);
	if (rc < 0)
		return mkv_bundle_find_error(at, path, rc, err);
	rc = mkv_json_dump(appliance->manifest->contract->document, &bytes,
			   err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(bytes.data, bytes.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, appliance->contract);
	return 0;
}

/* attestations/contract.sigstore.json signs the same contract. */
static int check_contract(const struct appliance *appliance,
			  struct mkv_error *err)
{
	struct mkv_bundle_audit *at = appliance->at;
	auto_buf struct mkv_buf bundle = {0}, payload = {0};
	struct mkv_sha256 sha256;
	char path[PATH_SIZE];
	path_of(appliance, "attestations/contract.sigstore.json", path);
	int rc = mkv_audit_read(&at->audit, path, MANIFEST_MAX, &bundle, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_sha256_parse(appliance->contract, &sha256);
	if (rc < 0)
		return 0; /* manifest.json is a finding */
	rc = mkv_dsse_verify(bundle.data ? bundle.data : "", bundle.size,
			     &at->audit.report->key, MKV_DSSE_IN_TOTO, &payload,
			     err);
	if (rc >= 0)
		rc = mkv_statement_subject_check(
			payload.data ? payload.data : "", payload.size,
			MKV_PREDICATE_CONTRACT, "contract.json", &sha256, err);
	if (rc < 0)
		return mkv_bundle_find_error(at, path, rc, err);
	at->audit.report->signatures++;
	return 0;
}

static int audit_appliance(struct appliance *appliance, struct mkv_error *err)
{
	int rc = read_manifest(appliance, err);
	if (rc < 0)
		return rc;
	rc = read_sums(appliance, err);
	for (size_t i = 0;
	     rc >= 0 && appliance->sums && i < appliance->sums->count; i++)
		rc = check_file(appliance, &appliance->sums->items[i], err);
	return rc < 0 ? rc : check_contract(appliance, err);
}

int mkv_bundle_audit_arms(struct mkv_bundle_audit *at, struct mkv_error *err)
{
	for (size_t i = 0; i < at->plan->n_arms; i++) {
		const struct mkv_plan_arm *arm = &at->plan->arms[i];
		__attribute__((
			cleanup(appliance_done))) struct appliance appliance = {
			.at = at, .name = arm->appliance};
		char path[PATH_SIZE];
		int rc = 0;
		/* Arms may share an appliance: its findings are given once. */
		size_t first = 0;
		while (strcmp(at->plan->arms[first].appliance,
			      arm->appliance) != 0)
			first++;
		uint64_t before = mkv_audit_count(at->audit.report);
		if (first == i)
			rc = audit_appliance(&appliance, err);
		else
			rc = at->arms[first].manifest
				     ? read_manifest(&appliance, err)
				     : 0;
		if (rc < 0)
			return rc;
		bool is_good = mkv_audit_count(at->audit.report) == before &&
			       appliance.manifest;
		path_of(&appliance, "manifest.json", path);
		if (appliance.manifest &&
		    strcmp(appliance.contract, arm->contract_sha256) != 0) {
			mkv_bundle_find(at, path,
					"has the contract %s, and the plan's "
					"arm '%s' has %s",
					appliance.contract, arm->name,
					arm->contract_sha256);
			is_good = false;
		}
		if (is_good)
			at->arms[i].manifest = mkv_take(appliance.manifest);
	}
	return 0;
}
