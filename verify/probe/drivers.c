/* SPDX-License-Identifier: MIT */
#include "verify/probe/drivers.h"

#include <dirent.h>
#include <limits.h>
#include <string.h>

/* The last component of a link's target; NULL: not a link. */
static char *read_link_name(const char *path)
{
	char target[PATH_MAX];
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	if (size <= 0)
		return NULL;
	target[size] = '\0';
	const char *slash = strrchr(target, '/');
	return strdup(slash ? slash + 1 : target);
}

/* The device number of the root file system, "major:minor", from mountinfo.
 * Owned by the caller; NULL: unknown. */
static char *read_root_device(const struct mkv_env *env)
{
	auto_free char *table = mkv_env_read(env, "/proc/self/mountinfo");
	for (const char *at = table; at && *at;) {
		char number[32], mount[8];
		if (sscanf(at, "%*s %*s %31s %*s %7s", number, mount) == 2 &&
		    strcmp(mount, "/") == 0)
			return strdup(number);
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return NULL;
}

char *mkv_driver_of_root(const struct mkv_env *env)
{
	auto_free char *number = read_root_device(env);
	auto_free char *link =
		number ? mkv_env_path(env, "/sys/dev/block/%s", number) : NULL;
	auto_free char *top = mkv_env_path(env, "/sys/devices");
	auto_free char *devices = top ? realpath(top, NULL) : NULL;
	char place[PATH_MAX];
	if (!link || !devices || !realpath(link, place))
		return NULL;
	size_t least = strlen(devices);
	for (char *slash; strncmp(place, devices, least) == 0 &&
			  (slash = strrchr(place, '/')) > place + least;) {
		*slash = '\0';
		char path[PATH_MAX + 16];
		(void)snprintf(path, sizeof(path), "%s/driver", place);
		auto_free char *name = read_link_name(path);
		if (name && strcmp(name, "sd") != 0)
			return mkv_take(name);
	}
	return NULL;
}

char *mkv_driver_of_interface(const struct mkv_env *env, const char *interface)
{
	auto_free char *directory =
		mkv_env_path(env, "/sys/class/net/%s", interface);
	auto_buf struct mkv_buf path = {0};
	if (!directory)
		return NULL;
	mkv_buf_printf(&path, "%s/device/driver", directory);
	char *name = path.failed ? NULL : read_link_name(path.data);
	auto_dir DIR *dir = name ? NULL : opendir(directory);
	for (struct dirent *entry; dir && !name && (entry = readdir(dir));) {
		if (strncmp(entry->d_name, "lower_", 6) != 0)
			continue;
		mkv_buf_done(&path);
		mkv_buf_printf(&path, "%s/%s/device/driver", directory,
			       entry->d_name);
		name = path.failed ? NULL : read_link_name(path.data);
	}
	return name;
}
