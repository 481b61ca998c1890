/* SPDX-License-Identifier: MIT */
/* Result bundles for tests, without machines.
 *
 *     bundle make KEY.pem DIR REQUESTS BLOCKS [trial] [unfinished] [series=N]
 *         a synthetic campaign of three arms with an invalid attempt in the
 *         first run; its appliances are made in DIR.appliances. One that is
 *         there already is resumed.
 *     bundle reseal KEY.pem DIR
 *         signs a changed bundle as its owner could: the journal's digests and
 *         chain, SHA256SUMS and all signatures
 *     bundle hold KEY.pem DIR
 *         opens the bundle, prints "held" and waits for the end of its input
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/checks.h"
#include "lib/dsse.h"
#include "tests/tools/bundle_data.h"

enum { RATE = 20 };
/* Below 2^53: jq keeps these times exactly. */
#define BEGAN_NS INT64_C(1000000000000000)

static struct mkv_error failure;
static int64_t now_ns = BEGAN_NS; /* of the synthetic campaign */

static void check(int rc)
{
	if (rc >= 0)
		return;
	(void)fprintf(stderr, "bundle: %s\n", failure.message);
	exit(mkv_exit_status(failure.kind));
}

static void need(const void *pointer)
{
	if (!pointer)
		check(mkv_oom(&failure));
}

static void read_whole(const char *directory, const char *name,
		       struct mkv_buf *ret)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	check(mkv_read_file(AT_FDCWD, path, 1 << 28, ret, &failure));
}

static void write_whole(const char *directory, const char *name,
			const void *data, size_t size)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	check(mkv_make_dirs(path, &failure));
	*slash = '/';
	check(mkv_place_file(path, 0644, data ? data : "", size, &failure));
}

static void write_json(const char *directory, const char *name, json_t *json)
{
	auto_buf struct mkv_buf text = {0};
	need(json);
	check(mkv_json_dump(json, &text, &failure));
	write_whole(directory, name, text.data, text.size);
	json_decref(json);
}

static void hex_of(const struct mkv_buf *bytes,
		   char ret[static MKV_SHA256_HEX_SIZE])
{
	struct mkv_sha256 sha256;
	check(mkv_sha256_bytes(bytes->data, bytes->size, &sha256, &failure));
	mkv_sha256_hex(&sha256, ret);
}

/* An appliance and what receipts and spans say of it. */
struct appliance {
	const char *name, *scenario;
	char directory[4096];
	char contract[MKV_SHA256_HEX_SIZE];
	struct mkv_contract *parsed;
};

static json_t *contract_json(const struct appliance *appliance,
			     const char *key_id)
{
	return json_pack(
		"{s:i, s:s, s:s, s:{s:s, s:s}, s:{s:s}, s:{s:{s:s, s:s, s:s}, "
		"s:{s:s, s:s, s:s}, s:{s:s, s:s, s:s}}, s:{s:{s:s, s:{s:s}, "
		"s:{s:s}}}}",
		"mkvbench_contract", 1, "name", appliance->name, "scenario",
		appliance->scenario, "key", "algorithm", "ed25519", "id",
		key_id, "verify", "mode", "gate", "hosts", "collector", "image",
		"dut", "role", "collector", "address", "10.77.0.1", "loadgen",
		"image", "dut", "role", "loadgen", "address", "10.77.0.2",
		"order", "image", "dut", "role", "order", "address",
		"10.77.0.11", "images", "dut", "platform", "metal", "cpu",
		"vendor", "AuthenticAMD", "settings", "governor",
		"performance");
}

/* Adds a file of an appliance to its sums. */
static void add_file(const struct appliance *appliance, struct mkv_sums *sums,
		     const char *name, const void *data, size_t size)
{
	struct mkv_sha256 sha256;
	write_whole(appliance->directory, name, data, size);
	check(mkv_sha256_bytes(data, size, &sha256, &failure));
	check(mkv_sums_add(sums, name, &sha256, &failure));
}

