/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of this directory. base.c chooses the packages of the
 * base before a build. Everything else runs inside the sandbox's worker, driven
 * by rootfs.c: restore.c restores the files of a base; select.c assigns phases;
 * stager.c extracts packages in threads; unpack.c moves their files into the
 * root as dpkg does, with place.c, diversions.c, overrides.c and the records of
 * database.c, status.c and triggers.c; configure.c runs maintainer scripts;
 * harvest.c reads the root into a tree by the rules of normalise.c. */

#include "builder/rootfs/install/normalise.h"
#include "builder/rootfs/install/rootfs.h"
#include "builder/rootfs/package/pathmap.h"
#include "builder/rootfs/package/stage.h"
#include "builder/rootfs/sandbox/sandbox.h"

/* A diverted path, dpkg-divert(1). */
struct mkv_diversion {
	char *path, *to;
	char *package; /* its own file is not diverted; ":" for none */
};

/* Owner and mode of a path that replace those of its package,
 * dpkg-statoverride(1). */
struct mkv_override {
	char *path;
	uint32_t uid, gid;
	mode_t mode;
};

/* A package's "interest" in a trigger, deb-triggers(5). */
struct mkv_interest {
	char *name; /* a path, or the name of an explicit trigger */
	size_t package;
	bool noawait;
};

/* Packages are installed phase by phase: all packages of a phase are unpacked,
 * then configured. The given order applies within a phase. */
enum mkv_install_phase {
	MKV_PHASE_BASE,	     /* installed already, in the base */
	MKV_PHASE_ESSENTIAL, /* with all dependencies */
	MKV_PHASE_EARLIEST,  /* up to MAIN: targets of Pre-Depends, with all
				their dependencies */
	MKV_PHASE_MAIN = 8,
	MKV_PHASE_LARGE, /* with all packages that depend on them: configured
			    last, as decompressing them takes longest */
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
		phase; /* current; earlier phases are configured */
	size_t *order; /* in which packages are unpacked */

	int root_fd;
	struct mkv_pathmap owners; /* path -> package << 32 | entry */
	struct mkv_diversion *diversions;
	size_t n_diversions;
	struct mkv_override *overrides;
	size_t n_overrides;
	struct mkv_interest *interests;
	size_t n_interests;
	struct mkv_buf activated;	   /* lines of triggers/Unincorp */
	struct mkv_known_times base_times; /* of all entries of the base */
	char dpkg_version[129];
};

/* A value of `owners`. */
static inline size_t mkv_owner(size_t package, size_t entry)
{
	return package << 32 | entry;
}

/* base.c: mkv_rootfs_base() for packages that are read already. */
int mkv_rootfs_choose_base(const struct mkv_package *packages, size_t count,
			   size_t *ret_order, size_t *ret_count,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4, 5);

/* restore.c: restores the base's files into the empty root. */
int mkv_rootfs_restore(struct mkv_rootfs *rootfs, int pack_fd,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);

