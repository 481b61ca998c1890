/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of the check docker-containers. */

#include "verify/check/docker_internal.h"

/* One container and dockerd's description of it. */
struct mkv_container_check {
	const struct mkv_env *env;
	struct mkv_answer *answer;
	const struct mkv_contract_container *wanted;
	const json_t *json;
	char path[192]; /* of the API */
	int64_t pid;	/* 0: not running */
};

/* "network of postgres" */
const char *mkv_container_what(const struct mkv_container_check *q,
			       const char *what, char ret[static 192])
	mkv_nonnull(1, 2);
/* Appends a comparison of two texts, either of which may be NULL. */
void mkv_container_compare(const struct mkv_container_check *q,
			   const char *what, const char *expected,
			   const char *observed) mkv_nonnull(1, 2);
/* Appends the findings about ports, variables, limits and other mounts. */
void mkv_container_check_settings(const struct mkv_container_check *q)
	mkv_nonnull(1);
