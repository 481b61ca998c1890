/* SPDX-License-Identifier: MIT */
#include "verify/receipt.h"

#include <math.h>
#include <string.h>
#include <time.h>

void mkv_receipt_done(struct mkv_receipt *receipt)
{
	for (size_t i = 0; i < receipt->count; i++)
		mkv_answer_done(&receipt->rows[i].answer);
	free(receipt->rows);
	free(receipt->boot_id);
	*receipt = (struct mkv_receipt){0};
}

static const char *accepted_reason(const struct mkv_contract *contract,
				   const char *check)
{
	for (size_t i = 0; contract && i < contract->n_accept; i++)
		if (strcmp(contract->accept[i].check, check) == 0)
			return contract->accept[i].reason;
	return NULL;
}

/* The contract's own check can't be excused. */
static void judge_row(const struct mkv_env *env, struct mkv_receipt_row *row)
{
	row->result = mkv_answer_result(&row->answer);
	if (row->result == MKV_NOT_ESTABLISHED &&
	    env->trust == MKV_TRUST_VERIFIED)
		row->accepted = accepted_reason(env->contract, row->check->name);
}

static enum mkv_result judge(const struct mkv_receipt *receipt)
{
	enum mkv_result worst = MKV_NOT_PROMISED;
	for (size_t i = 0; i < receipt->count; i++) {
		const struct mkv_receipt_row *row = &receipt->rows[i];
		if (row->result > worst && !row->accepted)
			worst = row->result;
	}
	/* Nothing asked proves nothing. */
	return worst == MKV_NOT_PROMISED ? MKV_NOT_ESTABLISHED : worst;
}

static double monotonic_s(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int mkv_receipt_make(const struct mkv_env *env,
		     const struct mkv_trusted *trusted, const char *host,
		     bool (*wanted)(const struct mkv_check *check,
				    const void *context),
		     const void *context, struct mkv_receipt *ret,
		     struct mkv_error *err)
{
	auto_receipt struct mkv_receipt receipt = {
		.env = env, .trusted = trusted, .host = host,
		.figures = {NAN, NAN, NAN, NAN},
	};
	struct mkv_env own = *env;
	own.figures = &receipt.figures;
	size_t count = 0;
	while (mkv_checks[count].name)
		count++;
	receipt.rows = calloc(count, sizeof(*receipt.rows));
	if (!receipt.rows)
		return mkv_oom(err);
	double start = monotonic_s();
	receipt.started_s = (int64_t)time(NULL);
	receipt.boot_id = mkv_env_read(env, "/proc/sys/kernel/random/boot_id");
	for (size_t i = 0; i < count; i++) {
		const struct mkv_check *check = &mkv_checks[i];
		if ((wanted && !wanted(check, context)) ||
		    ((!env->image || !env->host) && i > 0))
			continue;
		struct mkv_receipt_row *row = &receipt.rows[receipt.count++];
		row->check = check;
		check->run(&own, &row->answer);
		judge_row(env, row);
	}
	if (env->cpuid) {
		auto_buf struct mkv_buf text = {0};
		mkv_cpuid_write(env->cpuid, &text);
		int rc = mkv_buf_check(&text, err);
		if (rc == 0)
			rc = mkv_sha256_bytes(text.data, text.size,
					      &receipt.cpuid, err);
		if (rc < 0)
			return rc;
		receipt.has_cpuid = true;
	}
	receipt.result = judge(&receipt);
	/* The contract may hold, but this machine has no place in it. */
	if ((!env->image || !env->host) && receipt.result == MKV_PASS)
		receipt.result = MKV_NOT_ESTABLISHED;
	receipt.took_s = monotonic_s() - start;
	*ret = receipt;
	receipt = (struct mkv_receipt){0};
	return 0;
}

/* A contract that can't be believed doesn't get to say "only warn". */
static bool only_warns(const struct mkv_receipt *receipt)
{
	return receipt->env->contract && !receipt->env->contract->is_gate &&
	       receipt->env->trust != MKV_TRUST_BROKEN;
}

bool mkv_receipt_lets_start(const struct mkv_receipt *receipt)
{
	return receipt->result == MKV_PASS || only_warns(receipt);
}

const char *mkv_receipt_word(const struct mkv_receipt *receipt)
{
	if (receipt->result != MKV_PASS && only_warns(receipt))
		return "warn";
	return mkv_result_name(receipt->result);
}

/* Text from the system may be any bytes; JSON and consoles want neither broken
 * UTF-8 nor control characters. */
static char *clean(const char *text)
{
	char *copy = strdup(text);
	for (char *at = copy; at && *at; at++)
		if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
			*at = *at == '\n' || *at == '\t' ? ' ' : '?';
	return copy;
}

static void put(json_t *object, const char *key, const char *text)
{
	if (!text)
		return;
	auto_free char *copy = clean(text);
	if (copy)
		(void)json_object_set_new(object, key, json_string(copy));
}

static json_t *finding_json(const struct mkv_finding *finding)
{
	json_t *json = json_object();
	put(json, "what", finding->what);
	put(json, "result", mkv_result_name(finding->result));
	put(json, "expected", finding->expected);
	put(json, "observed", finding->observed);
	put(json, "source", finding->source);
	return json;
}

static json_t *row_json(const struct mkv_receipt_row *row)
{
	json_t *json = json_object(), *findings = json_array();
	put(json, "name", row->check->name);
	put(json, "why", row->check->why);
	put(json, "result", mkv_result_name(row->result));
	put(json, "accepted", row->accepted);
	for (size_t i = 0; i < row->answer.count; i++)
		(void)json_array_append_new(
			findings, finding_json(&row->answer.items[i]));
	(void)json_object_set_new(json, "findings", findings);
	return json;
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
		put(names, dmi[i], text);
	}
	(void)json_object_set_new(json, "dmi", names);
	put(json, "boot_id", receipt->boot_id);
	auto_free char *release =
		mkv_env_read(receipt->env, "/proc/sys/kernel/osrelease");
	put(json, "kernel", release);
	auto_free char *microcode = mkv_env_read(
		receipt->env, "/sys/devices/system/cpu/cpu0/microcode/version");
	put(json, "microcode", microcode);
	return json;
}

