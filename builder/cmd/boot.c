/* SPDX-License-Identifier: MIT */
/* mkvbench boot: boots an appliance's hosts under QEMU and prints their
 * receipts.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/cmd/boot_advice.h"
#include "builder/cmd/boot_print.h"
#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/core/host/accel.h"
#include "lib/io.h"

enum {
	MIB = 1 << 20,
	HOSTS_MAX = 64,
	FORWARDS_MAX = 16,
	LOAD_MAX = 1000000,
	TEMPORARY_SIZE = 64,
};

struct options {
	const char *output, *hosts, *accel, *cpu, *memory, *timeout, *console;
	const char *forward, *load, *tpm;
	bool uefi, verbose, json, stay;
};

/* QEMU's name of the CPU model, which the contract lacks. `context` is the
 * recipe, or NULL when an appliance was given. */
static const char *find_cpu_model(const struct mkv_contract_image *image,
				  void *context)
{
	const struct mkv_recipe *recipe = context;
	if (!recipe)
		return NULL;
	if (image->platform == MKV_PLATFORM_GUEST && recipe->has_hypervisor &&
	    recipe->hypervisor.cpu_model)
		return recipe->hypervisor.cpu_model;
	return recipe->hardware.qemu_cpu;
}

static int parse_number(const char *option, const char *text, unsigned max,
			unsigned *ret, struct mkv_error *err)
{
	char *end = NULL;
	errno = 0;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;
	if (text && (errno || end == text || *end || value == 0 ||
		     value > max || strchr(text, '-')))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"boot: %s takes a number from 1 to %u, not "
				"'%s'",
				option, max, text);
	*ret = (unsigned)value;
	return 0;
}

/* Parses "order:8080,collector:9090"; the hosts' names are borrowed from
 * `text`.
 */
static int parse_forwards(char *text, struct mkv_boot_forward *ret,
			  size_t *ret_count, struct mkv_error *err)
{
	const char *items[FORWARDS_MAX + 1];
	size_t count = mkv_options_split(text, items, FORWARDS_MAX + 1);
	if (count > FORWARDS_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG,
				"boot: --forward takes at most %d ports",
				FORWARDS_MAX);
	for (size_t i = 0; i < count; i++) {
		char *item = text + (items[i] - text);
		char *colon = strchr(item, ':');
		if (!colon || colon == item)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"boot: --forward takes HOST:PORT, not "
					"'%s'",
					item);
		*colon = '\0';
		ret[i].host = item;
		int rc = parse_number("--forward", colon + 1, 65535,
				      &ret[i].port, err);
		if (rc < 0)
			return rc;
	}
	*ret_count = count;
	return 0;
}

/* The directory of an appliance: the operand, or that of the recipe's
 * appliance. The caller frees *ret_recipe (NULL when the operand is a
 * directory) and *ret_directory. */
static int find_appliance(const struct options *options, const char *operand,
			  struct mkv_recipe **ret_recipe, char **ret_directory,
			  struct mkv_error *err)
{
	struct stat status;
	if (stat(operand, &status) < 0)
		return mkv_fail(err, MKV_BAD_USAGE, errno, "'%s': %m", operand);
	if (S_ISDIR(status.st_mode)) {
		*ret_directory = strdup(operand);
		return *ret_directory ? 0 : mkv_oom(err);
	}
	int rc = mkv_cmd_load_recipe(operand, ret_recipe, err);
	if (rc < 0)
		return rc;
	if (asprintf(ret_directory, "%s/%s", options->output,
		     (*ret_recipe)->name) < 0)
		return mkv_oom(err);
	if (stat(*ret_directory, &status) < 0)
		return mkv_fail(err, MKV_BAD_USAGE, errno,
				"'%s' is not built yet (%s: %m); run `mkvbench "
				"%s`",
				operand, *ret_directory, operand);
	return 0;
}

