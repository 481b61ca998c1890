/* SPDX-License-Identifier: MIT */
#include "builder/evidence/attest/key.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

enum { PRIVATE_PEM_MAX = 16 * 1024 };

struct mkv_private_key {
	EVP_PKEY *pkey;
	struct mkv_public_key public;
};

void mkv_private_key_free(struct mkv_private_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

const struct mkv_public_key *
mkv_private_key_public(const struct mkv_private_key *key)
{
	return &key->public;
}

int mkv_key_default_path(char **ret, struct mkv_error *err)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char *path = NULL;
	int length;
	if (config && config[0] == '/')
		length = asprintf(&path, "%s/mkvbench/key.pem", config);
	else if (home && home[0] == '/')
		length = asprintf(&path, "%s/.config/mkvbench/key.pem", home);
	else
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"no default path for the signing key: neither "
				"XDG_CONFIG_HOME nor HOME is set");
	if (length < 0)
		return mkv_oom(err);
	*ret = path;
	return 0;
}

int mkv_key_public_path(const char *path, char **ret, struct mkv_error *err)
{
	size_t length = strlen(path);
	if (length > 4 && strcmp(path + length - 4, ".pem") == 0)
		length -= 4;
	char *public = NULL;
	if (asprintf(&public, "%.*s.pub", (int)length, path) < 0)
		return mkv_oom(err);
	*ret = public;
	return 0;
}

/* Never follows a link, and refuses a file that another user can read or write.
 */
static int open_private(const char *path, int *ret_fd, struct mkv_error *err)
{
	auto_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"no signing key at '%s': run `mkvbench keygen`",
				path);
	if (fd < 0 && errno == ELOOP)
		return mkv_fail(err, MKV_HOST_CANNOT, ELOOP,
				"signing key '%s' is a symbolic link: use the "
				"path of the file itself",
				path);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"signing key '%s': %m", path);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				"signing key '%s' isn't a regular file", path);
	if (st.st_mode & 077)
		return mkv_fail(err, MKV_HOST_CANNOT, EPERM,
				"signing key '%s' is accessible to other users "
				"(mode %04o): run `chmod 0600` on it",
				path, st.st_mode & 07777U);
	/* Root may sign with the key of the user who ran sudo. */
	if (st.st_uid != geteuid() && geteuid() != 0)
		return mkv_fail(err, MKV_HOST_CANNOT, EPERM,
				"signing key '%s' belongs to another user",
				path);
	*ret_fd = mkv_take_fd(&fd);
	return 0;
}

/* Without this callback libcrypto would prompt for an encrypted key's password.
 */
static int no_password(char *buffer, int size, int writing, void *context)
{
	(void)buffer, (void)size, (void)writing, (void)context;
	return -1;
}

static int from_pkey(EVP_PKEY *pkey, struct mkv_private_key **ret,
		     struct mkv_error *err)
{
	uint8_t bytes[MKV_PUBLIC_KEY_SIZE];
	size_t size = sizeof(bytes);
	auto_private_key struct mkv_private_key *key = calloc(1, sizeof(*key));
	if (!key)
		return mkv_oom(err);
	if (EVP_PKEY_get_raw_public_key(pkey, bytes, &size) != 1 ||
	    size != sizeof(bytes))
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: Ed25519 failed");
	int rc = mkv_public_key_init(bytes, &key->public, err);
	if (rc < 0)
		return rc;
	if (EVP_PKEY_up_ref(pkey) != 1)
		return mkv_oom(err);
	key->pkey = pkey;
	*ret = mkv_take(key);
	return 0;
}

static int parse_private(struct mkv_buf *pem, struct mkv_private_key **ret,
			 struct mkv_error *err)
{
	BIO *bio = BIO_new_mem_buf(pem->data ? pem->data : "", (int)pem->size);
	EVP_PKEY *pkey =
		bio ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
		    : NULL;
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		return mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				"not an unencrypted PEM private key");
	int rc = EVP_PKEY_get_id(pkey) == EVP_PKEY_ED25519
			 ? from_pkey(pkey, ret, err)
			 : mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				    "not an Ed25519 key: `mkvbench keygen` "
				    "makes one");
	EVP_PKEY_free(pkey);
	return rc;
}

int mkv_private_key_load(const char *path, struct mkv_private_key **ret,
			 struct mkv_error *err)
{
	auto_free char *place = NULL;
	int rc;
	if (!path) {
		rc = mkv_key_default_path(&place, err);
		if (rc < 0)
			return rc;
		path = place;
	}
	auto_fd int fd = -1;
	rc = open_private(path, &fd, err);
	if (rc < 0)
		return rc;
	auto_buf struct mkv_buf pem = {0};
	rc = mkv_read_fd(fd, PRIVATE_PEM_MAX, &pem, err);
	if (rc >= 0)
		rc = parse_private(&pem, ret, err);
	/* On failure too: the buffer may hold a part of the key. */
	if (pem.data)
		explicit_bzero(pem.data, pem.size);
	return rc < 0 ? mkv_wrap(err, rc, "signing key '%s'", path) : 0;
}

int mkv_private_key_sign(const struct mkv_private_key *key, const void *data,
			 size_t size, uint8_t ret[static MKV_SIGNATURE_SIZE],
			 struct mkv_error *err)
{
	uint8_t signature[MKV_SIGNATURE_SIZE];
	size_t length = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx &&
		  EVP_DigestSignInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
		  EVP_DigestSign(ctx, signature, &length,
				 size ? data : (const void *)"", size) == 1 &&
		  length == sizeof(signature);
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: signing with Ed25519 failed");
	memcpy(ret, signature, sizeof(signature));
	return 0;
}
