/* SPDX-License-Identifier: MIT */
/* The first process of the test's guest: asks the verifier twice, once as the
 * guest that it is and once as the bare metal that it isn't, and ends. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static void ask(const char *contract)
{
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/mkvbench-verify", "mkvbench-verify", "--contract",
		      contract, "--host", "me", "--json", (char *)NULL);
		_exit(127);
	}
	int status;
	(void)waitpid(pid, &status, 0);
}

int main(void)
{
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sys", "/sys", "sysfs", 0, NULL);
	(void)mount("dev", "/dev", "devtmpfs", 0, NULL);
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
	if (fd >= 0) {
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
	}
	(void)printf("\nBEGIN guest\n");
	(void)fflush(stdout);
	ask("/guest.json");
	(void)printf("\nBEGIN metal\n");
	(void)fflush(stdout);
	ask("/metal.json");
	(void)printf("\nEND\n");
	(void)fflush(stdout);
	(void)sync();
	(void)reboot(RB_POWER_OFF);
	return 0;
}
