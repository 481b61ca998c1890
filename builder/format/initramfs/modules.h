/* SPDX-License-Identifier: MIT */
#pragma once
/* Which modules of a kernel to load, and in which order: what modules.dep and
 * modules.softdep say (depmod.d(5), modules.dep(5)). Module names use `_`. */

#include "builder/core/tree/tree.h"
#include "lib/buf.h"

struct mkv_module {
	char *name; /* "virtio_blk" */
	char *path; /* in the tree, "/usr/lib/modules/R/kernel/..." */
	const char *dependencies; /* the line's rest; inside the text */
	bool chosen;
};

/* One kernel's modules. */
struct mkv_modules {
	char *directory;		       /* in the tree */
	char *dep, *softdep, *alias, *builtin; /* the files' texts */
	struct mkv_module *items;	       /* by name */
	size_t count;
	const struct mkv_module **order; /* what was chosen since the last
					    reset, in load order */
	size_t n_order;
};
#define MKV_MODULES_INIT ((struct mkv_modules){0})

/* Reads the lists of a kernel release in an image's tree. */
int mkv_modules_load(const struct mkv_tree *root, const char *kernel_release,
		     struct mkv_modules *ret,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
void mkv_modules_done(struct mkv_modules *modules) mkv_nonnull(1);
#define auto_modules __attribute__((cleanup(mkv_modules_done)))

/* Puts a module, its dependencies and soft dependencies before it, into the
 * order. False when the kernel has no such module. */
bool mkv_modules_choose(struct mkv_modules *modules, const char *name)
	mkv_nonnull(1, 2);
bool mkv_modules_is_builtin(const struct mkv_modules *modules, const char *name)
	mkv_nonnull(1, 2);
/* Forgets what was chosen. */
void mkv_modules_reset(struct mkv_modules *modules) mkv_nonnull(1);

/* Appends the alias patterns by which devices ask for a module, a space before
 * each (kernel, modules.alias(5); sysfs, modalias). */
void mkv_modules_add_aliases(const struct mkv_modules *modules,
			     const char *name, struct mkv_buf *into)
	mkv_nonnull(1, 2, 3);
