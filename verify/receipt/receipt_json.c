/* SPDX-License-Identifier: MIT */
#include "verify/receipt/receipt.h"

#include <math.h>
#include <string.h>

#include "verify/probe/domains.h"
#include "verify/probe/proc.h"

static void put_text(json_t *object, const char *key, const char *text)
{
	if (!text)
		return;
	auto_free char *copy = mkv_receipt_clean(text);
	if (copy)
		(void)json_object_set_new(object, key, json_string(copy));
}

static json_t *finding_json(const struct mkv_finding *finding)
{
	json_t *json = json_object();
	put_text(json, "what", finding->what);
	put_text(json, "result", mkv_result_name(finding->result));
	put_text(json, "expected", finding->expected);
	put_text(json, "observed", finding->observed);
	put_text(json, "source", finding->source);
	return json;
}

static json_t *row_json(const struct mkv_receipt_row *row)
{
	json_t *json = json_object(), *findings = json_array();
	put_text(json, "name", row->check->name);
	put_text(json, "why", row->check->why);
	put_text(json, "result", mkv_result_name(row->result));
	put_text(json, "accepted", row->accepted);
	(void)json_object_set_new(json, "took_s", json_real(row->took_s));
	for (size_t i = 0; i < row->answer.count; i++)
		(void)json_array_append_new(
			findings, finding_json(&row->answer.items[i]));
	(void)json_object_set_new(json, "findings", findings);
	return json;
}

static void put_time(json_t *object, const char *key, int64_t seconds)
{
	if (seconds >= 0)
		(void)json_object_set_new(object, key, json_integer(seconds));
}

static json_t *machine_json(const struct mkv_receipt *receipt)
{
	static const char *const dmi[] = {
		"sys_vendor",  "product_name", "product_version", "board_name",
		"bios_vendor", "bios_version", "bios_date",
	};
	json_t *json = json_object(), *names = json_object();
	for (size_t i = 0; i < sizeof(dmi) / sizeof(dmi[0]); i++) {
		auto_free char *text = mkv_env_read(
			receipt->env, "/sys/class/dmi/id/%s", dmi[i]);
		put_text(names, dmi[i], text);
	}
	(void)json_object_set_new(json, "dmi", names);
	put_text(json, "boot_id", receipt->boot_id);
	/* The hypervisor's UUID of this guest correlates both receipts. */
	auto_free char *uuid =
		mkv_env_read(receipt->env, "/sys/class/dmi/id/product_uuid");
	put_text(json, "product_uuid", uuid);
	put_time(json, "booted", mkv_proc_booted_s(receipt->env));
	auto_free char *release =
		mkv_env_read(receipt->env, "/proc/sys/kernel/osrelease");
	put_text(json, "kernel", release);
	auto_free char *microcode = mkv_env_read(
		receipt->env, "/sys/devices/system/cpu/cpu0/microcode/version");
	put_text(json, "microcode", microcode);
	return json;
}

static json_t *contract_json(const struct mkv_receipt *receipt)
{
	static const char *const trust[] = {"verified", "unchecked", "broken"};
	const struct mkv_contract *contract = receipt->env->contract;
	json_t *json = json_object();
	if (receipt->trusted->sha256[0])
		put_text(json, "sha256", receipt->trusted->sha256);
	put_text(json, "signature", trust[receipt->trusted->trust]);
	if (!contract)
		return json;
	put_text(json, "name", contract->name);
	put_text(json, "scenario", contract->scenario);
	put_text(json, "mode", contract->is_gate ? "gate" : "warn");
	return json;
}

static json_t *host_json(const struct mkv_receipt *receipt)
{
	const struct mkv_contract_host *host = receipt->env->host;
	const struct mkv_contract_image *image = receipt->env->image;
	json_t *json = json_object();
	put_text(json, "name", receipt->host);
	if (host)
		put_text(json, "role", host->role);
	if (image) {
		char hex[MKV_SHA256_HEX_SIZE];
		put_text(json, "image", image->name);
		put_text(json, "platform",
			 mkv_contract_platform_name(image->platform));
		/* Covers every path, mode and byte of the root file system. */
		mkv_sha256_hex(&image->files.sha256, hex);
		if (image->files.list)
			put_text(json, "files_sha256", hex);
	}
	return json;
}

/* Each guest of the contract that runs on this machine, with the UUID that is
 * in its own receipt and the digest of its live definition. */
static json_t *guests_json(const struct mkv_receipt *receipt)
{
	const struct mkv_env *env = receipt->env;
	auto_domains struct mkv_domains domains = {0};
	json_t *array = json_array();
	mkv_domains_read(env, &domains);
	for (size_t i = 0; i < env->host->guests.count; i++) {
		const struct mkv_contract_host *guest = mkv_contract_find_host(
			env->contract, env->host->guests.items[i]);
		const struct mkv_domain *domain =
			guest && guest->hypervisor.promised
				? mkv_domains_find(&domains,
						   guest->hypervisor.uuid)
				: NULL;
		if (!domain || !mkv_domain_is_process(env, domain))
			continue;
		char hex[MKV_SHA256_HEX_SIZE];
		json_t *json = json_object();
		mkv_sha256_hex(&domain->sha256, hex);
		put_text(json, "host", guest->name);
		put_text(json, "domain", domain->name);
		put_text(json, "uuid", domain->uuid);
		put_text(json, "state",
			 mkv_xml_attribute(domain->status, "", "state"));
		put_text(json, "definition_sha256", hex);
		put_time(json, "started", mkv_proc_started_s(env, domain->pid));
		(void)json_array_append_new(array, json);
	}
	return array;
}

