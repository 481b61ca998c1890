/* SPDX-License-Identifier: MIT */
/* SPDX 2.3 (spdx.github.io/spdx-spec/v2.3) in JSON, one document per root file
 * system. */
#include <string.h>
#include <time.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "lib/dsse.h"

#define ROOT_ID "SPDXRef-image"
/* For documents of creators without a web site (SPDX 2.3, 6.5). */
#define NAMESPACE "https://spdx.org/spdxdocs/"

static json_t *root_package(const char *name, bool container)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s}", "SPDXID",
			 ROOT_ID, "name", name, "downloadLocation",
			 "NOASSERTION", "filesAnalyzed", 0, "licenseConcluded",
			 "NOASSERTION", "licenseDeclared", "NOASSERTION",
			 "copyrightText", "NOASSERTION",
			 "primaryPackagePurpose",
			 container ? "CONTAINER" : "OPERATING-SYSTEM");
}

static json_t *deb_package(const struct mkv_lock_package *deb, const char *id,
			   const char *hex, const char *suite)
{
	auto_free char *url = mkv_package_url(deb, suite);
	if (!url)
		return NULL;
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s, s:s, s:s,"
			 " s:[{s:s, s:s}], s:[{s:s, s:s, s:s}]}",
			 "SPDXID", id, "name", deb->name, "versionInfo",
			 deb->version, "packageFileName", deb->pool_path,
			 "downloadLocation", "NOASSERTION", "filesAnalyzed", 0,
			 "supplier", "Organization: Debian", "licenseConcluded",
			 "NOASSERTION", "licenseDeclared", "NOASSERTION",
			 "copyrightText", "NOASSERTION", "checksums",
			 "algorithm", "SHA256", "checksumValue", hex,
			 "externalRefs", "referenceCategory", "PACKAGE-MANAGER",
			 "referenceType", "purl", "referenceLocator", url);
}

static json_t *relationship(const char *from, const char *type, const char *to)
{
	return json_pack("{s:s, s:s, s:s}", "spdxElementId", from,
			 "relationshipType", type, "relatedSpdxElement", to);
}

static bool add_debs(const struct mkv_attest_inputs *inputs,
		     const struct mkv_lock_set *set, json_t *packages,
		     json_t *relationships)
{
	for (size_t i = 0; i < set->count; i++) {
		if (set->packages[i] >= inputs->lock->n_packages)
			return false;
		const struct mkv_lock_package *deb =
			&inputs->lock->packages[set->packages[i]];
		char hex[MKV_SHA256_HEX_SIZE];
		char id[sizeof("SPDXRef-deb-") + MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&deb->sha256, hex);
		(void)snprintf(id, sizeof(id), "SPDXRef-deb-%s", hex);
		if (!mkv_statement_append(
			    packages,
			    deb_package(deb, id, hex, inputs->recipe->suite)) ||
		    !mkv_statement_append(
			    relationships,
			    relationship(ROOT_ID, "CONTAINS", id)))
			return false;
	}
	return true;
}

