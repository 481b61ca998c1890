/* SPDX-License-Identifier: MIT */
/* An image's files: the disk in its formats, and the kernel for direct boot. */
#include <fcntl.h>
#include <string.h>

#include "builder/build/build.h"
#include "builder/evidence/contract/contract.h"
#include "builder/format/archive/tar.h"
#include "builder/format/disk/disk.h"
#include "builder/format/disk/gpt.h"
#include "builder/format/disk/qcow2.h"
#include "builder/format/disk/uki.h"
#include "lib/io.h"

/* The list of partitions and the trees that it borrows. */
struct layout {
	struct mkv_disk_partition *items;
	size_t count;
	struct mkv_tree *esp;
	struct mkv_tree *empty; /* of data partitions */
};

static void layout_done(struct layout *layout)
{
	free(layout->items);
	mkv_tree_free(layout->esp);
	mkv_tree_free(layout->empty);
}

static char *join_words(const struct mkv_strings *words)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < words->count; i++) {
		if (i)
			mkv_buf_char(&text, ' ');
		mkv_buf_str(&text, words->items[i]);
	}
	return mkv_buf_take(&text);
}

static int make_esp(const struct mkv_build *build,
		    const struct mkv_build_image *image, struct mkv_tree **ret,
		    struct mkv_error *err)
{
	const struct mkv_inode *stub =
		mkv_tree_lookup(image->tree, MKV_UKI_STUB_PATH);
	if (!stub || !stub->content)
		return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
				"UEFI boot: '" MKV_UKI_STUB_PATH "' is missing "
				"in the image: add the package "
				"systemd-boot-efi");
	const struct mkv_inode *release =
		mkv_tree_lookup(image->tree, "/usr/lib/os-release");
	auto_free char *command_line = join_words(&image->command_line);
	if (!command_line)
		return mkv_oom(err);
	struct mkv_uki_parts parts = {
		.os_release = release ? release->content : NULL,
		.command_line = command_line,
		.kernel_release = image->kernel_release,
		.initramfs = image->initramfs,
		.kernel = image->kernel,
	};
	auto_content struct mkv_content *uki = NULL;
	int rc = mkv_uki_build(stub->content, &parts, &uki, err);
	if (rc < 0)
		return rc;
	return mkv_disk_esp_tree(uki, build->lock->epoch_s, ret, err);
}

static void add_esp(const struct mkv_build_image *image, struct layout *layout)
{
	struct mkv_disk_partition *p = &layout->items[layout->count++];
	*p = (struct mkv_disk_partition){
		.format = MKV_DISK_FAT,
		.name = "esp",
		.type = mkv_gpt_type_esp,
		.label = "ESP",
		.tree = layout->esp,
	};
	memcpy(p->partition_uuid, image->esp_partition_uuid, 16);
	memcpy(p->fs_uuid, image->esp_uuid, 16);
}

static void add_root(const struct mkv_build_image *image, struct layout *layout)
{
	struct mkv_disk_partition *p = &layout->items[layout->count++];
	*p = (struct mkv_disk_partition){
		.format = MKV_DISK_EXT4,
		.name = "root",
		.type = mkv_gpt_type_root_x86_64,
		.label = "root",
		.tree = image->tree,
	};
	memcpy(p->partition_uuid, image->root_partition_uuid, 16);
	memcpy(p->fs_uuid, image->root_uuid, 16);
}

