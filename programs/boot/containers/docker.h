/* SPDX-License-Identifier: MIT */
#pragma once
/* Runs docker(1) with argument vectors. */

#include "lib/argv.h"
#include "lib/buf.h"

/* Adds every word of a list that ends with NULL. */
void mkv_docker_add_words(struct mkv_argv *argv, const char *const *words)
	mkv_nonnull(1, 2);

/* Runs `argv`, which begins with "docker". `output` may be NULL; otherwise it
 * receives the standard output without trailing newlines. */
int mkv_docker_run(const struct mkv_argv *argv, struct mkv_buf *output,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* Runs a command that prints one name per line into *ret. `command` ends with
 * NULL. */
int mkv_docker_list(const char *const *command, struct mkv_buf *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Whether one line of a list is exactly `name`. */
bool mkv_docker_is_listed(const struct mkv_buf *list, const char *name)
	mkv_nonnull(1, 2);

/* Output of `docker KIND inspect --format FORMAT NAME`. A missing object is an
 * error: docker(1) reports absence only by its text, so callers consult a list
 * first. */
int mkv_docker_inspect(const char *kind, const char *name, const char *format,
		       struct mkv_buf *output,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
