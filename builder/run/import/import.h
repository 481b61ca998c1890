/* SPDX-License-Identifier: MIT */
#pragma once
/* An appliance's guests into libvirt: their disks copied and verified while
 * they are copied, a storage pool that knows the copies, the network, the
 * domains. All of it or nothing: what a failed or interrupted import did is
 * undone. */

#include <signal.h>

#include "builder/core/progress/progress.h"
#include "builder/evidence/audit/audit.h"
#include "builder/run/boot/machine.h"

struct mkv_import_options {
	const char *appliance; /* the directory */
	const char *key; /* PEM; NULL: the user's own, else the one inside */
	const char *uri; /* libvirt's, of this machine */
	const char *const *hosts; /* by name; count 0: every guest */
	size_t n_hosts;
	const char *pool; /* absolute; disks go to POOL/RECIPE/HOST.raw */
	enum mkv_accel accel;
	bool dry_run, replace;
	const volatile sig_atomic_t *stop; /* not 0: end, undone; or NULL */
	struct mkv_progress *progress;	   /* or NULL */
};

enum mkv_import_state {
	MKV_IMPORT_NEW,
	MKV_IMPORT_UNCHANGED, /* there already, as asked for */
	MKV_IMPORT_USED, /* a disk: written to since it was imported; kept */
	MKV_IMPORT_REPLACED,
};

/* One thing that libvirt has afterwards, or would have (dry run). */
struct mkv_import_item {
	const char *kind; /* "disk", "pool", "network", "domain" */
	char *name;
	enum mkv_import_state state;
};

struct mkv_import_report {
	struct mkv_import_item *items; /* in the order in which they are made */
	size_t n_items;
	char **reasons; /* why this host can't; not empty: nothing was done */
	size_t n_reasons;
	char **notes; /* what differs from the appliance, and what it is worth
		       */
	size_t n_notes;
	bool emulated; /* such domains prove nothing of a machine */
	enum mkv_key_origin key_origin;
	struct mkv_public_key key;
};
void mkv_import_report_done(struct mkv_import_report *report) mkv_nonnull(1);
#define auto_import_report __attribute__((cleanup(mkv_import_report_done)))

/* 0 when it was done, nothing was to do, or there are reasons why it can't be.
 * What isn't signed is MKV_UNVERIFIED, a stop -EINTR; nothing is left then. */
int mkv_import_run(const struct mkv_import_options *options,
		   struct mkv_import_report *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
