/* SPDX-License-Identifier: MIT */
#include "lib/hash.h"

#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>

struct mkv_hasher {
	EVP_MD_CTX *ctx;
	bool failed;
};

struct mkv_hasher *mkv_hasher_new(void)
{
	struct mkv_hasher *hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return NULL;
	hasher->ctx = EVP_MD_CTX_new();
	if (!hasher->ctx ||
	    EVP_DigestInit_ex(hasher->ctx, EVP_sha256(), NULL) != 1) {
		mkv_hasher_free(hasher);
		return NULL;
	}
	return hasher;
}

void mkv_hasher_free(struct mkv_hasher *hasher)
{
	if (!hasher)
		return;
	EVP_MD_CTX_free(hasher->ctx);
	free(hasher);
}

void mkv_hasher_add(struct mkv_hasher *hasher, const void *data, size_t size)
{
	if (size && EVP_DigestUpdate(hasher->ctx, data, size) != 1)
		hasher->failed = true;
}

int mkv_hasher_finish(struct mkv_hasher *hasher, struct mkv_sha256 *ret,
		      struct mkv_error *err)
{
	bool ok = EVP_DigestFinal_ex(hasher->ctx, ret->bytes, NULL) == 1 &&
		  !hasher->failed;
	hasher->failed =
		EVP_DigestInit_ex(hasher->ctx, EVP_sha256(), NULL) != 1;
	if (!ok)
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: SHA-256 failed");
	return 0;
}

int mkv_sha256_bytes(const void *data, size_t size, struct mkv_sha256 *ret,
		     struct mkv_error *err)
{
	if (EVP_Digest(size ? data : "", size, ret->bytes, NULL, EVP_sha256(),
		       NULL) != 1)
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: SHA-256 failed");
	return 0;
}

static bool is_sparse(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       (int64_t)st.st_blocks * 512 < (int64_t)st.st_size;
}

/* Skips a hole at the current position and returns its length in bytes. */
static uint64_t skip_hole(int fd)
{
	off_t at = lseek(fd, 0, SEEK_CUR);
	off_t data = at < 0 ? -1 : lseek(fd, at, SEEK_DATA);
	if (at >= 0 && data < 0 && errno == ENXIO) /* no data up to the end */
		data = lseek(fd, 0, SEEK_END);
	if (data >= at && at >= 0)
		return (uint64_t)(data - at);
	(void)lseek(fd, at, SEEK_SET); /* the file shrank */
	return 0;
}

static void add_zeros(struct mkv_hasher *hasher, uint64_t size)
{
	static const char zeros[64 * 1024];
	for (; size > sizeof(zeros); size -= sizeof(zeros))
		mkv_hasher_add(hasher, zeros, sizeof(zeros));
	mkv_hasher_add(hasher, zeros, (size_t)size);
}

/* Holes are not read, because that would fill the page cache with zeros. */
int mkv_sha256_fd(int fd, struct mkv_sha256 *ret, uint64_t *ret_size_bytes,
		  struct mkv_error *err)
{
	enum { CHUNK = 256 * 1024 };
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	auto_free char *chunk = malloc(CHUNK);
	if (!hasher || !chunk)
		return mkv_oom(err);
	uint64_t total = 0;
	bool sparse = is_sparse(fd);
	for (;;) {
		uint64_t hole = sparse ? skip_hole(fd) : 0;
		add_zeros(hasher, hole);
		total += hole;
		ssize_t got = read(fd, chunk, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno, "read: %m");
		if (got == 0)
			break;
		mkv_hasher_add(hasher, chunk, (size_t)got);
		total += (uint64_t)got;
	}
	if (ret_size_bytes)
		*ret_size_bytes = total;
	return mkv_hasher_finish(hasher, ret, err);
}

int mkv_md5_fd(int fd, char ret[static 33], struct mkv_error *err)
{
	uint8_t chunk[16384], digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1;
	ssize_t got = ok ? 1 : 0;
	while (ok && got > 0) {
		got = read(fd, chunk, sizeof(chunk));
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			ok = EVP_DigestUpdate(ctx, chunk, (size_t)got) == 1;
	}
	int code = got < 0 ? errno : EIO;
	ok = ok && got == 0 && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return mkv_fail(err, MKV_FAILED, code, "MD5: %m");
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

void mkv_sha256_hex(const struct mkv_sha256 *sha,
		    char hex[static MKV_SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < MKV_SHA256_SIZE; i++) {
		hex[2 * i] = digits[sha->bytes[i] >> 4];
		hex[2 * i + 1] = digits[sha->bytes[i] & 15];
	}
	hex[64] = '\0';
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

int mkv_sha256_parse(const char *hex, struct mkv_sha256 *ret)
{
	struct mkv_sha256 parsed;
	for (size_t i = 0; i < MKV_SHA256_SIZE; i++) {
		int high = nibble(hex[2 * i]);
		int low = high < 0 ? -1 : nibble(hex[2 * i + 1]);
		if (low < 0)
			return -EINVAL;
		parsed.bytes[i] = (uint8_t)(high << 4 | low);
	}
	if (hex[64] != '\0')
		return -EINVAL;
	*ret = parsed;
	return 0;
}

bool mkv_sha256_equal(const struct mkv_sha256 *a, const struct mkv_sha256 *b)
{
	return memcmp(a->bytes, b->bytes, MKV_SHA256_SIZE) == 0;
}

int mkv_uuid5(const uint8_t space[static 16], const char *name,
	      uint8_t ret[static 16], struct mkv_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, space, 16) == 1 &&
		  EVP_DigestUpdate(ctx, name, strlen(name)) == 1 &&
		  EVP_DigestFinal_ex(ctx, digest, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	if (!ok)
		return mkv_fail(err, MKV_FAILED, EIO,
				"libcrypto: SHA-1 failed");
	memcpy(ret, digest, 16);
	ret[6] = (uint8_t)((ret[6] & 0x0f) | 0x50); /* version 5 */
	ret[8] = (uint8_t)((ret[8] & 0x3f) | 0x80); /* RFC variant */
	return 0;
}

void mkv_uuid_text(const uint8_t u[static 16], char ret[static 37])
{
	(void)snprintf(ret, 37,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		       "%02x%02x%02x%02x%02x%02x",
		       u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8],
		       u[9], u[10], u[11], u[12], u[13], u[14], u[15]);
}
