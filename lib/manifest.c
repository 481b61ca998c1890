/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/contract_internal.h"

static void read_artifacts(struct mkv_json_reader *r, const json_t *root,
			   struct mkv_manifest *manifest)
{
	json_t *map = mkv_json_member(r, root, "artifacts", JSON_OBJECT, true);
	manifest->artifacts = mkv_contract_room(r, json_object_size(map),
						sizeof(*manifest->artifacts));
	if (!manifest->artifacts)
		return;
	size_t mark = mkv_json_enter(r, "artifacts");
	const char *path;
	json_t *value;
	json_object_foreach(map, path, value)
	{
		struct mkv_manifest_artifact *artifact =
			&manifest->artifacts[manifest->n_artifacts++];
		artifact->path = path;
		size_t inner = mkv_json_enter(r, path);
		if (!mkv_contract_is_plain_path(path) ||
		    !json_is_object(value)) {
			mkv_json_mistake(
				r, NULL,
				"not an artifact in the appliance's directory");
		} else {
			mkv_json_only(
				r, value,
				(const char *const[]){"sha256", "size", NULL});
			(void)mkv_contract_read_hex(r, value, "sha256", true,
						    &artifact->sha256);
			artifact->size_bytes = (uint64_t)mkv_json_integer(
				r, value, "size", 0, INT64_MAX, true, 0);
		}
		mkv_json_leave(r, inner);
	}
	qsort(manifest->artifacts, manifest->n_artifacts,
	      sizeof(*manifest->artifacts), mkv_contract_by_key);
	mkv_json_leave(r, mark);
}

int mkv_manifest_parse(const char *text, size_t size, struct mkv_manifest **ret,
		       struct mkv_error *err)
{
	struct mkv_json_reader state;
	mkv_json_reader_init(&state, err);
	auto_manifest struct mkv_manifest *manifest =
		calloc(1, sizeof(*manifest));
	if (!manifest)
		return mkv_oom(err);
	int rc = mkv_json_load(text, size, &manifest->document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "manifest");
	const json_t *root = manifest->document;
	mkv_json_only(&state, root,
		      (const char *const[]){"mkvbench_manifest", "contract",
					    "artifacts", "tool", NULL});
	(void)mkv_json_integer(&state, root, "mkvbench_manifest", 1, 1, true,
			       0);
	read_artifacts(&state, root, manifest);
	json_t *tool = mkv_json_member(&state, root, "tool", JSON_OBJECT, true);
	manifest->tool_name = mkv_json_string(&state, tool, "name", true);
	manifest->tool_version = mkv_json_string(&state, tool, "version", true);
	json_t *contract =
		mkv_json_member(&state, root, "contract", JSON_OBJECT, true);
	if (state.rc < 0)
		return mkv_wrap(err, state.rc, "manifest");
	rc = mkv_contract_from_json(contract, &manifest->contract, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "manifest");
	*ret = mkv_take(manifest);
	return 0;
}

void mkv_manifest_free(struct mkv_manifest *manifest)
{
	if (!manifest)
		return;
	mkv_contract_free(manifest->contract);
	free(manifest->artifacts);
	json_decref(manifest->document);
	free(manifest);
}
