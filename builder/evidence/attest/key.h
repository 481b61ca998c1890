/* SPDX-License-Identifier: MIT */
#pragma once
/* The signing key: Ed25519, PEM PKCS#8 (RFC 8410, section 7) as `openssl
 * genpkey -algorithm ed25519` writes it. Default path:
 * $XDG_CONFIG_HOME/mkvbench/key.pem, else ~/.config/mkvbench/key.pem, mode 0600
 * in a directory of mode 0700; the public half is key.pub in that directory. A
 * build never writes the private key. */

#include "lib/sig.h"

struct mkv_private_key;

/* The default path. The caller frees it. */
int mkv_key_default_path(char **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* The path of the public half: key.pem -> key.pub, NAME -> NAME.pub. The
 * caller frees it. */
int mkv_key_public_path(const char *path, char **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* `path` NULL means the default path. Fails for a symbolic link, a file that
 * group or others may read or write or that another user owns (unless this
 * process is root's), and a key other than Ed25519. A missing key is -ENOENT
 * and the message names `mkvbench keygen`. */
int mkv_private_key_load(const char *path, struct mkv_private_key **ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);
void mkv_private_key_free(struct mkv_private_key *key);
MKV_DEFINE_AUTO(private_key, struct mkv_private_key *, mkv_private_key_free)
#define auto_private_key mkv_auto(private_key)

/* Borrowed. */
const struct mkv_public_key *
mkv_private_key_public(const struct mkv_private_key *key) mkv_nonnull(1);
int mkv_private_key_sign(const struct mkv_private_key *key, const void *data,
			 size_t size, uint8_t ret[static MKV_SIGNATURE_SIZE],
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);

/* Writes a new key pair to `path` and the path of its public half; never
 * replaces either file (-EEXIST) and never writes inside an appliance. `ret`
 * gets the public half. */
int mkv_key_generate(const char *path, struct mkv_public_key *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* 0 when the key's file is outside the directory that a build writes; symbolic
 * links in both paths are resolved. `key_path` NULL means the default path;
 * `output` need not exist yet. */
int mkv_key_check_place(const char *key_path, const char *output,
			struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
