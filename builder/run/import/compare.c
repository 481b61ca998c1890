/* SPDX-License-Identifier: MIT */
/* Compares the request with the objects and disks that already exist. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/run/import/import_internal.h"

static int parse_definition(const char *xml, struct mkv_document **ret,
			    struct mkv_error *err)
{
	return mkv_document_parse(xml, strlen(xml), ret, err);
}

static bool has_equal_text(const struct mkv_document *a,
			   const struct mkv_document *b, const char *xpath)
{
	auto_free char *one = mkv_document_text(a, xpath);
	auto_free char *two = mkv_document_text(b, xpath);
	return one && two ? strcmp(one, two) == 0 : one == two;
}

/* An existing pool or network is unchanged if the texts at all `xpaths` are
 * equal; else --replace or a reason is needed. */
static int compare_part(struct mkv_import *import, struct mkv_import_part *part,
			const char *kind, const char *const *xpaths,
			struct mkv_error *err)
{
	auto_document struct mkv_document *ours = NULL, *theirs = NULL;
	bool same = true;
	int rc = parse_definition(part->xml, &ours, err);
	if (rc < 0)
		return rc;
	rc = parse_definition(part->old_xml, &theirs, err);
	if (rc < 0)
		return rc;
	for (; *xpaths; xpaths++)
		same &= has_equal_text(ours, theirs, *xpaths);
	part->state = same ? MKV_IMPORT_UNCHANGED : MKV_IMPORT_REPLACED;
	if (!same && !import->options->replace)
		mkv_import_add_reason(import,
				      "%s '%s' already exists and differs: run "
				      "the import with --replace",
				      kind, part->name);
	return 0;
}

static int compare_network(struct mkv_import *import, struct mkv_error *err)
{
	static const char *const xpaths[] = {"/network/forward/@mode",
					     "/network/bridge/@name",
					     "/network/ip/@address",
					     "/network/portgroup/@name",
					     "/network/vlan/tag/@id",
					     "/network/virtualport/@type",
					     NULL};
	struct mkv_import_part *part = &import->network;
	mkv_auto(vir_network) virNetworkPtr there =
		virNetworkLookupByName(import->connection, part->name);
	if (!there)
		return 0;
	part->old_xml = virNetworkGetXMLDesc(there, VIR_NETWORK_XML_INACTIVE);
	part->was_active = virNetworkIsActive(there) == 1;
	if (!part->old_xml ||
	    virNetworkGetAutostart(there, &part->had_autostart) < 0)
		return mkv_import_fail(err, "read network '%s'", part->name);
	return compare_part(import, part, "network", xpaths, err);
}

static int compare_pool(struct mkv_import *import, struct mkv_error *err)
{
	static const char *const xpaths[] = {"/pool/@type", "/pool/target/path",
					     NULL};
	struct mkv_import_part *part = &import->pool;
	mkv_auto(vir_pool) virStoragePoolPtr there =
		virStoragePoolLookupByName(import->connection, part->name);
	if (!there)
		return 0;
	part->old_xml =
		virStoragePoolGetXMLDesc(there, VIR_STORAGE_XML_INACTIVE);
	part->was_active = virStoragePoolIsActive(there) == 1;
	if (!part->old_xml ||
	    virStoragePoolGetAutostart(there, &part->had_autostart) < 0)
		return mkv_import_fail(err, "read pool '%s'", part->name);
	return compare_part(import, part, "pool", xpaths, err);
}

/* A domain is unchanged if its mark equals that of the request and its
 * definition was not edited since the import. */
