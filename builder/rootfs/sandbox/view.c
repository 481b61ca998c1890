/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/sandbox/sandbox_internal.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Where the tmpfs is mounted before it becomes the root: a directory that
 * exists on every host. */
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

static int fail_host(struct mkv_error *err, const char *what)
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
		return fail_host(err, from);
	return 0;
}

static int populate_dev(const char *dev, struct mkv_error *err)
{
	if (mount("tmpfs", dev, "tmpfs", MS_NOSUID | MS_NOEXEC,
		  "mode=0755,size=64m") < 0)
		return fail_host(err, "mount /dev");
	for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
		int rc = add_device(dev, devices[i], err);
		if (rc < 0)
			return rc;
	}
	char path[128];
	for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dev, links[i].name);
		if (symlink(links[i].target, path) < 0)
			return fail_host(err, path);
	}
	(void)snprintf(path, sizeof(path), "%s/shm", dev);
	if (mkdir(path, 0755) < 0 || chmod(path, 01777) < 0)
		return fail_host(err, path);
	return 0;
}

static int open_directories(struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	static const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	auto_fd int base_fd = open(base, flags);
	if (base_fd < 0 || mkdirat(base_fd, "root", 0755) < 0 ||
	    mkdirat(base_fd, "stage", 0700) < 0 ||
	    mkdirat(base_fd, "root/dev", 0755) < 0 ||
	    mkdirat(base_fd, "root/proc", 0755) < 0 ||
	    mkdirat(base_fd, "old", 0700) < 0)
		return fail_host(err, "create its directories");
	sandbox->root_fd = openat(base_fd, "root", flags);
	sandbox->stage_fd = openat(base_fd, "stage", flags);
	sandbox->log_fd =
		openat(base_fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (sandbox->root_fd < 0 || sandbox->stage_fd < 0 ||
	    sandbox->log_fd < 0)
		return fail_host(err, "open its directories");
	return 0;
}

int mkv_sandbox_mount(struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_host(err, "make mounts private");
	if (mount("tmpfs", base, "tmpfs", MS_NODEV,
		  "mode=0755,size=80%,nr_inodes=4m") < 0)
		return fail_host(err, "mount a tmpfs");
	int rc = open_directories(sandbox, err);
	if (rc < 0)
		return rc;
	rc = populate_dev("/tmp/root/dev", err);
	if (rc < 0)
		return rc;
	/* Read-only: when ids are the host's, root in here could write files of
	 * /proc that belong to the host's root. */
	if (mount("proc", "/tmp/root/proc", "proc",
		  MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL) < 0)
		return fail_host(err,
				 "mount /proc (containers often forbid it)");
	sandbox->has_mounts = true;
	if (syscall(SYS_pivot_root, base, "/tmp/old") < 0)
		return fail_host(err, "pivot_root");
	if (chdir("/") < 0 || umount2("/old", MNT_DETACH) < 0 ||
	    rmdir("/old") < 0)
		return fail_host(err, "unmount the host's file systems");
	return 0;
}

int mkv_sandbox_close_root(struct mkv_sandbox *sandbox, struct mkv_error *err)
{
	if (!sandbox->has_mounts)
		return 0;
	if (umount2("/root/dev", MNT_DETACH) < 0 ||
	    umount2("/root/proc", MNT_DETACH) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"sandbox: unmount /dev and /proc: %m");
	sandbox->has_mounts = false;
	return 0;
}
