/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/audit/disk_internal.h"
#include "lib/io.h"
#include "lib/process.h"

/* Opens IMAGE/FILE; positive when the appliance lacks it. */
static int open_copy(const struct mkv_audit_of_disk *disk, const char *file,
		     char path[static 512], int *ret_fd)
{
	if (!disk->image_name || !disk->audit->sums)
		return 1;
	(void)snprintf(path, 512, "%s/%s", disk->image_name, file);
	return mkv_sums_find(disk->audit->sums, path) &&
			       mkv_audit_open(disk->audit, path, ret_fd) == 0
		       ? 0
		       : 1;
}

static int check_tar(const struct mkv_audit_of_disk *disk,
		     const struct mkv_audit_table *want,
		     const char *const *except, struct mkv_error *err)
{
	auto_audit_table struct mkv_audit_table got = {0};
	auto_fd int fd = -1;
	char path[512];
	if (open_copy(disk, "rootfs.tar", path, &fd) > 0)
		return 0;
	int rc = mkv_audit_table_from_tar(fd, &got, NULL, 0, NULL, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		mkv_audit_add(disk->audit->report, path, "%s", err->message);
	else
		mkv_audit_table_compare(want, &got, except, path,
					disk->audit->report);
	return 0;
}

/* Whether the image needs no other file and no unknown feature (QEMU
 * documentation, interop/qcow2, header). */
static bool is_standalone(int fd)
{
	uint8_t header[80];
	struct mkv_error err;
	if (mkv_pread_all(fd, header, sizeof(header), 0, &err) < 0 ||
	    memcmp(header, "QFI\xfb\0\0\0\3", 8) != 0)
		return false;
	for (size_t i = 8; i < 20; i++) /* backing file's offset and length */
		if (header[i])
			return false;
	for (size_t i = 72; i < 80; i++) /* incompatible features */
		if (header[i])
			return false;
	return true;
}

static int check_qcow2(const struct mkv_audit_of_disk *disk,
		       struct mkv_error *err)
{
	auto_fd int fd = -1;
	char path[512], place[64];
	int status = -1;
	if (open_copy(disk, "disk.qcow2", path, &fd) > 0)
		return 0;
	if (!is_standalone(fd)) {
		mkv_audit_add(disk->audit->report, path,
			      "isn't a qcow2 image without a backing file");
		return 0;
	}
	(void)snprintf(place, sizeof(place), "/proc/%ld/fd/%d", (long)getpid(),
		       fd);
	auto_buf struct mkv_buf output = {0};
	const char *const argv[] = {"qemu-img", "compare", "-U",    "-f",
				    "raw",	"-F",	   "qcow2", disk->path,
				    place,	NULL};
	const struct mkv_process process = {.argv = argv, .output = &output};
	int rc = mkv_process_run(&process, &status, err);
	if (rc < 0 && status == -1)
		return rc;
	if (status == 1)
		mkv_audit_add(disk->audit->report, path,
			      "content differs from %s: %s", disk->name,
			      output.data ? output.data : "");
	else if (status != 0)
		mkv_audit_add(disk->audit->report, path, "%s", err->message);
	return 0;
}

int mkv_disk_check_copies(struct mkv_audit_of_disk *disk,
			  const struct mkv_audit_table *want,
			  const char *const *except, struct mkv_error *err)
{
	int rc = check_tar(disk, want, except, err);
	return rc < 0 ? rc : check_qcow2(disk, err);
}
