/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/local.h"

#include <string.h>

#include "builder/input/overlay/overlay.h"
#include "lib/grow.h"

static int compute_digest(const char *recipe_path, const char *overlay,
			  struct mkv_sha256 *ret, struct mkv_error *err)
{
	auto_free char *dir = NULL;
	int rc = mkv_overlay_find(recipe_path, overlay, &dir, err);
	return rc < 0 ? rc : mkv_overlay_digest(dir, ret, err);
}

int mkv_lock_add_locals(struct mkv_lock *lock, const char *recipe_path,
			const struct mkv_strings *overlays,
			struct mkv_error *err)
{
	for (size_t i = 0; i < overlays->count; i++) {
		struct mkv_lock_local *local =
			mkv_grow(&lock->locals, &lock->n_locals);
		if (!local || asprintf(&local->name, "overlay/%s",
				       overlays->items[i]) < 0)
			return mkv_oom(err);
		int rc = compute_digest(recipe_path, overlays->items[i],
					&local->sha256, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_lock_compare_locals(const struct mkv_lock *lock,
			    const char *recipe_path,
			    const struct mkv_lock_local **ret_changed,
			    struct mkv_error *err)
{
	*ret_changed = NULL;
	for (size_t i = 0; i < lock->n_locals; i++) {
		struct mkv_sha256 now;
		int rc = compute_digest(recipe_path,
					strchr(lock->locals[i].name, '/') + 1,
					&now, err);
		if (rc < 0)
			return rc;
		if (!mkv_sha256_equal(&now, &lock->locals[i].sha256)) {
			*ret_changed = &lock->locals[i];
			return 0;
		}
	}
	return 0;
}
