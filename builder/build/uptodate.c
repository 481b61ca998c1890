/* SPDX-License-Identifier: MIT */
#include "builder/build/uptodate.h"

#include <libgen.h>
#include <limits.h>
#include <string.h>

#include "builder/build/artifacts.h"
#include "builder/build/inputs.h"
#include "lib/io.h"

enum { APPLIANCE_VERSION = 2, FINGERPRINT_BYTES_MAX = 16 << 20 };

/* Canonicalises a path that may not exist yet: resolves the existing prefix and
 * appends the rest. The result is the same before and after the directory is
 * created. */
static int resolve_path(const char *path, char **ret, struct mkv_error *err)
{
	char where[PATH_MAX];
	if (realpath(path, where)) {
		*ret = strdup(where);
		return *ret ? 0 : mkv_oom(err);
	}
	if (errno != ENOENT || strcmp(path, ".") == 0)
		return mkv_fail(err, MKV_FAILED, errno, "resolve '%s': %m",
				path);
	auto_free char *above = strdup(path), *below = strdup(path);
	auto_free char *parent = NULL;
	if (!above || !below)
		return mkv_oom(err);
	int rc = resolve_path(dirname(above), &parent, err);
	if (rc < 0)
		return rc;
	return asprintf(ret, "%s/%s", strcmp(parent, "/") == 0 ? "" : parent,
			basename(below)) < 0
		       ? mkv_oom(err)
		       : 0;
}

/* Overlays are not added here: add_overlays() adds each of their files. */
static void add_programs(const struct mkv_tool_files *tool,
			 struct mkv_step *step)
{
	for (size_t i = 0; i < tool->count; i++)
		if (strncmp(tool->items[i].name, "overlay/", 8) != 0)
			mkv_step_input_sha256(step, tool->items[i].name,
					      &tool->items[i].sha256);
}

/* The overlays of the recipe and of the tool. */
static int add_overlays(const struct mkv_build *build, struct mkv_step *step,
			struct mkv_error *err)
{
	const struct mkv_lock *lock = build->lock;
	for (size_t i = 0; i < lock->n_locals; i++) {
		const char *name = strchr(lock->locals[i].name, '/') + 1;
		int rc = mkv_inputs_add_overlay(step, build, name, err);
		if (rc < 0)
			return rc;
	}
	return mkv_inputs_add_overlay(step, build, MKV_TOOL_OVERLAY, err);
}

int mkv_uptodate_step(const struct mkv_build *build, const char *output,
		      struct mkv_step *ret, struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	auto_free char *where = NULL;
	int rc = resolve_path(output, &where, err);
	if (rc < 0)
		return rc;
	rc = mkv_step_init(&step, "appliance", APPLIANCE_VERSION, err,
			   "appliance %s", build->recipe->name);
	if (rc < 0)
		return rc;
	rc = mkv_step_input_tool(&step, err);
	if (rc < 0)
		return rc;
	rc = mkv_inputs_add_recipe(&step, build->recipe, err);
	if (rc < 0)
		return rc;
	rc = mkv_inputs_add_pins(&step, build->lock, err);
	if (rc < 0)
		return rc;
	if (build->key)
		mkv_step_input_sha256(&step, "key",
				      &mkv_private_key_public(build->key)->id);
	mkv_step_input(&step, "output", "%s", where);
	add_programs(build->tool, &step);
	rc = add_overlays(build, &step, err);
	if (rc < 0)
		return rc;
	*ret = step;
	step = (struct mkv_step){0};
	return 0;
}

static int read_fingerprint(const struct mkv_build *build,
			    const struct mkv_step *step, struct mkv_buf *ret,
			    struct mkv_error *err)
{
	struct mkv_step_result result;
	auto_fd int fd = -1;
	int rc = mkv_step_find(step, build->store, &result, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_get(build->store, &result.outputs[0].sha256, &fd, err);
	return rc < 0 ? rc : mkv_read_fd(fd, FINGERPRINT_BYTES_MAX, ret, err);
}

int mkv_uptodate_find(const struct mkv_build *build, const char *output,
		      const struct mkv_step *step, char **ret_path,
		      struct mkv_error *err)
{
	*ret_path = NULL;
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", output, build->recipe->name) < 0)
		return mkv_oom(err);
	auto_buf struct mkv_buf kept = {0}, now = {0};
	int rc = read_fingerprint(build, step, &kept, err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	struct mkv_error ignored; /* the appliance is missing */
	if (mkv_artifacts_fingerprint(path, &now, &ignored) == 0 &&
	    now.size == kept.size && kept.size &&
	    memcmp(now.data, kept.data, now.size) == 0)
		*ret_path = mkv_take(path);
	return 0;
}

int mkv_uptodate_keep(const struct mkv_build *build,
		      const struct mkv_step *step,
		      const struct mkv_buf *fingerprint, struct mkv_error *err)
{
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_step_result result = {.count = 1};
	struct mkv_step_output *out = &result.outputs[0];
	int rc = mkv_store_new_open(build->store, &object, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(object.fd, fingerprint->data, fingerprint->size,
			   err);
	if (rc < 0)
		return rc;
	rc = mkv_store_new_commit(&object, NULL, &out->sha256, err);
	if (rc < 0)
		return rc;
	(void)snprintf(out->name, sizeof(out->name), "fingerprint");
	out->size_bytes = fingerprint->size;
	return mkv_step_keep(step, build->store, &result, err);
}
