/* SPDX-License-Identifier: MIT */
#pragma once
/* The contract and whether it is trusted. */

#include "lib/contract.h"
#include "verify/probe/env.h"

struct mkv_trusted {
	struct mkv_contract *contract;	  /* NULL: not readable */
	char sha256[MKV_SHA256_HEX_SIZE]; /* of its bytes; "": not readable */
	enum mkv_trust trust;
	char text[MKV_ERROR_MESSAGE_MAX]; /* the key that signed, or the error
					   */
};
void mkv_trusted_done(struct mkv_trusted *trusted) mkv_nonnull(1);
#define auto_trusted __attribute__((cleanup(mkv_trusted_done)))

/* Loads the contract of the image, /usr/lib/mkvbench below `root`, and verifies
 * its bundle with the key in the same directory: the subject of the statement
 * must be the bytes of the contract. */
void mkv_trust_image(const char *root, struct mkv_trusted *ret)
	mkv_nonnull(1, 2);
/* Loads a contract from a file, without a signature. */
void mkv_trust_file(const char *path, struct mkv_trusted *ret)
	mkv_nonnull(1, 2);
