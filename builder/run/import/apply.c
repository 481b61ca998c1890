/* SPDX-License-Identifier: MIT */
/* Performs the steps of an import, and undoes them in reverse order when one
 * fails. */
#include <string.h>

#include "builder/run/import/import_internal.h"
#include "lib/io.h"

static int check_interrupt(const struct mkv_import *import,
			   struct mkv_error *err)
{
	const volatile sig_atomic_t *stop = import->options->stop;
	return stop && *stop ? mkv_fail(err, MKV_FAILED, EINTR, "interrupted")
			     : 0;
}

/* Path under which a replaced disk is kept until the import has succeeded. */
static char *format_saved_name(const struct mkv_import_guest *guest)
{
	char *name = NULL;
	return asprintf(&name, "%s.replaced", guest->disk) < 0 ? NULL : name;
}

static int place_disk(struct mkv_import *import, struct mkv_import_guest *guest,
		      struct mkv_error *err)
{
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	auto_free char *saved = format_saved_name(guest);
	if (!saved)
		return mkv_oom(err);
	auto_progress_step struct mkv_progress_step step =
		mkv_progress_begin(import->options->progress, guest->size_bytes,
				   "copy %s", guest->artifact);
	int rc = mkv_newfile_open(guest->disk, 0600, &file, err);
	if (rc < 0)
		return rc;
	rc = mkv_import_copy(import, guest, file.fd, err);
	if (rc < 0)
		return rc;
	if (guest->disk_state == MKV_IMPORT_REPLACED) {
		if (rename(guest->disk, saved) < 0)
			return mkv_fail(err, MKV_FAILED, errno,
					"rename '%s': %m", guest->disk);
		guest->has_saved = true;
	}
	rc = mkv_newfile_commit(&file, err);
	if (rc < 0)
		return rc;
	guest->has_disk = true;
	mkv_progress_end(&step, 0, NULL);
	return check_interrupt(import, err);
}

static int make_pool(struct mkv_import *import, struct mkv_error *err)
{
	struct mkv_import_part *part = &import->pool;
	virConnectPtr connection = import->connection;
	if (part->state == MKV_IMPORT_UNCHANGED) {
		mkv_auto(vir_pool) virStoragePoolPtr there =
			virStoragePoolLookupByName(connection, part->name);
		if (there && virStoragePoolIsActive(there) == 1)
			(void)virStoragePoolRefresh(there, 0);
		return 0;
	}
	if (part->old_xml) {
		mkv_auto(vir_pool) virStoragePoolPtr old =
			virStoragePoolLookupByName(connection, part->name);
		if (!old ||
		    (part->was_active && virStoragePoolDestroy(old) < 0) ||
		    virStoragePoolUndefine(old) < 0)
			return mkv_import_fail(err, "replace pool '%s'",
					       part->name);
		part->has_undefined = true;
	}
	mkv_auto(vir_pool) virStoragePoolPtr pool =
		virStoragePoolDefineXML(connection, part->xml, 0);
	if (!pool)
		return mkv_import_fail(err, "define pool '%s'", part->name);
	part->has_defined = true;
	if (virStoragePoolSetAutostart(pool, 1) < 0 ||
	    virStoragePoolCreate(pool, 0) < 0)
		return mkv_import_fail(err, "start pool '%s'", part->name);
	return check_interrupt(import, err);
}

static int make_network(struct mkv_import *import, struct mkv_error *err)
{
	struct mkv_import_part *part = &import->network;
	virConnectPtr connection = import->connection;
	if (part->state == MKV_IMPORT_UNCHANGED)
		return 0;
	if (part->old_xml) {
		mkv_auto(vir_network) virNetworkPtr old =
			virNetworkLookupByName(connection, part->name);
		if (!old || (part->was_active && virNetworkDestroy(old) < 0) ||
		    virNetworkUndefine(old) < 0)
			return mkv_import_fail(err, "replace network '%s'",
					       part->name);
		part->has_undefined = true;
	}
	mkv_auto(vir_network) virNetworkPtr network =
		virNetworkDefineXML(connection, part->xml);
	if (!network)
		return mkv_import_fail(err, "define network '%s'", part->name);
	part->has_defined = true;
	if (virNetworkSetAutostart(network, 1) < 0 ||
	    virNetworkCreate(network) < 0)
		return mkv_import_fail(err, "start network '%s'", part->name);
	return check_interrupt(import, err);
}

/* Stores the digest of the definition as libvirt completed it, so that a later
 * edit is detected. */
static int mark_domain(const struct mkv_import_guest *guest,
		       virDomainPtr domain, struct mkv_error *err)
{
	auto_free char *xml = virDomainGetXMLDesc(
		domain, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	auto_document struct mkv_document *document = NULL;
	char digest[65], mark[256];
	if (!xml)
		return mkv_import_fail(err, "read domain '%s'",
				       guest->needs.name);
	int rc = mkv_document_parse(xml, strlen(xml), &document, err);
	if (rc < 0)
		return rc;
	rc = mkv_domain_digest(document, digest, err);
	if (rc < 0)
		return rc;
	(void)snprintf(mark, sizeof(mark), "<import defined='%s'>%s</import>",
		       digest, guest->mark);
	if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, mark,
				 "mkvbench", MKV_DOMAIN_NAMESPACE,
				 VIR_DOMAIN_AFFECT_CONFIG) < 0)
		return mkv_import_fail(err, "mark domain '%s'",
				       guest->needs.name);
	return 0;
}

