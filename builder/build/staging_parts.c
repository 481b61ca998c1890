/* SPDX-License-Identifier: MIT */
/* Finished directories of a staging directory, which threads hash and sync
 * while the build writes the rest. */
#include <pthread.h>
#include <string.h>

#include "builder/build/staging_internal.h"
#include "lib/grow.h"
#include "lib/sync.h"
#include "lib/thread.h"

struct mkv_staging_part {
	char *name, *path;
	struct mkv_syncing *syncing; /* NULL once it was waited for */
	pthread_t hashing;
	bool is_hashing;
	int rc;
	struct mkv_error error;
	struct mkv_artifacts artifacts;
};

static void *hash_part(void *context)
{
	struct mkv_staging_part *part = context;
	part->rc = mkv_artifacts_scan(part->path, NULL, &part->artifacts,
				      &part->error);
	return NULL;
}

static int start_threads(struct mkv_staging_part *part, struct mkv_error *err)
{
	int rc = mkv_syncing_start(part->path, &part->syncing, err);
	if (rc < 0)
		return rc;
	rc = mkv_thread_start(&part->hashing, hash_part, part, err,
			      "digests of '%s'", part->path);
	if (rc < 0)
		return rc;
	part->is_hashing = true;
	return 0;
}

int mkv_staging_finish_part(struct mkv_staging *staging, const char *name,
			    struct mkv_error *err)
{
	auto_free struct mkv_staging_part *owned = calloc(1, sizeof(*owned));
	struct mkv_staging_part **slot =
		owned ? mkv_grow(&staging->parts, &staging->n_parts) : NULL;
	if (!slot)
		return mkv_oom(err);
	struct mkv_staging_part *part = *slot = mkv_take(owned);
	part->name = strdup(name);
	if (!part->name ||
	    asprintf(&part->path, "%s/%s", staging->path, name) < 0)
		return mkv_oom(err);
	return start_threads(part, err);
}

static int wait_hashed(struct mkv_staging_part *part, struct mkv_error *err)
{
	if (part->is_hashing)
		(void)pthread_join(part->hashing, NULL);
	part->is_hashing = false;
	if (part->rc < 0)
		*err = part->error;
	return part->rc;
}

static int wait_synced(struct mkv_staging_part *part, struct mkv_error *err)
{
	struct mkv_syncing *syncing = mkv_take(part->syncing);
	return syncing ? mkv_syncing_finish(syncing, err) : 0;
}

int mkv_staging_artifacts(struct mkv_staging *staging,
			  struct mkv_artifacts *ret, struct mkv_error *err)
{
	auto_artifacts struct mkv_artifacts known = {0};
	for (size_t i = 0; i < staging->n_parts; i++) {
		struct mkv_staging_part *part = staging->parts[i];
		int rc = wait_hashed(part, err);
		if (rc < 0)
			return rc;
		rc = mkv_artifacts_merge(&known, part->name, &part->artifacts,
					 err);
		if (rc < 0)
			return rc;
	}
	return mkv_artifacts_scan(staging->path, &known, ret, err);
}

static int finish_part(struct mkv_staging_part *part, struct mkv_error *err)
{
	struct mkv_error ignored;
	int hashed = wait_hashed(part, err);
	/* Waits for both threads, whatever the first one reports: they use the
	 * part. */
	int synced = wait_synced(part, hashed < 0 ? &ignored : err);
	mkv_artifacts_done(&part->artifacts);
	free(part->name);
	free(part->path);
	free(part);
	return hashed < 0 ? hashed : synced;
}

int mkv_staging_finish_parts(struct mkv_staging *staging, struct mkv_error *err)
{
	int rc = 0;
	struct mkv_error ignored;
	/* Every part is finished, also after a failure: no thread may outlive
	 * the staging directory. */
	for (size_t i = 0; i < staging->n_parts; i++) {
		int finished =
			finish_part(staging->parts[i], rc < 0 ? &ignored : err);
		if (rc == 0)
			rc = finished;
	}
	free(mkv_take(staging->parts));
	staging->n_parts = 0;
	return rc;
}
