/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>

#include "lib/grow.h"
#include "lib/io.h"

void mkv_overrides_done(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; i < rootfs->n_overrides; i++)
		free(rootfs->overrides[i].path);
	free(rootfs->overrides);
	rootfs->overrides = NULL;
	rootfs->n_overrides = 0;
}

/* The id of "#123", or of a name in the text of passwd(5) or group(5). */
static bool find_id(const char *name, const struct mkv_buf *database,
		    uint32_t *ret)
{
	char *end;
	if (name[0] == '#') {
		unsigned long id = strtoul(name + 1, &end, 10);
		*ret = (uint32_t)id;
		return *end == '\0' && id <= UINT16_MAX;
	}
	size_t length = strlen(name);
	for (const char *at = database->data; at && *at;) {
		if (strncmp(at, name, length) == 0 && at[length] == ':') {
			const char *field = strchr(at + length + 1, ':');
			unsigned long id =
				field ? strtoul(field + 1, &end, 10) : 65536;
			*ret = (uint32_t)id;
			return id <= UINT16_MAX && *end == ':';
		}
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return false;
}

static int add_override(struct mkv_rootfs *rootfs, const char *line,
			const struct mkv_buf *users,
			const struct mkv_buf *groups, struct mkv_error *err)
{
	char user[64], group[64], path[4096];
	struct mkv_override new = {0};
	unsigned mode;
	if (sscanf(line, "%63s %63s %o %4095[^\n]", user, group, &mode, path) !=
		    4 ||
	    mode > 07777 || path[0] != '/' || !find_id(user, users, &new.uid) ||
	    !find_id(group, groups, &new.gid))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"unsupported dpkg-statoverride entry: %.*s",
				(int)strcspn(line, "\n"), line);
	struct mkv_override *override =
		mkv_grow(&rootfs->overrides, &rootfs->n_overrides);
	if (!override)
		return mkv_oom(err);
	new.mode = mode;
	new.path = strdup(path);
	*override = new;
	return new.path ? 0 : mkv_oom(err);
}

/* One line for each override: user, group, mode, path. */
int mkv_overrides_read(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_buf struct mkv_buf users = {0};
	auto_buf struct mkv_buf groups = {0};
	mkv_overrides_done(rootfs);
	int rc = mkv_read_file(rootfs->root_fd, "var/lib/dpkg/statoverride",
			       4 << 20, &text, err);
	if (rc < 0 || text.size == 0)
		return rc == -ENOENT ? 0 : rc;
	rc = mkv_read_file(rootfs->root_fd, "etc/passwd", 4 << 20, &users, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(rootfs->root_fd, "etc/group", 4 << 20, &groups, err);
	if (rc < 0)
		return rc;
	for (const char *at = text.data; *at;) {
		rc = add_override(rootfs, at, &users, &groups, err);
		if (rc < 0)
			return rc;
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return 0;
}

const struct mkv_override *mkv_overrides_find(const struct mkv_rootfs *rootfs,
					      const char *path)
{
	for (size_t i = 0; i < rootfs->n_overrides; i++)
		if (strcmp(rootfs->overrides[i].path, path) == 0)
			return &rootfs->overrides[i];
	return NULL;
}
