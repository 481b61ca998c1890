/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by the files of the audit. Each part adds its findings to the report
 * and returns negative only when it can't continue. */

#include "builder/evidence/attest/sums.h"
#include "builder/evidence/audit/audit.h"
#include "lib/contract.h"

struct mkv_audit {
	const struct mkv_audit_options *options;
	struct mkv_audit_report *report;
	bool emulate;		       /* libguestfs must not use KVM */
	int dirfd;		       /* the appliance; -1 for a disk image */
	const char *key_path;	       /* the directory's own public key; NULL:
					  attestations/key.pub */
	struct mkv_sums *sums;	       /* NULL: unreadable */
	struct mkv_manifest *manifest; /* NULL: unreadable */
};

/* Adds a finding. Control bytes in either text become %XX. */
void mkv_audit_add(struct mkv_audit_report *report, const char *path,
		   const char *format, ...) mkv_nonnull(1, 2, 3)
	mkv_printf(3, 4);
/* Moves the findings and counts of `from` into `report`. */
void mkv_audit_merge(struct mkv_audit_report *report,
		     struct mkv_audit_report *from) mkv_nonnull(1, 2);
void mkv_audit_sort(struct mkv_audit_report *report) mkv_nonnull(1);
/* All findings, listed or omitted. */
uint64_t mkv_audit_count(const struct mkv_audit_report *report) mkv_nonnull(1);
/* Ends a step of the progress display; a step that succeeded shows the number
 * of findings beyond `before`. */
void mkv_audit_end_step(struct mkv_progress_step *step,
			const struct mkv_audit_report *report, uint64_t before,
			int rc) mkv_nonnull(1, 2);

/* The file `key_path` must hold the verification key. */
int mkv_audit_check_key_file(struct mkv_audit *audit,
			     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Puts the verification key into the report: the caller's, else the user's own,
 * else the appliance's. */
int mkv_audit_choose_key(struct mkv_audit *audit,
			 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);

/* Opens a regular file of the appliance, never through a link and never outside
 * of the appliance. -ENOENT when the file is missing, -EINVAL when it is not a
 * regular file. */
int mkv_audit_open(const struct mkv_audit *audit, const char *path,
		   int *ret_fd) mkv_must_check mkv_nonnull(1, 2, 3);
/* Reads a whole file. An unreadable file is a finding, and the return is 1. */
int mkv_audit_read(struct mkv_audit *audit, const char *path,
		   size_t limit_bytes, struct mkv_buf *ret,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4, 5);

/* SHA256SUMS, its signature, every file's digest, missing and extra files. Sets
 * `sums`. `unsummed` lists the files, or with a final slash the directories,
 * that SHA256SUMS leaves out beside itself and its signature; it ends with
 * NULL.
 */
int mkv_audit_sums(struct mkv_audit *audit, const char *const *unsummed,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* mkv_audit_sums(), and that manifest.json lists the same files. Sets `sums`
 * and `manifest`. */
int mkv_audit_files(struct mkv_audit *audit,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* attestations/: each bundle's signature, subjects and predicate. */
int mkv_audit_bundles(struct mkv_audit *audit,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* oci/: index, manifests, configs and layers in their order, by the contract;
 * when deep, each layer's diffID too. */
int mkv_audit_oci(struct mkv_audit *audit, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* libvirt/: each definition, element by element, against the contract's. */
int mkv_audit_libvirt(struct mkv_audit *audit,
		      struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Every image's disk.raw, in parallel, because each takes minutes under
 * emulation. */
int mkv_audit_disks(struct mkv_audit *audit,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* A disk image against the contract. `image` names the image in the contract;
 * with NULL, contract and image are taken from inside the disk. */
int mkv_audit_disk(struct mkv_audit *audit, const char *image, int fd,
		   const char *name, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 4, 5);
