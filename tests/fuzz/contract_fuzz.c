/* SPDX-License-Identifier: MIT */
/* The parsers of contracts and manifests: every field of an accepted document
 * can be read, and every reference resolves. */
#include "lib/contract.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/contract/*.json", NULL};
static const char *const fuzz_words[] = {"{",
					 "}",
					 "[",
					 "]",
					 "\"hosts\":",
					 "\"images\":",
					 "\"oci\":",
					 "\"caches\":",
					 "null",
					 "true",
					 "-1",
					 "1e9",
					 "\"\\u0000\"",
					 "\"..\"",
					 "9223372036854775807",
					 "9223372036854775808",
					 "\"mkvbench_contract\":1",
					 "sha256:",
					 NULL};

#include "tests/fuzz/driver.h"

static void walk_contract(const struct mkv_contract *contract)
{
	size_t length = strlen(contract->name) + strlen(contract->scenario);
	for (size_t i = 0; i < contract->n_hosts; i++) {
		const struct mkv_contract_host *host = &contract->hosts[i];
		if (!mkv_contract_find_image(contract, host->image) ||
		    mkv_contract_find_host(contract, host->name) != host)
			abort();
		length += strlen(host->role);
	}
	for (size_t i = 0; i < contract->n_images; i++) {
		const struct mkv_contract_image *image = &contract->images[i];
		for (size_t c = 0; c < image->n_caches; c++)
			length += strlen(image->caches[c].type);
		for (size_t c = 0; c < image->docker.n_containers; c++)
			length += strlen(image->docker.containers[c].image);
		for (size_t p = 0; p < image->n_packages; p++)
			length += strlen(image->packages[p].version);
		for (size_t w = 0; w < image->kernel.command_line.count; w++)
			length += strlen(image->kernel.command_line.items[w]);
	}
	for (size_t i = 0; i < contract->n_oci; i++)
		if (strlen(contract->oci[i].config) != 71)
			abort();
	if (length == 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	auto_contract struct mkv_contract *contract = NULL;
	auto_manifest struct mkv_manifest *manifest = NULL;
	const char *text = size ? (const char *)data : "";
	if (mkv_contract_parse(text, size, &contract, &err) == 0)
		walk_contract(contract);
	if (mkv_manifest_parse(text, size, &manifest, &err) == 0) {
		walk_contract(manifest->contract);
		for (size_t i = 0; i < manifest->n_artifacts; i++)
			if (manifest->artifacts[i].path[0] == '/' ||
			    strstr(manifest->artifacts[i].path, "/../"))
				abort();
	}
	return 0;
}
