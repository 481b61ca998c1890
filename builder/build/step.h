/* SPDX-License-Identifier: MIT */
#pragma once
/* A step of a build: a name and its complete inputs, a line of text each. The
 * key of its result is the hash of all lines, the code that makes it among
 * them, so a result is found again exactly when nothing that could change it
 * changed. The store also remembers the lines of the last time, so that
 * `mkvbench plan` can say which input changed. */

#include "builder/core/store/store.h"
#include "lib/buf.h"

struct mkv_step {
	char name[256]; /* under which its inputs are remembered, not a part
			   of the key: "rootfs small image/node" */
	struct mkv_buf inputs; /* "NAME VALUE\n" ... */
};

/* Starts with the code that makes steps, the kind of step ("rootfs") and a
 * version of its own. */
int mkv_step_init(struct mkv_step *step, const char *kind, unsigned version,
		  struct mkv_error *err, const char *name, ...) mkv_must_check
	mkv_nonnull(1, 2, 4, 5) mkv_printf(5, 6);
/* For a step that any part of the tool takes part in: adds its whole program.
 */
int mkv_step_input_tool(struct mkv_step *step,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_step_done(struct mkv_step *step) mkv_nonnull(1);
#define auto_step __attribute__((cleanup(mkv_step_done)))

/* Adds an input; the name is one word, unique in the step. */
void mkv_step_input(struct mkv_step *step, const char *name, const char *format,
		    ...) mkv_nonnull(1, 2, 3) mkv_printf(3, 4);
void mkv_step_input_sha256(struct mkv_step *step, const char *name,
			   const struct mkv_sha256 *sha256)
	mkv_nonnull(1, 2, 3);

/* The same for a name and a value that may hold any bytes: "KIND:NAME". */
void mkv_step_input_text(struct mkv_step *step, const char *kind,
			 const char *name, const char *value)
	mkv_nonnull(1, 2, 3, 4);

int mkv_step_key(const struct mkv_step *step, struct mkv_sha256 *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* The step's result when the store has it, else -ENOENT. */
int mkv_step_find(const struct mkv_step *step, struct mkv_store *store,
		  struct mkv_step_result *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
/* Keeps the result and remembers the inputs. */
int mkv_step_keep(const struct mkv_step *step, struct mkv_store *store,
		  const struct mkv_step_result *result,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);

/* Why a step that isn't in the store has to run, for people: "never ran here",
 * "package chrony: 4.6.1-3 -> 4.6.1-4 and 2 more". */
int mkv_step_reason(const struct mkv_step *step, struct mkv_store *store,
		    struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
