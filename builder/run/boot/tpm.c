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

static int start_swtpm(struct mkv_boot_tpm *tpm, char *const *argv, int log_fd,
		       struct mkv_error *err)
{
	int rc = mkv_child_start(argv, log_fd, &tpm->child, err);
	return rc < 0 ? rc : wait_for_socket(tpm, err);
}

int mkv_boot_tpm_start(const char *directory, int log_fd,
		       struct mkv_boot_tpm *ret, struct mkv_error *err)
{
	struct mkv_boot_tpm tpm = MKV_BOOT_TPM_INIT;
	auto_free char *state = NULL;
	auto_free char *control = NULL;
	if (!mkv_process_exists("swtpm"))
		return mkv_fail(
			err, MKV_HOST_CANNOT, ENOENT,
			"swtpm is not installed: install the package swtpm");
	int rc = mkv_make_dirs(directory, err);
	if (rc < 0)
		return rc;
	auto_free char *where = realpath(directory, NULL);
	if (!where || asprintf(&state, "dir=%s", where) < 0 ||
	    asprintf(&control, "type=unixio,path=%s/control", where) < 0 ||
	    asprintf(&tpm.socket, "%s/control", where) < 0)
		return mkv_oom(err);
	/* sun_path has a maximum, and commas separate options of swtpm and
	 * QEMU. */
	struct sockaddr_un address;
	if (strlen(tpm.socket) >= sizeof(address.sun_path) ||
	    strchr(where, ',')) {
		free(tpm.socket);
		return mkv_fail(err, MKV_BAD_USAGE, ENAMETOOLONG,
				"TPM directory '%s': the path is too long or "
				"has a comma",
				where);
	}
	/* While another boot has the lock, the socket in the directory belongs
	 * to that boot. */
	rc = mkv_boot_lock_directory(where, "the TPM in", &tpm.lock, err);
	if (rc < 0) {
		mkv_boot_tpm_end(&tpm);
		return rc;
	}
	(void)unlink(tpm.socket);
	char *const argv[] = {(char *)"swtpm",
			      (char *)"socket",
			      (char *)"--tpm2",
			      (char *)"--terminate",
			      (char *)"--tpmstate",
			      state,
			      (char *)"--ctrl",
			      control,
			      NULL};
	rc = start_swtpm(&tpm, argv, log_fd, err);
	if (rc < 0) {
		mkv_boot_tpm_end(&tpm);
		return rc;
	}
	*ret = tpm;
	return 0;
}

void mkv_boot_tpm_end(struct mkv_boot_tpm *tpm)
{
	mkv_child_end(&tpm->child);
	mkv_auto_close_(&tpm->lock);
	free(tpm->socket);
	*tpm = (struct mkv_boot_tpm)MKV_BOOT_TPM_INIT;
}
