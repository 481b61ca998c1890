/* SPDX-License-Identifier: MIT */
/* First process of the test's guest: runs the verifier twice, with a contract
 * for a guest and with one for bare metal, and exits. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

static void verify(const char *contract)
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
	verify("/guest.json");
	(void)printf("\nBEGIN metal\n");
	(void)fflush(stdout);
	verify("/metal.json");
	(void)printf("\nEND\n");
	(void)fflush(stdout);
	(void)sync();
	(void)reboot(RB_POWER_OFF);
	return 0;
}
