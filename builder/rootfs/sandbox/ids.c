/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/sandbox/sandbox_internal.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>

#include "lib/io.h"
#include "lib/process.h"

enum { IDS = 65536 };

static int write_map(pid_t pid, const char *file, struct mkv_error *err)
{
	static const char identity[] = "0 0 65536";
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	auto_fd int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno, "open '%s': %m",
				path);
	if (write(fd, identity, sizeof(identity) - 1) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno, "write '%s': %m",
				path);
	return 0;
}

/* "NAME:START:COUNT" or "UID:START:COUNT", subuid(5). */
static bool is_range(const char *line, const char *name, uid_t uid,
		     unsigned long *ret_start)
{
	char owner[256], number[16];
	unsigned long start, count;
	if (sscanf(line, "%255[^:\n]:%lu:%lu", owner, &start, &count) != 3)
		return false;
	(void)snprintf(number, sizeof(number), "%u", (unsigned)uid);
	if (count < IDS || start > UINT32_MAX - IDS ||
	    ((!name || strcmp(owner, name) != 0) && strcmp(owner, number) != 0))
		return false;
	*ret_start = start;
	return true;
}

static int find_range(const char *file, uid_t uid, unsigned long *ret_start,
		      struct mkv_error *err)
{
	char buffer[4096];
	struct passwd entry, *found = NULL;
	(void)getpwuid_r(uid, &entry, buffer, sizeof(buffer), &found);
	const char *name = found ? found->pw_name : NULL;
	auto_buf struct mkv_buf text = {0};
	struct mkv_error unread;
	if (mkv_read_file(AT_FDCWD, file, 1 << 20, &text, &unread) == 0) {
		const char *at = text.data ? text.data : "";
		while (*at) {
			if (is_range(at, name, uid, ret_start))
				return 0;
			at += strcspn(at, "\n");
			at += *at == '\n';
		}
	}
	return mkv_fail(err, MKV_HOST_CANNOT, EPERM,
			"%s grants user %s no %d subordinate ids: run as root "
			"or run `usermod --add-subuids 100000-165535 "
			"--add-subgids 100000-165535 %s` as root",
			file, name ? name : "?", IDS, name ? name : "USER");
}

static int run_mapper(const char *program, const char *file, pid_t pid,
		      struct mkv_error *err)
{
	unsigned long start = 0;
	int rc = find_range(file, getuid(), &start, err);
	if (rc < 0)
		return rc;
	char pid_text[16], start_text[24], count_text[16];
	(void)snprintf(pid_text, sizeof(pid_text), "%d", (int)pid);
	(void)snprintf(start_text, sizeof(start_text), "%lu", start);
	(void)snprintf(count_text, sizeof(count_text), "%d", IDS);
	const char *argv[] = {program,	  pid_text,   "0",
			      start_text, count_text, NULL};
	struct mkv_process process = {.argv = argv, .timeout_s = 30};
	rc = mkv_process_run(&process, NULL, err);
	if (rc < 0)
		err->kind = MKV_HOST_CANNOT;
	return rc;
}

int mkv_sandbox_map_ids(pid_t pid, struct mkv_error *err)
{
	if (geteuid() == 0) {
		/* In a container, root may own fewer ids: map them as for an
		 * ordinary user. */
		struct mkv_error direct;
		if (write_map(pid, "uid_map", &direct) == 0)
			return write_map(pid, "gid_map", err);
	}
	int rc = run_mapper("newuidmap", "/etc/subuid", pid, err);
	return rc < 0 ? rc : run_mapper("newgidmap", "/etc/subgid", pid, err);
}
