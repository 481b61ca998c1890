/* SPDX-License-Identifier: MIT */
#pragma once
/* What this conductor is: its contract, key, host and boot, and where the
 * others are. */

#include "lib/contract.h"
#include "lib/sig.h"

enum { MKV_SELF_TEXTS = 6 };

struct mkv_self {
	/* Settings: */
	const char *directory, *contract_dir;
	const char *collector_url, *prometheus_url; /* without a slash at the
						       end */
	const char *host, *boot_id_setting;
	int64_t agent_port, poll_ms, silent_s, prepare_s, drain_s, finish_s;
	int64_t stall_s, spare_bytes;
	/* Loaded: */
	struct mkv_contract *contract;
	struct mkv_sha256 contract_sha256;
	char contract_hex[MKV_SHA256_HEX_SIZE];
	struct mkv_public_key key;
	char boot_id[64];
	char *kept[MKV_SELF_TEXTS]; /* own the texts of settings */
};

/* Loads contract.json and key.pub of contract_dir and finds host and boot. */
int mkv_self_load(struct mkv_self *self, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
void mkv_self_done(struct mkv_self *self) mkv_nonnull(1);

/* The free space on the disk of the directory that the conductor may use, in
 * bytes: without the spare. */
uint64_t mkv_self_free(const struct mkv_self *self) mkv_nonnull(1);