static int load_manifest(const char *directory, struct mkv_manifest **ret,
			 struct mkv_error *err)
{
	char path[4096];
	auto_buf struct mkv_buf text = {0};
	(void)snprintf(path, sizeof(path), "%s/manifest.json", directory);
	int rc = mkv_read_file(AT_FDCWD, path, MKV_CONTRACT_LIMIT_BYTES, &text,
			       err);
	if (rc < 0)
		return mkv_wrap(err, rc, "'%s' is not an appliance", directory);
	rc = mkv_manifest_parse(text.size ? text.data : "", text.size, ret,
				err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s' is not an appliance", directory)
		      : 0;
}

/* The directory for consoles: --console, or a temporary one, whose name is then
 * in `temporary`. */
static int make_console_directory(const struct options *options,
				  char temporary[static TEMPORARY_SIZE],
				  const char **ret, struct mkv_error *err)
{
	if (options->console) {
		*ret = options->console;
		return mkv_make_dirs(*ret, err);
	}
	const char *parent = getenv("TMPDIR");
	if (!parent || strlen(parent) > 32)
		parent = "/tmp";
	(void)snprintf(temporary, TEMPORARY_SIZE, "%s/mkvbench-boot-XXXXXX",
		       parent);
	if (!mkdtemp(temporary))
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				temporary);
	*ret = temporary;
	return 0;
}

/* 0 when every host passed, or warned as its contract allows; else an error
 * that names the others. */
static int judge_results(const struct mkv_boot_results *results,
			 struct mkv_error *err)
{
	auto_buf struct mkv_buf list = {0};
	size_t bad = 0;
	for (size_t i = 0; i < results->count; i++) {
		const struct mkv_boot_result *result = &results->items[i];
		if (result->verdict <= MKV_VERDICT_WARN)
			continue;
		mkv_buf_printf(&list, "%s%s (%s)", bad++ ? ", " : "",
			       result->host, mkv_verdict_name(result->verdict));
	}
	if (!bad)
		return 0;
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
			"%zu of %zu hosts did not pass: %s", bad,
			results->count, list.data ? list.data : "");
}

/* Adds the recipe that can pass under emulation, if there is one. */
static void suggest_emulated(const struct mkv_recipe *recipe,
			     struct mkv_error *err)
{
	struct mkv_error ignored;
	auto_free char *emulated = NULL;
	char why[MKV_ERROR_MESSAGE_MAX];
	if (mkv_cmd_emulated_of(recipe->path, &emulated, &ignored) < 0 ||
	    !emulated)
		return;
	(void)snprintf(why, sizeof(why), "%s", err->message);
	(void)snprintf(err->message, sizeof(err->message),
		       "%s; without KVM, %s is the recipe that can pass", why,
		       emulated);
}

static int run_and_judge(struct mkv_boot_options *how,
			 const struct mkv_recipe *recipe,
			 struct mkv_boot_printer *printer,
			 struct mkv_error *err)
{
	auto_boot_results struct mkv_boot_results results = {0};
	enum mkv_accel requested = how->accel;
	int rc = mkv_boot_prepare(how, recipe, printer, err);
	if (rc < 0)
		return rc;
	rc = mkv_boot_run(how, &results, err);
	if (rc < 0)
		return rc;
	rc = judge_results(&results, err);
	if (rc < 0) {
		if (recipe && requested != MKV_ACCEL_KVM)
			suggest_emulated(recipe, err);
		return rc;
	}
	return printer->load_failed
		       ? mkv_fail(err, MKV_FAILED, EIO,
				  "the load failed: not every order was "
				  "answered, or spans are missing")
		       : 0;
}

static int boot_appliance(const struct options *options, const char *operand,
			  struct mkv_boot_options *how,
			  struct mkv_boot_printer *printer,
			  struct mkv_error *err)
{
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_manifest struct mkv_manifest *manifest = NULL;
	auto_free char *directory = NULL;
	auto_free char *names = strdup(options->hosts ? options->hosts : "");
	auto_free char *ports =
		strdup(options->forward ? options->forward : "");
	const char *hosts[HOSTS_MAX];
	struct mkv_boot_forward forwards[FORWARDS_MAX];
	char temporary[TEMPORARY_SIZE] = "";
	if (!names || !ports)
		return mkv_oom(err);
	int rc = parse_forwards(ports, forwards, &how->n_forwards, err);
	if (rc < 0)
		return rc;
	how->forwards = forwards;
	rc = find_appliance(options, operand, &recipe, &directory, err);
	if (rc < 0)
		return rc;
	rc = load_manifest(directory, &manifest, err);
	if (rc < 0)
		return rc;
	rc = make_console_directory(options, temporary, &how->console_directory,
				    err);
	if (rc < 0)
		return rc;
	how->model_context = recipe;
	how->appliance = directory;
	how->contract = manifest->contract;
	how->hosts = hosts;
	how->n_hosts = mkv_options_split(names, hosts, HOSTS_MAX);
	rc = run_and_judge(how, recipe, printer, err);
	if (rc < 0)
		return rc;
	/* After a failure, and with --load, the directory stays: messages name
	 * the files in it. */
	struct mkv_error ignored;
	if (temporary[0] && !how->load_count)
		(void)!mkv_remove_tree(AT_FDCWD, temporary, &ignored);
	return 0;
}

