/* SPDX-License-Identifier: MIT */
/* libvirt/: each definition against the one that follows from the contract. */
#include <string.h>

#include "builder/evidence/audit/audit_internal.h"
#include "builder/format/libvirt/differences.h"
#include "builder/format/libvirt/xml.h"

enum { DEFINITION_MAX = 1024 * 1024 };

struct place {
	struct mkv_audit_report *report;
	const char *path;
};

static void add_difference(const char *where, const char *expected,
			   const char *found, void *context)
{
	const struct place *place = context;
	if (expected && found)
		mkv_audit_add(place->report, place->path,
			      "%.300s differs: expected '%.200s' got '%.200s'",
			      where, expected, found);
	else if (expected)
		mkv_audit_add(place->report, place->path,
			      "%.300s is missing: expected '%.200s'", where,
			      expected);
	else
		mkv_audit_add(place->report, place->path,
			      "%.300s is extra: got '%.200s'", where,
			      found ? found : "");
}

static int compare_definition(struct mkv_audit *audit, const char *path,
			      const struct mkv_buf *expected,
			      struct mkv_error *err)
{
	auto_buf struct mkv_buf found = {0};
	auto_document struct mkv_document *ours = NULL, *theirs = NULL;
	struct place place = {audit->report, path};
	int rc = mkv_audit_read(audit, path, DEFINITION_MAX, &found, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	if (found.size == expected->size &&
	    memcmp(found.data, expected->data, found.size) == 0)
		return 0;
	rc = mkv_document_parse(expected->data, expected->size, &ours, err);
	if (rc < 0)
		return rc;
	rc = mkv_document_parse(found.data ? found.data : "", found.size,
				&theirs, err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0) {
		mkv_audit_add(audit->report, path, "%s", err->message);
		return 0;
	}
	return mkv_document_compare(ours, theirs, add_difference, &place, err);
}

static int check_network(struct mkv_audit *audit, struct mkv_error *err)
{
	auto_buf struct mkv_buf xml = {0};
	int rc = mkv_libvirt_network_xml(audit->manifest->contract, &xml, err);
	return rc < 0 ? rc
		      : compare_definition(audit, "libvirt/network-vlan.xml",
					   &xml, err);
}

static int check_domain(struct mkv_audit *audit,
			const struct mkv_contract_host *host,
			struct mkv_error *err)
{
	char path[160];
	auto_buf struct mkv_buf xml = {0};
	(void)snprintf(path, sizeof(path), "libvirt/domain-%.128s.xml",
		       host->name);
	int rc = mkv_libvirt_domain_xml(audit->manifest->contract, host, &xml,
					err);
	if (rc == -EINVAL) {
		mkv_audit_add(audit->report, path, "%s", err->message);
		return 0;
	}
	return rc < 0 ? rc : compare_definition(audit, path, &xml, err);
}

/* A domain's disk has the size of its image's disk. */
static void check_disk_size(struct mkv_audit *audit,
			    const struct mkv_contract_host *host)
{
	char path[160];
	const struct mkv_manifest *manifest = audit->manifest;
	(void)snprintf(path, sizeof(path), "%.128s/disk.raw", host->image);
	for (size_t i = 0; i < manifest->n_artifacts; i++) {
		const struct mkv_manifest_artifact *one =
			&manifest->artifacts[i];
		uint64_t wanted = host->hypervisor.disk.size_bytes;
		if (strcmp(one->path, path) == 0 && one->size_bytes != wanted)
			mkv_audit_add(audit->report, path,
				      "size differs from the disk of domain "
				      "'%s': expected %llu got %llu",
				      host->name, (unsigned long long)wanted,
				      (unsigned long long)one->size_bytes);
	}
}

int mkv_audit_libvirt(struct mkv_audit *audit, struct mkv_error *err)
{
	const struct mkv_contract *contract =
		audit->manifest ? audit->manifest->contract : NULL;
	bool has_network = false;
	for (size_t i = 0; contract && i < contract->n_hosts; i++) {
		if (!contract->hosts[i].hypervisor.promised)
			continue;
		int rc = has_network ? 0 : check_network(audit, err);
		if (rc < 0)
			return rc;
		has_network = true;
		rc = check_domain(audit, &contract->hosts[i], err);
		if (rc < 0)
			return rc;
		check_disk_size(audit, &contract->hosts[i]);
	}
	return 0;
}