static json_t *artifact_json(const void *data, size_t size)
{
	const struct mkv_buf bytes = {.data = (char *)(uintptr_t)data,
				      .size = size};
	char hex[MKV_SHA256_HEX_SIZE];
	hex_of(&bytes, hex);
	return json_pack("{s:s, s:I}", "sha256", hex, "size", (json_int_t)size);
}

static void make_appliance(struct appliance *appliance,
			   const struct mkv_private_key *key)
{
	static const char disk[] = "a disk", recipe[] = "name: bare\n";
	auto_buf struct mkv_buf contract = {0}, manifest = {0}, bundle = {0};
	auto_buf struct mkv_buf pem = {0}, text = {0};
	auto_sums struct mkv_sums *sums = mkv_sums_new();
	uint8_t signature[MKV_SIGNATURE_SIZE];
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&mkv_private_key_public(key)->id, id);
	auto_json json_t *document = contract_json(appliance, id);
	need(sums);
	need(document);
	check(mkv_json_dump(document, &contract, &failure));
	hex_of(&contract, appliance->contract);
	check(mkv_contract_parse(contract.data, contract.size,
				 &appliance->parsed, &failure));
	auto_json json_t *root = json_pack(
		"{s:i, s:O, s:{s:o, s:o}, s:{s:s, s:s}}", "mkvbench_manifest",
		1, "contract", document, "artifacts", "dut/disk.raw",
		artifact_json(disk, strlen(disk)), "recipe.yaml",
		artifact_json(recipe, strlen(recipe)), "tool", "name",
		"mkvbench", "version", MKV_VERSION);
	need(root);
	check(mkv_json_dump(root, &manifest, &failure));
	check(mkv_contract_bundle(key, contract.data, contract.size, &bundle,
				  &failure));
	mkv_public_key_pem(mkv_private_key_public(key), &pem);
	add_file(appliance, sums, "manifest.json", manifest.data,
		 manifest.size);
	add_file(appliance, sums, "attestations/contract.sigstore.json",
		 bundle.data, bundle.size);
	add_file(appliance, sums, "attestations/key.pub", pem.data, pem.size);
	add_file(appliance, sums, "dut/disk.raw", disk, strlen(disk));
	add_file(appliance, sums, "recipe.yaml", recipe, strlen(recipe));
	check(mkv_sums_print(sums, &text, &failure));
	check(mkv_private_key_sign(key, text.data, text.size, signature,
				   &failure));
	write_whole(appliance->directory, "SHA256SUMS", text.data, text.size);
	write_whole(appliance->directory, "SHA256SUMS.sig", signature,
		    sizeof(signature));
}

struct campaign {
	const struct mkv_private_key *key;
	const char *path;
	uint64_t warm_up, measured;
	unsigned blocks;
	unsigned series; /* of Prometheus */
	bool is_trial;
	struct appliance appliances[2];
	struct mkv_buf plan, plan_bundle;
	char plan_sha256[MKV_SHA256_HEX_SIZE];
	struct mkv_bundle *bundle;
};

static json_t *arm_json(const struct appliance *appliance, bool baseline,
			const char *same_as)
{
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:s, s:{}}", "appliance",
			 appliance->name, "scenario", appliance->scenario,
			 "contract_sha256", appliance->contract, "baseline",
			 baseline, "same_as",
			 same_as ? json_string(same_as) : json_null(),
			 "tracing", "otlp", "settings");
}

static json_t *runs_json(const struct campaign *campaign)
{
	static const char *const arms[] = {"base", "base-again", "dock"};
	json_t *runs = json_array();
	for (unsigned block = 1; block <= campaign->blocks; block++)
		for (unsigned slot = 1; slot <= 3; slot++) {
			const char *arm = arms[(block + slot) % 3];
			json_array_append_new(
				runs,
				json_pack("{s:o, s:i, s:i, s:s, s:i}", "id",
					  json_sprintf("%02u-%u-%s", block,
						       slot, arm),
					  "block", (int)block, "slot",
					  (int)slot, "arm", arm, "seed",
					  (int)(100 * block + slot)));
		}
	return runs;
}