static int compare_definition(struct mkv_import *import,
			      struct mkv_import_guest *guest, bool *ret_is_ours,
			      struct mkv_error *err)
{
	auto_document struct mkv_document *theirs = NULL;
	char digest[65];
	int rc = parse_definition(guest->old_xml, &theirs, err);
	if (rc < 0)
		return rc;
	rc = mkv_domain_digest(theirs, digest, err);
	if (rc < 0)
		return rc;
	auto_free char *mark = mkv_document_text(theirs, MKV_DOMAIN_MARK);
	auto_free char *defined = mkv_document_text(theirs, MKV_DOMAIN_DEFINED);
	*ret_is_ours = mark != NULL;
	guest->domain_state = MKV_IMPORT_REPLACED;
	if (!mark)
		mkv_import_add_reason(import,
				      "domain '%s' already exists and was not "
				      "made by an import",
				      guest->needs.name);
	else if (strcmp(mark, guest->mark) == 0 && defined &&
		 strcmp(defined, digest) == 0)
		guest->domain_state = MKV_IMPORT_UNCHANGED;
	else if (!import->options->replace)
		mkv_import_add_reason(import,
				      "domain '%s' already exists and %s: run "
				      "the import with --replace",
				      guest->needs.name,
				      strcmp(mark, guest->mark) == 0
					      ? "was edited"
					      : "differs");
	return 0;
}

static int compare_domain(struct mkv_import *import,
			  struct mkv_import_guest *guest, bool *ret_active,
			  struct mkv_error *err)
{
	bool is_ours = false;
	mkv_auto(vir_domain) virDomainPtr there =
		virDomainLookupByName(import->connection, guest->needs.name);
	if (!there) {
		mkv_auto(vir_domain) virDomainPtr other =
			virDomainLookupByUUIDString(import->connection,
						    guest->needs.uuid);
		if (other)
			mkv_import_add_reason(
				import,
				"domain '%s' already has the UUID of '%s'",
				virDomainGetName(other), guest->needs.name);
		return 0;
	}
	*ret_active = virDomainIsActive(there) == 1;
	guest->old_xml = virDomainGetXMLDesc(
		there, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	if (!guest->old_xml ||
	    virDomainGetAutostart(there, &guest->had_autostart) < 0)
		return mkv_import_fail(err, "read domain '%s'",
				       guest->needs.name);
	return compare_definition(import, guest, &is_ours, err);
}

static int compare_content(const struct mkv_import_guest *guest, int fd,
			   const struct stat *st, bool *ret,
			   struct mkv_error *err)
{
	struct mkv_sha256 got;
	uint64_t size;
	*ret = false;
	if ((uint64_t)st->st_size != guest->size_bytes)
		return 0;
	int rc = mkv_sha256_fd(fd, &got, &size, err);
	if (rc < 0)
		return rc;
	*ret = mkv_sha256_equal(&got, &guest->sha256);
	return 0;
}

static int compare_disk(struct mkv_import *import,
			struct mkv_import_guest *guest, struct mkv_error *err)
{
	struct stat st;
	bool same = false;
	auto_fd int fd = open(guest->disk,
			      O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		mkv_import_add_reason(import,
				      "disk: '%s' already exists and is not a "
				      "readable file",
				      guest->disk);
		return 0;
	}
	int rc = compare_content(guest, fd, &st, &same, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s'", guest->disk);
	bool has_domain = guest->domain_state == MKV_IMPORT_UNCHANGED;
	if (same)
		guest->disk_state = MKV_IMPORT_UNCHANGED;
	else if (import->options->replace)
		guest->disk_state = MKV_IMPORT_REPLACED;
	else if (has_domain) /* its guest has written to it */
		guest->disk_state = MKV_IMPORT_USED;
	else
		mkv_import_add_reason(
			import,
			"disk: '%s' already exists and differs: run "
			"the import with --replace",
			guest->disk);
	return 0;
}

static int compare_guest(struct mkv_import *import,
			 struct mkv_import_guest *guest, struct mkv_error *err)
{
	bool active = false;
	int rc = compare_domain(import, guest, &active, err);
	if (rc < 0)
		return rc;
	rc = compare_disk(import, guest, err);
	if (rc < 0)
		return rc;
	if (active && (guest->domain_state == MKV_IMPORT_REPLACED ||
		       guest->disk_state == MKV_IMPORT_REPLACED ||
		       guest->disk_state == MKV_IMPORT_NEW))
		mkv_import_add_reason(import,
				      "domain '%s' is running: shut it "
				      "down first",
				      guest->needs.name);
	return 0;
}

int mkv_import_compare(struct mkv_import *import, struct mkv_error *err)
{
	int rc = compare_pool(import, err);
	if (rc < 0)
		return rc;
	rc = compare_network(import, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = compare_guest(import, &import->guests[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
