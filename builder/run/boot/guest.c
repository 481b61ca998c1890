/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/guest.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum {
	LOG_MAX_BYTES = 1 << 20,
	DIAGNOSIS_MAX = 2000,
	CONSOLE_MAX_BYTES = 64 << 20,
};

int mkv_guest_init(struct mkv_boot_guest *guest,
		   const struct mkv_contract *contract,
		   const struct mkv_contract_host *host, const char *appliance,
		   const char *directory, struct mkv_error *err)
{
	*guest = (struct mkv_boot_guest){.host = host,
					 .child = MKV_CHILD_INIT,
					 .tpm = MKV_BOOT_TPM_INIT,
					 .console = MKV_CONSOLE_INIT,
					 .console_fd = -1};
	int rc = mkv_boot_check_host(host, err);
	if (rc < 0)
		return rc;
	guest->image = mkv_contract_find_image(contract, host->image);
	if (!guest->image)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"host '%s' has no image '%s'", host->name,
				host->image);
	if (asprintf(&guest->directory, "%s/%s", appliance, host->image) < 0 ||
	    asprintf(&guest->console_path, "%s/%s.console", directory,
		     host->name) < 0 ||
	    asprintf(&guest->log_path, "%s/%s.qemu", directory, host->name) < 0)
		return mkv_oom(err);
	return 0;
}

void mkv_guest_done(struct mkv_boot_guest *guest)
{
	mkv_child_end(&guest->child);
	mkv_boot_tpm_end(&guest->tpm);
	mkv_console_done(&guest->console);
	mkv_auto_close_(&guest->console_fd);
	free(guest->directory);
	free(guest->console_path);
	free(guest->log_path);
}

static int start_tpm(struct mkv_boot_guest *guest, const char *all, int log,
		     struct mkv_error *err)
{
	auto_free char *directory = NULL;
	mkv_boot_tpm_end(&guest->tpm);
	if (!all)
		return 0;
	if (asprintf(&directory, "%s/%s", all, guest->host->name) < 0)
		return mkv_oom(err);
	return mkv_boot_tpm_start(directory, log, &guest->tpm, err);
}

static int start_qemu(struct mkv_boot_guest *guest,
		      const struct mkv_boot_machine *machine,
		      const char *tpm_directory, struct mkv_error *err)
{
	struct mkv_boot_machine own = *machine;
	auto_argv struct mkv_argv argv = {0};
	guest->console_fd =
		open(guest->console_path,
		     O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	auto_fd int log = open(guest->log_path,
			       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (guest->console_fd < 0 || log < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				guest->console_fd < 0 ? guest->console_path
						      : guest->log_path);
	int rc = start_tpm(guest, tpm_directory, log, err);
	if (rc < 0)
		return rc;
	own.tpm = guest->tpm.socket;
	rc = mkv_boot_machine_argv(&own, &argv, err);
	if (rc < 0)
		return rc;
	return mkv_child_start(argv.items, log, &guest->child, err);
}

int mkv_guest_start(struct mkv_boot_guest *guest,
		    const struct mkv_boot_machine *machine,
		    const char *tpm_directory, struct mkv_error *err)
{
	mkv_child_end(&guest->child);
	mkv_console_done(&guest->console);
	guest->console = (struct mkv_console)MKV_CONSOLE_INIT;
	guest->console_bytes = 0;
	guest->stumbled = false;
	mkv_auto_close_(&guest->console_fd);
	int rc = start_qemu(guest, machine, tpm_directory, err);
	return rc < 0 ? mkv_wrap(err, rc, "host '%s'", guest->host->name) : 0;
}

int mkv_guest_read(struct mkv_boot_guest *guest, mkv_console_line *on_line,
		   void *context, struct mkv_error *err)
{
	char chunk[16384];
	ssize_t got;
	while ((got = read(guest->console_fd, chunk, sizeof(chunk))) > 0) {
		mkv_console_feed(&guest->console, chunk, (size_t)got, on_line,
				 context);
		guest->console_bytes += (uint64_t)got;
		/* A guest must not fill this machine's disk. */
		if (guest->console_bytes > CONSOLE_MAX_BYTES &&
		    guest->child.pidfd >= 0) {
			mkv_child_end(&guest->child);
			return mkv_fail(
				err, MKV_FAILED, EFBIG,
				"%s killed: its console log exceeds 64 MiB",
				guest->host->name);
		}
	}
	return got < 0 && errno != EINTR
		       ? mkv_fail(err, MKV_FAILED, errno, "read '%s': %m",
				  guest->console_path)
		       : 0;
}

char *mkv_guest_diagnosis(const struct mkv_boot_guest *guest)
{
	struct mkv_error ignored;
	auto_buf struct mkv_buf text = {0};
	if (mkv_read_file(AT_FDCWD, guest->log_path, LOG_MAX_BYTES, &text,
			  &ignored) < 0 ||
	    !text.size)
		return NULL;
	size_t from = text.size > DIAGNOSIS_MAX ? text.size - DIAGNOSIS_MAX : 0;
	return strdup(text.data + from);
}

/* Whether the host's role has containers: the verifier then runs a second time
 * once they are running. */
static bool has_containers(const struct mkv_boot_guest *guest)
{
	const struct mkv_contract_docker *docker = &guest->image->docker;
	for (size_t i = 0; docker->promised && i < docker->n_containers; i++) {
		const struct mkv_contract_strings *roles =
			&docker->containers[i].roles;
		if (!roles->count ||
		    mkv_contract_strings_have(roles, guest->host->role))
			return true;
	}
	return false;
}

/* When the boot receipt's verdict keeps services from starting, no second
 * receipt follows. */
bool mkv_guest_is_complete(const struct mkv_boot_guest *guest)
{
	const struct mkv_console *console = &guest->console;
	if (!console->boot.complete)
		return false;
	return console->boot.verdict > MKV_VERDICT_WARN ||
	       console->later.complete || !has_containers(guest);
}

char *mkv_guest_receipts(const struct mkv_boot_guest *guest)
{
	char *text = NULL;
	const struct mkv_console *console = &guest->console;
	const char *boot = console->boot.text.data;
	const char *later = console->later.text.data;
	if (!console->boot.complete ||
	    asprintf(&text, "%s%s", boot ? boot : "", later ? later : "") < 0)
		return NULL;
	return text;
}

enum mkv_verdict mkv_guest_verdict(const struct mkv_boot_guest *guest)
{
	const struct mkv_console *console = &guest->console;
	if (!mkv_guest_is_complete(guest))
		return MKV_VERDICT_NONE;
	/* A receipt that names another host proves nothing about this one. */
	if (console->boot.host[0] &&
	    strcmp(console->boot.host, guest->host->name) != 0)
		return MKV_VERDICT_FAIL;
	return console->later.complete &&
			       console->later.verdict > console->boot.verdict
		       ? console->later.verdict
		       : console->boot.verdict;
}
