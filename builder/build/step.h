/* SPDX-License-Identifier: MIT */
#pragma once
/* A step of a build: a name and its complete inputs, one line of text each. The
 * key of the step's result is the SHA-256 of all lines; one line is the digest
 * of the code. A result is therefore found again exactly when no input changed.
 * The store also keeps the lines of the last run, so that `mkvbench plan` can
 * name the input that changed. */

#include "builder/core/store/store.h"
#include "lib/buf.h"

struct mkv_step {
	char name[256];	       /* identifies the last run, e.g. "rootfs small
				  image/node"; not part of the key */
	struct mkv_buf inputs; /* "NAME VALUE\n" ... */
};

/* The first inputs are the digest of the steps' code, the kind of step
 * ("rootfs") and the kind's version. `name` is a format. */
int mkv_step_init(struct mkv_step *step, const char *kind, unsigned version,
		  struct mkv_error *err, const char *name, ...) mkv_must_check
	mkv_nonnull(1, 2, 4, 5) mkv_printf(5, 6);
/* Adds the digest of the whole tool, for a step that any code of the tool can
 * change. */
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

/* Adds an input "KIND:NAME"; name and value may hold any bytes but NUL, which
 * are escaped. */
void mkv_step_input_text(struct mkv_step *step, const char *kind,
			 const char *name, const char *value)
	mkv_nonnull(1, 2, 3, 4);

int mkv_step_key(const struct mkv_step *step, struct mkv_sha256 *ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* -ENOENT when the store has no result of the step. */
int mkv_step_find(const struct mkv_step *step, struct mkv_store *store,
		  struct mkv_step_result *ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
/* Stores the result, and the inputs as those of the last run. */
int mkv_step_keep(const struct mkv_step *step, struct mkv_store *store,
		  const struct mkv_step_result *result,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);

/* Appends why a step without a result in the store has to run, as text for
 * users: "never ran here", "package chrony: 4.6.1-3 -> 4.6.1-4 and 2 more". */
int mkv_step_reason(const struct mkv_step *step, struct mkv_store *store,
		    struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