static const char campaign_text[] = "mkvbench-campaign: 1\nname: synthetic\n";

static void make_plan(struct campaign *campaign)
{
	auto_buf struct mkv_buf statement = {0};
	char id[MKV_SHA256_HEX_SIZE], hex[MKV_SHA256_HEX_SIZE];
	struct mkv_sha256 sha256;
	const struct mkv_buf text = {.data = (char *)(uintptr_t)campaign_text,
				     .size = strlen(campaign_text)};
	hex_of(&text, hex);
	mkv_sha256_hex(&mkv_private_key_public(campaign->key)->id, id);
	auto_json json_t *plan = json_pack(
		"{s:i, s:s, s:i, s:s, s:s, s:s, s:b, s:s, s:s, s:{s:o, s:o, "
		"s:o}, s:{s:i, s:s, s:i, s:I, s:I, s:I}, s:{s:i, s:s, s:i}, "
		"s:{s:s, s:s}, s:I, s:o}",
		"mkvbench_plan", 1, "name", "synthetic", "seed", 20231130,
		"campaign_sha256", hex, "tool_version", MKV_VERSION, "key_id",
		id, "trial", campaign->is_trial, "scale",
		campaign->is_trial ? "0.002" : "1", "boot", "each-run", "arms",
		"base", arm_json(&campaign->appliances[0], true, NULL),
		"base-again", arm_json(&campaign->appliances[0], false, "base"),
		"dock", arm_json(&campaign->appliances[1], false, NULL), "load",
		"rate", RATE, "arrivals", "constant", "connections", 64,
		"warm_up", (json_int_t)campaign->warm_up, "measured",
		(json_int_t)campaign->measured, "timeout_ns",
		(json_int_t)30000000000, "limits", "lateness_ns", 1000000,
		"rate", "0.001", "attempts", 2, "analysis", "delta", "0.05",
		"alpha", "0.05", "scrape_interval_ns", (json_int_t)5000000000,
		"runs", runs_json(campaign));
	need(plan);
	check(mkv_json_dump_compact(plan, &campaign->plan, &failure));
	mkv_buf_char(&campaign->plan, '\n');
	hex_of(&campaign->plan, campaign->plan_sha256);
	check(mkv_sha256_bytes(campaign->plan.data, campaign->plan.size,
			       &sha256, &failure));
	check(mkv_statement_print(
		json_pack("[o]", mkv_statement_subject("plan.json", &sha256)),
		MKV_PLAN_TYPE, json_incref(plan), &statement, &failure));
	check(mkv_dsse_sign(campaign->key, statement.data, statement.size,
			    &campaign->plan_bundle, &failure));
}

static json_t *checks_json(const struct mkv_check_scope *scope, bool is_watch)
{
	json_t *checks = json_array();
	for (const struct mkv_check_promise *c = mkv_check_promises; c->name;
	     c++) {
		const char *result = mkv_check_is_promised(c, scope)
					     ? "pass"
					     : "not-promised";
		if (is_watch && !c->watched)
			continue;
		json_array_append_new(
			checks,
			json_pack("{s:s, s:s, s:s, s:[{s:s, s:s, s:s}]}",
				  "name", c->name, "why", "w", "result", result,
				  "findings", "what", "a", "result", result,
				  "source", "s"));
	}
	return checks;
}

