/* SPDX-License-Identifier: MIT */
/* The initramfs' /init: loads the modules that reach the disk, finds the root
 * file system that root= names, mounts it and becomes its init. Says clearly on
 * the console why it can't, and then does what panic= says. */
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/auto.h"
#include "lib/clock.h"
#include "programs/boot/initramfs/find.h"
#include "programs/boot/initramfs/modules.h"
#include "programs/boot/initramfs/say.h"
#include "programs/boot/initramfs/switch.h"
#include "programs/boot/initramfs/words.h"

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

/* The end: nothing more can be done here. */
static _Noreturn void give_up(const struct words *words)
{
	if (words->panic_s == 0) {
		say_error("stopped (panic=SECONDS would reboot)");
		for (;;)
			(void)pause();
	}
	if (words->panic_s > 0) {
		say_error("rebooting in %d s", words->panic_s);
		sleep_ms(words->panic_s * 1000L);
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

static void wait_for_root(const struct words *words, char ret[FIND_PATH_SIZE])
{
	if (!words->root || !find_is_known(words->root)) {
		say_error(words->root ? "root=%s: only UUID=, PARTUUID=, "
					"LABEL= and /dev/ are understood"
				      : "the kernel command line has no "
					"root=%s",
			  words->root ? words->root : "");
		give_up(words);
	}
	double limit_s = uptime_s() + words->wait_s;
	for (;;) {
		modules_load(words);
		if (find_root(words->root, ret))
			return;
		if (uptime_s() >= limit_s) {
			say_error("no root file system '%s' within %d s; "
				  "there is:",
				  words->root, words->wait_s);
			find_report();
			give_up(words);
		}
		sleep_ms(POLL_MS);
	}
}

static void mount_root(const struct words *words, const char *device)
{
	const char *type = words->root_type ? words->root_type : "ext4";
	unsigned long flags = words->writable ? 0 : MS_RDONLY;
	if (mount(device, NEW_ROOT, type, flags, words->root_flags) < 0) {
		say_error("mount %s as %s, root=%s: %m", device, type,
			  words->root);
		give_up(words);
	}
	say_log("root %s is %s, mounted %s %.2f s after the kernel's start",
		words->root, device, words->writable ? "rw" : "ro", uptime_s());
}

int main(int argc, char **argv)
{
	(void)argc;
	static char line[WORDS_MOST];
	static struct words words;
	mount_kernel_file_systems();
	(void)read_text("/proc/cmdline", line, sizeof(line));
	words_parse(line, &words);
	char device[FIND_PATH_SIZE];
	wait_for_root(&words, device);
	modules_report();
	mount_root(&words, device);
	switch_root(NEW_ROOT, words.init ? words.init : "/sbin/init", argv);
	give_up(&words);
}
