/* SPDX-License-Identifier: MIT */
/* Program that tests/unit/sandbox_test.c runs in a sandbox; linked statically
 * because the sandbox has no libraries. "sandbox_probe_static NAME" exits with
 * 0 when the checks of NAME pass, otherwise with the number of the failed one.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/utsname.h>
#include <unistd.h>

static int no_network(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
	to.sin_addr.s_addr = htonl(0x7f000001);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 1;
	to.sin_addr.s_addr = htonl(0xc0000201);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return 2;
	struct if_nameindex *names = if_nameindex();
	for (size_t i = 0; names && names[i].if_index; i++)
		if (strcmp(names[i].if_name, "lo") != 0)
			return 3;
	return 0;
}

static int fixed_name(void)
{
	struct utsname name;
	return uname(&name) < 0 || strcmp(name.nodename, "mkvbench") != 0 ||
	       strcmp(name.domainname, "localdomain") != 0;
}

static int fixed_environment(void)
{
	extern char **environ;
	static const char *const expected[] = {"LC_ALL=C.UTF-8", "TZ=UTC",
					       "HOME=/root", "EXTRA=yes"};
	size_t count = 0, found = 0;
	for (char **at = environ; *at; at++, count++)
		for (size_t i = 0; i < 4; i++)
			found += strcmp(*at, expected[i]) == 0;
	mode_t mask = umask(0);
	return getenv("MKV_LEAK") || found != 4 || count != 10 || mask != 022;
}

static int no_descriptors(void)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return 1;
	char byte;
	return read(0, &byte, 1) != 0;
}

/* Only entries that the sandbox made exist, no files of the host. */
static int only_own_files(void)
{
	static const char *const expected[] = {"dev", "proc", "probe"};
	DIR *dir = opendir("/");
	if (!dir)
		return 1;
	for (struct dirent *entry; (entry = readdir(dir));) {
		bool known = entry->d_name[0] == '.';
		for (size_t i = 0; i < 3; i++)
			known |= strcmp(entry->d_name, expected[i]) == 0;
		if (!known)
			return 2;
	}
	(void)closedir(dir);
	struct stat one, above;
	return stat("/", &one) < 0 || stat("/../..", &above) < 0 ||
	       one.st_ino != above.st_ino || one.st_dev != above.st_dev;
}

static int no_privileges(void)
{
	if (mount("tmpfs", "/proc", "tmpfs", 0, NULL) == 0)
		return 1;
	if (mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL) == 0)
		return 2;
	int fd = open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC);
	if (fd >= 0)
		return 3;
	if (sethostname("x", 1) == 0)
		return 4;
	return mknod("/dev/sda", S_IFBLK | 0600, makedev(8, 0)) == 0 ? 5 : 0;
}

static int devices(void)
{
	static const char *const names[] = {"/dev/null", "/dev/zero",
					    "/dev/full", "/dev/random",
					    "/dev/urandom"};
	for (size_t i = 0; i < 5; i++) {
		struct stat status;
		int fd = open(names[i], O_RDWR | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &status) < 0 ||
		    !S_ISCHR(status.st_mode))
			return (int)i + 1;
		(void)close(fd);
	}
	return access("/dev/kvm", F_OK) == 0 || access("/dev/vda", F_OK) == 0;
}

static int own_ids(void)
{
	if (getuid() != 0 || getgid() != 0 || getgroups(0, NULL) != 0)
		return 1;
	return setresgid(1234, 1234, 1234) < 0 ||
	       setresuid(65534, 65534, 65534) < 0;
}

static int daemonise(void)
{
	if (fork() != 0)
		return 0;
	(void)setsid();
	(void)signal(SIGTERM, SIG_IGN);
	if (fork() != 0)
		_exit(0);
	for (;;)
		(void)pause();
	return 0;
}

static int lone_survivor(void)
{
	size_t count = 0;
	for (int pid = 1; pid < 200; pid++)
		count += kill(pid, 0) == 0;
	return count == 2 ? 0 : 1; /* the worker and this process */
}

static int complain(void)
{
	(void)!write(1, "to stdout\n", 10);
	(void)!write(2, "what is \033[31mwrong\n", 20);
	return 7;
}

static int hang(void)
{
	for (;;)
		(void)pause();
	return 0;
}

static const struct {
	const char *name;
	int (*run)(void);
} probes[] = {
	{"no network", no_network},
	{"fixed name", fixed_name},
	{"fixed environment", fixed_environment},
	{"no descriptors", no_descriptors},
	{"only own files", only_own_files},
	{"no privileges", no_privileges},
	{"devices", devices},
	{"own ids", own_ids},
	{"daemonise", daemonise},
	{"lone survivor", lone_survivor},
	{"complain", complain},
	{"hang", hang},
};

static int probe(const char *name)
{
	for (size_t i = 0; i < sizeof(probes) / sizeof(*probes); i++)
		if (strcmp(probes[i].name, name) == 0)
			return probes[i].run();
	return 99;
}

int main(int argc, char **argv)
{
	return argc == 2 ? probe(argv[1]) : 99;
}
