/* SPDX-License-Identifier: MIT */
/* mkvbench-verify: compares the running system with the signed contract of its
 * image. docs/VERIFICATION.md says what each check proves. */

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
	return rc < 0 ? rc
		      : mkv_cpuid_parse(text.data ? text.data : "", text.size,
					ret, err);
}

/* A look at running services that leaves quiet CPUs alone takes the registers
 * that the gate has read in this boot, its evidence. */
static bool load_gates(const struct mkv_env *env,
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
	if (load_gates(env, options, ret))
		return 0;
	struct mkv_cpuset online;
	if (!mkv_sysfs_online(env, &online))
		return mkv_fail(err, MKV_HOST_CANNOT, ENODATA,
				"the list of online CPUs can't be read");
	return mkv_cpuid_measure(&online, ret, err);
}

/* Which host of the contract this is: told by hand, by what decided it at boot,
 * or by the kernel's command line. The caller owns it; NULL when nobody says.
 */
static char *find_host(const struct mkv_env *env, const char *given)
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

static bool is_wanted(const struct mkv_check *check, const void *context)
{
	const struct mkv_verify_options *o = context;
	if (o->n_checks == 0)
		return o->phase != MKV_PHASE_WATCH || check->watched;
	for (size_t i = 0; i < o->n_checks; i++)
		if (strcmp(o->checks[i], check->name) == 0)
			return true;
	return strcmp(check->name, "contract") == 0;
}

/* Writes to the console in one go, again if somebody hung it up meanwhile. */
static void tell_console(const char *path, const struct mkv_buf *text)
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

static int write_below(const char *folder, const char *name,
		       const struct mkv_buf *text, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s", folder, name);
	int rc = mkv_buf_check(&path, err);
	if (rc == 0)
		rc = mkv_buf_check(text, err);
	return rc < 0 ? rc
		      : mkv_write_file(path.data, 0644, text->data, text->size,
				       err);
}

/* A later look breaks the receipt: the one at the containers when it doesn't
 * pass, a watch when it sees something else than was promised. A watch that
 * can't see well enough, beside a measurement that takes the CPU or the
 * network, doesn't: that minute is in the metrics and in receipt-watch.json. */
static bool breaks(const struct mkv_receipt *receipt)
{
	switch (receipt->env->phase) {
	case MKV_PHASE_BOOT:
		return false;
	case MKV_PHASE_AFTER_START:
		return receipt->result != MKV_PASS;
	case MKV_PHASE_WATCH:
		return receipt->result == MKV_FAIL;
	}
	return true;
}

/* The receipt of the boot stays as it was; the look that breaks it leaves its
 * own beside it, the first of them for good. */
static int mark_broken(const struct mkv_verify_options *options,
		       const struct mkv_receipt *receipt,
		       const struct mkv_buf *json, bool *ret_broken,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/receipt.broken.json", options->out);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	*ret_broken = access(path.data, F_OK) == 0;
	if (*ret_broken || !breaks(receipt))
		return 0;
	*ret_broken = true;
	return mkv_write_file(path.data, 0644, json->data, json->size, err);
}

/* The TPM's signature; without one none of an earlier run stays. */
static int write_signature(const char *folder, const char *name,
			   const struct mkv_buf *signature,
			   struct mkv_error *err)
{
	if (signature->size)
		return write_below(folder, name, signature, err);
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s", folder, name);
	int rc = mkv_buf_check(&path, err);
	return rc < 0 ? rc : mkv_remove_tree(AT_FDCWD, path.data, err);
}

static int write_evidence(const char *folder, const struct mkv_receipt *receipt,
			  struct mkv_error *err)
{
	int rc = 0;
	for (enum mkv_evidence i = 0; rc == 0 && i < MKV_EVIDENCE_KINDS; i++) {
		auto_free char *name =
			mkv_evidence_name(i, receipt->env->phase);
		if (!name)
			return mkv_oom(err);
		if (receipt->evidence[i].size)
			rc = write_below(folder, name, &receipt->evidence[i],
					 err);
	}
	return rc;
}

static int write_files(const struct mkv_verify_options *options,
		       const struct mkv_receipt *receipt,
		       const struct mkv_buf *json,
		       const struct mkv_buf *signature, struct mkv_error *err)
{
	static const char *const names[][3] = {
		[MKV_PHASE_BOOT] = {"receipt.json", "receipt.intoto.json",
				    "receipt.tpm.json"},
		[MKV_PHASE_AFTER_START] = {"receipt-after-start.json",
					   "receipt-after-start.intoto.json",
					   "receipt-after-start.tpm.json"},
		[MKV_PHASE_WATCH] = {"receipt-watch.json",
				     "receipt-watch.intoto.json",
				     "receipt-watch.tpm.json"},
	};
	auto_buf struct mkv_buf statement = {0}, metrics = {0};
	struct mkv_standing standing = {0};
	int rc = mkv_make_dirs(options->out, err);
	if (rc == 0)
		rc = write_below(options->out, names[options->phase][0], json,
				 err);
	if (rc == 0)
		rc = write_signature(options->out, names[options->phase][2],
				     signature, err);
	if (rc == 0)
		rc = mkv_receipt_statement(receipt, json, &statement, err);
	if (rc == 0)
		rc = write_below(options->out, names[options->phase][1],
				 &statement, err);
	if (rc == 0)
		rc = write_evidence(options->out, receipt, err);
	if (rc == 0)
		rc = mkv_standing_update(options->out, receipt, &standing, err);
	if (rc == 0)
		rc = mark_broken(options, receipt, json, &standing.is_broken,
				 err);
	if (rc < 0)
		return rc;
	mkv_receipt_metrics(receipt, &standing, &metrics);
	rc = mkv_buf_check(&metrics, err);
	if (rc == 0)
		rc = mkv_write_file(options->metrics, 0644, metrics.data,
				    metrics.size, err);
	/* Where no exporter is installed, there is no folder for it. */
	return rc == -ENOENT ? 0 : rc;
}

