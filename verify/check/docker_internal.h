/* SPDX-License-Identifier: MIT */
#pragma once
/* What the checks of Docker share. */

#include "verify/check/checks.h"

#include "lib/json.h"

/* A member that is a string; NULL. */
const char *mkv_docker_text(const json_t *object, const char *key)
	mkv_nonnull(2);

/* dockerd's answer; NULL after recording why there is none. Behind the gate a
 * dockerd that is gone is a failure: what was promised doesn't run. */
json_t *mkv_docker_ask(const struct mkv_env *env, struct mkv_answer *answer,
		       const char *what, const char *path) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* What a place for data must be, and whether a file system is of that kind. */
#define MKV_DOCKER_DISK "on a disk's file system, not on overlay"
bool mkv_docker_is_disk(const char *type) mkv_nonnull(1);
