/* SPDX-License-Identifier: MIT */
#pragma once
/* State and functions shared by the steps of an import. */

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
	char *artifact; /* path of the disk in the appliance */
	char *disk;	/* path of the copy */
	struct mkv_sha256 sha256;
	uint64_t size_bytes, allocated_bytes;
	char *xml;     /* the domain to define */
	char mark[65]; /* digest of the request, in hexadecimal */
	char *old_xml; /* the existing domain; NULL: none */
	int had_autostart;
	enum mkv_import_state disk_state, domain_state;
	/* Completed steps, for undo. */
	bool has_disk, has_saved, has_undefined, has_domain;
};

/* A pool or a network. */
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
	bool emulate, own_bridge; /* own_bridge: libvirt makes the bridge */
	struct mkv_import_part pool, network;
	bool failed; /* out of memory while a reason or note was added */
	int lock_fd; /* of `directory`; -1: not locked */
	size_t existing_length; /* of the part of `directory` that existed
				   before */
};

/* Fails with the context and libvirt's last error. */
int mkv_import_fail(struct mkv_error *err, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
/* Append to the report. Without memory they set `failed`. */
void mkv_import_add_reason(struct mkv_import *import, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);
void mkv_import_add_note(struct mkv_import *import, const char *format, ...)
	mkv_nonnull(1, 2) mkv_printf(2, 3);

/* Opens the signed appliance and reads what is imported: guests, their disks
 * and domains, and the network. */
int mkv_import_load(struct mkv_import *import,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Writes the definitions for this machine's libvirt from those of the
 * appliance. Notes report the differences. */
int mkv_import_adapt(struct mkv_import *import,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Makes POOL/RECIPE and locks it, so that its files do not change after they
 * are compared. MKV_HOST_CANNOT while another import has the lock. */
int mkv_import_lock_directory(struct mkv_import *import,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Removes the empty directories that the import made. */
void mkv_import_remove_directory(struct mkv_import *import) mkv_nonnull(1);
/* Checks whether this host provides what the domains need; adds a reason for
 * each failed check. */
int mkv_import_check_host(struct mkv_import *import,
			  struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
/* Checks that pinned vCPUs have CPUs of this machine to themselves, on cores
 * like those of the guest; adds a reason for each guest of which that is not
 * true. */
void mkv_import_check_pins(struct mkv_import *import,
			   const struct mkv_document *capabilities)
	mkv_nonnull(1, 2);
/* Compares the request with existing objects: sets states, and adds a reason
 * for each object that prevents the import. */
int mkv_import_compare(struct mkv_import *import,
		       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
/* Performs the import. A failure undoes all steps except the directory. */
int mkv_import_apply(struct mkv_import *import,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);

/* Copies a disk to the descriptor `to`, keeps holes, and hashes the contents.
 * -EBADMSG, MKV_UNVERIFIED when the hash differs from the signed one. */
int mkv_import_copy(struct mkv_import *import, struct mkv_import_guest *guest,
		    int to, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
