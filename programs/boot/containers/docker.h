/* SPDX-License-Identifier: MIT */
#pragma once
/* docker(1), by argument vector. */

#include "lib/buf.h"

/* An argument vector under construction; copies what it is given. */
struct mkv_docker_args {
	char **items;
	size_t count;
	bool failed;
};
#define MKV_DOCKER_ARGS_INIT ((struct mkv_docker_args){0})
void mkv_docker_args_done(struct mkv_docker_args *args) mkv_nonnull(1);
#define auto_docker_args __attribute__((cleanup(mkv_docker_args_done)))
void mkv_docker_arg(struct mkv_docker_args *args, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* Runs it. `output`, unless NULL, takes its standard output without the last
 * newline. */
int mkv_docker_run(const struct mkv_docker_args *args, struct mkv_buf *output,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* The answer of `docker KIND inspect --format FORMAT NAME`; *ret_there false,
 * and 0, when there is no such object. */
int mkv_docker_inspect(const char *kind, const char *name, const char *format,
		       bool *ret_there, struct mkv_buf *output,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6);