/* A receipt of a host that passes. */
static json_t *receipt_json(const struct appliance *appliance, const char *name,
			    const char *boot, const char *phase)
{
	const struct mkv_contract_host *host =
		mkv_contract_find_host(appliance->parsed, name);
	const struct mkv_check_scope scope = {
		.contract = appliance->parsed,
		.host = host,
		.image = mkv_contract_find_image(appliance->parsed,
						 host->image)};
	return json_pack(
		"{s:i, s:s, s:s, s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s, s:s}, "
		"s:{s:s}, s:o, s:{}, s:b, s:s}",
		"mkvbench_receipt", 1, "verifier", MKV_VERSION, "phase", phase,
		"result", "pass", "verdict", "pass", "contract", "sha256",
		appliance->contract, "signature", "verified", "host", "name",
		name, "role", host->role, "image", host->image, "machine",
		"boot_id", boot, "checks",
		checks_json(&scope, strcmp(phase, "watch") == 0), "evidence",
		"signed", 0, "unsigned_because", "no TPM");
}

static const char *const hosts[] = {"collector", "loadgen", "order", NULL};

struct run_boots {
	char text[3][37];
	const char *ids[4];
};

static void make_boots(struct run_boots *boots, struct mkv_random *random)
{
	for (int i = 0; i < 3; i++) {
		uint8_t bytes[16];
		uint64_t words[2] = {mkv_random_next(random),
				     mkv_random_next(random)};
		memcpy(bytes, words, 16);
		mkv_uuid_text(bytes, boots->text[i]);
		boots->ids[i] = boots->text[i];
	}
	boots->ids[3] = NULL;
}

static json_t *summary_json(const struct data_run *data)
{
	return json_pack(
		"{s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:i, s:b, s:{s:i, s:i, "
		"s:i}, s:{s:I, s:I, s:i}, s:I, s:I, s:I}",
		"sent", (json_int_t)data->requests, "answered",
		(json_int_t)data->requests, "refused", (json_int_t)0, "lost",
		(json_int_t)0, "arrivals", "constant", "rate_asked", "20",
		"rate_achieved", "19.999", "blocked", 0, "interrupted", 0,
		"late_ns", "p50", 20000, "p99", 31000, "max", 40000, "spans",
		"ended", (json_int_t)data->requests, "exported",
		(json_int_t)data->requests, "dropped", 0, "began_realtime_ns",
		(json_int_t)data->began_ns, "measured_began_realtime_ns",
		(json_int_t)(data->began_ns +
			     (int64_t)data->warm_up * MKV_NS_PER_S / RATE),
		"ended_realtime_ns", (json_int_t)data->ended_ns);
}

static json_t *phases_json(const struct data_run *data)
{
	int64_t measured =
		data->began_ns + (int64_t)data->warm_up * MKV_NS_PER_S / RATE;
	return json_pack("[{s:s, s:I, s:I}, {s:s, s:I, s:I}, {s:s, s:I, s:I}, "
			 "{s:s, s:I, s:I}]",
			 "name", "prepare", "start_ns",
			 (json_int_t)(data->began_ns - 9000000000), "end_ns",
			 (json_int_t)data->began_ns, "name", "warm-up",
			 "start_ns", (json_int_t)data->began_ns, "end_ns",
			 (json_int_t)measured, "name", "measured", "start_ns",
			 (json_int_t)measured, "end_ns",
			 (json_int_t)data->ended_ns, "name", "drain",
			 "start_ns", (json_int_t)data->ended_ns, "end_ns",
			 (json_int_t)(data->ended_ns + 2000000000));
}

static json_t *boots_json(const struct run_boots *boots)
{
	return json_pack("{s:s, s:s, s:s}", hosts[0], boots->ids[0], hosts[1],
			 boots->ids[1], hosts[2], boots->ids[2]);
}

static void write_zst(const char *directory, const char *name,
		      const struct mkv_buf *data)
{
	auto_buf struct mkv_buf packed = {0};
	check(mkv_zstd_encode(data->data ? data->data : "", data->size, 3,
			      &packed, &failure));
	write_whole(directory, name, packed.data, packed.size);
}

