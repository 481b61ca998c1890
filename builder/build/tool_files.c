/* SPDX-License-Identifier: MIT */
#include "builder/build/tool_files.h"

#include <string.h>

#include "builder/build/programs.h"
#include "builder/input/overlay/overlay.h"
#include "lib/grow.h"

void mkv_tool_files_done(struct mkv_tool_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		free(files->items[i].name);
	free(files->items);
	*files = (struct mkv_tool_files){0};
}

const struct mkv_sha256 *mkv_tool_files_find(const struct mkv_tool_files *files,
					     const char *name)
{
	for (size_t i = 0; i < files->count; i++)
		if (strcmp(files->items[i].name, name) == 0)
			return &files->items[i].sha256;
	return NULL;
}

static int add_file(struct mkv_tool_files *files, const char *name,
		    const struct mkv_sha256 *sha256, struct mkv_error *err)
{
	struct mkv_tool_file *file = mkv_grow(&files->items, &files->count);
	if (!file)
		return mkv_oom(err);
	file->sha256 = *sha256;
	file->name = strdup(name);
	return file->name ? 0 : mkv_oom(err);
}

static int add_program(const char *program, struct mkv_content *content,
		       void *context, struct mkv_error *err)
{
	struct mkv_tool_files *files = context;
	struct mkv_sha256 sha256;
	if (mkv_tool_files_find(files, program))
		return 0;
	int rc = mkv_content_sha256(content, &sha256, err);
	return rc < 0 ? rc : add_file(files, program, &sha256, err);
}

int mkv_tool_files_read(const struct mkv_recipe *recipe,
			struct mkv_tool_files *ret, struct mkv_error *err)
{
	auto_tool_files struct mkv_tool_files files = {0};
	auto_free char *directory = NULL;
	struct mkv_sha256 sha256;
	int rc = mkv_programs_visit(recipe, add_program, &files, err);
	if (rc < 0)
		return rc;
	rc = mkv_overlay_find(recipe->path, MKV_TOOL_OVERLAY, &directory, err);
	if (rc < 0)
		return rc;
	rc = mkv_overlay_digest(directory, &sha256, err);
	if (rc < 0)
		return rc;
	rc = add_file(&files, "overlay/" MKV_TOOL_OVERLAY, &sha256, err);
	if (rc < 0)
		return rc;
	*ret = files;
	files = (struct mkv_tool_files){0};
	return 0;
}

int mkv_tool_files_expect(const struct mkv_tool_files *files, const char *name,
			  const struct mkv_sha256 *sha256,
			  struct mkv_error *err)
{
	const struct mkv_sha256 *known = mkv_tool_files_find(files, name);
	if (known && mkv_sha256_equal(known, sha256))
		return 0;
	return mkv_fail(err, MKV_FAILED, ESTALE,
			"'%s' of the tool changed while the build ran: build "
			"again",
			name);
}
