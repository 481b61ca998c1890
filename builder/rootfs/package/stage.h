/* SPDX-License-Identifier: MIT */
#pragma once
/* Extracts a package into a staging directory: control files into memory,
 * regular files into a flat directory under numbers, and a list of entries with
 * path and metadata. No path of the package is created in the file system here;
 * moving the files into a root is a later step. Packages can therefore be
 * extracted in parallel and in any order. */

#include <stdint.h>
#include <sys/types.h>

#include "builder/rootfs/package/control.h"
#include "builder/rootfs/package/deb.h"

struct mkv_control_file {
	char *name; /* "postinst", "conffiles" */
	mode_t permissions;
	int64_t mtime_s;
	bool is_made; /* generated here: mtime_s is not used */
	char *data;   /* `size` bytes and a NUL */
	size_t size;
};

struct mkv_package_entry {
	char *path;  /* as in tree.h */
	mode_t mode; /* of a hard link: the mode of its target */
	uint32_t uid, gid;
	int64_t mtime_s;
	char *target;	  /* of a symbolic link */
	char *diverted;	  /* for the installer: the diverted path, or NULL */
	bool is_hardlink; /* staged as a hard link */
	bool is_conffile;
	bool is_lost; /* for the installer: another package owns the path */
};

struct mkv_package {
	struct mkv_deb deb;
	struct mkv_control control;
	struct mkv_control_file *files; /* sorted by name, without "control" */
	size_t n_files;
	struct mkv_package_entry *entries; /* in the order of the archive */
	size_t n_entries;
	char **conffiles;	/* paths, in the order of the file */
	bool *conffile_removes; /* "remove-on-upgrade" */
	size_t n_conffiles;
	uint64_t data_bytes; /* size of all regular files, once staged */
};

/* Reads the member table and the control archive by pread(). A malformed
 * package is -EBADMSG. */
int mkv_package_read(int deb_fd, struct mkv_package *ret,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
void mkv_package_done(struct mkv_package *package) mkv_nonnull(1);
/* A control file by name, or NULL. */
const struct mkv_control_file *
mkv_package_file(const struct mkv_package *package, const char *name)
	mkv_nonnull(1, 2);

/* Extracts the data archive: the regular file entries[N] becomes the file "N"
 * in the empty directory `stage_fd`, with mode and time, and with its owner
 * when `set_owners`. A package without md5sums gets the file that dpkg would
 * generate. -EBADMSG for everything that untar.h refuses, duplicate paths, a
 * path below an entry that is not a directory, and a hard link to anything but
 * an earlier regular file of the package. */
int mkv_package_stage(struct mkv_package *package, int deb_fd, int stage_fd,
		      uint64_t limit_bytes, bool set_owners,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 6);
