/* SPDX-License-Identifier: MIT */
#pragma once
/* Chooses modules of a kernel and their load order from modules.dep and
 * modules.softdep (depmod.d(5), modules.dep(5)). Module names use `_`. */

#include "builder/core/tree/tree.h"
#include "lib/buf.h"

struct mkv_module {
	char *name; /* "virtio_blk" */
	char *path; /* in the tree, "/usr/lib/modules/R/kernel/..." */
	const char *dependencies; /* rest of the line; borrowed from `dep` */
	bool chosen;
};

/* One kernel's modules. */
struct mkv_modules {
	char *directory;		       /* path in the tree */
	char *dep, *softdep, *alias, *builtin; /* texts of the files */
	struct mkv_module *items;	       /* sorted by name */
	size_t count;
	const struct mkv_module **order; /* chosen since the last reset, in
					    load order */
	size_t n_order;
};
#define MKV_MODULES_INIT ((struct mkv_modules){0})

/* Reads the lists of a kernel release from an image's tree. -ENOENT when the
 * tree has no modules of this release, -EBADMSG for a malformed modules.dep. */
int mkv_modules_load(const struct mkv_tree *root, const char *kernel_release,
		     struct mkv_modules *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_modules_done(struct mkv_modules *modules) mkv_nonnull(1);
#define auto_modules __attribute__((cleanup(mkv_modules_done)))

/* Appends a module to the order, after its dependencies and soft dependencies.
 * False when the kernel has no such module. */
bool mkv_modules_choose(struct mkv_modules *modules, const char *name)
	mkv_nonnull(1, 2);
bool mkv_modules_is_builtin(const struct mkv_modules *modules, const char *name)
	mkv_nonnull(1, 2);
/* Empties the order. */
void mkv_modules_reset(struct mkv_modules *modules) mkv_nonnull(1);

/* Appends the alias patterns of a module, which match modalias files of devices
 * in sysfs, each after a space (modules.alias, depmod(8)). */
void mkv_modules_add_aliases(const struct mkv_modules *modules,
			     const char *name, struct mkv_buf *into)
	mkv_nonnull(1, 2, 3);
