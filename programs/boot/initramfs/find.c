/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/find.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "lib/auto.h"
#include "programs/boot/initramfs/log.h"
#include "programs/boot/initramfs/probe.h"

enum { DEVICES_MAX = 256, NAME_SIZE = 64 };

struct device {
	char name[NAME_SIZE]; /* in sysfs */
	char path[FIND_PATH_SIZE];
	bool has_fs, has_part;
	struct probe_fs fs;
	char part_uuid[PROBE_UUID_SIZE];
};

struct devices {
	struct device items[DEVICES_MAX];
	size_t count;
};

bool find_is_known(const char *root)
{
	return strncmp(root, "UUID=", 5) == 0 ||
	       strncmp(root, "PARTUUID=", 9) == 0 ||
	       strncmp(root, "LABEL=", 6) == 0 ||
	       strncmp(root, "/dev/", 5) == 0;
}

/* False for devices in memory and for drives that take seconds to answer. */
static bool is_disk(const char *name)
{
	static const char *const others[] = {"loop", "ram", "zram", "fd", "sr"};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (strncmp(name, others[i], strlen(others[i])) == 0)
			return false;
	return name[0] != '.' && strlen(name) < NAME_SIZE;
}

/* sysfs writes a slash in a name as '!'. */
static void device_path(const char *name, char ret[FIND_PATH_SIZE])
{
	memcpy(ret, "/dev/", 5);
	memcpy(ret + 5, name, strnlen(name, NAME_SIZE - 1) + 1);
	ret[5 + NAME_SIZE - 1] = '\0';
	for (char *c = ret; *c; c++)
		if (*c == '!')
			*c = '/';
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->name,
		      ((const struct device *)b)->name);
}

/* A partition's number, or 0. */
static unsigned partition_number(const char *name)
{
	char path[128], text[16];
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s/partition",
		       name);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t got = read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return 0;
	text[got] = '\0';
	unsigned long number = strtoul(text, NULL, 10);
	return number > UINT_MAX ? 0 : (unsigned)number;
}

/* The disk of a partition: its parent directory in sysfs. */
static bool disk_of(const char *name, char ret[FIND_PATH_SIZE])
{
	char path[128], target[PATH_MAX];
	(void)snprintf(path, sizeof(path), "/sys/class/block/%s", name);
	ssize_t got = readlink(path, target, sizeof(target) - 1);
	if (got <= 0)
		return false;
	target[got] = '\0';
	char *last = strrchr(target, '/');
	if (!last)
		return false;
	*last = '\0';
	const char *disk = strrchr(target, '/');
	if (!disk || strlen(disk + 1) >= NAME_SIZE)
		return false;
	device_path(disk + 1, ret);
	return true;
}

static void probe_partition(struct device *device)
{
	unsigned number = partition_number(device->name);
	char path[FIND_PATH_SIZE];
	if (!number || !disk_of(device->name, path))
		return;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	int sector_bytes = 0;
	if (fd < 0 || ioctl(fd, BLKSSZGET, &sector_bytes) < 0 ||
	    sector_bytes <= 0)
		return;
	device->has_part = probe_gpt(fd, (unsigned)sector_bytes, number,
				     device->part_uuid);
}

static void probe_device(struct device *device)
{
	auto_fd int fd = open(device->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	device->has_fs = probe_ext4(fd, &device->fs);
	probe_partition(device);
}

static void list_devices(struct devices *ret)
{
	auto_dir DIR *dir = opendir("/sys/class/block");
	struct dirent *entry;
	ret->count = 0;
	while (dir && (entry = readdir(dir)) && ret->count < DEVICES_MAX) {
		if (!is_disk(entry->d_name))
			continue;
		struct device *device = &ret->items[ret->count++];
		*device = (struct device){0};
		memcpy(device->name, entry->d_name, strlen(entry->d_name) + 1);
		device_path(device->name, device->path);
		probe_device(device);
	}
	qsort(ret->items, ret->count, sizeof(ret->items[0]), compare_names);
}

static bool matches_root(const struct device *device, const char *root)
{
	if (strncmp(root, "UUID=", 5) == 0)
		return device->has_fs &&
		       strcasecmp(device->fs.uuid, root + 5) == 0;
	if (strncmp(root, "PARTUUID=", 9) == 0)
		return device->has_part &&
		       strcasecmp(device->part_uuid, root + 9) == 0;
	return device->has_fs && strncmp(root, "LABEL=", 6) == 0 &&
	       strcmp(device->fs.label, root + 6) == 0;
}

bool find_root(const char *root, char ret[FIND_PATH_SIZE])
{
	static struct devices devices;
	if (strncmp(root, "/dev/", 5) == 0) {
		struct stat status;
		if (strlen(root) >= FIND_PATH_SIZE || stat(root, &status) < 0 ||
		    !S_ISBLK(status.st_mode))
			return false;
		memcpy(ret, root, strlen(root) + 1);
		return true;
	}
	list_devices(&devices);
	for (size_t i = 0; i < devices.count; i++) {
		if (matches_root(&devices.items[i], root)) {
			memcpy(ret, devices.items[i].path, FIND_PATH_SIZE);
			return true;
		}
	}
	return false;
}

void find_report(void)
{
	static struct devices devices;
	list_devices(&devices);
	if (!devices.count)
		log_to_console("  no block device: the initramfs may lack "
			       "the driver of the disk controller");
	for (size_t i = 0; i < devices.count; i++) {
		const struct device *d = &devices.items[i];
		log_to_console("  %s%s%s%s%s%s%s%s", d->path,
			       d->has_part ? " PARTUUID=" : "",
			       d->has_part ? d->part_uuid : "",
			       d->has_fs ? " ext4 UUID=" : " (no ext4)",
			       d->has_fs ? d->fs.uuid : "",
			       d->has_fs && d->fs.label[0] ? " LABEL='" : "",
			       d->has_fs ? d->fs.label : "",
			       d->has_fs && d->fs.label[0] ? "'" : "");
	}
}
