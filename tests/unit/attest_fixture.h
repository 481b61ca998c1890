/* SPDX-License-Identifier: MIT */
#pragma once
/* A small recipe and its lock, for the tests of signed documents. */

#include <string.h>

#include "builder/evidence/attest/attest.h"

static char *fixture_files[] = {(char *)"small.yaml"};
static struct mkv_recipe fixture_recipe = {
	.name = (char *)"small",
	.suite = (char *)"trixie",
	.scenario = MKV_KVM,
	.files = {fixture_files, 1},
};

static struct mkv_lock_package fixture_packages[] = {
	{(char *)"chrony",
	 (char *)"4.6.1-3",
	 (char *)"amd64",
	 (char *)"pool/main/c/chrony/chrony_4.6.1-3_amd64.deb",
	 (char *)"debian",
	 309000,
	 {{0xc1}}},
	{(char *)"libstdc++6",
	 (char *)"14.2.0-19",
	 (char *)"amd64",
	 (char *)"pool/main/g/gcc-14/libstdc++6_14.2.0-19_amd64.deb",
	 (char *)"debian",
	 710000,
	 {{0xc2}}},
	{(char *)"tar",
	 (char *)"1:1.35+dfsg~rc1-3",
	 (char *)"amd64",
	 (char *)"pool/main/t/tar/tar_1.35+dfsg~rc1-3_amd64.deb",
	 (char *)"debian-security",
	 800000,
	 {{0xc3}}},
};
static struct mkv_lock_index fixture_indexes[] = {
	{(char *)"trixie",
	 (char *)"main",
	 {{0xd1}},
	 1763856000,
	 {{0xd2}},
	 54000000},
};
static size_t fixture_dut[] = {0, 1, 2}, fixture_postgres[] = {1};
static struct mkv_lock_set fixture_sets[] = {
	{.name = (char *)"image/dut", .packages = fixture_dut, .count = 3},
	{.name = (char *)"oci/postgres",
	 .packages = fixture_postgres,
	 .count = 1},
};
static struct mkv_lock_local fixture_locals[] = {
	{(char *)"overlay/common", {{0xe1}}},
};
static struct mkv_lock_external fixture_externals[] = {
	{(char *)"registry.invalid/tool:1",
	 (char *)"sha256:"
		 "f100000000000000000000000000000000000000000000000000000000000"
		 "000"},
};
static struct mkv_lock fixture_lock = {
	.recipe_sha256 = {{0xa1}},
	.epoch_s = 1763856000,
	.indexes = fixture_indexes,
	.n_indexes = 1,
	.packages = fixture_packages,
	.n_packages = 3,
	.sets = fixture_sets,
	.n_sets = 2,
	.locals = fixture_locals,
	.n_locals = 1,
	.externals = fixture_externals,
	.n_externals = 1,
};

#define FIXTURE_MANIFEST                                                       \
	"{\"contract\":{\"oci\":{\"postgres\":{\"manifest\":\"sha256:"         \
	"0b00000000000000000000000000000000000000000000000000000000000000"     \
	"\"}}}}"

static struct mkv_artifact fixture_artifacts[] = {
	{(char *)"dut/disk.raw", {{0xb1}}, 4096},
	{(char *)"dutch/disk.raw", {{0xb2}}, 4096},
	{(char *)"oci/index.json", {{0xb3}}, 100},
};
static mkv_unused const struct mkv_attest_inputs fixture_inputs = {
	.recipe = &fixture_recipe,
	.lock = &fixture_lock,
	.manifest = FIXTURE_MANIFEST,
	.manifest_size = sizeof(FIXTURE_MANIFEST) - 1,
	.artifacts = fixture_artifacts,
	.n_artifacts = 3,
};