static void write_receipts(const char *directory,
			   const struct appliance *appliance,
			   const struct run_boots *boots)
{
	static const char *const sides[] = {"before", "after"};
	static const char *const phases[][2] = {
		{"receipt.json", "boot"},
		{"receipt-after-start.json", "after-start"},
		{"receipt-watch.json", "watch"}};
	for (int h = 0; h < 3; h++)
		for (int s = 0; s < 2; s++)
			for (int p = 0; p < 3; p++) {
				char name[128];
				(void)snprintf(name, sizeof(name),
					       "receipts/%s/%s/%s", hosts[h],
					       sides[s], phases[p][0]);
				write_json(directory, name,
					   receipt_json(appliance, hosts[h],
							boots->ids[h],
							phases[p][1]));
			}
}

/* The files of the directory with their digests, as a conductor lists them. */
static void adopt(struct campaign *campaign, const char *directory,
		  const struct mkv_plan_run *run, unsigned attempt)
{
	auto_strings struct mkv_strings paths = {0};
	struct mkv_bundle_file files[64];
	check(mkv_bundle_list(AT_FDCWD, directory, NULL, &paths, &failure));
	for (size_t i = 0; i < paths.count; i++) {
		char path[4096];
		(void)snprintf(path, sizeof(path), "%s/%s", directory,
			       paths.items[i]);
		auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
		files[i].name = paths.items[i];
		check(mkv_sha256_fd(fd, &files[i].sha256, &files[i].size_bytes,
				    &failure));
	}
	check(mkv_bundle_adopt_run(campaign->bundle, run->id, attempt, files,
				   paths.count, now_ns, &failure));
}

static void make_files(struct campaign *campaign,
		       const struct mkv_plan_run *run, unsigned attempt,
		       bool valid, const char *directory)
{
	const struct mkv_plan_arm *arm =
		&campaign->bundle->plan->arms[run->arm];
	const struct appliance *appliance =
		&campaign->appliances[strcmp(arm->appliance, "dock") == 0];
	struct run_boots boots;
	struct data_run data = {
		.contract = appliance->contract,
		.scenario = appliance->scenario,
		.hosts = hosts,
		.boots = boots.ids,
		.requests = campaign->warm_up + campaign->measured,
		.warm_up = campaign->warm_up,
		.rate = RATE,
		.began_ns = now_ns + 10000000000,
	};
	mkv_random_seed(&data.random, (uint64_t)run->seed * 10 + attempt);
	make_boots(&boots, &data.random);
	data_requests(&data);
	data_metrics(&data, campaign->series);
	for (int h = 0; h < 3; h++)
		check(mkv_bundle_add_boot(campaign->bundle, hosts[h],
					  boots.ids[h], appliance->contract,
					  now_ns, &failure));
	write_whole(directory, "load.csv", data.csv.data, data.csv.size);
	write_json(directory, "load-summary.json", summary_json(&data));
	write_zst(directory, "traces.pb.zst", &data.traces);
	write_zst(directory, "metrics.json.zst", &data.metrics);
	write_receipts(directory, appliance, &boots);
	write_whole(directory, "logs/collector/conductor.log", "ready\n", 6);
	write_json(
		directory, "run.json",
		json_pack("{s:i, s:s, s:I, s:s, s:I, s:I, s:s, s:s, s:o, s:o, "
			  "s:o, s:{s:I, s:I, s:i, s:i}, s:b, s:o, s:s}",
			  "mkvbench_run", 1, "run", run->id, "attempt",
			  (json_int_t)attempt, "arm", arm->name, "block",
			  (json_int_t)run->block, "slot", (json_int_t)run->slot,
			  "plan_sha256", campaign->plan_sha256,
			  "contract_sha256", appliance->contract, "boots",
			  boots_json(&boots), "phases", phases_json(&data),
			  "load", summary_json(&data), "spans", "expected",
			  (json_int_t)data.spans, "received",
			  (json_int_t)data.spans, "dropped", 0, "drain_ns",
			  2000000000, "valid", valid, "reasons",
			  valid ? json_array() : json_pack("[s]", "late"),
			  "tool_version", MKV_VERSION));
	now_ns = data.ended_ns + 5000000000;
	mkv_buf_done(&data.csv);
	mkv_buf_done(&data.traces);
	mkv_buf_done(&data.metrics);
}

