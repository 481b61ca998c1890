/* SPDX-License-Identifier: MIT */
#pragma once
/* A lock pins every input of a build by its digest. The canonical text has one
 * pin per line, so that a diff of two locks shows what changed. A lock names no
 * mirror.
 *
 *     mkvbench-lock 1
 *     recipe SHA256                      of the merged recipe
 *     epoch SECONDS
 *     index SUITE COMPONENT DATE RELEASE-SHA256 SIZE PACKAGES-SHA256
 *     package NAME VERSION ARCHITECTURE SIZE SHA256 ARCHIVE POOL-PATH
 *     want SET NAME                      requested by the recipe or the tool
 *     in SET NAME                        chosen, in configuration order
 *     local NAME SHA256
 *     external REFERENCE DIGEST
 *
 * Fields are separated by one space, every line ends with a newline. The kinds
 * of lines appear in this order, each sorted by its first fields; the lines of
 * a set are contiguous, `want` before `in`. The `in` lines are in configuration
 * order and name NAME=VERSION where two versions of NAME are pinned. A lock has
 * exactly one text: any other form is refused. */

#include "builder/input/recipe/recipe.h"
#include "lib/buf.h"
#include "lib/hash.h"

enum { MKV_LOCK_SCHEMA = 1 };

/* A signed release file, and the package index that it lists. */
struct mkv_lock_index {
	char *suite;			   /* "trixie", "trixie-security" */
	char *component;		   /* "main" */
	struct mkv_sha256 release_sha256;  /* of InRelease as verified */
	int64_t date_s;			   /* its Date field */
	struct mkv_sha256 packages_sha256; /* of the uncompressed index */
	uint64_t packages_size_bytes;
};

struct mkv_lock_package {
	char *name, *version, *architecture;
	char *pool_path; /* "pool/main/c/chrony/chrony_4.6.1-3_amd64.deb" */
	char *archive;	 /* "debian" or "debian-security" */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
};

/* The packages of one root file system in configuration order: each package
 * after its dependencies. The packages of a dependency cycle are contiguous,
 * ordered by Pre-Depends within the cycle, then by name. Ties are ordered by
 * name. */
struct mkv_lock_set {
	char *name;		      /* "image/dut", "oci/postgres" */
	struct mkv_strings requested; /* package names, sorted */
	size_t *packages;	      /* indexes into packages */
	size_t count;
};

/* An overlay directory, by the digest of its listing. */
struct mkv_lock_local {
	char *name; /* "overlay/common" */
	struct mkv_sha256 sha256;
};

/* An external OCI image. */
struct mkv_lock_external {
	char *reference; /* as in the recipe */
	char *digest;	 /* "sha256:..." of the manifest */
};

struct mkv_lock {
	struct mkv_sha256 recipe_sha256;
	int64_t epoch_s; /* date of the newest index: the time stamp of all
			    built files */
	struct mkv_lock_index *indexes;
	size_t n_indexes;
	struct mkv_lock_package *packages; /* by name, then version */
	size_t n_packages;
	struct mkv_lock_set *sets; /* by name */
	size_t n_sets;
	struct mkv_lock_local *locals;
	size_t n_locals;
	struct mkv_lock_external *externals;
	size_t n_externals;
};

void mkv_lock_package_done(struct mkv_lock_package *package) mkv_nonnull(1);
void mkv_lock_free(struct mkv_lock *lock);
MKV_DEFINE_AUTO(lock, struct mkv_lock *, mkv_lock_free)
#define auto_lock mkv_auto(lock)

/* Reads a lock. Malformed text is MKV_BAD_RECIPE, -EINVAL, and the message
 * names file, line and column. */
int mkv_lock_parse(const char *path, const char *text, size_t size,
		   struct mkv_lock **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
int mkv_lock_load(const char *path, struct mkv_lock **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The canonical text. */
int mkv_lock_print(const struct mkv_lock *lock, struct mkv_buf *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* An independent copy, owned by the caller. */
int mkv_lock_copy(const struct mkv_lock *lock, struct mkv_lock **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The part of a lock that differs from the recipe. Packages and externals must
 * be resolved again; the other parts follow from local files. */
enum mkv_lock_part {
	MKV_LOCK_PACKAGES,
	MKV_LOCK_OVERLAYS, /* their names, not their files */
	MKV_LOCK_EXTERNALS,
	MKV_LOCK_RECIPE, /* keys that no other line depends on */
};
typedef int mkv_lock_visit_difference(enum mkv_lock_part part, const char *text,
				      void *context, struct mkv_error *err);
/* Calls `visit` for every difference; a nonzero result stops the walk and is
 * returned. Digests of locals are not compared: see local.h. */
int mkv_lock_differences(const struct mkv_lock *lock,
			 const struct mkv_recipe *recipe,
			 mkv_lock_visit_difference *visit, void *context,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);
/* 0 when the lock matches the recipe; else -ESTALE and an error that names the
 * first difference. */
int mkv_lock_check(const struct mkv_lock *lock, const struct mkv_recipe *recipe,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Like mkv_lock_check(), but compares only the suite and the package sets. */
int mkv_lock_check_packages(const struct mkv_lock *lock,
			    const struct mkv_recipe *recipe,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The set with this name, or NULL. Borrowed from the lock. */
const struct mkv_lock_set *mkv_lock_find_set(const struct mkv_lock *lock,
					     const char *name)
	mkv_nonnull(1, 2);
