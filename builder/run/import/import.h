/* SPDX-License-Identifier: MIT */
#pragma once
/* Imports an appliance's guests into libvirt: copies and verifies their disks,
 * and defines a storage pool of the copies, the network and the domains. A
 * failed or interrupted import is undone completely. */

#include <signal.h>

#include "builder/core/progress/progress.h"
#include "builder/evidence/audit/audit.h"
#include "builder/run/boot/machine.h"

struct mkv_import_options {
	const char *appliance; /* directory */
	const char *key; /* PEM; NULL: the user's key, else the appliance's */
	const char *uri; /* libvirt's, on this machine */
	const char *const *hosts; /* names; count 0: all guests */
	size_t n_hosts;
	const char *pool; /* absolute path; disks are copied to
			     POOL/RECIPE/HOST.raw */
	enum mkv_accel accel;
	bool dry_run, replace;
	const volatile sig_atomic_t *stop; /* nonzero: stop and undo; or NULL */
	struct mkv_progress *progress;	   /* or NULL */
};

enum mkv_import_state {
	MKV_IMPORT_NEW,
	MKV_IMPORT_UNCHANGED, /* already exists as requested */
	MKV_IMPORT_USED, /* a disk that was written to since its import; kept */
	MKV_IMPORT_REPLACED,
};

/* One object that libvirt has after the import, or would have (dry run). */
struct mkv_import_item {
	const char *kind; /* "disk", "pool", "network", "domain" */
	char *name;
	enum mkv_import_state state;
};

struct mkv_import_report {
	struct mkv_import_item *items; /* in order of creation */
	size_t n_items;
	char **reasons; /* why this host cannot; not empty: nothing was done */
	size_t n_reasons;
	char **notes; /* differences from the appliance and their effect */
	size_t n_notes;
	bool emulated; /* receipts of these domains prove nothing about a
			  machine */
	enum mkv_key_origin key_origin;
	struct mkv_public_key key;
};
void mkv_import_report_done(struct mkv_import_report *report) mkv_nonnull(1);
#define auto_import_report __attribute__((cleanup(mkv_import_report_done)))

/* Returns 0 if the import succeeded, nothing was to do, or `ret` has reasons
 * why it is impossible. A missing or wrong signature is MKV_UNVERIFIED, an
 * interruption -EINTR; the import is then undone. */
int mkv_import_run(const struct mkv_import_options *options,
		   struct mkv_import_report *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
