/* SPDX-License-Identifier: MIT */
#pragma once
/* The entries of a file system as a table by path. The table of a list of files
 * is compared with the table of a tar stream of the image. */

#include "builder/evidence/audit/audit.h"

struct mkv_audit_entry {
	char *path; /* absolute */
	char type;  /* 'd', 'f', 'l', 'c', 'b', 'p' */
	unsigned mode;
	uint32_t uid, gid;
	int64_t mtime_s;
	bool has_fraction;   /* the time has nanoseconds */
	uint64_t size_bytes; /* of a regular file */
	struct mkv_sha256 sha256;
	uint32_t major, minor;
	char *target; /* of a symbolic link, else NULL */
	char *xattrs; /* " NAME=HEX ..." in byte order, "" for none */
	size_t inode; /* index of the entry that represents its inode: the first
			 of its hard links in the order of a walk */
};

struct mkv_audit_table {
	struct mkv_audit_entry *items; /* sorted by path once indexed */
	size_t count, capacity;
};
enum { MKV_AUDIT_ENTRIES_MAX = 4000000 };

void mkv_audit_table_done(struct mkv_audit_table *table) mkv_nonnull(1);
#define auto_audit_table __attribute__((cleanup(mkv_audit_table_done)))

/* Adds an entry and owns its strings, also on failure. */
int mkv_audit_table_add(struct mkv_audit_table *table,
			struct mkv_audit_entry *entry,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Sorts by path and makes the first path of each group of hard links represent
 * the group. `inode` of each entry must be an index of this table. A path that
 * appears twice is an error. */
int mkv_audit_table_index(struct mkv_audit_table *table,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* In an indexed table; borrowed, or NULL. */
const struct mkv_audit_entry *
mkv_audit_table_find(const struct mkv_audit_table *table, const char *path)
	mkv_nonnull(1, 2);

/* From the text of a list of files (lib/listing.h); indexed. */
int mkv_audit_table_from_list(const char *text, size_t size,
			      struct mkv_audit_table *ret,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);

/* A file whose bytes are kept while a tar stream is read. */
struct mkv_audit_capture {
	const char *path;
	size_t limit_bytes;
	bool seen;
	struct mkv_buf data;
};

/* From a tar stream (POSIX.1-2001 pax, GNU), read by libarchive; indexed. The
 * stream may be hostile. Exact are types, modes, owners, sizes, digests,
 * targets, devices, hard links, SCHILY.xattr.* and times to the nanosecond.
 * Refused are sparse files, data of other types than regular files, types that
 * a file system lacks, malformed records and a stream without an end marker. */
int mkv_audit_table_from_tar(int fd, struct mkv_audit_table *ret,
			     struct mkv_audit_capture *captures,
			     size_t n_captures, struct mkv_progress *progress,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 6);

/* Adds a finding at "WHERE:PATH" for each difference. `except` ends with NULL:
 * paths that `got` may have although `want` lacks them. */
void mkv_audit_table_compare(const struct mkv_audit_table *want,
			     const struct mkv_audit_table *got,
			     const char *const *except, const char *where,
			     struct mkv_audit_report *report)
	mkv_nonnull(1, 2, 3, 4, 5);