/* select.c: sets `phases`, `order` and `dpkg_version`. */
int mkv_rootfs_select(struct mkv_rootfs *rootfs,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* stager.c */
struct mkv_stager;
/* Starts threads that extract all packages, in the order in which the phases
 * need them. */
int mkv_stager_start(struct mkv_rootfs *rootfs, struct mkv_stager **ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Waits until a package is staged; *ret_fd is its staging directory, owned by
 * the caller. */
int mkv_stager_wait(struct mkv_stager *stager, size_t package, int *ret_fd,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Stops the threads once their current packages are staged, and joins them. */
void mkv_stager_free(struct mkv_stager *stager);
MKV_DEFINE_AUTO(stager, struct mkv_stager *, mkv_stager_free)
#define auto_stager mkv_auto(stager)

/* unpack.c: moves a staged package's files into the root, as dpkg --unpack. */
int mkv_rootfs_unpack(struct mkv_rootfs *rootfs, size_t package, int stage_fd,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4);

/* The destination of a package's entry: its path, or the diverted path.
 * Borrowed from the package; NULL when memory ran out. */
const char *mkv_rootfs_place(struct mkv_rootfs *rootfs, size_t package,
			     size_t number,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4);

/* place.c: opens the parent directory of a path beneath the root, with symbolic
 * links resolved inside the root, and creates missing directories. *ret_name is
 * the last component, borrowed from `path`. */
int mkv_rootfs_open_parent(int root_fd, const char *path, int *ret_fd,
			   const char **ret_name,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4, 5);
/* Writes or overwrites a file beneath the root and creates missing parents. */
int mkv_rootfs_write(int root_fd, const char *path, mode_t mode,
		     const void *data, size_t size,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(2, 6);
/* Writes a package's control file with its mode and time. */
int mkv_rootfs_write_control(int root_fd, const char *path,
			     const struct mkv_control_file *file,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4);
/* Appends to a file beneath the root, which is created with mode 0644. */
int mkv_rootfs_append(int root_fd, const char *path, const void *data,
		      size_t size, struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 5);

/* diversions.c: reads dpkg's file anew, as preinst scripts may have changed it.
 */
int mkv_diversions_read(struct mkv_rootfs *rootfs,
			struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_diversions_done(struct mkv_rootfs *rootfs) mkv_nonnull(1);
/* The destination of a package's file: `path` or a diverted path; borrowed. */
const char *mkv_diversions_apply(const struct mkv_rootfs *rootfs,
				 const char *path, const char *package)
	mkv_nonnull(1, 2, 3);

/* overrides.c: reads dpkg-statoverride's file anew. */
int mkv_overrides_read(struct mkv_rootfs *rootfs,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_overrides_done(struct mkv_rootfs *rootfs) mkv_nonnull(1);
/* The override of a path, or NULL; borrowed. */
const struct mkv_override *mkv_overrides_find(const struct mkv_rootfs *rootfs,
					      const char *path)
	mkv_nonnull(1, 2);

/* database.c: dpkg's files below /var/lib/dpkg, dpkg(1). Creates them empty. */
int mkv_database_init(struct mkv_rootfs *rootfs,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* After a restore, instead: reads the records of the base's packages. */
int mkv_database_load(struct mkv_rootfs *rootfs,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Writes the control files and the list of an unpacked package. */
int mkv_database_add(struct mkv_rootfs *rootfs, size_t package,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Writes the list again, after another package took over a path. */
int mkv_database_write_list(struct mkv_rootfs *rootfs, size_t package,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);
/* "NAME" or "NAME:ARCHITECTURE", as dpkg names a package's files. */
enum { MKV_INFO_NAME_SIZE = 300 };
void mkv_database_info_name(const struct mkv_package *package,
			    char ret[static MKV_INFO_NAME_SIZE])
	mkv_nonnull(1, 2);

/* status.c: dpkg's status file. Appends the paragraphs "install ok unpacked" of
 * the current phase's packages. */
int mkv_status_add(struct mkv_rootfs *rootfs,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Fails unless every package is "install ok installed". */
int mkv_status_check(struct mkv_rootfs *rootfs,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* The first package that dpkg left "half-configured": its postinst failed.
 * False when there is none or the status file is unreadable. */
enum { MKV_STATUS_NAME_SIZE = 130 };
bool mkv_status_find_half_configured(const struct mkv_rootfs *rootfs,
				     char ret_name[static MKV_STATUS_NAME_SIZE])
	mkv_nonnull(1, 2);

/* triggers.c: deb-triggers(5). Reads the directives of a package. */
int mkv_triggers_read(struct mkv_rootfs *rootfs, size_t package,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* Activates the triggers of a path that configured packages are interested in.
 */
void mkv_triggers_touch_path(struct mkv_rootfs *rootfs, const char *path)
	mkv_nonnull(1, 2);
/* Writes interests and activated triggers to dpkg's files, and forgets the
 * latter. */
int mkv_triggers_write(struct mkv_rootfs *rootfs,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_triggers_done(struct mkv_rootfs *rootfs) mkv_nonnull(1);

/* configure.c: runs a package's preinst, if it has one. */
int mkv_rootfs_run_preinst(struct mkv_rootfs *rootfs, size_t package,
			   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3);
/* Runs dpkg --configure for the current phase's packages, in the given order.
 */
int mkv_rootfs_configure(struct mkv_rootfs *rootfs,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Runs dpkg --configure --pending, for triggers that are still pending. */
int mkv_rootfs_configure_pending(struct mkv_rootfs *rootfs,
				 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* harvest.c: reads the root into a pack. */
int mkv_rootfs_harvest(struct mkv_rootfs *rootfs, int pack_fd,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
