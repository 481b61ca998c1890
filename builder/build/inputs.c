/* SPDX-License-Identifier: MIT */
#include "builder/build/inputs.h"

#include <string.h>

#include "builder/input/overlay/overlay.h"
#include "lib/json.h"

/* A list is one value: its order matters. */
static int add_values(struct mkv_step *step, const char *path,
		      const json_t *value, struct mkv_error *err)
{
	if (json_is_object(value)) {
		const char *key;
		json_t *member;
		json_object_foreach((json_t *)(uintptr_t)value, key, member)
		{
			auto_free char *below = NULL;
			if (asprintf(&below, "%s%s%s", path, *path ? "/" : "",
				     key) < 0)
				return mkv_oom(err);
			int rc = add_values(step, below, member, err);
			if (rc < 0)
				return rc;
		}
		return 0;
	}
	auto_free char *text = json_dumps(
		value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
	if (!text)
		return mkv_oom(err);
	mkv_step_input_text(step, "recipe", path, text);
	return 0;
}

int mkv_inputs_add_recipe(struct mkv_step *step,
			  const struct mkv_recipe *recipe,
			  struct mkv_error *err)
{
	auto_json json_t *values = NULL;
	int rc = mkv_json_load(recipe->canonical, strlen(recipe->canonical),
			       &values, err);
	return rc < 0 ? rc : add_values(step, "", values, err);
}

struct entries {
	struct mkv_step *step;
	const char *kind; /* "overlay/common" */
};

static int add_entry(const char *path, const char *text, void *context,
		     struct mkv_error *err)
{
	const struct entries *entries = context;
	(void)err;
	mkv_step_input_text(entries->step, entries->kind, path, text);
	return 0;
}

int mkv_inputs_add_overlay(struct mkv_step *step, const struct mkv_build *build,
			   const char *overlay, struct mkv_error *err)
{
	auto_free char *kind = NULL;
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_build_overlay_load(build, overlay, false, &tree, err);
	if (rc < 0)
		return rc;
	if (asprintf(&kind, "overlay/%s", overlay) < 0)
		return mkv_oom(err);
	struct entries entries = {step, kind};
	return mkv_overlay_entries(tree, add_entry, &entries, err);
}

int mkv_inputs_add_pins(struct mkv_step *step, const struct mkv_lock *lock,
			struct mkv_error *err)
{
	/* Recipe and overlays are inputs of their own. */
	struct mkv_lock pins = *lock;
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	pins.recipe_sha256 = (struct mkv_sha256){0};
	pins.locals = NULL;
	pins.n_locals = 0;
	int rc = mkv_lock_print(&pins, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_step_input_sha256(step, "pins", &sha256);
	return 0;
}
