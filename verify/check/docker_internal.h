/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the checks of Docker. */

#include "verify/check/checks.h"

#include "lib/json.h"

/* A member that is a string; NULL: none. */
const char *mkv_docker_text(const json_t *object, const char *key)
	mkv_nonnull(2);

/* dockerd's response to GET `path`; NULL after appending a finding with the
 * reason. After the gate a missing dockerd is a failure, because the promised
 * containers then don't run. */
json_t *mkv_docker_request(const struct mkv_env *env, struct mkv_answer *answer,
			   const char *what, const char *path) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The expected text for a directory of data, and whether this type of file
 * system satisfies it. */
#define MKV_DOCKER_DISK "on a disk's file system, not on overlay"
bool mkv_docker_is_disk(const char *type) mkv_nonnull(1);
