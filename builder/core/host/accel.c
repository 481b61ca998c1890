/* SPDX-License-Identifier: MIT */
#include "builder/core/host/accel.h"

#include <poll.h>
#include <string.h>
#include <sys/mman.h>

#include "builder/core/host/child.h"
#include "lib/argv.h"

enum { DEADLINE_MS = 10000, STEP_MS = 100, OUTPUT_MAX = 1 << 20 };

/* A kernel without a root file system panics at the end of its own start: that
 * panic shows that everything before worked. */
static bool has_booted(int fd, char *output)
{
	/* pread: the child writes through the same file description. */
	ssize_t got = pread(fd, output, OUTPUT_MAX, 0);
	return got > 0 &&
	       memmem(output, (size_t)got, "Kernel panic - not syncing", 26);
}

/* The last line of QEMU's output, shortened. */
static void last_line(int fd, char *output, char *ret, size_t size)
{
	ssize_t got = pread(fd, output, OUTPUT_MAX - 1, 0);
	output[got > 0 ? got : 0] = '\0';
	for (char *c = output + strlen(output); c > output && c[-1] <= ' '; c--)
		c[-1] = '\0';
	const char *line = strrchr(output, '\n');
	(void)snprintf(ret, size, "%.80s", line ? line + 1 : output);
}

int mkv_accel_probe_kvm(const char *kernel, bool *ret_works, char ret_why[128],
			struct mkv_error *err)
{
	*ret_works = false;
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		(void)snprintf(ret_why, 128, "/dev/kvm: %s", strerror(errno));
		return 0;
	}
	auto_fd int output_fd = memfd_create("probe", MFD_CLOEXEC);
	if (output_fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "memfd_create: %m");
	auto_free char *output = malloc(OUTPUT_MAX);
	auto_argv struct mkv_argv argv = {0};
	static const char *const words[] = {
		"qemu-system-x86_64",
		"-no-user-config",
		"-nodefaults",
		"-display",
		"none",
		"-no-reboot",
		"-machine",
		"q35",
		"-accel",
		"kvm",
		"-cpu",
		"host",
		"-m",
		"256",
		"-serial",
		"stdio",
		"-append",
		"console=ttyS0 panic=-1",
		"-kernel",
	};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		mkv_argv_add(&argv, "%s", words[i]);
	mkv_argv_add(&argv, "%s", kernel);
	if (argv.failed || !output)
		return mkv_oom(err);
	auto_child struct mkv_child child = MKV_CHILD_INIT;
	int rc = mkv_child_start(argv.items, output_fd, &child, err);
	if (rc < 0)
		return rc;
	for (int waited = 0; waited < DEADLINE_MS; waited += STEP_MS) {
		struct pollfd polled = {.fd = child.pidfd, .events = POLLIN};
		bool has_exited = poll(&polled, 1, STEP_MS) > 0;
		if (has_booted(output_fd, output)) {
			*ret_works = true;
			(void)snprintf(ret_why, 128, "a kernel booted in it");
			return 0;
		}
		if (has_exited) {
			char line[81];
			last_line(output_fd, output, line, sizeof(line));
			(void)snprintf(ret_why, 128,
				       "a kernel did not boot in it: %s", line);
			return 0;
		}
	}
	(void)snprintf(ret_why, 128,
		       "/dev/kvm opens, but a kernel did not boot "
		       "in it within %d s",
		       DEADLINE_MS / 1000);
	return 0;
}

int mkv_accel_parse(const char *text, enum mkv_accel *ret,
		    struct mkv_error *err)
{
	static const char *const names[] = {
		[MKV_ACCEL_AUTO] = "auto",
		[MKV_ACCEL_KVM] = "kvm",
		[MKV_ACCEL_TCG] = "tcg",
	};
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = (enum mkv_accel)i;
			return 0;
		}
	}
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"--accel takes auto, kvm or tcg, not '%s'", text);
}
