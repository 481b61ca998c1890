/* SPDX-License-Identifier: MIT */
#pragma once
/* The contract and whether to believe it. */

#include "lib/contract.h"
#include "verify/probe/env.h"

struct mkv_trusted {
	struct mkv_contract *contract;	  /* NULL when it can't be read */
	char sha256[MKV_SHA256_HEX_SIZE]; /* of its bytes; "" when unread */
	enum mkv_trust trust;
	char text[MKV_ERROR_MESSAGE_MAX]; /* who signed it, or what is wrong */
};
void mkv_trusted_done(struct mkv_trusted *trusted) mkv_nonnull(1);
#define auto_trusted __attribute__((cleanup(mkv_trusted_done)))

/* The image's own: /usr/lib/mkvbench below `root`, its bundle checked with the
 * key beside it, the statement's subject being the contract's bytes. */
void mkv_trust_image(const char *root, struct mkv_trusted *ret)
	mkv_nonnull(1, 2);
/* A file, taken as it is. */
void mkv_trust_file(const char *path, struct mkv_trusted *ret)
	mkv_nonnull(1, 2);
