/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/trusted.h"

#include <fcntl.h>
#include <string.h>

#include "builder/evidence/audit/audit_internal.h"
#include "lib/io.h"

enum { SMALL_MAX_BYTES = 64 * 1024 * 1024 };

struct mkv_audit_trusted {
	struct mkv_audit_options options;
	struct mkv_audit_report report; /* holds the key */
	struct mkv_audit audit;
};

void mkv_trusted_free(struct mkv_audit_trusted *trusted)
{
	if (!trusted)
		return;
	mkv_auto_close_(&trusted->audit.dirfd);
	mkv_sums_free(trusted->audit.sums);
	mkv_manifest_free(trusted->audit.manifest);
	mkv_audit_report_done(&trusted->report);
	free(trusted);
}

const struct mkv_manifest *
mkv_trusted_manifest(const struct mkv_audit_trusted *trusted)
{
	return trusted->audit.manifest;
}

const struct mkv_public_key *
mkv_trusted_key(const struct mkv_audit_trusted *trusted)
{
	return &trusted->report.key;
}

enum mkv_key_origin mkv_trusted_origin(const struct mkv_audit_trusted *trusted)
{
	return trusted->report.key_origin;
}

static int open_file(const struct mkv_audit_trusted *trusted, const char *path,
		     int *ret_fd, struct mkv_error *err)
{
	int rc = mkv_audit_open(&trusted->audit, path, ret_fd);
	if (rc < 0)
		return mkv_fail(err, MKV_UNVERIFIED, rc, "'%s': %s", path,
				rc == -EINVAL ? "isn't a regular file"
					      : strerror(-rc));
	return 0;
}

static int read_file(const struct mkv_audit_trusted *trusted, const char *path,
		     size_t limit_bytes, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = open_file(trusted, path, &fd, err);
	return rc < 0 ? rc : mkv_read_fd(fd, limit_bytes, ret, err);
}

int mkv_trusted_file(const struct mkv_audit_trusted *trusted, const char *path,
		     int *ret_fd, struct mkv_sha256 *ret_sha256,
		     struct mkv_error *err)
{
	const struct mkv_sum *sum = mkv_sums_find(trusted->audit.sums, path);
	if (!sum)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"'%s' is not in the signed SHA256SUMS", path);
	int rc = open_file(trusted, path, ret_fd, err);
	if (rc < 0)
		return rc;
	*ret_sha256 = sum->sha256;
	return 0;
}

int mkv_trusted_read(const struct mkv_audit_trusted *trusted, const char *path,
		     size_t limit_bytes, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	auto_fd int fd = -1;
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 want, got;
	int rc = mkv_trusted_file(trusted, path, &fd, &want, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_fd(fd, limit_bytes, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &got, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&want, &got))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%s': sha256 differs from SHA256SUMS", path);
	mkv_buf_add(ret, text.data ? text.data : "", text.size);
	return mkv_buf_check(ret, err);
}

static int read_sums(struct mkv_audit_trusted *trusted, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0}, signature = {0};
	int rc = read_file(trusted, "SHA256SUMS", SMALL_MAX_BYTES, &text, err);
	if (rc < 0)
		return rc;
	rc = read_file(trusted, "SHA256SUMS.sig", 4096, &signature, err);
	if (rc < 0)
		return rc;
	if (signature.size != MKV_SIGNATURE_SIZE)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"SHA256SUMS.sig isn't an Ed25519 signature");
	rc = mkv_signature_verify(&trusted->report.key,
				  text.data ? text.data : "", text.size,
				  (const uint8_t *)signature.data, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "SHA256SUMS");
	rc = mkv_sums_parse(text.data ? text.data : "", text.size,
			    &trusted->audit.sums, err);
	return rc < 0 ? mkv_wrap(err, rc, "SHA256SUMS") : 0;
}

static int read_manifest(struct mkv_audit_trusted *trusted,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_trusted_read(trusted, "manifest.json", SMALL_MAX_BYTES,
				  &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_manifest_parse(text.data, text.size, &trusted->audit.manifest,
				err);
	return rc < 0 ? mkv_wrap(err, rc, "manifest.json") : 0;
}

static int verify_all(struct mkv_audit_trusted *trusted, struct mkv_error *err)
{
	int rc = mkv_audit_choose_key(&trusted->audit, err);
	if (rc < 0)
		return rc;
	rc = read_sums(trusted, err);
	return rc < 0 ? rc : read_manifest(trusted, err);
}

int mkv_trusted_open(const char *path, const char *key,
		     struct mkv_audit_trusted **ret, struct mkv_error *err)
{
	auto_trusted struct mkv_audit_trusted *trusted =
		calloc(1, sizeof(*trusted));
	if (!trusted)
		return mkv_oom(err);
	trusted->options = (struct mkv_audit_options){.path = path, .key = key};
	trusted->audit = (struct mkv_audit){.options = &trusted->options,
					    .report = &trusted->report};
	trusted->audit.dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (trusted->audit.dirfd < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno, "'%s': %m", path);
	if (faccessat(trusted->audit.dirfd, "manifest.json", F_OK, 0) < 0 &&
	    faccessat(trusted->audit.dirfd, "SHA256SUMS", F_OK, 0) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"'%s' is not an appliance", path);
	int rc = verify_all(trusted, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	*ret = mkv_take(trusted);
	return 0;
}
