/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/sandbox/sandbox_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Where the tmpfs is mounted before it becomes the root: any folder that every
 * host has. */
static const char base[] = "/tmp";

static const char *const devices[] = {"null",	"zero",	   "full",
				      "random", "urandom", "tty"};
static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "/proc/self/fd/0"},
	{"stdout", "/proc/self/fd/1"},
	{"stderr", "/proc/self/fd/2"},
};

static int fail(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_HOST_CANNOT, errno, "sandbox: %s: %m", what);
}

static int add_device(const char *dev, const char *name, struct mkv_error *err)
{
	char from[64], to[128];
	(void)snprintf(from, sizeof(from), "/dev/%s", name);
	(void)snprintf(to, sizeof(to), "%s/%s", dev, name);
	auto_fd int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || mount(from, to, NULL, MS_BIND, NULL) < 0)
		return fail(err, from);
	return 0;
}

static int fill_dev(const char *dev, struct mkv_error *err)
{
	if (mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "mode=0755,size=64m") < 0)
		return fail(err, "mount /dev");
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		int rc = add_device(dev, devices[i], err);
		if (rc < 0)
			return rc;
	}
	char path[128];
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dev, links[i].name);
		if (symlink(links[i].target, path) < 0)
			return fail(err, path);
	}
	(void)snprintf(path, sizeof(path), "%s/shm", dev);
	if (mkdir(path, 0755) < 0 || chmod(path, 01777) < 0)
		return fail(err, path);
	return 0;
}

static int open_folders(struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	static const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	auto_fd int base_fd = open(base, flags);
	if (base_fd < 0 || mkdirat(base_fd, "root", 0755) < 0 ||
	    mkdirat(base_fd, "stage", 0700) < 0 ||
	    mkdirat(base_fd, "root/dev", 0755) < 0 ||
	    mkdirat(base_fd, "root/proc", 0755) < 0 ||
	    mkdirat(base_fd, "old", 0700) < 0)
		return fail(err, "make its folders");
	sandbox->root_fd = openat(base_fd, "root", flags);
	sandbox->stage_fd = openat(base_fd, "stage", flags);
	sandbox->log_fd =
		openat(base_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (sandbox->root_fd < 0 || sandbox->stage_fd < 0 ||
	    sandbox->log_fd < 0)
		return fail(err, "open its folders");
	return 0;
}

int mkv_sandbox_furnish(struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail(err, "make mounts private");
	if (mount("tmpfs", base, "tmpfs", MS_NODEV,
		  "mode=0755,size=80%,nr_inodes=4m") < 0)
		return fail(err, "mount a tmpfs");
	int rc = open_folders(sandbox, err);
	if (rc == 0)
		rc = fill_dev("/tmp/root/dev", err);
	if (rc < 0)
		return rc;
	/* Read-only: with the host's ids, root here may write what belongs to
	 * root there. */
	if (mount("proc", "/tmp/root/proc", "proc",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0)
		return fail(err, "mount /proc (a container may forbid it)");
	sandbox->has_mounts = true;
	if (syscall(SYS_pivot_root, base, "/tmp/old") < 0)
		return fail(err, "pivot_root");
	if (chdir("/") < 0 || umount2("/old", MNT_DETACH) < 0 ||
	    rmdir("/old") < 0)
		return fail(err, "leave the host's files");
	return 0;
}

int mkv_sandbox_close_root(struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	if (!sandbox->has_mounts)
		return 0;
	if (umount2("/root/dev", MNT_DETACH) < 0 ||
	    umount2("/root/proc", MNT_DETACH) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "sandbox: unmount: %m");
	sandbox->has_mounts = false;
	return 0;
}
