/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/container.h"

#include <string.h>
#include <sys/mman.h>

#include "lib/io.h"
#include "lib/process.h"
#include "programs/campaign/agent/child.h"

int mkv_agent_container_wake(const struct mkv_agent *agent,
			     const char *container, struct mkv_error *err)
{
	auto_buf struct mkv_buf status = {0};
	int rc = mkv_agent_run(agent,
			       (const char *const[]){"docker", "container",
						     "inspect", "--format",
						     "{{.State.Status}}",
						     container, NULL},
			       &status, err);
	if (rc < 0)
		return rc;
	if (status.size && strcmp(status.data, "running") == 0)
		return 0;
	return mkv_agent_run(
		agent,
		(const char *const[]){"docker", "start", container, NULL}, NULL,
		err);
}

enum { BLOCK = 512 };

/* pax(1), "ustar Interchange Format". */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12];
	char checksum[8], type, link[100], magic[6], version[2];
	char owner[32], group[32], major[8], minor[8], prefix[155], unused[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a block of an archive");

static void set_octal(char *field, size_t size, unsigned long long value)
{
	(void)snprintf(field, size, "%0*llo", (int)size - 1, value);
}

/* An archive of this one file. docker-cp(1) sets the modes of directories that
 * an archive has, so that it has none. */
static int make_archive(const char *path, const struct mkv_buf *text,
			struct mkv_buf *ret, struct mkv_error *err)
{
	struct header header = {.type = '0', .magic = "ustar"};
	const unsigned char *bytes = (const unsigned char *)&header;
	unsigned sum = 0;
	path += strspn(path, "/");
	if (strlen(path) > sizeof(header.name))
		return mkv_fail(err, MKV_FAILED, ENAMETOOLONG, "'%s': %m",
				path);
	memcpy(header.name, path, strlen(path));
	set_octal(header.mode, sizeof(header.mode), 0644);
	set_octal(header.uid, sizeof(header.uid), 0);
	set_octal(header.gid, sizeof(header.gid), 0);
	set_octal(header.size, sizeof(header.size), text->size);
	set_octal(header.mtime, sizeof(header.mtime), 0);
	memcpy(header.version, "00", 2);
	memset(header.checksum, ' ', sizeof(header.checksum));
	for (size_t i = 0; i < sizeof(header); i++)
		sum += bytes[i];
	set_octal(header.checksum, sizeof(header.checksum) - 1, sum);
	mkv_buf_add(ret, &header, sizeof(header));
	mkv_buf_add(ret, text->data, text->size);
	mkv_buf_fill(ret, 0, (BLOCK - text->size % BLOCK) % BLOCK + 2 * BLOCK);
	return mkv_buf_check(ret, err);
}

static int open_archive(const struct mkv_buf *archive, int *ret,
			struct mkv_error *err)
{
	auto_fd int fd = memfd_create("archive", MFD_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "memfd_create: %m");
	int rc = mkv_pwrite_all(fd, archive->data, archive->size, 0, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take_fd(&fd);
	return 0;
}

int mkv_agent_container_put(const struct mkv_agent *agent,
			    const char *container, const char *path,
			    const struct mkv_buf *text, struct mkv_error *err)
{
	auto_buf struct mkv_buf archive = {0}, to = {0};
	auto_fd int fd = -1;
	int rc = make_archive(path, text, &archive, err);
	if (rc < 0)
		return rc;
	rc = open_archive(&archive, &fd, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&to, "%s:/", container);
	if (to.failed)
		return mkv_oom(err);
	const struct mkv_process process = {
		.argv = (const char *const[]){"docker", "cp", "-", to.data,
					      NULL},
		.stdin_fd = fd,
		.timeout_s = (unsigned)agent->child_s,
	};
	return mkv_process_run(&process, NULL, err);
}