static int undefine_domain(virDomainPtr domain)
{
	return virDomainUndefineFlags(domain, VIR_DOMAIN_UNDEFINE_KEEP_NVRAM);
}

static int make_domain(struct mkv_import *import,
		       struct mkv_import_guest *guest, struct mkv_error *err)
{
	if (guest->domain_state == MKV_IMPORT_UNCHANGED)
		return 0;
	if (guest->old_xml) {
		mkv_auto(vir_domain) virDomainPtr old = virDomainLookupByName(
			import->connection, guest->needs.name);
		if (!old || undefine_domain(old) < 0)
			return mkv_import_fail(err, "replace domain '%s'",
					       guest->needs.name);
		guest->has_undefined = true;
	}
	mkv_auto(vir_domain) virDomainPtr domain = virDomainDefineXMLFlags(
		import->connection, guest->xml, VIR_DOMAIN_DEFINE_VALIDATE);
	if (!domain)
		return mkv_import_fail(err, "define domain '%s'",
				       guest->needs.name);
	guest->has_domain = true;
	int rc = mark_domain(guest, domain, err);
	return rc < 0 ? rc : check_interrupt(import, err);
}

static void undo_domain(struct mkv_import *import,
			struct mkv_import_guest *guest)
{
	if (guest->has_domain) {
		mkv_auto(vir_domain) virDomainPtr domain =
			virDomainLookupByName(import->connection,
					      guest->needs.name);
		if (domain)
			(void)undefine_domain(domain);
	}
	if (guest->has_undefined) {
		mkv_auto(vir_domain) virDomainPtr old =
			virDomainDefineXML(import->connection, guest->old_xml);
		if (old && guest->had_autostart)
			(void)virDomainSetAutostart(old, 1);
	}
}

static void undo_network(struct mkv_import *import)
{
	struct mkv_import_part *part = &import->network;
	if (part->has_defined) {
		mkv_auto(vir_network) virNetworkPtr network =
			virNetworkLookupByName(import->connection, part->name);
		if (network && virNetworkIsActive(network) == 1)
			(void)virNetworkDestroy(network);
		if (network)
			(void)virNetworkUndefine(network);
	}
	if (part->has_undefined) {
		mkv_auto(vir_network) virNetworkPtr old =
			virNetworkDefineXML(import->connection, part->old_xml);
		if (old && part->had_autostart)
			(void)virNetworkSetAutostart(old, 1);
		if (old && part->was_active)
			(void)virNetworkCreate(old);
	}
}

static void undo_pool(struct mkv_import *import)
{
	struct mkv_import_part *part = &import->pool;
	if (part->has_defined) {
		mkv_auto(vir_pool) virStoragePoolPtr pool =
			virStoragePoolLookupByName(import->connection,
						   part->name);
		if (pool && virStoragePoolIsActive(pool) == 1)
			(void)virStoragePoolDestroy(pool);
		if (pool)
			(void)virStoragePoolUndefine(pool);
	}
	if (part->has_undefined) {
		mkv_auto(vir_pool) virStoragePoolPtr old =
			virStoragePoolDefineXML(import->connection,
						part->old_xml, 0);
		if (old && part->had_autostart)
			(void)virStoragePoolSetAutostart(old, 1);
		if (old && part->was_active)
			(void)virStoragePoolCreate(old, 0);
	}
}

static void undo_disk(struct mkv_import_guest *guest)
{
	auto_free char *saved = format_saved_name(guest);
	if (guest->has_saved && saved)
		(void)rename(saved, guest->disk);
	else if (guest->has_disk)
		(void)unlink(guest->disk);
}

static void undo_import(struct mkv_import *import)
{
	for (size_t i = import->n_guests; i-- > 0;)
		undo_domain(import, &import->guests[i]);
	undo_network(import);
	undo_pool(import);
	for (size_t i = import->n_guests; i-- > 0;)
		undo_disk(&import->guests[i]);
}

static void remove_replaced_disks(struct mkv_import *import)
{
	for (size_t i = 0; i < import->n_guests; i++) {
		auto_free char *saved = format_saved_name(&import->guests[i]);
		if (import->guests[i].has_saved && saved)
			(void)unlink(saved);
	}
}

static int apply_steps(struct mkv_import *import, struct mkv_error *err)
{
	int rc = check_interrupt(import, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		struct mkv_import_guest *guest = &import->guests[i];
		if (guest->disk_state != MKV_IMPORT_NEW &&
		    guest->disk_state != MKV_IMPORT_REPLACED)
			continue;
		rc = place_disk(import, guest, err);
		if (rc < 0)
			return rc;
	}
	rc = make_pool(import, err);
	if (rc < 0)
		return rc;
	rc = make_network(import, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = make_domain(import, &import->guests[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_import_apply(struct mkv_import *import, struct mkv_error *err)
{
	int rc = apply_steps(import, err);
	if (rc < 0)
		undo_import(import);
	else
		remove_replaced_disks(import);
	return rc;
}
