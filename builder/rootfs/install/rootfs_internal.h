/* SPDX-License-Identifier: MIT */
#pragma once
/* What the files of this folder share. base.c tells, before, what is installed
 * first. The order of work, all of it inside the sandbox's worker: rootfs.c;
 * restore.c puts a base back; select.c tells the phases; stager.c takes
 * packages apart in threads; unpack.c puts their files into the root as dpkg
 * does, by place.c, diversions.c, overrides.c and the records of database.c;
 * configure.c runs the scripts; harvest.c reads the root into a tree by the
 * rules of normalise.c. */

#include "builder/rootfs/install/normalise.h"
#include "builder/rootfs/install/rootfs.h"
#include "builder/rootfs/package/pathmap.h"
#include "builder/rootfs/package/stage.h"
#include "builder/rootfs/sandbox/sandbox.h"

/* A path that a package put aside, dpkg-divert(1). */
struct mkv_diversion {
	char *path, *to;
	char *package; /* whose own file keeps the path; ":" for nobody's */
};

/* Owner and mode of a path, whatever its package says, dpkg-statoverride(1). */
struct mkv_override {
	char *path;
	uint32_t uid, gid;
	mode_t mode;
};

/* "interest" of a configured package in a trigger. */
struct mkv_interest {
	char *name; /* a path, or an explicit trigger's name */
	size_t package;
	bool noawait;
};

/* Packages are installed in phases, each unpacked, then configured. Within a
 * phase and between them the given order holds. */
enum mkv_install_phase {
	MKV_PHASE_BASE,	     /* installed before, in the base */
	MKV_PHASE_ESSENTIAL, /* with all that they depend on */
	MKV_PHASE_EARLIEST,  /* up to MAIN: what others Pre-Depend on, with all
				that it depends on */
	MKV_PHASE_MAIN = 8,
	MKV_PHASE_LARGE, /* with all that depends on them: configured last, as
			    decompressing them takes longest */
	MKV_PHASES,
};

struct mkv_rootfs {
	struct mkv_sandbox *sandbox;
	const struct mkv_rootfs_package *given;
	const struct mkv_rootfs_options *options;
	struct mkv_package *packages;
	size_t count;
	enum mkv_install_phase *phases; /* of each package */
	enum mkv_install_phase
		phase; /* under way: those before are configured */
	size_t *order; /* in which files are put into the root */

	int root_fd;
	struct mkv_pathmap owners; /* path -> package << 32 | entry */
	struct mkv_diversion *diversions;
	size_t n_diversions;
	struct mkv_override *overrides;
	size_t n_overrides;
	struct mkv_interest *interests;
	size_t n_interests;
	struct mkv_buf activated;	   /* names of triggers, a line each */
	struct mkv_known_times base_times; /* of all that the base holds */
	char dpkg_version[129];
};

static inline size_t mkv_owner(size_t package, size_t entry)
{
	return package << 32 | entry;
}

