/* SPDX-License-Identifier: MIT */
#include "builder/plan/uptodate.h"

#include <limits.h>
#include <string.h>

#include "builder/plan/artifacts.h"
#include "builder/plan/inputs.h"
#include "builder/plan/programs.h"
#include "lib/io.h"

enum { APPLIANCE_VERSION = 2, FINGERPRINT_LIMIT_BYTES = 16 << 20 };

static int add_program(const char *program, struct mkv_content *content,
		       void *context, struct mkv_error *err)
{
	struct mkv_step *step = context;
	struct mkv_sha256 sha256;
	int rc = mkv_content_sha256(content, &sha256, err);
	if (rc == 0)
		mkv_step_input_sha256(step, program, &sha256);
	return rc;
}

/* The recipe's and the one that comes with the tool. */
static int add_overlays(const struct mkv_build *build, struct mkv_step *step,
			struct mkv_error *err)
{
	const struct mkv_lock *lock = build->lock;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < lock->n_locals; i++)
		rc = mkv_inputs_add_overlay(
			step, build->recipe->path,
			strchr(lock->locals[i].name, '/') + 1, err);
	return rc < 0 ? rc
		      : mkv_inputs_add_overlay(step, build->recipe->path,
					       "verify", err);
}

int mkv_uptodate_step(const struct mkv_build *build, const char *output,
		      struct mkv_step *ret, struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	char where[PATH_MAX];
	int rc = mkv_step_init(&step, "appliance", APPLIANCE_VERSION, err,
			       "appliance %s", build->recipe->name);
	if (rc == 0)
		rc = mkv_step_input_tool(&step, err);
	if (rc == 0)
		rc = mkv_inputs_add_recipe(&step, build->recipe, err);
	if (rc == 0)
		rc = mkv_inputs_add_pins(&step, build->lock, err);
	if (rc < 0)
		return rc;
	if (build->key)
		mkv_step_input_sha256(&step, "key",
				      &mkv_private_key_public(build->key)->id);
	mkv_step_input(&step, "output", "%s",
		       realpath(output, where) ? where : output);
	rc = mkv_programs_visit(build->recipe, add_program, &step, err);
	if (rc == 0)
		rc = add_overlays(build, &step, err);
	if (rc < 0)
		return rc;
	*ret = step;
	step = (struct mkv_step){0};
	return 0;
}

static int read_kept(const struct mkv_build *build,
		     const struct mkv_step *step, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	struct mkv_step_result result;
	auto_fd int fd = -1;
	int rc = mkv_step_find(step, build->store, &result, err);
	if (rc == 0)
		rc = mkv_store_get(build->store, &result.outputs[0].sha256, &fd,
				   err);
	return rc < 0 ? rc
		      : mkv_read_fd(fd, FINGERPRINT_LIMIT_BYTES, ret, err);
}

int mkv_uptodate_find(const struct mkv_build *build, const char *output,
		      char **ret_path, struct mkv_error *err)
{
	*ret_path = NULL;
	auto_step struct mkv_step step = {0};
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", output, build->recipe->name) < 0)
		return mkv_oom(err);
	int rc = mkv_uptodate_step(build, output, &step, err);
	if (rc < 0)
		return rc;
	auto_buf struct mkv_buf kept = {0}, now = {0};
	rc = read_kept(build, &step, &kept, err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	struct mkv_error ignored; /* it isn't there, or not as it was */
	if (mkv_artifacts_fingerprint(path, &now, &ignored) == 0 &&
	    now.size == kept.size && kept.size &&
	    memcmp(now.data, kept.data, now.size) == 0)
		*ret_path = mkv_take(path);
	return 0;
}

int mkv_uptodate_keep(const struct mkv_build *build, const char *output,
		      const char *path, struct mkv_error *err)
{
	auto_step struct mkv_step step = {0};
	auto_buf struct mkv_buf now = {0};
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	struct mkv_step_result result = {.count = 1};
	struct mkv_step_output *out = &result.outputs[0];
	int rc = mkv_uptodate_step(build, output, &step, err);
	if (rc == 0)
		rc = mkv_artifacts_fingerprint(path, &now, err);
	if (rc == 0)
		rc = mkv_store_new_open(build->store, &object, err);
	if (rc == 0)
		rc = mkv_write_all(object.fd, now.data, now.size, err);
	if (rc == 0)
		rc = mkv_store_new_commit(&object, NULL, &out->sha256, err);
	if (rc < 0)
		return rc;
	(void)snprintf(out->name, sizeof(out->name), "fingerprint");
	out->size_bytes = now.size;
	return mkv_step_keep(&step, build->store, &result, err);
}