static const char description[] =
	"Boots every host of an appliance under QEMU, on a private network, "
	"prints the\nreceipts of their verifiers and stops the hosts. The images "
	"are not changed.\nRECIPE.yaml stands for the appliance that was built "
	"from it. Hypervisor hosts boot\nonly when they are named: this machine "
	"runs the guests itself.\n\nWithout KVM everything is emulated: the CPU "
	"only claims to be the promised one, and\nclocks depend on the host's "
	"load. A receipt from emulation tries the appliance and\nproves nothing "
	"about a machine. Expect 30 s plus, divided by the number of this\nmachine's CPUs, 20 s for each host and 10 s for each container.";

int mkv_cmd_boot(int argc, char **argv, struct mkv_error *err)
{
	struct options options = {.output = "images", .accel = "auto"};
	const struct mkv_option table[] = {
		{"--host", "NAME[,NAME]", "boot only these hosts",
		 &options.hosts, NULL},
		{"--accel", "auto|kvm|tcg",
		 "KVM or emulation; auto boots a kernel to test KVM",
		 &options.accel, NULL},
		{"--uefi", NULL, "boot by firmware and the disk's boot loader",
		 NULL, &options.uefi},
		{"--cpu", "MODEL", "QEMU's CPU model (default: the nearest)",
		 &options.cpu, NULL},
		{"--tpm", "DIR",
		 "give each host a software TPM, kept in DIR/HOST",
		 &options.tpm, NULL},
		{"--memory", "MIB",
		 "memory of each host (default: the contract's)",
		 &options.memory, NULL},
		{"--timeout", "SECONDS",
		 "limit for all receipts (default: 600 and more)",
		 &options.timeout, NULL},
		{"--console", "DIR", "keep the hosts' consoles in DIR",
		 &options.console, NULL},
		{"--output", "DIR",
		 "directory of the appliances (default: images)",
		 &options.output, NULL},
		{"--load", "ORDERS",
		 "send orders once all hosts passed; keep the spans",
		 &options.load, NULL},
		{"--forward", "HOST:PORT[,...]",
		 "forward ports of hosts to 127.0.0.1", &options.forward, NULL},
		{"--stay", NULL,
		 "keep running after the receipts, until Ctrl-C", NULL,
		 &options.stay},
		{"--verbose", NULL, "print the consoles' lines", NULL,
		 &options.verbose},
		{"--json", NULL, "print receipts as JSON lines", NULL,
		 &options.json},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "APPLIANCE|RECIPE.yaml",
		.description = description,
		.options = table,
		.min_operands = 1,
		.max_operands = 1,
	};
	int operands;
	bool is_done;
	int rc = mkv_options_parse("boot", &usage, argc, argv, &operands,
				   &is_done, err);
	if (rc < 0 || is_done)
		return rc;
	struct mkv_boot_printer printer = {.is_json = options.json,
					   .is_verbose = options.verbose};
	unsigned memory_mib = 0;
	struct mkv_boot_options how = {
		.cpu_model = options.cpu,
		.model_for = find_cpu_model,
		.uefi = options.uefi,
		.tpm_directory = options.tpm,
		.on_line = mkv_boot_print_line,
		.on_receipt = mkv_boot_print_receipt,
		.on_load = mkv_boot_print_load,
		.context = &printer,
		.stay = options.stay,
	};
	rc = mkv_accel_parse(options.accel, &how.accel, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "boot");
	rc = parse_number("--timeout", options.timeout, 1000000, &how.timeout_s,
			  err);
	if (rc < 0)
		return rc;
	rc = parse_number("--memory", options.memory, 1 << 24, &memory_mib,
			  err);
	if (rc < 0)
		return rc;
	rc = parse_number("--load", options.load, LOAD_MAX, &how.load_count,
			  err);
	if (rc < 0)
		return rc;
	how.memory_bytes = (uint64_t)memory_mib * MIB;
	return boot_appliance(&options, argv[0], &how, &printer, err);
}
