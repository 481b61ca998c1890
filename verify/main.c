/* SPDX-License-Identifier: MIT */
/* mkvbench-verify: compares the running system with the signed contract of its
 * image. docs/VERIFICATION.md describes what each check proves. */

#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "verify/capture.h"
#include "verify/options.h"
#include "verify/probe/sysfs.h"
#include "verify/probe/tpm.h"
#include "verify/quiet.h"
#include "verify/receipt/standing.h"

static int print(const struct mkv_buf *text, struct mkv_error *err)
{
	int rc = mkv_buf_check(text, err);
	return rc < 0 ? rc : mkv_write_all(1, text->data, text->size, err);
}

static int list_checks(struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	for (const struct mkv_check *check = mkv_checks; check->name; check++)
		mkv_buf_printf(&text, "%-21s %s\n", check->name, check->why);
	return print(&text, err);
}

static int read_recording(const char *path, struct mkv_cpuid_dump **ret,
			  struct mkv_error *err)
{
	enum { RECORDING_MAX = 16 << 20 };
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(AT_FDCWD, path, RECORDING_MAX, &text, err);
	if (rc < 0)
		return rc;
	return mkv_cpuid_parse(text.data ? text.data : "", text.size, ret, err);
}

/* The run after the start must not use quiet CPUs: it takes the registers that
 * the gate recorded in this boot as evidence. */
static bool load_boot_cpuid(const struct mkv_env *env,
			    const struct mkv_verify_options *options,
			    struct mkv_cpuid_dump **ret)
{
	struct mkv_error ignored;
	if (!options->service || options->phase != MKV_PHASE_AFTER_START ||
	    !mkv_quiet_has_any(env))
		return false;
	auto_free char *name =
		mkv_evidence_name(MKV_EVIDENCE_CPUID, MKV_PHASE_BOOT);
	auto_buf struct mkv_buf path = {0};
	if (!name)
		return false;
	mkv_buf_printf(&path, "%s/%s", options->out, name);
	return !path.failed && read_recording(path.data, ret, &ignored) == 0;
}

static int load_cpuid(const struct mkv_env *env,
		      const struct mkv_verify_options *options,
		      struct mkv_cpuid_dump **ret, struct mkv_error *err)
{
	if (options->cpuid)
		return read_recording(options->cpuid, ret, err);
	if (load_boot_cpuid(env, options, ret))
		return 0;
	struct mkv_cpuset online;
	if (!mkv_sysfs_online(env, &online))
		return mkv_fail(err, MKV_HOST_CANNOT, ENODATA,
				"the list of online CPUs can't be read");
	return mkv_cpuid_measure(&online, ret, err);
}

/* The name of this host in the contract: --host, else the file that
 * mkvbench-role writes at boot, else the kernel's command line. Owned by the
 * caller; NULL when none of them has a name. */
static char *find_host_name(const struct mkv_env *env, const char *given)
{
	if (given)
		return strdup(given);
	char *name = mkv_env_read(env, "/run/mkvbench/host");
	if (name)
		return name;
	auto_free char *line = mkv_env_read(env, "/proc/cmdline");
	char *rest = line;
	for (char *word; rest && (word = strsep(&rest, " "));)
		if (strncmp(word, "mkvbench.host=", 14) == 0)
			return strdup(word + 14);
	return NULL;
}

static bool is_requested(const struct mkv_check *check, const void *context)
{
	const struct mkv_verify_options *o = context;
	if (o->n_checks == 0)
		return o->phase != MKV_PHASE_WATCH || check->watched;
	for (size_t i = 0; i < o->n_checks; i++)
		if (strcmp(o->checks[i], check->name) == 0)
			return true;
	return strcmp(check->name, "contract") == 0;
}

/* Writes to the console at once. A hang-up of the terminal by another process
 * makes the write fail; then it is opened again. */
static void write_console(const char *path, const struct mkv_buf *text)
{
	for (int attempt = 0; path && attempt < 3; attempt++) {
		struct mkv_error err;
		auto_fd int fd =
			open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_APPEND);
		if (fd < 0 ||
		    mkv_write_all(fd, text->data, text->size, &err) == 0)
			return;
	}
}

/* Only receipts of the boot are signed: on some machines nothing else runs
 * while the TPM works, which must not happen every minute of a measurement. */
static int make_json(const struct mkv_verify_options *options,
		     struct mkv_receipt *receipt, struct mkv_buf *json,
		     struct mkv_buf *signature, struct mkv_error *err)
{
	bool watch = options->phase == MKV_PHASE_WATCH;
	if (options->service && !watch)
		return mkv_receipt_sign(receipt, json, signature, err);
	(void)snprintf(receipt->unsigned_because,
		       sizeof(receipt->unsigned_because), "%s",
		       watch ? "a watch doesn't use the TPM"
			     : "only the receipts of a boot are signed");
	return mkv_receipt_json(receipt, json, err);
}

/* A watch that passes prints nothing, so that the journal stays short. */
static int print_receipt(const struct mkv_verify_options *options,
			 const struct mkv_receipt *receipt,
			 const struct mkv_buf *text, const struct mkv_buf *json,
			 struct mkv_error *err)
{
	if (options->json)
		return print(json, err);
	if (options->phase == MKV_PHASE_WATCH && receipt->result == MKV_PASS)
		return 0;
	return print(text, err);
}

