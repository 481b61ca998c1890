/* SPDX-License-Identifier: MIT */
#pragma once
/* What the steps of an import share. */

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "builder/evidence/audit/trusted.h"
#include "builder/format/libvirt/document.h"
#include "builder/run/import/import.h"

static inline mkv_unused void mkv_domain_unref(virDomainPtr domain)
{
	(void)virDomainFree(domain);
}
static inline mkv_unused void mkv_network_unref(virNetworkPtr network)
{
	(void)virNetworkFree(network);
}
static inline mkv_unused void mkv_pool_unref(virStoragePoolPtr pool)
{
	(void)virStoragePoolFree(pool);
}
MKV_DEFINE_AUTO(vir_domain, virDomainPtr, mkv_domain_unref)
MKV_DEFINE_AUTO(vir_network, virNetworkPtr, mkv_network_unref)
MKV_DEFINE_AUTO(vir_pool, virStoragePoolPtr, mkv_pool_unref)

struct mkv_import_guest {
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	struct mkv_domain_needs needs;
	struct mkv_document *document;
	char *artifact; /* the disk in the appliance */
	char *disk;	/* where its copy goes */
	struct mkv_sha256 sha256;
	uint64_t size_bytes, allocated_bytes;
	char *xml; /* what is defined */
	char mark[65];
	char *old_xml; /* of the domain that is there */
	int had_autostart;
	enum mkv_import_state disk_state, domain_state;
	/* Done so far, to be undone. */
	bool has_disk, has_saved, has_undefined, has_domain;
};

/* Pool or network: the same steps for both. */
struct mkv_import_part {
	char *name, *xml, *old_xml;
	bool was_active;
	int had_autostart;
	enum mkv_import_state state;
	bool has_undefined, has_defined;
};

struct mkv_import {
	const struct mkv_import_options *options;
	struct mkv_import_report *report;
	struct mkv_audit_trusted *trusted;
	const struct mkv_contract *contract;
	virConnectPtr connection;
	struct mkv_import_guest *guests;
	size_t n_guests;
	char *directory; /* POOL/RECIPE */
	char *bridge;
	bool emulate, own_bridge; /* own: libvirt makes the bridge itself */
	struct mkv_import_part pool, network;
	bool failed;	     /* memory ran out while a reason was noted */
	int lock_fd;	     /* of `directory`; -1: not ours */
	size_t there_length; /* how much of its path was there before */
};

/* What libvirt said last, behind the context. */
int mkv_import_fail(struct mkv_error *err, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
/* Adds a reason or a note. */
void mkv_import_add_reason(struct mkv_import *import, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
void mkv_import_add_note(struct mkv_import *import, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* Makes POOL/RECIPE and locks it: what is compared afterwards stays so. Another
 * import that has it is MKV_HOST_CANNOT. */
int mkv_import_lock_directory(struct mkv_import *import,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Removes the directories that were made for it, as far as they are empty. */
void mkv_import_remove_directory(struct mkv_import *import) mkv_nonnull(1);
/* Whether this host can be what the domains need; each no is a reason. */
int mkv_import_check_host(struct mkv_import *import,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* What is there already: states, and reasons where it stands in the way. */
int mkv_import_compare(struct mkv_import *import,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Does it; after a failure all is as it was, but for the directory. */
int mkv_import_apply(struct mkv_import *import,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* Copies a disk, holes stay holes, and hashes it: -EBADMSG, MKV_UNVERIFIED,
 * when it isn't the expected one. */
int mkv_import_copy(struct mkv_import *import, struct mkv_import_guest *guest,
		    int to, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