static int add_data(const struct mkv_build *build,
		    const struct mkv_build_image *image, struct layout *layout,
		    struct mkv_error *err)
{
	const struct mkv_image *recipe = image->recipe;
	for (size_t i = 0; i < recipe->n_partitions; i++) {
		struct mkv_disk_partition *p = &layout->items[layout->count++];
		*p = (struct mkv_disk_partition){
			.format = MKV_DISK_EXT4,
			.name = recipe->partitions[i].label,
			.type = mkv_gpt_type_linux,
			.label = recipe->partitions[i].label,
			.tree = layout->empty,
			.size_bytes = recipe->partitions[i].size_bytes,
		};
		memcpy(p->fs_uuid, image->data_uuids[i], 16);
		char what[80];
		(void)snprintf(what, sizeof(what), "%s partition",
			       recipe->partitions[i].label);
		int rc = mkv_build_uuid(build, recipe->name, what,
					p->partition_uuid, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* ESP, data, root: the root is last and takes the remaining space. */
static int write_disk(const struct mkv_build *build,
		      const struct mkv_build_image *image, int fd,
		      struct mkv_error *err)
{
	__attribute__((cleanup(layout_done))) struct layout layout = {0};
	layout.items =
		calloc(image->recipe->n_partitions + 2, sizeof(*layout.items));
	if (!layout.items)
		return mkv_oom(err);
	int rc = mkv_tree_new(build->lock->epoch_s, &layout.empty, err);
	if (rc < 0)
		return rc;
	if (image->recipe->uefi) {
		rc = make_esp(build, image, &layout.esp, err);
		if (rc < 0)
			return rc;
		add_esp(image, &layout);
	}
	rc = add_data(build, image, &layout, err);
	if (rc < 0)
		return rc;
	add_root(image, &layout);
	struct mkv_disk disk = {
		.epoch_s = build->lock->epoch_s,
		.size_bytes = image->recipe->size_bytes,
		.partitions = layout.items,
		.n_partitions = layout.count,
	};
	memcpy(disk.uuid, image->disk_uuid, 16);
	return mkv_disk_write(&disk, fd, NULL, err);
}

static int write_content(const char *dir, const char *name,
			 const struct mkv_content *content,
			 struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return mkv_oom(err);
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	int rc = mkv_newfile_open(path, 0644, &file, err);
	if (rc < 0)
		return rc;
	rc = mkv_content_copy_to(content, file.fd, 0, err);
	return rc < 0 ? rc : mkv_newfile_place(&file, err);
}

/* The files for direct kernel boot: QEMU's -kernel, libvirt's <kernel>, PXE. */
static int write_boot(const struct mkv_build_image *image, const char *dir,
		      struct mkv_error *err)
{
	auto_free char *boot = NULL, *path = NULL;
	auto_free char *words = join_words(&image->command_line);
	if (!words || asprintf(&boot, "%s/boot", dir) < 0 ||
	    asprintf(&path, "%s/cmdline", boot) < 0)
		return mkv_oom(err);
	int rc = mkv_make_dirs(boot, err);
	if (rc < 0)
		return rc;
	rc = write_content(boot, "vmlinuz", image->kernel, err);
	if (rc < 0)
		return rc;
	rc = write_content(boot, "initrd.img", image->initramfs, err);
	if (rc < 0)
		return rc;
	auto_buf struct mkv_buf line = {0};
	mkv_buf_printf(&line, "%s\n", words);
	rc = mkv_buf_check(&line, err);
	return rc < 0 ? rc
		      : mkv_place_file(path, 0644, line.data, line.size, err);
}

/* Writes one format of an image into the empty file `fd`. `raw_fd` is the raw
 * disk, -1 while disk.raw itself is written. */
typedef int writer(const struct mkv_build *build,
		   const struct mkv_build_image *image, int raw_fd, int fd,
		   struct mkv_error *err);

static int write_raw(const struct mkv_build *build,
		     const struct mkv_build_image *image, int raw_fd, int fd,
		     struct mkv_error *err)
{
	(void)raw_fd;
	return write_disk(build, image, fd, err);
}

static int write_qcow2(const struct mkv_build *build,
		       const struct mkv_build_image *image, int raw_fd, int fd,
		       struct mkv_error *err)
{
	(void)build, (void)image;
	off_t size = lseek(raw_fd, 0, SEEK_END);
	if (size < 0)
		return mkv_fail(err, MKV_FAILED, errno, "seek in disk.raw: %m");
	return mkv_qcow2_write(raw_fd, (uint64_t)size, fd, err);
}

static int write_tar(const struct mkv_build *build,
		     const struct mkv_build_image *image, int raw_fd, int fd,
		     struct mkv_error *err)
{
	(void)build, (void)raw_fd;
	return mkv_tar_write(image->tree, fd, err);
}

static int write_file(const struct mkv_build *build,
		      const struct mkv_build_image *image, const char *dir,
		      const char *name, writer *write, struct mkv_error *err)
{
	auto_free char *path = NULL, *raw = NULL;
	if (asprintf(&path, "%s/%s", dir, name) < 0 ||
	    asprintf(&raw, "%s/disk.raw", dir) < 0)
		return mkv_oom(err);
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	auto_fd int raw_fd = open(raw, O_RDONLY | O_CLOEXEC);
	int rc = mkv_newfile_open(path, 0644, &file, err);
	if (rc < 0)
		return rc;
	rc = write(build, image, raw_fd, file.fd, err);
	return rc < 0 ? rc : mkv_newfile_place(&file, err);
}

static int write_format(const struct mkv_build *build,
			const struct mkv_build_image *image, const char *dir,
			const char *name, writer *write, struct mkv_error *err)
{
	auto_progress_step struct mkv_progress_step step = mkv_progress_begin(
		build->progress, 0, "%s/%s", image->recipe->name, name);
	int rc = write_file(build, image, dir, name, write, err);
	mkv_progress_end(&step, rc, NULL);
	return rc < 0 ? mkv_wrap(err, rc, "%s", name) : 0;
}

static int write_files(const struct mkv_build *build,
		       const struct mkv_build_image *image, const char *dir,
		       struct mkv_error *err)
{
	const struct {
		const char *name;
		writer *write;
		bool is_requested;
	} rows[] = {
		{"disk.raw", write_raw, true}, /* first: the others read it */
		{"disk.qcow2", write_qcow2, image->recipe->qcow2},
		{"rootfs.tar", write_tar, image->recipe->rootfs_tar},
	};
	int rc = mkv_make_dirs(dir, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (!rows[i].is_requested)
			continue;
		rc = write_format(build, image, dir, rows[i].name,
				  rows[i].write, err);
		if (rc < 0)
			return rc;
	}
	return write_boot(image, dir, err);
}

int mkv_build_image_write(const struct mkv_build *build,
			  struct mkv_build_image *image, const char *dir,
			  struct mkv_error *err)
{
	int rc = write_files(build, image, dir, err);
	return rc < 0 ? mkv_wrap(err, rc, "image '%s'", image->recipe->name)
		      : 0;
}
