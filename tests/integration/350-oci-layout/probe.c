/* SPDX-License-Identifier: MIT */
/* The only program of the test images: prints its ids, environment and files.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void show(const char *path)
{
	char text[64] = "";
	FILE *f = fopen(path, "r");
	if (!f) {
		printf("%s: none\n", path);
		return;
	}
	if (fgets(text, sizeof(text), f))
		text[strcspn(text, "\n")] = '\0';
	fclose(f);
	printf("%s: %s\n", path, text);
}

static void leave(int number)
{
	(void)number;
	_exit(0);
}

int main(void)
{
	const char *probe = getenv("PROBE");
	if (probe && strcmp(probe, "wait") == 0) {
		(void)signal(SIGINT, leave);
		pause();
	}
	printf("uid %d gid %d\n", (int)getuid(), (int)getgid());
	printf("PROBE=%s\n", probe ? probe : "");
	show("/etc/motd");
	show("/etc/motd-link");
	show("/etc/gone");
	show("/usr/share/gone/file");
	show("/opt/app/new");
	show("/name with \"quotes\" and \xc3\xa9");
	show("/latin\xe9");
	return 0;
}
