/* SPDX-License-Identifier: MIT */
#pragma once
/* The files of an appliance and their digests. */

#include "builder/evidence/attest/artifact.h"
#include "lib/buf.h"

struct mkv_artifacts {
	struct mkv_artifact *items; /* by path, in byte order */
	size_t count;
};
void mkv_artifacts_done(struct mkv_artifacts *artifacts) mkv_nonnull(1);
#define auto_artifacts __attribute__((cleanup(mkv_artifacts_done)))

/* Finds every regular file below a directory and hashes them in parallel. An
 * entry that is neither a regular file nor a directory is an error. Files in
 * `known` (sorted by path, or NULL) were hashed before and are not read again.
 */
int mkv_artifacts_scan(const char *dir, const struct mkv_artifacts *known,
		       struct mkv_artifacts *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Moves all of `from`, whose paths are relative to DIR/NAME, into `into`, whose
 * paths are relative to DIR. */
int mkv_artifacts_merge(struct mkv_artifacts *into, const char *name,
			struct mkv_artifacts *from,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* Appends one line per file: path, size, inode number and change time. If the
 * text is equal later, no file was modified. */
int mkv_artifacts_fingerprint(const char *dir, struct mkv_buf *ret,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