/* The document without its namespace, which is derived from the rest. */
static json_t *document(const struct mkv_attest_inputs *inputs,
			const struct mkv_lock_set *set, const char *name)
{
	auto_json json_t *packages = json_array();
	auto_json json_t *relationships = json_array();
	char created[sizeof("-9223372036854775808-01-01T00:00:00Z")];
	time_t epoch = (time_t)inputs->lock->epoch_s;
	struct tm utc;
	if (!gmtime_r(&epoch, &utc) ||
	    strftime(created, sizeof(created), "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
		return NULL;
	bool container = strncmp(set->name, "oci/", 4) == 0;
	if (!packages || !relationships ||
	    !mkv_statement_append(packages,
				  root_package(set->name, container)) ||
	    !mkv_statement_append(
		    relationships,
		    relationship("SPDXRef-DOCUMENT", "DESCRIBES", ROOT_ID)) ||
	    !add_debs(inputs, set, packages, relationships))
		return NULL;
	return json_pack(
		"{s:s, s:s, s:s, s:s, s:{s:s, s:[s]}, s:[s], s:O, s:O}",
		"spdxVersion", "SPDX-2.3", "dataLicense", "CC0-1.0", "SPDXID",
		"SPDXRef-DOCUMENT", "name", name, "creationInfo", "created",
		created, "creators", "Tool: mkvbench-" MKV_VERSION,
		"documentDescribes", ROOT_ID, "packages", packages,
		"relationships", relationships);
}

static int set_namespace(json_t *doc, const char *name,
			 const json_t *subject_list, struct mkv_error *err)
{
	/* UUID namespace for URLs, RFC 9562, section 6.6. */
	static const uint8_t space[16] = {0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad,
					  0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0,
					  0x4f, 0xd4, 0x30, 0xc8};
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE], uuid_text[37], uri[512];
	uint8_t uuid[16];
	int rc = mkv_json_dump_compact(doc, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_dump_compact(subject_list, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	rc = mkv_uuid5(space, hex, uuid, err);
	if (rc < 0)
		return rc;
	mkv_uuid_text(uuid, uuid_text);
	if ((size_t)snprintf(uri, sizeof(uri), NAMESPACE "%s-%s", name,
			     uuid_text) >= sizeof(uri) ||
	    json_object_set_new(doc, "documentNamespace", json_string(uri)) < 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"jansson: can't build the document");
	return 0;
}

/* Lists the image's files, or an OCI image's manifest; where neither is known,
 * the appliance's manifest.json, because a statement needs a subject. */
static int subjects(const struct mkv_attest_inputs *inputs, const char *set,
		    json_t *list, struct mkv_error *err)
{
	auto_json json_t *manifest = NULL;
	struct mkv_sha256 sha256;
	bool ok = true;
	int rc = mkv_json_load(inputs->manifest, inputs->manifest_size,
			       &manifest, err);
	if (rc < 0)
		return rc;
	const char *slash = strchr(set, '/');
	const char *image = slash ? slash + 1 : set;
	size_t length = strlen(image);
	const struct mkv_artifact *a = inputs->artifacts;
	for (size_t i = 0; i < inputs->n_artifacts; i++)
		if (strncmp(set, "image/", 6) == 0 &&
		    strncmp(a[i].path, image, length) == 0 &&
		    a[i].path[length] == '/')
			ok = ok &&
			     mkv_statement_append(
				     list, mkv_statement_subject(a[i].path,
								 &a[i].sha256));
	const json_t *oci = json_object_get(
		json_object_get(json_object_get(manifest, "contract"), "oci"),
		image);
	const char *digest =
		json_string_value(json_object_get(oci, "manifest"));
	if (strncmp(set, "oci/", 4) == 0 && digest &&
	    strncmp(digest, "sha256:", 7) == 0 &&
	    mkv_sha256_parse(digest + 7, &sha256) == 0)
		ok = ok && mkv_statement_append(
				   list, mkv_statement_subject(set, &sha256));
	if (ok && json_array_size(list) == 0) {
		rc = mkv_sha256_bytes(inputs->manifest, inputs->manifest_size,
				      &sha256, err);
		if (rc < 0)
			return rc;
		ok = mkv_statement_append(
			list, mkv_statement_subject("manifest.json", &sha256));
	}
	return ok ? 0
		  : mkv_fail(err, MKV_FAILED, EINVAL,
			     "jansson: can't list the subjects");
}

int mkv_spdx_statement(const struct mkv_attest_inputs *inputs,
		       const struct mkv_lock_set *set, struct mkv_buf *ret,
		       struct mkv_error *err)
{
	char name[256];
	(void)snprintf(name, sizeof(name), "mkvbench-%s-%s",
		       inputs->recipe->name, set->name);
	for (char *c = name; *c; c++)
		if (*c == '/')
			*c = '-';
	auto_json json_t *list = json_array();
	if (!list)
		return mkv_oom(err);
	int rc = subjects(inputs, set->name, list, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "SPDX of %s", set->name);
	auto_json json_t *doc = document(inputs, set, name);
	rc = doc ? set_namespace(doc, name, list, err)
		 : mkv_fail(err, MKV_FAILED, EINVAL,
			    "jansson: can't build the document");
	if (rc >= 0)
		rc = mkv_statement_print(mkv_take(list), MKV_PREDICATE_SPDX,
					 mkv_take(doc), ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "SPDX of %s", set->name) : 0;
}