/* base.c: mkv_rootfs_base() of packages that were read. */
int mkv_rootfs_choose_base(const struct mkv_package *packages, size_t count,
			   size_t *ret_order, size_t *ret_count,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* restore.c: puts the base's files into the empty root. */
int mkv_rootfs_restore(struct mkv_rootfs *rootfs, int pack_fd,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* select.c: tells the phases and fills `order`. */
int mkv_rootfs_select(struct mkv_rootfs *rootfs,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* stager.c */
struct mkv_stager;
/* Starts threads that take all packages apart, those needed first first. */
int mkv_stager_start(struct mkv_rootfs *rootfs, struct mkv_stager **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Waits until one package is staged; its folder goes to *ret_fd. */
int mkv_stager_wait(struct mkv_stager *stager, size_t package, int *ret_fd,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Ends the threads at the next package's end. */
void mkv_stager_free(struct mkv_stager *stager);
MKV_DEFINE_AUTO(stager, struct mkv_stager *, mkv_stager_free)
#define auto_stager mkv_auto(stager)

/* unpack.c: puts a staged package's files into the root, as dpkg --unpack. */
int mkv_rootfs_unpack(struct mkv_rootfs *rootfs, size_t package, int stage_fd,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);

/* Where the entry of a package goes: its path, or to where that is diverted. It
 * lives as long as the package; NULL when memory ran out. */
const char *mkv_rootfs_place(struct mkv_rootfs *rootfs, size_t package,
			     size_t number,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);

/* place.c: opens the folder of a path beneath the root, links resolved inside
 * of it, making what is missing; the last component goes to *ret_name. */
int mkv_rootfs_open_parent(int root_fd, const char *path, int *ret_fd,
			   const char **ret_name,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4, 5);
/* Writes a small file beneath the root, replacing one; parents are made. */
int mkv_rootfs_write(int root_fd, const char *path, mode_t mode,
		     const void *data, size_t size,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(2, 6);
/* A package's control file with its mode and time. */
int mkv_rootfs_write_control(int root_fd, const char *path,
			     const struct mkv_control_file *file,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
int mkv_rootfs_append(int root_fd, const char *path, const void *data,
		      size_t size, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 5);

/* diversions.c: reads the file again, as preinst scripts may have changed it.
 */
int mkv_diversions_read(struct mkv_rootfs *rootfs,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_diversions_done(struct mkv_rootfs *rootfs) mkv_nonnull(1);
/* Where a file of the package goes; borrowed. */
const char *mkv_diversions_apply(const struct mkv_rootfs *rootfs,
				 const char *path, const char *package)
	mkv_nonnull(1, 2, 3);

/* overrides.c: the same for dpkg-statoverride. */
int mkv_overrides_read(struct mkv_rootfs *rootfs,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_overrides_done(struct mkv_rootfs *rootfs) mkv_nonnull(1);
/* Borrowed, or NULL. */
const struct mkv_override *mkv_overrides_find(const struct mkv_rootfs *rootfs,
					      const char *path)
	mkv_nonnull(1, 2);

/* database.c: dpkg's own records below /var/lib/dpkg. */
int mkv_database_init(struct mkv_rootfs *rootfs,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Instead of that, after a restore: knows again what dpkg's records say of the
 * base's packages. */
int mkv_database_load(struct mkv_rootfs *rootfs,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* The control files and the list of an unpacked package. */
int mkv_database_add(struct mkv_rootfs *rootfs, size_t package,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* The list alone, after a path was lost to another package. */
int mkv_database_write_list(struct mkv_rootfs *rootfs, size_t package,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);
/* Adds the paragraphs "install ok unpacked" of the phase's packages, and the
 * triggers that are of interest or were activated. */
int mkv_database_add_status(struct mkv_rootfs *rootfs,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Remembers that a trigger was activated, by its name, or by a path that some
 * configured package is interested in. */
void mkv_database_activate(struct mkv_rootfs *rootfs, const char *name)
	mkv_nonnull(1, 2);
void mkv_database_touch_path(struct mkv_rootfs *rootfs, const char *path)
	mkv_nonnull(1, 2);
/* Fails unless every package is "install ok installed". */
int mkv_database_check(struct mkv_rootfs *rootfs,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_database_done(struct mkv_rootfs *rootfs) mkv_nonnull(1);

/* configure.c */
int mkv_rootfs_run_preinst(struct mkv_rootfs *rootfs, size_t package,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);
/* dpkg --configure of the phase's packages, in the given order. */
int mkv_rootfs_configure(struct mkv_rootfs *rootfs,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* What triggers are still pending, at the end. */
int mkv_rootfs_configure_pending(struct mkv_rootfs *rootfs,
				 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* harvest.c: reads the root into a pack. */
int mkv_rootfs_harvest(struct mkv_rootfs *rootfs, int pack_fd,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