static int report_result(const struct mkv_verify_options *options,
			 struct mkv_receipt *receipt, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0}, json = {0}, signature = {0};
	int rc = make_json(options, receipt, &json, &signature, err);
	if (rc < 0)
		return rc;
	mkv_receipt_text(receipt, &text);
	rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	/* Files first: programs read them once the console has the last line.
	 * The result is printed even if the files can't be written. */
	if (options->service)
		rc = mkv_receipt_write(options->out, options->metrics, receipt,
				       &json, &signature, err);
	if (options->service && options->phase != MKV_PHASE_WATCH)
		write_console(options->console, &text);
	struct mkv_error print_error;
	int printed =
		print_receipt(options, receipt, &text, &json, &print_error);
	if (rc < 0 || printed == 0)
		return rc;
	*err = print_error;
	return printed;
}

/* Fills in the parts of `env` that follow from the contract. */
static void apply_contract(const struct mkv_verify_options *options,
			   const struct mkv_trusted *trusted, const char *host,
			   struct mkv_env *env)
{
	env->trust = trusted->trust;
	env->trust_text = trusted->text;
	env->contract = trusted->contract;
	if (env->contract && host)
		env->host = mkv_contract_find_host(env->contract, host);
	if (env->host)
		env->image = mkv_contract_find_image(env->contract,
						     env->host->image);
	if (env->contract && options->service &&
	    options->phase == MKV_PHASE_BOOT) {
		env->settle_ns = env->contract->clock.settle_ns;
		env->dwell_ns = env->contract->clock.dwell_ns;
	}
}

static int verify_system(const struct mkv_verify_options *options,
			 struct mkv_env *env, bool *ret_pass,
			 struct mkv_error *err)
{
	auto_trusted struct mkv_trusted trusted = {0};
	auto_cpuid struct mkv_cpuid_dump *cpuid = NULL;
	struct mkv_error ignored;
	if (options->contract)
		mkv_trust_file(options->contract, &trusted);
	else
		mkv_trust_image(options->root, &trusted);
	auto_free char *host = find_host_name(env, options->host);
	apply_contract(options, &trusted, host, env);
	/* CPUID would run on every CPU, on the quiet ones too. */
	if (options->phase != MKV_PHASE_WATCH &&
	    load_cpuid(env, options, &cpuid, &ignored) == 0)
		env->cpuid = cpuid;
	auto_receipt struct mkv_receipt receipt = {0};
	int rc = mkv_receipt_make(env, &trusted, host ? host : "unknown",
				  is_requested, options, &receipt, err);
	if (rc < 0)
		return rc;
	rc = report_result(options, &receipt, err);
	if (rc < 0)
		return rc;
	*ret_pass = mkv_receipt_lets_start(&receipt);
	return 0;
}

/* In the form of a host in a recipe. */
static int print_tpm_key(const struct mkv_env *env, struct mkv_error *err)
{
	struct mkv_tpm_key key;
	auto_buf struct mkv_buf text = {0};
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_tpm_read_key(env, &key, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&key.id, hex);
	mkv_buf_printf(&text, "tpm-key: %s\n", hex);
	return print(&text, err);
}

/* Prints the machine as a recipe's hardware contract, or its registers. */
static int print_machine(const struct mkv_verify_options *options,
			 struct mkv_env *env, struct mkv_error *err)
{
	auto_cpuid struct mkv_cpuid_dump *cpuid = NULL;
	auto_buf struct mkv_buf text = {0};
	int rc = load_cpuid(env, options, &cpuid, err);
	if (rc < 0)
		return rc;
	env->cpuid = cpuid;
	if (options->action == MKV_VERIFY_RECORD) {
		mkv_cpuid_write(cpuid, &text);
		return print(&text, err);
	}
	rc = mkv_capture(env, &text, err);
	return rc < 0 ? rc : print(&text, err);
}

/* Writes *ret_pass, which the caller has set to true, for a verification only.
 */
static int run_action(const struct mkv_verify_options *options, bool *ret_pass,
		      struct mkv_error *err)
{
	struct mkv_env env = {
		.root = options->root,
		.started_ns = mkv_monotonic_ns(),
		.chrony_socket = options->chrony_socket,
		.docker_socket = options->docker_socket,
		.tpm = options->tpm,
		.ntp_port = options->ntp_port,
		.phase = options->phase,
		.unattended = options->service,
		.every_file = options->every_file,
	};
	auto_buf struct mkv_buf text = {0};
	int rc = 0;
	switch (options->action) {
	case MKV_VERIFY_RUN:
		/* After the gate services run and may be measured. */
		if (options->service && options->phase != MKV_PHASE_BOOT)
			rc = mkv_quiet(&env, err);
		return rc < 0 ? rc
			      : verify_system(options, &env, ret_pass, err);
	case MKV_VERIFY_LIST:
		return list_checks(err);
	case MKV_VERIFY_HELP:
		mkv_verify_help(&text);
		return print(&text, err);
	case MKV_VERIFY_VERSION:
		mkv_buf_printf(&text, "mkvbench-verify %s\n", MKV_VERSION);
		return print(&text, err);
	case MKV_VERIFY_COMPLETION:
		mkv_verify_completion(options->shell, &text);
		return print(&text, err);
	case MKV_VERIFY_TPM_KEY:
		return print_tpm_key(&env, err);
	case MKV_VERIFY_CAPTURE:
	case MKV_VERIFY_RECORD:
		return print_machine(options, &env, err);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	struct mkv_verify_options options;
	bool pass = true;
	if (mkv_verify_options(argc, argv, &options, &err) < 0 ||
	    run_action(&options, &pass, &err) < 0) {
		(void)fprintf(stderr, "mkvbench-verify: %s\n", err.message);
		return mkv_exit_status(err.kind);
	}
	return pass ? 0 : 4;
}
