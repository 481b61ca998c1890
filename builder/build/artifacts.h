/* SPDX-License-Identifier: MIT */
#pragma once
/* The files of an appliance that was just written. */

#include "builder/evidence/attest/artifact.h"
#include "lib/buf.h"

struct mkv_artifacts {
	struct mkv_artifact *items; /* by path, in byte order */
	size_t count;
};
void mkv_artifacts_done(struct mkv_artifacts *artifacts) mkv_nonnull(1);
#define auto_artifacts __attribute__((cleanup(mkv_artifacts_done)))

/* Finds and hashes every regular file below a folder, several at once. Anything
 * else but a folder is an error. `known` may hold, in order, files that were
 * hashed before: those aren't read again. */
int mkv_artifacts_scan(const char *dir, const struct mkv_artifacts *known,
		       struct mkv_artifacts *ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* Moves all of `from`, files below dir/NAME, into `into`, files below dir. */
int mkv_artifacts_merge(struct mkv_artifacts *into, const char *name,
			struct mkv_artifacts *from,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* What tells at a glance that nobody touched the files since: a line each of
 * path, size, inode number, change time. */
int mkv_artifacts_fingerprint(const char *dir, struct mkv_buf *ret,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