static void make_attempt(struct campaign *campaign,
			 const struct mkv_plan_run *run, unsigned attempt,
			 bool valid)
{
	static const char *const steps[] = {"prepare", "load", "finish",
					    "abort"};
	auto_free char *directory = NULL;
	uint64_t sequence = 0;
	check(mkv_bundle_begin_run(campaign->bundle, run->id, attempt,
				   &directory, &failure));
	make_files(campaign, run, attempt, valid, directory);
	for (size_t i = 0; i < 4; i++)
		check(mkv_bundle_next_sequence(campaign->bundle, now_ns,
					       run->id, attempt, steps[i],
					       &sequence, &failure));
	adopt(campaign, directory, run, attempt);
}

static struct mkv_bundle_inputs inputs_of(const struct campaign *campaign)
{
	return (struct mkv_bundle_inputs){
		.plan = campaign->plan.data,
		.plan_size = campaign->plan.size,
		.plan_bundle = campaign->plan_bundle.data,
		.plan_bundle_size = campaign->plan_bundle.size,
		.campaign = campaign_text,
		.campaign_size = strlen(campaign_text),
		.key = mkv_private_key_public(campaign->key),
	};
}

/* The next attempt of a run, or the one that an interrupted make left. */
static unsigned next_attempt(const struct campaign *campaign, const char *run)
{
	struct mkv_bundle_run state;
	mkv_bundle_find_run(campaign->bundle, run, &state);
	return state.valid	  ? 0
	       : state.is_pending ? state.attempts
				  : state.attempts + 1;
}

static void open_bundle(struct campaign *campaign)
{
	const struct mkv_bundle_inputs inputs = inputs_of(campaign);
	int rc = mkv_bundle_open(campaign->path, &inputs, now_ns,
				 &campaign->bundle, &failure);
	if (rc == -ENOENT)
		rc = mkv_bundle_create(campaign->path, &inputs, now_ns,
				       &campaign->bundle, &failure);
	check(rc);
}

static void make_bundle(struct campaign *campaign, bool finish)
{
	open_bundle(campaign);
	for (int i = 0; i < 2; i++)
		check(mkv_bundle_add_appliance(
			campaign->bundle, campaign->appliances[i].name,
			campaign->appliances[i].directory, &failure));
	const struct mkv_plan *plan = campaign->bundle->plan;
	for (size_t i = 0; i < plan->n_runs; i++)
		for (unsigned n;
		     (n = next_attempt(campaign, plan->runs[i].id)) > 0;)
			make_attempt(campaign, &plan->runs[i], n,
				     i > 0 || n > 1);
	if (finish)
		check(mkv_bundle_finish(campaign->bundle, campaign->key, now_ns,
					&failure));
	mkv_bundle_free(campaign->bundle);
}

static int make(int argc, char **argv, const struct mkv_private_key *key)
{
	uint64_t requests = strtoull(argv[0], NULL, 10);
	bool finish = true;
	struct campaign campaign = {
		.key = key,
		.path = argv[-1],
		.warm_up = requests / 3,
		.measured = requests - requests / 3,
		.blocks = (unsigned)strtoul(argv[1], NULL, 10),
		.series = 60,
		.appliances = {{.name = "bare", .scenario = "bare-metal"},
			       {.name = "dock", .scenario = "docker"}},
	};
	for (int i = 2; i < argc; i++) {
		campaign.is_trial |= strcmp(argv[i], "trial") == 0;
		finish &= strcmp(argv[i], "unfinished") != 0;
		if (strncmp(argv[i], "series=", 7) == 0)
			campaign.series =
				(unsigned)strtoul(argv[i] + 7, NULL, 10);
	}
	for (int i = 0; i < 2; i++) {
		struct appliance *appliance = &campaign.appliances[i];
		(void)snprintf(appliance->directory,
			       sizeof(appliance->directory), "%s.appliances/%s",
			       argv[-1], appliance->name);
		make_appliance(appliance, key);
	}
	make_plan(&campaign);
	make_bundle(&campaign, finish);
	for (int i = 0; i < 2; i++)
		mkv_contract_free(campaign.appliances[i].parsed);
	mkv_buf_done(&campaign.plan);
	mkv_buf_done(&campaign.plan_bundle);
	return 0;
}

