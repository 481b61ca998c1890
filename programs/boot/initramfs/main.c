/* SPDX-License-Identifier: MIT */
/* /init of the initramfs: loads the modules that the disk needs, finds and
 * mounts the root file system that root= names, and executes its init. On
 * failure it reports the reason on the console and obeys panic=. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/auto.h"
#include "lib/clock.h"
#include "programs/boot/initramfs/cmdline.h"
#include "programs/boot/initramfs/find.h"
#include "programs/boot/initramfs/log.h"
#include "programs/boot/initramfs/modules.h"
#include "programs/boot/initramfs/switch.h"

#define NEW_ROOT "/root"

enum { POLL_MS = 20 };

static double uptime_s(void)
{
	return (double)mkv_clock_ns(CLOCK_BOOTTIME) / 1e9;
}

static void sleep_ms(long ms)
{
	struct timespec time = {ms / 1000, ms % 1000 * 1000000L};
	(void)nanosleep(&time, NULL);
}

static _Noreturn void give_up(const struct cmdline *cmdline)
{
	if (cmdline->panic_s == 0) {
		log_to_console(
			"stopped: boot with panic=SECONDS to reboot instead");
		for (;;)
			(void)pause();
	}
	if (cmdline->panic_s > 0) {
		log_to_console("rebooting in %d s", cmdline->panic_s);
		sleep_ms(cmdline->panic_s * 1000L);
	}
	(void)reboot(RB_AUTOBOOT);
	_exit(1);
}

static void mount_kernel_file_systems(void)
{
	(void)mount("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755");
	(void)mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    NULL);
	(void)mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		    NULL);
	int console = open("/dev/console", O_RDWR | O_NOCTTY);
	for (int fd = 0; console >= 0 && fd < 3; fd++)
		(void)dup2(console, fd);
	if (console > 2)
		(void)close(console);
}

static size_t read_text(const char *path, char *into, size_t size)
{
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	while (fd >= 0 && used < size - 1) {
		ssize_t got = read(fd, into + used, size - 1 - used);
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	into[used] = '\0';
	return used;
}

static void wait_for_root(const struct cmdline *cmdline,
			  char ret[FIND_PATH_SIZE])
{
	if (!cmdline->root) {
		log_to_console("the kernel command line has no root=");
		give_up(cmdline);
	}
	if (!find_is_known(cmdline->root)) {
		log_to_console("root=%s: only UUID=, PARTUUID=, LABEL= and "
			       "/dev/ are supported",
			       cmdline->root);
		give_up(cmdline);
	}
	double limit_s = uptime_s() + cmdline->wait_s;
	for (;;) {
		modules_load(cmdline);
		if (find_root(cmdline->root, ret))
			return;
		if (uptime_s() >= limit_s) {
			log_to_console("no root file system '%s' within %d s; "
				       "block devices:",
				       cmdline->root, cmdline->wait_s);
			find_report();
			give_up(cmdline);
		}
		sleep_ms(POLL_MS);
	}
}

static void mount_root(const struct cmdline *cmdline, const char *device)
{
	const char *type = cmdline->root_type ? cmdline->root_type : "ext4";
	unsigned long flags = cmdline->writable ? 0 : MS_RDONLY;
	if (mount(device, NEW_ROOT, type, flags, cmdline->root_flags) < 0) {
		log_to_console("mount %s as %s, root=%s: %m", device, type,
			       cmdline->root);
		give_up(cmdline);
	}
	log_to_kernel(
		"root %s is %s, mounted %s %.2f s after the kernel started",
		cmdline->root, device, cmdline->writable ? "rw" : "ro",
		uptime_s());
}

int main(int argc, char **argv)
{
	(void)argc;
	static char line[CMDLINE_MAX];
	static struct cmdline cmdline;
	mount_kernel_file_systems();
	(void)read_text("/proc/cmdline", line, sizeof(line));
	cmdline_parse(line, &cmdline);
	char device[FIND_PATH_SIZE];
	wait_for_root(&cmdline, device);
	modules_report();
	mount_root(&cmdline, device);
	switch_root(NEW_ROOT, cmdline.init ? cmdline.init : "/sbin/init", argv);
	give_up(&cmdline);
}
