/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/switch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "lib/auto.h"
#include "programs/boot/initramfs/log.h"

extern char **environ;

static bool move_mounts(const char *root)
{
	static const char *const mounts[] = {"/dev", "/proc", "/sys"};
	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		char target[64];
		(void)snprintf(target, sizeof(target), "%s%s", root, mounts[i]);
		if (mount(mounts[i], target, NULL, MS_MOVE, NULL) < 0) {
			log_to_console("move %s into the root file system: %m",
				       mounts[i]);
			return false;
		}
	}
	return true;
}

/* Deletes everything below a directory that is on file system `device`: files
 * of the initramfs occupy memory. */
static void empty_directory(int dirfd, dev_t device)
{
	int own = dup(dirfd);
	auto_dir DIR *dir = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;
	while (dir && (entry = readdir(dir))) {
		const char *name = entry->d_name;
		struct stat status;
		if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
		    fstatat(dirfd, name, &status, AT_SYMLINK_NOFOLLOW) < 0 ||
		    status.st_dev != device)
			continue;
		bool is_directory = S_ISDIR(status.st_mode);
		auto_fd int child =
			is_directory ? openat(dirfd, name,
					      O_RDONLY | O_DIRECTORY |
						      O_NOFOLLOW | O_CLOEXEC)
				     : -1;
		if (child >= 0)
			empty_directory(child, device);
		(void)unlinkat(dirfd, name, is_directory ? AT_REMOVEDIR : 0);
	}
}

void switch_root(const char *root, const char *init, char **argv)
{
	struct stat old, new;
	auto_fd int old_root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (old_root < 0 || fstat(old_root, &old) < 0 || stat(root, &new) < 0 ||
	    old.st_dev == new.st_dev) {
		log_to_console("switch to the new root: it is not mounted");
		return;
	}
	if (!move_mounts(root))
		return;
	if (chdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 ||
	    chroot(".") < 0 || chdir("/") < 0) {
		log_to_console("switch to the new root: %m");
		return;
	}
	empty_directory(old_root, old.st_dev);
	argv[0] = (char *)init;
	(void)execve(init, argv, environ);
	log_to_console("execute '%s' of the root file system: %m", init);
}
