/* SPDX-License-Identifier: MIT */
/* First process of the test's guest: runs the verifier, prints the receipt on
 * the console, and waits. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
	int status;
	(void)mount("proc", "/proc", "proc", 0, NULL);
	(void)mount("sys", "/sys", "sysfs", 0, NULL);
	(void)mount("dev", "/dev", "devtmpfs", 0, NULL);
	int fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY);
	if (fd >= 0) {
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
	}
	(void)printf("\nBEGIN\n");
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/mkvbench-verify", "mkvbench-verify", "--contract",
		      "/contract.json", "--host", "order", "--json",
		      (char *)NULL);
		_exit(127);
	}
	(void)waitpid(pid, &status, 0);
	(void)printf("\nEND\n");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