static json_t *figures_json(const struct mkv_figures *figures)
{
	const struct {
		const char *name;
		double value;
	} rows[] = {
		{"clock_offset_s", figures->clock_offset_s},
		{"clock_bound_s", figures->clock_bound_s},
		{"sntp_offset_s", figures->sntp_offset_s},
		{"sntp_delay_s", figures->sntp_delay_s},
	};
	json_t *json = json_object();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (isfinite(rows[i].value))
			(void)json_object_set_new(json, rows[i].name,
						  json_real(rows[i].value));
	return json;
}

/* A file is left out when its digest can't be computed. */
static json_t *evidence_json(const struct mkv_receipt *receipt)
{
	json_t *json = json_object();
	for (enum mkv_evidence i = 0; i < MKV_EVIDENCE_KINDS; i++) {
		const struct mkv_buf *text = &receipt->evidence[i];
		struct mkv_sha256 sha256;
		struct mkv_error err;
		char hex[MKV_SHA256_HEX_SIZE];
		auto_free char *name =
			mkv_evidence_name(i, receipt->env->phase);
		if (text->size == 0 || !name ||
		    mkv_sha256_bytes(text->data, text->size, &sha256, &err) < 0)
			continue;
		mkv_sha256_hex(&sha256, hex);
		put_text(json, name, hex);
	}
	return json;
}

static const char *phase_name(enum mkv_phase phase)
{
	return phase == MKV_PHASE_BOOT		? "boot"
	       : phase == MKV_PHASE_AFTER_START ? "after-start"
						: "watch";
}

int mkv_receipt_json(const struct mkv_receipt *receipt, struct mkv_buf *into,
		     struct mkv_error *err)
{
	auto_json json_t *json = json_object();
	json_t *checks = json_array();
	(void)json_object_set_new(json, "mkvbench_receipt", json_integer(1));
	put_text(json, "verifier", MKV_VERSION);
	put_text(json, "phase", phase_name(receipt->env->phase));
	put_text(json, "result", mkv_receipt_word(receipt));
	put_text(json, "verdict", mkv_result_name(receipt->result));
	(void)json_object_set_new(json, "contract", contract_json(receipt));
	(void)json_object_set_new(json, "host", host_json(receipt));
	(void)json_object_set_new(json, "machine", machine_json(receipt));
	if (receipt->env->host && receipt->env->host->guests.count)
		(void)json_object_set_new(json, "guests", guests_json(receipt));
	(void)json_object_set_new(json, "figures",
				  figures_json(&receipt->figures));
	for (size_t i = 0; i < receipt->count; i++)
		(void)json_array_append_new(checks,
					    row_json(&receipt->rows[i]));
	(void)json_object_set_new(json, "checks", checks);
	(void)json_object_set_new(json, "evidence", evidence_json(receipt));
	(void)json_object_set_new(json, "started",
				  json_integer(receipt->started_s));
	(void)json_object_set_new(json, "took_s", json_real(receipt->took_s));
	(void)json_object_set_new(json, "signed",
				  json_boolean(receipt->is_signed));
	if (!receipt->is_signed)
		put_text(json, "unsigned_because", receipt->unsigned_because);
	return json ? mkv_json_dump(json, into, err) : mkv_oom(err);
}

static json_t *descriptor_json(const char *name, const char *hex)
{
	json_t *json = json_object(), *digest = json_object();
	put_text(digest, "sha256", hex);
	put_text(json, "name", name);
	(void)json_object_set_new(json, "digest", digest);
	return json;
}

/* The names of the promised checks that have passed, that were accepted, or
 * neither. */
static json_t *test_names_json(const struct mkv_receipt *receipt, bool passed,
			       bool warned)
{
	json_t *names = json_array();
	for (size_t i = 0; i < receipt->count; i++) {
		const struct mkv_receipt_row *row = &receipt->rows[i];
		bool pass = row->result == MKV_PASS;
		bool warn = row->result == MKV_NOT_ESTABLISHED && row->accepted;
		if (row->result != MKV_NOT_PROMISED && pass == passed &&
		    warn == warned)
			(void)json_array_append_new(
				names, json_string(row->check->name));
	}
	return names;
}

int mkv_receipt_statement(const struct mkv_receipt *receipt,
			  const struct mkv_buf *json, struct mkv_buf *into,
			  struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_sha256_bytes(json->data, json->size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	auto_json json_t *root = json_object();
	json_t *subjects = json_array(), *predicate = json_object();
	json_t *configuration = json_array();
	(void)json_array_append_new(subjects,
				    descriptor_json("receipt.json", hex));
	if (receipt->trusted->sha256[0]) {
		(void)json_array_append_new(
			subjects, descriptor_json("contract.json",
						  receipt->trusted->sha256));
		(void)json_array_append_new(
			configuration,
			descriptor_json("contract.json",
					receipt->trusted->sha256));
	}
	put_text(predicate, "result",
		 receipt->result == MKV_PASS	   ? "PASSED"
		 : mkv_receipt_lets_start(receipt) ? "WARNED"
						   : "FAILED");
	(void)json_object_set_new(predicate, "configuration", configuration);
	(void)json_object_set_new(predicate, "passedTests",
				  test_names_json(receipt, true, false));
	(void)json_object_set_new(predicate, "warnedTests",
				  test_names_json(receipt, false, true));
	(void)json_object_set_new(predicate, "failedTests",
				  test_names_json(receipt, false, false));
	put_text(root, "_type", "https://in-toto.io/Statement/v1");
	put_text(root, "predicateType",
		 "https://in-toto.io/attestation/test-result/v0.1");
	(void)json_object_set_new(root, "subject", subjects);
	(void)json_object_set_new(root, "predicate", predicate);
	return root ? mkv_json_dump(root, into, err) : mkv_oom(err);
}
