/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>

#include "lib/grow.h"
#include "lib/io.h"

void mkv_diversions_done(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->n_diversions; i++) {
		free(rootfs->diversions[i].path);
		free(rootfs->diversions[i].to);
		free(rootfs->diversions[i].package);
	}
	free(rootfs->diversions);
	rootfs->diversions = NULL;
	rootfs->n_diversions = 0;
}

static char *read_line(const char **at)
{
	size_t length = strcspn(*at, "\n");
	char *line = strndup(*at, length);
	*at += length + ((*at)[length] == '\n');
	return line;
}

/* Three lines for each diversion: the path, the diverted path, and the package
 * whose own file is not diverted. */
int mkv_diversions_read(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_diversions_done(rootfs);
	int rc = mkv_read_file(rootfs->root_fd, "var/lib/dpkg/diversions",
			       4 << 20, &text, err);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	const char *at = text.data ? text.data : "";
	while (*at) {
		struct mkv_diversion *new =
			mkv_grow(&rootfs->diversions, &rootfs->n_diversions);
		if (!new)
			return mkv_oom(err);
		*new = (struct mkv_diversion){read_line(&at), NULL, NULL};
		new->to = read_line(&at);
		new->package = read_line(&at);
		if (!new->path || !new->to || !new->package)
			return mkv_oom(err);
		if (new->path[0] != '/' || new->to[0] != '/' ||
		    strstr(new->to, "/../"))
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"malformed diversion of '%s'",
					new->path);
	}
	return 0;
}

const char *mkv_diversions_apply(const struct mkv_rootfs *rootfs,
				 const char *path, const char *package)
{
	for (size_t i = 0; i < rootfs->n_diversions; i++) {
		const struct mkv_diversion *diversion = &rootfs->diversions[i];
		if (strcmp(diversion->path, path) == 0 &&
		    strcmp(diversion->package, package) != 0)
			return diversion->to;
	}
	return path;
}