static json_t *file_digest(const char *directory, const char *name)
{
	char path[4096], hex[MKV_SHA256_HEX_SIZE];
	struct mkv_sha256 sha256;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || mkv_sha256_fd(fd, &sha256, NULL, &failure) < 0)
		return NULL;
	mkv_sha256_hex(&sha256, hex);
	return json_string(hex);
}

/* The digests of an event `attempt` follow the files that it names. */
static void refresh_attempt(const char *directory, json_t *line)
{
	const char *run = json_string_value(json_object_get(line, "run"));
	json_int_t attempt =
		json_integer_value(json_object_get(line, "attempt"));
	json_t *files = json_object_get(line, "files"), *value;
	char path[4096];
	const char *name;
	void *next;
	(void)snprintf(path, sizeof(path), "%s/runs/%s.attempt-%d", directory,
		       run, (int)attempt);
	if (json_is_true(json_object_get(line, "valid")))
		(void)snprintf(path, sizeof(path), "%s/runs/%s", directory,
			       run);
	json_object_foreach_safe(files, next, name, value)
	{
		json_t *digest = file_digest(path, name);
		if (digest && strcmp(name, "run.json") == 0)
			json_object_set(line, "sha256", digest);
		if (digest)
			json_object_set_new(files, name, digest);
	}
}

static void reseal_journal(const char *directory)
{
	auto_buf struct mkv_buf text = {0}, out = {0};
	char hex[MKV_SHA256_HEX_SIZE];
	json_int_t n = 0;
	memset(hex, '0', 64);
	hex[64] = '\0';
	read_whole(directory, MKV_JOURNAL_NAME, &text);
	for (char *at = text.data; *at; n++) {
		char *stop = strchr(at, '\n');
		auto_buf struct mkv_buf printed = {0};
		auto_json json_t *line = NULL;
		check(mkv_json_load(at, (size_t)(stop - at), &line, &failure));
		if (json_object_get(line, "files"))
			refresh_attempt(directory, line);
		json_object_set_new(line, "n", json_integer(n));
		json_object_set_new(line, "previous", json_string(hex));
		check(mkv_json_dump_compact(line, &printed, &failure));
		hex_of(&printed, hex);
		mkv_buf_add(&out, printed.data, printed.size);
		mkv_buf_char(&out, '\n');
		at = stop + 1;
	}
	write_whole(directory, MKV_JOURNAL_NAME, out.data, out.size);
}

/* Signs the predicate of a bundle again with another digest of its subject. */
static void resign(const char *directory, const char *name,
		   const struct mkv_private_key *key, const char *subject,
		   const char *type, const struct mkv_buf *about)
{
	auto_buf struct mkv_buf bundle = {0}, payload = {0}, statement = {0};
	auto_buf struct mkv_buf out = {0};
	auto_json json_t *root = NULL;
	struct mkv_sha256 sha256;
	read_whole(directory, name, &bundle);
	check(mkv_dsse_verify(bundle.data, bundle.size,
			      mkv_private_key_public(key), MKV_DSSE_IN_TOTO,
			      &payload, &failure));
	check(mkv_json_load(payload.data, payload.size, &root, &failure));
	check(mkv_sha256_bytes(about->data, about->size, &sha256, &failure));
	json_t *predicate = json_object_get(root, "predicate");
	char path[4096];
	auto_buf struct mkv_buf other = {0};
	auto_json json_t *replaced = NULL;
	/* A test may give another predicate. */
	(void)snprintf(path, sizeof(path), "%s.predicate", directory);
	if (strcmp(subject, "SHA256SUMS") == 0 &&
	    mkv_read_file(AT_FDCWD, path, 1 << 20, &other, &failure) >= 0) {
		check(mkv_json_load(other.data, other.size, &replaced,
				    &failure));
		predicate = replaced;
	}
	if (strcmp(subject, "plan.json") == 0) {
		check(mkv_json_load(about->data, about->size, &replaced,
				    &failure));
		predicate = replaced;
	}
	check(mkv_statement_print(
		json_pack("[o]", mkv_statement_subject(subject, &sha256)), type,
		json_incref(predicate), &statement, &failure));
	check(mkv_dsse_sign(key, statement.data, statement.size, &out,
			    &failure));
	write_whole(directory, name, out.data, out.size);
}