/* A TPM is asked at the start only: on some machines nothing else runs while it
 * works, which no measurement should meet every minute. */
static int make_json(const struct mkv_verify_options *options,
		     struct mkv_receipt *receipt, struct mkv_buf *json,
		     struct mkv_buf *signature, struct mkv_error *err)
{
	bool watch = options->phase == MKV_PHASE_WATCH;
	if (options->service && !watch)
		return mkv_receipt_sign(receipt, json, signature, err);
	(void)snprintf(receipt->unsigned_because,
		       sizeof(receipt->unsigned_because), "%s",
		       watch ? "a watch leaves the TPM alone"
			     : "only the receipts of a boot are signed");
	return mkv_receipt_json(receipt, json, err);
}

static int report(const struct mkv_verify_options *options,
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
	/* Files first: who sees the last line may look for them. */
	if (options->service)
		rc = write_files(options, receipt, &json, &signature, err);
	if (options->service && options->phase != MKV_PHASE_WATCH)
		tell_console(options->console, &text);
	int printed = 0;
	struct mkv_error print_error;
	/* A watch that finds nothing has nothing to say every minute. */
	if (options->json)
		printed = print(&json, &print_error);
	else if (options->phase != MKV_PHASE_WATCH ||
		 receipt->result != MKV_PASS)
		printed = print(&text, &print_error);
	if (rc == 0 && printed < 0) {
		*err = print_error;
		rc = printed;
	}
	return rc;
}

static int verify(const struct mkv_verify_options *options, struct mkv_env *env,
		  bool *ret_pass, struct mkv_error *err)
{
	auto_trusted struct mkv_trusted trusted = {0};
	auto_cpuid struct mkv_cpuid_dump *cpuid = NULL;
	struct mkv_error ignored;
	if (options->contract)
		mkv_trust_file(options->contract, &trusted);
	else
		mkv_trust_image(options->root, &trusted);
	auto_free char *host = find_host(env, options->host);
	env->trust = trusted.trust;
	env->trust_text = trusted.text;
	env->contract = trusted.contract;
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
	/* A later look leaves quiet CPUs alone. */
	if (options->phase != MKV_PHASE_WATCH &&
	    load_cpuid(env, options, &cpuid, &ignored) == 0)
		env->cpuid = cpuid;
	auto_receipt struct mkv_receipt receipt = {0};
	int rc = mkv_receipt_make(env, &trusted, host ? host : "unknown",
				  is_wanted, options, &receipt, err);
	if (rc == 0)
		rc = report(options, &receipt, err);
	*ret_pass = rc == 0 && mkv_receipt_lets_start(&receipt);
	return rc;
}

/* As a host of a recipe says it. */
static int print_tpm_key(const struct mkv_env *env, struct mkv_error *err)
{
	struct mkv_tpm_key key;
	auto_buf struct mkv_buf text = {0};
	char hex[MKV_SHA256_HEX_SIZE];
	int rc = mkv_tpm_ask_key(env, &key, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&key.id, hex);
	mkv_buf_printf(&text, "tpm-key: %s\n", hex);
	return print(&text, err);
}

static int run(const struct mkv_verify_options *options, bool *ret_pass,
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
	auto_cpuid struct mkv_cpuid_dump *cpuid = NULL;
	auto_buf struct mkv_buf text = {0};
	int rc = 0;
	*ret_pass = true;
	switch (options->action) {
	case MKV_VERIFY_RUN:
		/* Behind the gate services run, and are measured. */
		if (options->service && options->phase != MKV_PHASE_BOOT)
			rc = mkv_quiet(&env, err);
		return rc < 0 ? rc : verify(options, &env, ret_pass, err);
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
		rc = load_cpuid(&env, options, &cpuid, err);
		if (rc < 0)
			return rc;
		env.cpuid = cpuid;
		if (options->action == MKV_VERIFY_CAPTURE)
			rc = mkv_capture(&env, &text, err);
		else
			mkv_cpuid_write(cpuid, &text);
		return rc < 0 ? rc : print(&text, err);
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	struct mkv_verify_options options;
	bool pass = false;
	int rc = mkv_verify_options(argc, argv, &options, &err);
	if (rc == 0)
		rc = run(&options, &pass, &err);
	if (rc < 0) {
		(void)fprintf(stderr, "mkvbench-verify: %s\n", err.message);
		return mkv_exit_status(err.kind);
	}
	return pass ? 0 : 4;
}
