/* SPDX-License-Identifier: MIT */
#pragma once
/* Where the hosts of an appliance run during a campaign. */

#include "lib/contract.h"

enum { MKV_TARGET_ADDRESS_MAX = 300, MKV_CONDUCTOR_PORT = 9181 };

struct mkv_target;

/* Machines that were flashed, or guests that were imported: somebody else boots
 * them. `address` is the conductor's "HOST[:PORT]"; NULL: port 9181 of the
 * collector's address in the contract. */
int mkv_target_hosts_new(const char *address, struct mkv_target **ret,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3);

struct mkv_target_qemu {
	const char *accel;   /* the option --accel of `mkvbench boot` */
	const char *timeout; /* of `mkvbench boot`; NULL: its default */
	const char
		*console_directory; /* exists; a directory per boot is made */
};
/* Emulated machines here, by `mkvbench boot --stay`, a new boot for each
 * mkv_target_start(). */
int mkv_target_qemu_new(const struct mkv_target_qemu *options,
			struct mkv_target **ret,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Ends what it started. */
void mkv_target_free(struct mkv_target *target);
MKV_DEFINE_AUTO(target, struct mkv_target *, mkv_target_free)
#define auto_target mkv_auto(target)

/* Requests the hosts of an appliance, booted anew if `fresh`. Returns without
 * waiting. `contract` must outlive the target's next start. `ret_request` is
 * what a person has to do, owned by the caller; NULL: nothing. */
int mkv_target_start(struct mkv_target *target, const char *appliance,
		     const struct mkv_contract *contract, bool fresh,
		     char **ret_request, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5, 6);
/* 0: the conductor's address. 1: not known yet. A negative errno: the hosts
 * cannot run or did not pass. */
int mkv_target_poll(struct mkv_target *target,
		    char ret_address[static MKV_TARGET_ADDRESS_MAX],
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Stops what mkv_target_start() started; does nothing for hosts that somebody
 * else boots. */
void mkv_target_stop(struct mkv_target *target) mkv_nonnull(1);
/* Whether hosts outlive this process: an attempt goes on without it. */
bool mkv_target_is_lasting(const struct mkv_target *target) mkv_nonnull(1);
