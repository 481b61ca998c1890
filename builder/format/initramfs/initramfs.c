/* SPDX-License-Identifier: MIT */
#include "builder/format/initramfs/initramfs.h"

#include <string.h>

#include "builder/format/archive/cpio.h"
#include "builder/format/archive/xz.h"
#include "builder/format/archive/zstd.h"
#include "builder/format/initramfs/modules.h"

enum {
	MODULE_MAX_BYTES = 64 << 20,
	LEVEL = 9, /* of zstd; higher levels are slow and save few bytes */
};

/* In load order, unless dependencies require another: bus drivers first. */
static const struct driver {
	const char *name;
	const char *with; /* another driver, loaded after this one */
	bool on_demand;	  /* loaded only for a present device */
} drivers[] = {
	{"vmd", NULL, true},
	{"virtio_pci", NULL, true},
	{"nvme", NULL, true},
	{"virtio_blk", NULL, true},
	{"virtio_scsi", "sd_mod", true},
	{"ahci", "sd_mod", true},
	{"ata_piix", "sd_mod", true},
	{"megaraid_sas", "sd_mod", true},
	{"mpt3sas", "sd_mod", true},
	{"smartpqi", "sd_mod", true},
	{"ext4", NULL, false},
};

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);
	return length >= end && strcmp(text + length - end, suffix) == 0;
}

/* Decompresses a module for finit_module(2). */
static int decode_module(const char *path, struct mkv_content *content,
			 struct mkv_content **ret, struct mkv_error *err)
{
	if (has_suffix(path, ".ko")) {
		*ret = mkv_content_ref(content);
		return 0;
	}
	uint64_t size = mkv_content_size(content);
	if (!has_suffix(path, ".ko.xz") || size > MODULE_MAX_BYTES)
		return mkv_fail(
			err, MKV_FAILED, ENOTSUP,
			"unsupported module: neither .ko nor .ko.xz of at "
			"most 64 MiB");
	auto_free void *packed = malloc((size_t)size + 1);
	auto_buf struct mkv_buf plain = {0};
	if (!packed)
		return mkv_oom(err);
	int rc = mkv_content_read(content, 0, packed, (size_t)size, err);
	if (rc < 0)
		return rc;
	rc = mkv_xz_decode(packed, (size_t)size, MODULE_MAX_BYTES, &plain, err);
	if (rc < 0)
		return rc;
	*ret = mkv_content_bytes(plain.data, plain.size);
	return *ret ? 0 : mkv_oom(err);
}

static int put_file(struct mkv_tree *tree, const char *path, mode_t mode,
		    int64_t epoch_s, struct mkv_content *content,
		    struct mkv_error *err)
{
	struct mkv_content *shared = mkv_content_ref(content);
	auto_inode struct mkv_inode *inode =
		mkv_inode_file(mode, 0, 0, epoch_s, shared);
	if (!inode) {
		mkv_content_unref(shared);
		return mkv_oom(err);
	}
	return mkv_tree_put(tree, path, inode, err);
}

static int put_module(const struct mkv_tree *root,
		      const struct mkv_module *module, struct mkv_tree *tree,
		      int64_t epoch_s, struct mkv_error *err)
{
	char path[128];
	(void)snprintf(path, sizeof(path), "/lib/%s.ko", module->name);
	if (mkv_tree_lookup(tree, path))
		return 0;
	const struct mkv_inode *inode = mkv_tree_lookup(root, module->path);
	if (!inode || !S_ISREG(inode->mode))
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"modules.dep lists '%s', which is missing",
				module->path);
	auto_content struct mkv_content *content = NULL;
	int rc = decode_module(module->path, inode->content, &content, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", module->path);
	return put_file(tree, path, 0644, epoch_s, content, err);
}

/* Adds a driver's line: its modules in load order, then its device aliases. */
static int put_driver(const struct mkv_tree *root, const struct driver *driver,
		      struct mkv_modules *modules, struct mkv_tree *tree,
		      int64_t epoch_s, struct mkv_buf *list,
		      struct mkv_error *err)
{
	mkv_modules_reset(modules);
	bool is_module = mkv_modules_choose(modules, driver->name);
	if (driver->with &&
	    (is_module || mkv_modules_is_builtin(modules, driver->name)))
		(void)mkv_modules_choose(modules, driver->with);
	for (size_t i = 0; i < modules->n_order; i++) {
		int rc =
			put_module(root, modules->order[i], tree, epoch_s, err);
		if (rc < 0)
			return rc;
		mkv_buf_printf(list, "%s%s.ko", i ? " " : "",
			       modules->order[i]->name);
	}
	if (!modules->n_order)
		return 0;
	if (driver->on_demand && is_module) {
		mkv_buf_str(list, " for");
		mkv_modules_add_aliases(modules, driver->name, list);
	}
	mkv_buf_char(list, '\n');
	return 0;
}

static int put_modules(const struct mkv_tree *root, const char *release,
		       struct mkv_tree *tree, int64_t epoch_s,
		       struct mkv_error *err)
{
	auto_modules struct mkv_modules modules = MKV_MODULES_INIT;
	auto_buf struct mkv_buf list = {0};
	int rc = mkv_modules_load(root, release, &modules, err);
	if (rc < 0)
		return rc;
	if (!mkv_modules_choose(&modules, "ext4") &&
	    !mkv_modules_is_builtin(&modules, "ext4"))
		return mkv_fail(err, MKV_FAILED, ENOENT,
				"kernel %s has no ext4, neither as a module "
				"nor built in (depmod may not have run)",
				release);
	for (size_t i = 0; i < sizeof(drivers) / sizeof(*drivers); i++) {
		rc = put_driver(root, &drivers[i], &modules, tree, epoch_s,
				&list, err);
		if (rc < 0)
			return rc;
	}
	rc = mkv_buf_check(&list, err);
	if (rc < 0)
		return rc;
	return mkv_tree_put_file(tree, "/modules", 0644,
				 list.size ? list.data : "", list.size, err);
}

static int populate_tree(struct mkv_tree *tree, const struct mkv_tree *root,
			 const char *release, struct mkv_content *init,
			 int64_t epoch_s, struct mkv_error *err)
{
	static const char *const directories[] = {"/dev", "/lib", "/proc",
						  "/root", "/sys"};
	for (size_t i = 0; i < sizeof(directories) / sizeof(*directories);
	     i++) {
		int rc = mkv_tree_make_dirs(tree, directories[i], err);
		if (rc < 0)
			return rc;
	}
	int rc = put_file(tree, "/init", 0755, epoch_s, init, err);
	return rc < 0 ? rc : put_modules(root, release, tree, epoch_s, err);
}

int mkv_initramfs_build(const struct mkv_tree *root, const char *kernel_release,
			struct mkv_content *init, int64_t epoch_s,
			struct mkv_tree **ret_tree, struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = NULL;
	int rc = mkv_tree_new(epoch_s, &tree, err);
	if (rc < 0)
		return rc;
	rc = populate_tree(tree, root, kernel_release, init, epoch_s, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "initramfs");
	*ret_tree = mkv_take(tree);
	return 0;
}

int mkv_initramfs_pack(const struct mkv_tree *tree, struct mkv_content **ret,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf archive = {0};
	auto_buf struct mkv_buf packed = {0};
	int rc = mkv_cpio_write(tree, &archive, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "initramfs");
	rc = mkv_zstd_encode(archive.data, archive.size, LEVEL, &packed, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "initramfs");
	*ret = mkv_content_bytes(packed.data, packed.size);
	return *ret ? 0 : mkv_oom(err);
}
