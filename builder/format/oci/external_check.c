/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/format/oci/external_internal.h"
#include "lib/io.h"
#include "lib/json.h"

enum { TEXT_MAX = 4 * 1024 * 1024, PATH_LIMIT = 4096 };

int mkv_oci_external_digest(const char *text, struct mkv_sha256 *ret,
			    struct mkv_error *err)
{
	if (!text || strncmp(text, "sha256:", 7) != 0 ||
	    mkv_sha256_parse(text + 7, ret) < 0)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"'%.80s' is not a SHA-256 digest",
				text ? text : "");
	return 0;
}

static int check_digest(int fd, const struct mkv_sha256 *digest,
			struct mkv_error *err)
{
	struct mkv_sha256 own;
	int rc = mkv_sha256_fd(fd, &own, NULL, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&own, digest))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the content does not match its digest");
	return lseek(fd, 0, SEEK_SET) < 0
		       ? mkv_fail(err, MKV_FAILED, errno, "seek: %m")
		       : 0;
}

int mkv_oci_external_blob(const char *dir, const char *name,
			  const struct mkv_sha256 *digest, int *ret,
			  struct mkv_error *err)
{
	char path[PATH_LIMIT];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	auto_fd int parent =
		open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd int fd = parent < 0 ? -1
				    : openat(parent, name,
					     O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
						     O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return mkv_fail(err, MKV_UNVERIFIED, errno, "open '%s': %m",
				path);
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"'%s' is not a regular file", path);
	int rc = check_digest(fd, digest, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", path);
	*ret = mkv_take_fd(&fd);
	return 0;
}

int mkv_oci_external_text(const char *dir, const char *name,
			  const struct mkv_sha256 *digest, struct mkv_buf *ret,
			  struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = mkv_oci_external_blob(dir, name, digest, &fd, err);
	return rc < 0 ? rc : mkv_read_fd(fd, TEXT_MAX, ret, err);
}

/* Checks a blob against the size and digest of its descriptor (image-spec,
 * descriptor.md). */
static int check_blob(const char *dir, const json_t *descriptor,
		      struct mkv_error *err)
{
	struct mkv_sha256 digest;
	struct stat st;
	auto_fd int fd = -1;
	const char *text =
		json_string_value(json_object_get(descriptor, "digest"));
	json_int_t size =
		json_integer_value(json_object_get(descriptor, "size"));
	int rc = mkv_oci_external_digest(text, &digest, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_blob(dir, text + 7, &digest, &fd, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat '%s': %m", text);
	return st.st_size == size
		       ? 0
		       : mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				  "'%s/%s' has %lld bytes, the manifest "
				  "records %lld",
				  dir, text + 7, (long long)st.st_size,
				  (long long)size);
}

int mkv_oci_external_check(const char *dir, const char *digest,
			   struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	auto_buf struct mkv_buf text = {0};
	auto_json json_t *manifest = NULL;
	int rc = mkv_oci_external_digest(digest, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_oci_external_text(dir, "manifest.json", &sha256, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_load(text.data, text.size, &manifest, err);
	if (rc < 0)
		return rc;
	rc = check_blob(dir, json_object_get(manifest, "config"), err);
	if (rc < 0)
		return rc;
	const json_t *layers = json_object_get(manifest, "layers");
	for (size_t i = 0; i < json_array_size(layers); i++) {
		rc = check_blob(dir, json_array_get(layers, i), err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
