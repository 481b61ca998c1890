/* SPDX-License-Identifier: MIT */
/* Makes a disk image from directories, for tests of the disk writers and of
 * booting:
 *
 *   mkdisk OUT ROOT MODULES RELEASE KERNEL INIT STUB COMMAND-LINE
 *
 * writes OUT/disk.raw (ESP with a UKI, ext4 root of ROOT), OUT/initramfs and
 * OUT/uki.efi. MODULES/RELEASE holds the kernel's modules.
 * In COMMAND-LINE @UUID@ stands for the root file system, @PARTUUID@ for its
 * partition. Prints the command line. */
#include <fcntl.h>
#include <string.h>

#include "builder/format/disk/disk.h"
#include "builder/format/disk/gpt.h"
#include "builder/format/disk/uki.h"
#include "builder/format/initramfs/initramfs.h"
#include "builder/input/overlay/overlay.h"
#include "lib/io.h"

enum { EPOCH_S = 1763856000 };

static const uint8_t space[16] = "mkdisk test     ";

static int open_content(const char *path, struct mkv_content **ret,
			struct mkv_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t size = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
	if (size < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	auto_source struct mkv_source *source = NULL;
	int rc = mkv_source_new(fd, &source, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_range(source, 0, (uint64_t)size, NULL);
	return *ret ? 0 : mkv_oom(err);
}

static int save_content(const char *directory, const char *name,
			const struct mkv_content *content,
			struct mkv_error *err)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	auto_fd int fd =
		open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	return content ? mkv_content_copy_to(content, fd, 0, err) : 0;
}

static void substitute(const char *text, const char *uuid,
		       const char *part_uuid, struct mkv_buf *into)
{
	while (*text) {
		if (strncmp(text, "@UUID@", 6) == 0) {
			mkv_buf_str(into, uuid);
			text += 6;
		} else if (strncmp(text, "@PARTUUID@", 10) == 0) {
			mkv_buf_str(into, part_uuid);
			text += 10;
		} else {
			mkv_buf_char(into, *text++);
		}
	}
}

/* Visitor of a tree: adds each entry to another tree, below
 * /usr/lib/modules/RELEASE. */
struct graft {
	struct mkv_tree *into;
	const char *release;
};

static int graft(const char *path, struct mkv_inode *inode, void *context,
		 struct mkv_error *err)
{
	const struct graft *graft = context;
	char to[4096];
	(void)snprintf(to, sizeof(to), "/usr/lib/modules/%s%s", graft->release,
		       strcmp(path, "/") == 0 ? "" : path);
	return S_ISDIR(inode->mode) ? mkv_tree_make_dirs(graft->into, to, err)
				    : mkv_tree_put(graft->into, to, inode, err);
}

static int load_modules(const char *directory, const char *release,
			struct mkv_tree **ret, struct mkv_error *err)
{
	auto_tree struct mkv_tree *found = NULL, *tree = NULL;
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, release);
	int rc = mkv_overlay_load(path, EPOCH_S, &found, err);
	if (rc < 0)
		return rc;
	rc = mkv_tree_new(EPOCH_S, &tree, err);
	if (rc < 0)
		return rc;
	struct graft into = {tree, release};
	rc = mkv_tree_walk(found, graft, &into, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(tree);
	return rc;
}

static int make_initramfs(char **argv, struct mkv_content **ret,
			  struct mkv_error *err)
{
	auto_tree struct mkv_tree *modules = NULL;
	auto_tree struct mkv_tree *tree = NULL;
	auto_content struct mkv_content *init = NULL;
	int rc = load_modules(argv[3], argv[4], &modules, err);
	if (rc < 0)
		return rc;
	rc = open_content(argv[6], &init, err);
	if (rc < 0)
		return rc;
	rc = mkv_initramfs_build(modules, argv[4], init, EPOCH_S, &tree, err);
	if (rc < 0)
		return rc;
	return mkv_initramfs_pack(tree, ret, err);
}

static int make_uki(char **argv, const char *command_line,
		    const struct mkv_content *initramfs,
		    struct mkv_content **ret, struct mkv_error *err)
{
	auto_content struct mkv_content *kernel = NULL, *stub = NULL;
	int rc = open_content(argv[5], &kernel, err);
	if (rc < 0)
		return rc;
	rc = open_content(argv[7], &stub, err);
	if (rc < 0)
		return rc;
	struct mkv_uki_parts parts = {
		.command_line = command_line,
		.kernel_release = argv[4],
		.initramfs = initramfs,
		.kernel = kernel,
	};
	return mkv_uki_build(stub, &parts, ret, err);
}

static int make_disk(char **argv, struct mkv_disk *disk,
		     struct mkv_disk_partition *parts, struct mkv_content *uki,
		     struct mkv_error *err)
{
	auto_tree struct mkv_tree *esp = NULL, *root = NULL;
	int rc = mkv_disk_esp_tree(uki, EPOCH_S, &esp, err);
	if (rc < 0)
		return rc;
	rc = mkv_overlay_load(argv[2], EPOCH_S, &root, err);
	if (rc < 0)
		return rc;
	parts[0].tree = esp;
	parts[1].tree = root;
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/disk.raw", argv[1]);
	auto_fd int fd =
		open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	return mkv_disk_write(disk, fd, NULL, err);
}

static int run(char **argv, struct mkv_error *err)
{
	struct mkv_disk_partition parts[2] = {
		{.format = MKV_DISK_FAT,
		 .name = "EFI system",
		 .type = mkv_gpt_type_esp,
		 .label = "ESP"},
		{.format = MKV_DISK_EXT4,
		 .name = "root",
		 .type = mkv_gpt_type_root_x86_64,
		 .label = "testroot"},
	};
	struct mkv_disk disk = {
		.epoch_s = EPOCH_S, .partitions = parts, .n_partitions = 2};
	int rc = mkv_uuid5(space, "disk", disk.uuid, err);
	for (int i = 0; rc == 0 && i < 2; i++) {
		rc = mkv_uuid5(space, i ? "p2" : "p1", parts[i].partition_uuid,
			       err);
		if (rc == 0)
			rc = mkv_uuid5(space, i ? "f2" : "f1", parts[i].fs_uuid,
				       err);
	}
	char uuid[37], part_uuid[37];
	mkv_uuid_text(parts[1].fs_uuid, uuid);
	mkv_uuid_text(parts[1].partition_uuid, part_uuid);
	auto_buf struct mkv_buf command_line = {0};
	substitute(argv[8], uuid, part_uuid, &command_line);
	auto_content struct mkv_content *initramfs = NULL, *uki = NULL;
	if (rc < 0)
		return rc;
	rc = make_initramfs(argv, &initramfs, err);
	if (rc < 0)
		return rc;
	rc = save_content(argv[1], "initramfs", initramfs, err);
	if (rc < 0)
		return rc;
	rc = make_uki(argv, command_line.data, initramfs, &uki, err);
	if (rc < 0)
		return rc;
	rc = save_content(argv[1], "uki.efi", uki, err);
	if (rc < 0)
		return rc;
	rc = make_disk(argv, &disk, parts, uki, err);
	if (rc < 0)
		return rc;
	(void)printf("%s\n", command_line.data);
	return rc;
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (argc != 9)
		return 2;
	if (run(argv, &err) == 0)
		return 0;
	(void)fprintf(stderr, "mkdisk: %s\n", err.message);
	return 1;
}
