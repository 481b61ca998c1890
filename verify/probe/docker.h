/* SPDX-License-Identifier: MIT */
#pragma once
/* dockerd's HTTP API over its Unix socket (docs.docker.com, Engine API), read
 * only: one GET request, one response of limited size. Also the file system of
 * a path, by the mount table. */

#include "lib/json.h"

#define MKV_DOCKER_SOCKET "/run/docker.sock"

/* The JSON response to GET `path`; the caller owns it. -ENOENT: status 404;
 * -EREMOTEIO: another status; -ECONNREFUSED: the socket is missing or no
 * process listens on it; -ETIMEDOUT: no whole response within a minute. */
int mkv_docker_get(const char *socket_path, const char *path, json_t **ret,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Splits an HTTP response; *ret_body points into it. */
int mkv_http_parse(const char *answer, size_t size, unsigned *ret_status,
		   const char **ret_body, size_t *ret_size,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5, 6);

/* The type ("ext4", "overlay", cut at 31 bytes) of the file system that has
 * `path`, by the text of /proc/PID/mountinfo (proc(5)), and its mount point in
 * `ret_mount` (PATH_MAX bytes) unless NULL. False: not in the text. */
bool mkv_mount_type(const char *mountinfo, const char *path,
		    char ret_type[static 32], char *ret_mount)
	mkv_nonnull(1, 2, 3);
