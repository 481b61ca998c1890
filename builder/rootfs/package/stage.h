/* SPDX-License-Identifier: MIT */
#pragma once
/* A package taken apart: its control files in memory, the data of its regular
 * files in a flat folder under numbers, and a list of what goes where. Nothing
 * of the package's own paths touches the file system here: putting the files
 * into a root is another step, so that packages are taken apart in parallel and
 * in any order. */

#include <stdint.h>
#include <sys/types.h>

#include "builder/rootfs/package/control.h"
#include "builder/rootfs/package/deb.h"

struct mkv_control_file {
	char *name; /* "postinst", "conffiles" */
	mode_t permissions;
	int64_t mtime_s;
	bool is_made; /* not the package's: its time is when it is written */
	char *data;   /* NUL-terminated behind `size` */
	size_t size;
};

struct mkv_package_entry {
	char *path;  /* as in tree.h */
	mode_t mode; /* a hard link has the mode of what it links to */
	uint32_t uid, gid;
	int64_t mtime_s;
	char *target;	  /* of a symbolic link */
	char *diverted;	  /* for whoever installs it: where it went instead */
	bool is_hardlink; /* staged as a hard link */
	bool is_conffile;
	bool is_lost; /* for whoever installs it: another package has the path
		       */
};

struct mkv_package {
	struct mkv_deb deb;
	struct mkv_control control;
	struct mkv_control_file *files; /* by name, without "control" */
	size_t n_files;
	struct mkv_package_entry *entries; /* in the order of the archive */
	size_t n_entries;
	char **conffiles;	/* paths, in the order of the file */
	bool *conffile_removes; /* "remove-on-upgrade" */
	size_t n_conffiles;
	uint64_t data_bytes; /* of regular files, once staged */
};

/* Reads the control archive. */
int mkv_package_read(int deb_fd, struct mkv_package *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
void mkv_package_done(struct mkv_package *package) mkv_nonnull(1);
const struct mkv_control_file *
mkv_package_file(const struct mkv_package *package, const char *name)
	mkv_nonnull(1, 2);

/* Extracts the data archive: the regular file entries[N] becomes the file "N"
 * in the empty folder `stage_fd`, with mode, owner and time set (owners only
 * when `set_owners`). A package without md5sums gets them, as dpkg would make
 * them. Refuses what untar.h refuses, and besides: a path twice, a path below
 * another entry that is no folder, a hard link to anything but an earlier
 * regular file of the package. */
int mkv_package_stage(struct mkv_package *package, int deb_fd, int stage_fd,
		      uint64_t limit_bytes, bool set_owners,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 6);
