/* SPDX-License-Identifier: MIT */
/* SLSA provenance v1 (slsa.dev/spec/v1.0/provenance): the inputs of a build and
 * its artifacts. */
#include <string.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "lib/dsse.h"

#define BUILD_TYPE "urn:mkvbench:build:1"
#define BUILDER_ID "urn:mkvbench:builder:" MKV_VERSION

/* A ResourceDescriptor, which owns `annotations`. */
static json_t *resource(const char *name, const char *uri,
			const struct mkv_sha256 *sha256, json_t *annotations)
{
	json_t *r = mkv_statement_subject(name, sha256);
	if (r && uri)
		json_object_set_new(r, "uri", json_string(uri));
	if (r && annotations)
		json_object_set_new(r, "annotations", annotations);
	else
		json_decref(annotations);
	return r;
}

static json_t *index_resource(const struct mkv_lock_index *index)
{
	char name[256];
	char release[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&index->release_sha256, release);
	(void)snprintf(name, sizeof(name), "index/%s/%s", index->suite,
		       index->component);
	return resource(name, NULL, &index->packages_sha256,
			json_pack("{s:s, s:I}", "release_sha256", release,
				  "date", (json_int_t)index->date_s));
}

static json_t *package_resource(const struct mkv_lock_package *package,
				const char *suite)
{
	auto_free char *url = mkv_package_url(package, suite);
	if (!url)
		return NULL;
	return resource(package->name, url, &package->sha256,
			json_pack("{s:s, s:s, s:I}", "archive",
				  package->archive, "pool_path",
				  package->pool_path, "size",
				  (json_int_t)package->size_bytes));
}

static json_t *external_resource(const struct mkv_lock_external *external)
{
	const char *hex = external->digest;
	struct mkv_sha256 sha256;
	if (strncmp(hex, "sha256:", 7) != 0 ||
	    mkv_sha256_parse(hex + 7, &sha256) < 0)
		return NULL;
	return resource(external->reference, NULL, &sha256, NULL);
}

static bool add_locked(json_t *list, const struct mkv_attest_inputs *inputs)
{
	const struct mkv_lock *lock = inputs->lock;
	for (size_t i = 0; i < lock->n_indexes; i++)
		if (!mkv_statement_append(list,
					  index_resource(&lock->indexes[i])))
			return false;
	for (size_t i = 0; i < lock->n_packages; i++)
		if (!mkv_statement_append(
			    list, package_resource(&lock->packages[i],
						   inputs->recipe->suite)))
			return false;
	for (size_t i = 0; i < lock->n_locals; i++)
		if (!mkv_statement_append(
			    list, resource(lock->locals[i].name, NULL,
					   &lock->locals[i].sha256,
					   json_pack("{s:s}", "digest_of",
						     "listing"))))
			return false;
	for (size_t i = 0; i < lock->n_externals; i++)
		if (!mkv_statement_append(
			    list, external_resource(&lock->externals[i])))
			return false;
	return true;
}

/* The contract holds the digest of the lock itself. */
static json_t *dependencies(const struct mkv_attest_inputs *inputs,
			    const json_t *contract)
{
	auto_json json_t *list = json_array();
	struct mkv_sha256 lock_sha256;
	const char *hex =
		json_string_value(json_object_get(contract, "lock_sha256"));
	bool ok = list && mkv_statement_append(
				  list, resource("recipe", NULL,
						 &inputs->lock->recipe_sha256,
						 json_pack("{s:s}", "digest_of",
							   "canonical form")));
	if (ok && hex)
		ok = mkv_sha256_parse(hex, &lock_sha256) == 0 &&
		     mkv_statement_append(
			     list, resource("lock", NULL, &lock_sha256, NULL));
	return ok && add_locked(list, inputs) ? mkv_take(list) : NULL;
}

static json_t *subjects(const struct mkv_attest_inputs *inputs,
			const struct mkv_sha256 *manifest)
{
	auto_json json_t *list = json_array();
	if (!list ||
	    !mkv_statement_append(
		    list, mkv_statement_subject("manifest.json", manifest)))
		return NULL;
	for (size_t i = 0; i < inputs->n_artifacts; i++)
		if (!mkv_statement_append(
			    list, mkv_statement_subject(
					  inputs->artifacts[i].path,
					  &inputs->artifacts[i].sha256)))
			return NULL;
	return mkv_take(list);
}

static json_t *predicate(const struct mkv_attest_inputs *inputs,
			 const json_t *contract)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	json_t *resolved = dependencies(inputs, contract);
	if (!resolved)
		return NULL;
	return json_pack("{s:{s:s, s:{s:s, s:s, s:s}, s:{s:I, s:i}, s:o},"
			 " s:{s:{s:s, s:{s:s}}, s:{}}}",
			 "buildDefinition", "buildType", BUILD_TYPE,
			 "externalParameters", "recipe", recipe->name,
			 "scenario", mkv_scenario_name(recipe->scenario),
			 "suite", recipe->suite, "internalParameters", "epoch",
			 (json_int_t)inputs->lock->epoch_s, "lock_schema",
			 MKV_LOCK_SCHEMA, "resolvedDependencies", resolved,
			 "runDetails", "builder", "id", BUILDER_ID, "version",
			 "mkvbench", MKV_VERSION, "metadata");
}

int mkv_slsa_statement(const struct mkv_attest_inputs *inputs,
		       struct mkv_buf *ret, struct mkv_error *err)
{
	auto_json json_t *manifest = NULL;
	struct mkv_sha256 sha256;
	int rc = mkv_json_load(inputs->manifest, inputs->manifest_size,
			       &manifest, err);
	if (rc >= 0)
		rc = mkv_sha256_bytes(inputs->manifest, inputs->manifest_size,
				      &sha256, err);
	if (rc >= 0)
		rc = mkv_statement_print(
			subjects(inputs, &sha256), MKV_PREDICATE_SLSA,
			predicate(inputs,
				  json_object_get(manifest, "contract")),
			ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "SLSA provenance") : 0;
}
