/* SPDX-License-Identifier: MIT */
#pragma once
/* dockerd's HTTP API over its Unix socket (docs.docker.com, Engine API), read
 * only: one GET, one bounded answer. And which file system a path lies on. */

#include "lib/json.h"

#define MKV_DOCKER_SOCKET "/run/docker.sock"

/* The JSON answer to GET `path`; the caller owns it. -ENOENT for 404,
 * -EREMOTEIO for another status, -ECONNREFUSED when nobody listens at the
 * socket or there is none, -ETIMEDOUT after a minute. */
int mkv_docker_get(const char *socket_path, const char *path, json_t **ret,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The body of an HTTP answer; *ret_body points into it. */
int mkv_http_parse(const char *answer, size_t size, unsigned *ret_status,
		   const char **ret_body, size_t *ret_size,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6);

/* The type of the file system that `path` lies on by a mountinfo(5) text
 * ("ext4", "overlay"), cut at 31 bytes; the mount's own place in `ret_mount`
 * (of PATH_MAX bytes) unless NULL. False when the text doesn't say. */
bool mkv_mount_type(const char *mountinfo, const char *path,
		    char ret_type[static 32], char *ret_mount)
	mkv_nonnull(1, 2, 3);
