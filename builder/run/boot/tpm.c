/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/tpm.h"

#include <poll.h>
#include <string.h>
#include <sys/un.h>

#include "builder/run/boot/directory.h"
#include "lib/io.h"
#include "lib/process.h"

enum { START_MS = 10000, STEP_MS = 20 };

static int wait_for_socket(const struct mkv_boot_tpm *tpm,
			   struct mkv_error *err)
{
	for (int waited = 0; waited < START_MS; waited += STEP_MS) {
		struct pollfd ended = {.fd = tpm->child.pidfd,
				       .events = POLLIN};
		if (access(tpm->socket, F_OK) == 0)
			return 0;
		if (poll(&ended, 1, STEP_MS) > 0)
			break;
	}
	return mkv_fail(err, MKV_FAILED, EIO,
			"swtpm did not start: its socket '%s' is missing",
			tpm->socket);
}

/* Sets the socket's path, and locks the directory. */
static int lock_state(struct mkv_boot_tpm *tpm, const char *directory,
		      struct mkv_error *err)
{
	struct sockaddr_un address;
	if (asprintf(&tpm->socket, "%s/control", directory) < 0) {
		tpm->socket = NULL;
		return mkv_oom(err);
	}
	/* sun_path has a maximum, and commas separate options of swtpm and
	 * QEMU. */
	if (strlen(tpm->socket) >= sizeof(address.sun_path) ||
	    strchr(directory, ','))
		return mkv_fail(err, MKV_BAD_USAGE, ENAMETOOLONG,
				"TPM directory '%s': the path is too long or "
				"has a comma",
				directory);
	return mkv_boot_lock_directory(directory, "the TPM in", &tpm->lock,
				       err);
}

static int start_swtpm(struct mkv_boot_tpm *tpm, const char *directory,
		       int log_fd, struct mkv_error *err)
{
	auto_free char *state = NULL, *control = NULL;
	if (asprintf(&state, "dir=%s", directory) < 0 ||
	    asprintf(&control, "type=unixio,path=%s", tpm->socket) < 0)
		return mkv_oom(err);
	/* The directory is locked, so no other boot uses this socket. */
	(void)unlink(tpm->socket);
	char *const argv[] = {(char *)"swtpm",
			      (char *)"socket",
			      (char *)"--tpm2",
			      (char *)"--terminate",
			      (char *)"--tpmstate",
			      state,
			      (char *)"--ctrl",
			      control,
			      NULL};
	int rc = mkv_child_start(argv, log_fd, &tpm->child, err);
	return rc < 0 ? rc : wait_for_socket(tpm, err);
}

int mkv_boot_tpm_start(const char *directory, int log_fd,
		       struct mkv_boot_tpm *ret, struct mkv_error *err)
{
	__attribute__((cleanup(mkv_boot_tpm_end))) struct mkv_boot_tpm tpm =
		MKV_BOOT_TPM_INIT;
	if (!mkv_process_exists("swtpm"))
		return mkv_fail(
			err, MKV_HOST_CANNOT, ENOENT,
			"swtpm is not installed: install the package swtpm");
	int rc = mkv_make_dirs(directory, err);
	if (rc < 0)
		return rc;
	auto_free char *path = realpath(directory, NULL);
	if (!path)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", directory);
	rc = lock_state(&tpm, path, err);
	if (rc < 0)
		return rc;
	rc = start_swtpm(&tpm, path, log_fd, err);
	if (rc < 0)
		return rc;
	*ret = tpm;
	tpm = MKV_BOOT_TPM_INIT;
	return 0;
}

void mkv_boot_tpm_end(struct mkv_boot_tpm *tpm)
{
	mkv_child_end(&tpm->child);
	mkv_auto_close_(&tpm->lock);
	free(tpm->socket);
	*tpm = (struct mkv_boot_tpm)MKV_BOOT_TPM_INIT;
}
