/* SPDX-License-Identifier: MIT */
#include "builder/cmd/load.h"

int mkv_cmd_load_recipe(const char *path, struct mkv_recipe **ret,
			struct mkv_error *err)
{
	auto_complaints struct mkv_complaints complaints = {0};
	int rc = mkv_recipe_load(path, ret, &complaints, err);
	if (rc == 0)
		return 0;
	for (size_t i = 0; i < complaints.count; i++) {
		const struct mkv_complaint *c = &complaints.items[i];
		(void)fprintf(stderr, "%s:%u:%u: %s\n", c->file, c->line,
			      c->column, c->message);
	}
	if (complaints.count > 0)
		err->message[0] = '\0';
	return rc;
}