static json_t *contract_json(const struct mkv_receipt *receipt)
{
	static const char *const trust[] = {"verified", "unchecked", "broken"};
	const struct mkv_contract *contract = receipt->env->contract;
	json_t *json = json_object();
	if (receipt->trusted->sha256[0])
		put(json, "sha256", receipt->trusted->sha256);
	put(json, "signature", trust[receipt->trusted->trust]);
	if (!contract)
		return json;
	put(json, "name", contract->name);
	put(json, "scenario", contract->scenario);
	put(json, "mode", contract->is_gate ? "gate" : "warn");
	return json;
}

static json_t *host_json(const struct mkv_receipt *receipt)
{
	const struct mkv_contract_host *host = receipt->env->host;
	const struct mkv_contract_image *image = receipt->env->image;
	json_t *json = json_object();
	put(json, "name", receipt->host);
	if (host)
		put(json, "role", host->role);
	if (image) {
		char hex[MKV_SHA256_HEX_SIZE];
		put(json, "image", image->name);
		put(json, "platform",
		    mkv_contract_platform_name(image->platform));
		/* Every path, mode and byte of the image's root file system. */
		mkv_sha256_hex(&image->files.sha256, hex);
		if (image->files.list)
			put(json, "files_sha256", hex);
	}
	return json;
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

static const char *phase_name(enum mkv_phase phase)
{
	return phase == MKV_PHASE_BOOT	? "boot"
	       : phase == MKV_PHASE_AFTER_START ? "after-start"
						: "watch";
}

int mkv_receipt_json(const struct mkv_receipt *receipt, struct mkv_buf *into,
		     struct mkv_error *err)
{
	auto_json json_t *json = json_object();
	json_t *checks = json_array();
	(void)json_object_set_new(json, "mkvbench_receipt", json_integer(1));
	put(json, "verifier", MKV_VERSION);
	put(json, "phase", phase_name(receipt->env->phase));
	put(json, "result", mkv_receipt_word(receipt));
	put(json, "verdict", mkv_result_name(receipt->result));
	(void)json_object_set_new(json, "contract", contract_json(receipt));
	(void)json_object_set_new(json, "host", host_json(receipt));
	(void)json_object_set_new(json, "machine", machine_json(receipt));
	(void)json_object_set_new(json, "figures",
				  figures_json(&receipt->figures));
	for (size_t i = 0; i < receipt->count; i++)
		(void)json_array_append_new(checks,
					    row_json(&receipt->rows[i]));
	(void)json_object_set_new(json, "checks", checks);
	if (receipt->has_cpuid) {
		char hex[MKV_SHA256_HEX_SIZE];
		json_t *evidence = json_object();
		mkv_sha256_hex(&receipt->cpuid, hex);
		put(evidence, "cpuid.txt", hex);
		(void)json_object_set_new(json, "evidence", evidence);
	}
	(void)json_object_set_new(json, "started",
				  json_integer(receipt->started_s));
	(void)json_object_set_new(json, "took_s", json_real(receipt->took_s));
	(void)json_object_set_new(json, "signed", json_false());
	return json ? mkv_json_dump(json, into, err) : mkv_oom(err);
}

static json_t *descriptor(const char *name, const char *hex)
{
	json_t *json = json_object(), *digest = json_object();
	put(digest, "sha256", hex);
	put(json, "name", name);
	(void)json_object_set_new(json, "digest", digest);
	return json;
}

static json_t *tests_that(const struct mkv_receipt *receipt, bool passed,
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
	(void)json_array_append_new(subjects, descriptor("receipt.json", hex));
	if (receipt->trusted->sha256[0]) {
		(void)json_array_append_new(
			subjects, descriptor("contract.json",
					     receipt->trusted->sha256));
		(void)json_array_append_new(
			configuration, descriptor("contract.json",
						  receipt->trusted->sha256));
	}
	put(predicate, "result",
	    receipt->result == MKV_PASS	      ? "PASSED"
	    : mkv_receipt_lets_start(receipt) ? "WARNED"
					      : "FAILED");
	(void)json_object_set_new(predicate, "configuration", configuration);
	(void)json_object_set_new(predicate, "passedTests",
				  tests_that(receipt, true, false));
	(void)json_object_set_new(predicate, "warnedTests",
				  tests_that(receipt, false, true));
	(void)json_object_set_new(predicate, "failedTests",
				  tests_that(receipt, false, false));
	put(root, "_type", "https://in-toto.io/Statement/v1");
	put(root, "predicateType",
	    "https://in-toto.io/attestation/test-result/v0.1");
	(void)json_object_set_new(root, "subject", subjects);
	(void)json_object_set_new(root, "predicate", predicate);
	return root ? mkv_json_dump(root, into, err) : mkv_oom(err);
}

/* "  pass  a, b, c" over as many lines as it takes. */
static void list_checks(const struct mkv_receipt *receipt,
			enum mkv_result result, const char *title,
			struct mkv_buf *into)
{
	size_t column = 0;
	for (size_t i = 0; i < receipt->count; i++) {
		const struct mkv_receipt_row *row = &receipt->rows[i];
		if (row->result != result)
			continue;
		size_t length = strlen(row->check->name) + 2;
		if (column == 0 || column + length > 96) {
			mkv_buf_printf(into, "%s  %-15s ",
				       column ? ",\n" : "",
				       column ? "" : title);
			column = 18;
		} else {
			mkv_buf_str(into, ", ");
		}
		mkv_buf_str(into, row->check->name);
		column += length;
	}
	if (column)
		mkv_buf_char(into, '\n');
}

static void add_clean(struct mkv_buf *into, const char *text, size_t limit)
{
	auto_free char *copy = clean(text ? text : "nothing");
	if (copy && strlen(copy) > limit)
		memcpy(copy + limit - 3, "...", 4);
	mkv_buf_str(into, copy ? copy : "?");
}

/* What is wrong with one check, three findings at most. */
static void tell_row(const struct mkv_receipt_row *row, struct mkv_buf *into)
{
	unsigned shown = 0;
	mkv_buf_printf(into, "  %-15s %s: %s\n", mkv_result_name(row->result),
		       row->check->name, row->check->why);
	for (size_t i = 0; i < row->answer.count; i++) {
		const struct mkv_finding *finding = &row->answer.items[i];
		if (finding->result < MKV_NOT_ESTABLISHED)
			continue;
		if (shown++ == 3) {
			mkv_buf_str(into, "      and more; see receipt.json\n");
			break;
		}
		mkv_buf_str(into, "      ");
		add_clean(into, finding->what, 48);
		mkv_buf_str(into, ": expected ");
		add_clean(into, finding->expected, 100);
		mkv_buf_str(into, ", observed ");
		add_clean(into, finding->observed, 160);
		mkv_buf_str(into, " [");
		add_clean(into, finding->source, 64);
		mkv_buf_str(into, "]\n");
	}
	if (row->accepted) {
		mkv_buf_str(into, "      accepted by the recipe: ");
		add_clean(into, row->accepted, 100);
		mkv_buf_char(into, '\n');
	}
}

static void tell_verdict(const struct mkv_receipt *receipt,
			 struct mkv_buf *into)
{
	static const char *const verdicts[] = {
		[MKV_NOT_PROMISED] = "nothing was asked",
		[MKV_PASS] = "what runs is what was promised",
		[MKV_NOT_ESTABLISHED] =
			"not everything that was promised could be established",
		[MKV_FAIL] = "what runs is not what was promised",
	};
	const char *then = "";
	if (receipt->env->phase == MKV_PHASE_BOOT &&
	    receipt->result != MKV_PASS)
		then = mkv_receipt_lets_start(receipt)
			       ? "; services start all the same (mode: warn)"
			       : "; services do not start";
	mkv_buf_printf(into, "  %s%s (%.1f s)\n", verdicts[receipt->result],
		       then, receipt->took_s);
}

void mkv_receipt_text(const struct mkv_receipt *receipt, struct mkv_buf *into)
{
	const struct mkv_contract *contract = receipt->env->contract;
	const char *sha = receipt->trusted->sha256;
	mkv_buf_printf(into, "mkvbench-verify: %s, host ",
		       contract ? contract->name : "no contract");
	add_clean(into, receipt->host, 64);
	if (receipt->env->host)
		mkv_buf_printf(into, " (role %s, image %s)",
			       receipt->env->host->role,
			       receipt->env->host->image);
	mkv_buf_printf(into, ", contract %.16s\n", sha[0] ? sha : "unread");
	list_checks(receipt, MKV_PASS, "pass", into);
	list_checks(receipt, MKV_NOT_PROMISED, "not promised", into);
	for (size_t i = 0; i < receipt->count; i++)
		if (receipt->rows[i].result >= MKV_NOT_ESTABLISHED)
			tell_row(&receipt->rows[i], into);
	tell_verdict(receipt, into);
	const char *marker = receipt->env->phase == MKV_PHASE_BOOT
				     ? "mkvbench-receipt"
				     : "mkvbench-receipt-later";
	mkv_buf_printf(into, "%s: %s host=", marker,
		       mkv_receipt_word(receipt));
	add_clean(into, receipt->host, 64);
	mkv_buf_printf(into, " contract=%s\n%s-end\n", sha[0] ? sha : "none",
		       marker);
}

static void add_figure(struct mkv_buf *into, const char *name, const char *help,
		       double value)
{
	if (isfinite(value))
		mkv_buf_printf(into,
			       "# HELP %s %s\n# TYPE %s gauge\n%s %.9g\n", name,
			       help, name, name, value);
}

void mkv_receipt_metrics(const struct mkv_receipt *receipt, bool is_broken,
			 struct mkv_buf *into)
{
	mkv_buf_str(into, "# HELP mkvbench_check Whether a check has this "
			  "result.\n# TYPE mkvbench_check gauge\n");
	for (size_t i = 0; i < receipt->count; i++)
		mkv_buf_printf(into,
			       "mkvbench_check{check=\"%s\",result=\"%s\"} 1\n",
			       receipt->rows[i].check->name,
			       mkv_result_name(receipt->rows[i].result));
	add_figure(into, "mkvbench_verified",
		   "1 when everything promised was established.",
		   receipt->result == MKV_PASS);
	add_figure(into, "mkvbench_receipt_broken",
		   "1 when a promise was broken after the boot's receipt.",
		   is_broken);
	add_figure(into, "mkvbench_clock_offset_seconds",
		   "System clock against chronyd's estimate of the reference.",
		   receipt->figures.clock_offset_s);
	add_figure(into, "mkvbench_clock_bound_seconds",
		   "Bound of the clock's distance from the VLAN's server.",
		   receipt->figures.clock_bound_s);
	add_figure(into, "mkvbench_sntp_offset_seconds",
		   "Server's clock minus ours, asked independently.",
		   receipt->figures.sntp_offset_s);
	add_figure(into, "mkvbench_sntp_delay_seconds",
		   "Round trip of that exchange.",
		   receipt->figures.sntp_delay_s);
}
