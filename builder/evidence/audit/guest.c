/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/guest.h"

#include <fcntl.h>
#include <glob.h>
#include <guestfs.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "builder/core/host/accel.h"
#include "lib/io.h"
#include "lib/thread.h"

enum { NAMES_MAX_BYTES = 512 * 1024 * 1024 };

struct mkv_audit_guest {
	guestfs_h *handle;
};

void mkv_guest_free(struct mkv_audit_guest *guest)
{
	if (!guest)
		return;
	if (guest->handle)
		guestfs_close(guest->handle);
	free(guest);
}

static int failed(struct mkv_audit_guest *guest, const char *what,
		  struct mkv_error *err)
{
	const char *why = guestfs_last_error(guest->handle);
	int code = guestfs_last_errno(guest->handle);
	return mkv_fail(err, MKV_HOST_CANNOT, code ? code : EIO,
			"libguestfs: %s: %s", what, why ? why : "failed");
}

bool mkv_guest_needs_emulation(void)
{
	struct mkv_error err;
	glob_t kernels;
	char why[128];
	bool works = false;
	if (getenv("LIBGUESTFS_BACKEND_SETTINGS"))
		return false;
	if (access("/dev/kvm", R_OK | W_OK) < 0 ||
	    glob("/boot/vmlinuz-*", 0, NULL, &kernels) != 0)
		return true;
	for (size_t i = kernels.gl_pathc; i > 0; i--) {
		const char *kernel = kernels.gl_pathv[i - 1];
		if (access(kernel, R_OK) < 0)
			continue;
		if (mkv_accel_probe_kvm(kernel, &works, why, &err) < 0)
			works = false;
		break;
	}
	globfree(&kernels);
	return !works;
}

static int configure(struct mkv_audit_guest *guest, const char *path,
		     bool emulate)
{
	guestfs_h *g = guest->handle;
	if (!getenv("LIBGUESTFS_BACKEND") &&
	    guestfs_set_backend(g, "direct") < 0)
		return -1;
	if (emulate && guestfs_set_backend_setting(g, "force_tcg", "1") < 0)
		return -1;
	return guestfs_add_drive_opts(g, path, GUESTFS_ADD_DRIVE_OPTS_READONLY,
				      1, GUESTFS_ADD_DRIVE_OPTS_FORMAT, "raw",
				      -1);
}

int mkv_guest_open(const char *path, bool emulate, struct mkv_audit_guest **ret,
		   struct mkv_error *err)
{
	auto_guest struct mkv_audit_guest *guest = calloc(1, sizeof(*guest));
	if (!guest)
		return mkv_oom(err);
	guest->handle = guestfs_create();
	if (!guest->handle)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"libguestfs: create a handle: %m");
	guestfs_set_error_handler(guest->handle, NULL, NULL);
	if (configure(guest, path, emulate) < 0)
		return failed(guest, "add the disk", err);
	if (guestfs_launch(guest->handle) < 0)
		return failed(guest, "start its virtual machine", err);
	*ret = mkv_take(guest);
	return 0;
}

static const char *device(unsigned number, char ret[static 32])
{
	(void)snprintf(ret, 32, "/dev/sda%u", number);
	return ret;
}

bool mkv_guest_knows(struct mkv_audit_guest *guest, const char *type)
{
	return guestfs_filesystem_available(guest->handle, type) == 1;
}

int mkv_guest_mount(struct mkv_audit_guest *guest, unsigned number,
		    struct mkv_error *err)
{
	char name[32];
	if (guestfs_umount_all(guest->handle) < 0)
		return failed(guest, "unmount", err);
	if (guestfs_mount_ro(guest->handle, device(number, name), "/") < 0)
		return failed(guest, "mount", err);
	return 0;
}

int mkv_guest_uuid(struct mkv_audit_guest *guest, unsigned number,
		   char ret[static 64], struct mkv_error *err)
{
	char name[32];
	auto_free char *uuid =
		guestfs_vfs_uuid(guest->handle, device(number, name));
	if (!uuid)
		return failed(guest, "read a file system's UUID", err);
	(void)snprintf(ret, 64, "%s", uuid);
	return 0;
}

int mkv_guest_names(struct mkv_audit_guest *guest, struct mkv_buf *ret,
		    struct mkv_error *err)
{
	char path[64];
	auto_fd int fd = memfd_create("names", MFD_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "memfd: %m");
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", fd);
	if (guestfs_find0(guest->handle, "/", path) < 0)
		return failed(guest, "list names", err);
	return mkv_read_fd(fd, NAMES_MAX_BYTES, ret, err);
}

/* The thread that writes into the pipe. */
struct writer {
	struct mkv_audit_guest *guest;
	int fd;
	int rc;
};

static void *write_tar(void *context)
{
	struct writer *writer = context;
	char path[64];
	sigset_t pipe_signal;
	/* A reader that stops early is EPIPE, not a signal. */
	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	(void)snprintf(path, sizeof(path), "/dev/fd/%d", writer->fd);
	writer->rc = guestfs_tar_out_opts(writer->guest->handle, "/", path,
					  GUESTFS_TAR_OUT_OPTS_NUMERICOWNER, 1,
					  GUESTFS_TAR_OUT_OPTS_XATTRS, 1, -1);
	(void)close(writer->fd);
	return NULL;
}

int mkv_guest_tar(struct mkv_audit_guest *guest, mkv_guest_reader *reader,
		  void *context, struct mkv_error *err)
{
	int ends[2];
	pthread_t thread;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "pipe: %m");
	struct writer writer = {guest, ends[1], 0};
	int rc = mkv_thread_start(&thread, write_tar, &writer, err,
				  "files of a disk");
	if (rc < 0) {
		(void)close(ends[0]);
		(void)close(ends[1]);
		return rc;
	}
	rc = reader(ends[0], context, err);
	(void)close(ends[0]);
	(void)pthread_join(thread, NULL);
	/* When the stream is cut, the writer's error is the cause of the
	 * reader's; EPIPE of the writer is only the effect of a reader that
	 * failed. */
	if (writer.rc < 0 &&
	    (rc >= 0 || guestfs_last_errno(guest->handle) != EPIPE))
		return failed(guest, "read the files", err);
	return rc;
}
