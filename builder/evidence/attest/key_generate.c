/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/attest/key.h"
#include "lib/io.h"

/* The directory part of a path, "." for a bare name. The caller frees it. */
static char *parent_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return strdup(".");
	return slash == path ? strdup("/")
			     : strndup(path, (size_t)(slash - path));
}

/* Canonicalises a path whose last components need not exist yet. */
static int resolve_path(const char *path, char **ret, struct mkv_error *err)
{
	auto_free char *real = realpath(path, NULL);
	if (real) {
		*ret = mkv_take(real);
		return 0;
	}
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	if (errno != ENOENT || strcmp(path, "/") == 0 || strcmp(path, ".") == 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	if (strcmp(name, "..") == 0)
		return mkv_fail(err, MKV_FAILED, ENOENT, "'%s': %m", path);
	auto_free char *parent = parent_of(path);
	auto_free char *real_parent = NULL;
	if (!parent)
		return mkv_oom(err);
	int rc = resolve_path(parent, &real_parent, err);
	if (rc < 0)
		return rc;
	bool empty = name[0] == '\0' || strcmp(name, ".") == 0;
	if (asprintf(ret, "%s%s%s",
		     strcmp(real_parent, "/") == 0 ? "" : real_parent,
		     empty ? "" : "/", name) < 0)
		return mkv_oom(err);
	return 0;
}

int mkv_key_check_place(const char *key_path, const char *output,
			struct mkv_error *err)
{
	auto_free char *place = NULL;
	auto_free char *key = NULL;
	auto_free char *directory = NULL;
	int rc = key_path ? 0 : mkv_key_default_path(&place, err);
	if (rc >= 0)
		rc = resolve_path(key_path ? key_path : place, &key, err);
	if (rc >= 0)
		rc = resolve_path(output, &directory, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "path of the signing key");
	size_t length = strlen(directory);
	if (strcmp(directory, "/") == 0 ||
	    (strncmp(key, directory, length) == 0 && key[length] == '/'))
		return mkv_fail(err, MKV_HOST_CANNOT, EPERM,
				"the signing key '%s' is inside the output "
				"'%s', and whoever receives the output would "
				"get the key: move the key",
				key, directory);
	return 0;
}

/* Whether a canonical directory or one of its parents is an appliance. */
static bool is_in_appliance(const char *directory)
{
	auto_free char *at = strdup(directory);
	while (at && at[0]) {
		auto_free char *manifest = NULL, *sums = NULL;
		if (asprintf(&manifest, "%s/manifest.json", at) < 0 ||
		    asprintf(&sums, "%s/SHA256SUMS", at) < 0)
			return true;
		if (access(manifest, F_OK) == 0 && access(sums, F_OK) == 0)
			return true;
		*strrchr(at, '/') = '\0';
	}
	return false;
}

/* Creates the directory of the key, for this user alone, unless it exists. */
static int make_directory(const char *path, struct mkv_error *err)
{
	auto_free char *directory = parent_of(path);
	auto_free char *above = directory ? parent_of(directory) : NULL;
	if (!above)
		return mkv_oom(err);
	int rc = mkv_make_dirs(above, err);
	if (rc < 0)
		return rc;
	if (mkdir(directory, 0700) < 0 && errno != EEXIST)
		return mkv_fail(err, MKV_FAILED, errno, "make '%s': %m",
				directory);
	auto_free char *real = realpath(directory, NULL);
	if (!real)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", directory);
	if (is_in_appliance(real))
		return mkv_fail(err, MKV_BAD_USAGE, EPERM,
				"'%s' is part of an appliance: choose another "
				"directory for the signing key",
				directory);
	return 0;
}

/* Writes a file that must not exist: link(2), unlike rename(2), never replaces
 * a file. */
static int write_new(const char *path, mode_t mode, const struct mkv_buf *text,
		     struct mkv_error *err)
{
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	int rc = mkv_newfile_open(path, mode, &file, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(file.fd, text->data, text->size, err);
	if (rc < 0)
		return rc;
	if (fsync(file.fd) < 0 ||
	    linkat(file.dirfd, file.temporary, file.dirfd, file.final, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "write '%s': %m", path);
	return 0;
}

/* PEM of both halves. */
static int make_pair(struct mkv_buf *private, struct mkv_public_key *ret,
		     struct mkv_error *err)
{
	uint8_t bytes[MKV_PUBLIC_KEY_SIZE];
	size_t size = sizeof(bytes);
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	BIO *bio = BIO_new(BIO_s_mem());
	char *pem = NULL;
	long length = 0;
	bool ok = pkey && bio &&
		  EVP_PKEY_get_raw_public_key(pkey, bytes, &size) == 1 &&
		  PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL,
						NULL) == 1 &&
		  (length = BIO_get_mem_data(bio, &pem)) > 0;
	if (ok) {
		mkv_buf_add(private, pem, (size_t)length);
		explicit_bzero(pem, (size_t)length);
	}
	BIO_free(bio);
	EVP_PKEY_free(pkey);
	if (!ok)
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: generating an Ed25519 key failed");
	int rc = mkv_buf_check(private, err);
	return rc < 0 ? rc : mkv_public_key_init(bytes, ret, err);
}

static int refuse_existing(const char *path, struct mkv_error *err)
{
	struct stat st;
	if (lstat(path, &st) == 0)
		return mkv_fail(err, MKV_FAILED, EEXIST,
				"'%s' exists and is never replaced: move the "
				"file first",
				path);
	if (errno != ENOENT)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	return 0;
}

int mkv_key_generate(const char *path, struct mkv_public_key *ret,
		     struct mkv_error *err)
{
	auto_free char *public_path = NULL;
	auto_buf struct mkv_buf private = {0}, public = {0};
	struct mkv_public_key key;
	int rc = mkv_key_public_path(path, &public_path, err);
	if (rc < 0)
		return rc;
	rc = make_directory(path, err);
	if (rc < 0)
		return rc;
	rc = refuse_existing(path, err);
	if (rc < 0)
		return rc;
	rc = refuse_existing(public_path, err);
	if (rc < 0)
		return rc;
	rc = make_pair(&private, &key, err);
	if (rc < 0)
		return rc;
	mkv_public_key_pem(&key, &public);
	rc = mkv_buf_check(&public, err);
	if (rc >= 0)
		rc = write_new(path, 0600, &private, err);
	/* On failure too. */
	explicit_bzero(private.data, private.size);
	if (rc < 0)
		return rc;
	rc = write_new(public_path, 0644, &public, err);
	if (rc < 0) {
		(void)unlink(path);
		return rc;
	}
	*ret = key;
	return 0;
}