static int reseal(const char *directory, const struct mkv_private_key *key)
{
	static const char *const skip[] = {"SHA256SUMS", "SHA256SUMS.sig",
					   "analysis", NULL};
	auto_strings struct mkv_strings paths = {0};
	auto_sums struct mkv_sums *sums = mkv_sums_new();
	auto_buf struct mkv_buf text = {0}, plan = {0};
	uint8_t signature[MKV_SIGNATURE_SIZE];
	need(sums);
	reseal_journal(directory);
	read_whole(directory, "plan.json", &plan);
	resign(directory, "plan.sigstore.json", key, "plan.json", MKV_PLAN_TYPE,
	       &plan);
	check(mkv_bundle_list(AT_FDCWD, directory, skip, &paths, &failure));
	for (size_t i = 0; i < paths.count; i++) {
		struct mkv_sha256 sha256;
		auto_json json_t *digest =
			file_digest(directory, paths.items[i]);
		if (strcmp(paths.items[i], MKV_BUNDLE_RESULT) == 0)
			continue;
		need(digest);
		check(mkv_sha256_parse(json_string_value(digest), &sha256));
		check(mkv_sums_add(sums, paths.items[i], &sha256, &failure));
	}
	check(mkv_sums_print(sums, &text, &failure));
	check(mkv_private_key_sign(key, text.data, text.size, signature,
				   &failure));
	write_whole(directory, "SHA256SUMS", text.data, text.size);
	write_whole(directory, "SHA256SUMS.sig", signature, sizeof(signature));
	resign(directory, MKV_BUNDLE_RESULT, key, "SHA256SUMS",
	       MKV_PREDICATE_RESULT, &text);
	return 0;
}

static int hold(const char *directory, const struct mkv_private_key *key)
{
	auto_buf struct mkv_buf plan = {0}, signed_ = {0};
	auto_bundle struct mkv_bundle *bundle = NULL;
	read_whole(directory, "plan.json", &plan);
	read_whole(directory, "plan.sigstore.json", &signed_);
	const struct mkv_bundle_inputs inputs = {
		.plan = plan.data,
		.plan_size = plan.size,
		.plan_bundle = signed_.data,
		.plan_bundle_size = signed_.size,
		.campaign = "",
		.key = mkv_private_key_public(key),
	};
	size_t count = 0;
	check(mkv_bundle_open(directory, &inputs, BEGAN_NS, &bundle, &failure));
	const char *const *repairs = mkv_bundle_repairs(bundle, &count);
	for (size_t i = 0; i < count; i++)
		(void)printf("%s\n", repairs[i]);
	(void)printf("held\n");
	(void)fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}

int main(int argc, char **argv)
{
	auto_private_key struct mkv_private_key *key = NULL;
	if (argc < 4)
		return 2;
	check(mkv_private_key_load(argv[2], &key, &failure));
	if (strcmp(argv[1], "make") == 0 && argc >= 6)
		return make(argc - 4, argv + 4, key);
	if (strcmp(argv[1], "reseal") == 0)
		return reseal(argv[3], key);
	return strcmp(argv[1], "hold") == 0 ? hold(argv[3], key) : 2;
}
