/* SPDX-License-Identifier: MIT */
#pragma once
/* A lock: every input of a build by hash. Canonical text, one fact a line, so
 * that a diff of two locks reads as what moved. It names no mirror.
 *
 *     mkvbench-lock 1
 *     recipe SHA256                      of the merged recipe
 *     epoch SECONDS
 *     index SUITE COMPONENT DATE RELEASE-SHA256 SIZE PACKAGES-SHA256
 *     package NAME VERSION ARCHITECTURE SIZE SHA256 ARCHIVE POOL-PATH
 *     want SET NAME                      what the recipe and the tool ask for
 *     in SET NAME                        what that comes to, in order
 *     local NAME SHA256
 *     external REFERENCE DIGEST
 *
 * Fields are separated by one space, every line ends with a newline. The kinds
 * of lines stand in this order, each sorted by its first fields; the lines of a
 * set stand together, `want` before `in`. The `in` lines keep their order,
 * which means something; they say NAME=VERSION where two versions of NAME are
 * pinned. There is exactly one text for a lock: any other is refused. */

#include "builder/input/recipe/recipe.h"
#include "lib/buf.h"
#include "lib/hash.h"

enum { MKV_LOCK_SCHEMA = 1 };

/* A signed release file, and the package index that it vouches for. */
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
	char *archive;	 /* "debian" or "debian-security": whose pool */
	uint64_t size_bytes;
	struct mkv_sha256 sha256;
};

/* The packages of one root file system. Their order is one in which they can be
 * configured: a package comes after all that it depends on. Packages that
 * depend on each other in a circle stand together, ordered by Pre-Depends among
 * them and else by name; where nothing else decides, names do. */
struct mkv_lock_set {
	char *name;		  /* "image/dut", "oci/postgres" */
	struct mkv_strings wants; /* sorted: what was asked for by name */
	size_t *packages;	  /* indexes into packages */
	size_t count;
};

/* An overlay tree or another local input, by the digest of its listing. */
struct mkv_lock_local {
	char *name; /* "overlay/common" */
	struct mkv_sha256 sha256;
};

/* An external OCI image. */
struct mkv_lock_external {
	char *reference; /* as the recipe says it */
	char *digest;	 /* "sha256:..." of the manifest */
};

struct mkv_lock {
	struct mkv_sha256 recipe_sha256;
	int64_t epoch_s; /* the newest index's date: the time of all that is
			    built */
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

void mkv_lock_free(struct mkv_lock *lock);
MKV_DEFINE_AUTO(lock, struct mkv_lock *, mkv_lock_free)
#define auto_lock mkv_auto(lock)

/* Reads a lock. A malformed one is an error with file, line and column. */
int mkv_lock_parse(const char *path, const char *text, size_t size,
		   struct mkv_lock **ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);
int mkv_lock_load(const char *path, struct mkv_lock **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The canonical text. */
int mkv_lock_print(const struct mkv_lock *lock, struct mkv_buf *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* What a difference between a recipe and its lock is about. Packages and
 * externals must be resolved again; the others follow from what is here. */
enum mkv_lock_part {
	MKV_LOCK_PACKAGES,
	MKV_LOCK_OVERLAYS, /* which there are, not what is in them */
	MKV_LOCK_EXTERNALS,
	MKV_LOCK_RECIPE, /* what no other line of the lock depends on */
};
typedef int mkv_lock_visit_difference(enum mkv_lock_part part, const char *text,
				      void *context, struct mkv_error *err);
/* Tells of every difference, until told to stop by a negative return, which it
 * then returns. Digests of locals aren't compared: see local.h. */
int mkv_lock_differences(const struct mkv_lock *lock,
			 const struct mkv_recipe *recipe,
			 mkv_lock_visit_difference *tell, void *context,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 5);
/* 0 when the lock belongs to this recipe as it is now; else -ESTALE and an
 * error that names the first difference. */
int mkv_lock_check(const struct mkv_lock *lock, const struct mkv_recipe *recipe,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* The same for the suite and the sets of packages alone. */
int mkv_lock_check_packages(const struct mkv_lock *lock,
			    const struct mkv_recipe *recipe,
			    struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The set by name, or NULL. */
const struct mkv_lock_set *mkv_lock_find_set(const struct mkv_lock *lock,
					     const char *name)
	mkv_nonnull(1, 2);
