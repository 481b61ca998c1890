/* SPDX-License-Identifier: MIT */
/* mkvbench boot: an appliance under QEMU here, and what its verifiers say. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/load.h"
#include "builder/cmd/options.h"
#include "builder/cmd/report.h"
#include "builder/core/host/accel.h"
#include "builder/run/boot/boot.h"
#include "lib/io.h"

enum {
	MIB = 1 << 20,
	HOSTS_MOST = 64,
	FORWARDS_MOST = 16,
	LOAD_MOST = 1000000
};

struct options {
	const char *output, *hosts, *accel, *cpu, *memory, *timeout, *console;
	const char *forward, *load, *tpm;
	bool uefi, verbose, json, stay;
};

/* What printing needs while guests run. */
struct printer {
	const struct options *options;
	const struct mkv_recipe
		*recipe;    /* NULL: an appliance's folder was given */
	char temporary[64]; /* the console folder that we made */
	bool load_failed;
};

static void print_line(const char *host, const char *line, void *context)
{
	const struct printer *printer = context;
	if (host && !printer->options->verbose)
		return;
	if (printer->options->json)
		mkv_report_line(host ? "console" : "note", host, line);
	else if (host)
		(void)fprintf(stderr, "%s| %s\n", host, line);
	else
		(void)fprintf(stderr, "boot: %s\n", line);
}

static void print_json(const struct mkv_boot_result *result)
{
	json_t *line = json_pack(
		"{s:s, s:s, s:f, s:s, s:s?}", "host", result->host, "verdict",
		mkv_verdict_name(result->verdict), "seconds", result->seconds,
		"console", result->console ? result->console : "", "receipt",
		result->receipt);
	if (line)
		(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(line);
}

static void print_receipt(const struct mkv_boot_result *result, void *context)
{
	const struct printer *printer = context;
	if (printer->options->json) {
		print_json(result);
	} else {
		(void)printf("%s: %s after %.0f s%s\n", result->host,
			     mkv_verdict_name(result->verdict), result->seconds,
			     result->died ? ": it ended" : "");
		if (result->receipt)
			(void)fputs(result->receipt, stdout);
		if (result->diagnosis)
			(void)printf("  QEMU: %s", result->diagnosis);
		if (result->verdict == MKV_VERDICT_NONE && result->console)
			(void)printf("  its console: %s\n", result->console);
	}
	(void)fflush(stdout);
}

static void print_load_json(const struct mkv_boot_load *load)
{
	json_t *line = json_pack(
		"{s:s?, s:b, s:I, s:b, s:I, s:s?}", "load", load->summary,
		"answered", load->is_answered, "spans", (json_int_t)load->spans,
		"exported", load->is_exported, "dropped",
		(json_int_t)(load->dropped + load->dropped_by_generator),
		"traces", load->traces);
	if (line)
		(void)json_dumpf(line, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(line);
}

static void print_load_text(const struct mkv_boot_load *load)
{
	(void)printf("load: %s\n", !load->summary      ? "no summary came"
				   : load->is_answered ? "every order was "
							 "answered"
						       : "not every order was "
							 "answered");
	if (load->summary)
		(void)printf("  %s\n", load->summary);
	if (load->dropped + load->dropped_by_generator)
		(void)printf("  %llu spans were dropped\n",
			     (unsigned long long)(load->dropped +
						  load->dropped_by_generator));
	if (load->summary && !load->is_exported)
		(void)printf("  not all spans were exported\n");
	if (load->traces)
		(void)printf("  %llu spans of the services are in %s\n",
			     (unsigned long long)load->spans, load->traces);
}

static void print_load(const struct mkv_boot_load *load, void *context)
{
	struct printer *printer = context;
	printer->load_failed = !mkv_load_is_good(load);
	if (printer->options->json)
		print_load_json(load);
	else
		print_load_text(load);
	(void)fflush(stdout);
}

/* What the recipe knows and the contract doesn't: QEMU's name for the CPU. */
static const char *model_for(const struct mkv_contract_image *image,
			     void *context)
{
	const struct mkv_recipe *recipe = ((struct printer *)context)->recipe;
	if (!recipe)
		return NULL;
	if (image->platform == MKV_PLATFORM_GUEST && recipe->has_hypervisor &&
	    recipe->hypervisor.cpu_model)
		return recipe->hypervisor.cpu_model;
	return recipe->hardware.qemu_cpu;
}

static int parse_number(const char *option, const char *text, unsigned most,
			unsigned *ret, struct mkv_error *err)
{
	char *end = NULL;
	errno = 0;
	unsigned long value = text ? strtoul(text, &end, 10) : 0;
	if (text && (errno || end == text || *end || value == 0 ||
		     value > most || strchr(text, '-')))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"boot: %s takes a number from 1 to %u, not "
				"'%s'",
				option, most, text);
	*ret = (unsigned)value;
	return 0;
}

/* "order:8080,collector:9090"; the names stay in `text`. */
static int parse_forwards(char *text, struct mkv_boot_forward *ret,
			  size_t *ret_count, struct mkv_error *err)
{
	const char *items[FORWARDS_MOST + 1];
	size_t count = mkv_options_split(text, items, FORWARDS_MOST + 1);
	if (count > FORWARDS_MOST)
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG,
				"boot: --forward takes at most %d ports",
				FORWARDS_MOST);
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

/* An appliance's folder, or that of a recipe. */
static int find_appliance(const struct options *options, const char *operand,
			  struct mkv_recipe **ret_recipe, char **ret_folder,
			  struct mkv_error *err)
{
	struct stat status;
	if (stat(operand, &status) < 0)
		return mkv_fail(err, MKV_BAD_USAGE, errno, "'%s': %m", operand);
	if (S_ISDIR(status.st_mode)) {
		*ret_folder = strdup(operand);
		return *ret_folder ? 0 : mkv_oom(err);
	}
	int rc = mkv_cmd_load_recipe(operand, ret_recipe, err);
	if (rc < 0)
		return rc;
	if (asprintf(ret_folder, "%s/%s", options->output,
		     (*ret_recipe)->name) < 0)
		return mkv_oom(err);
	if (stat(*ret_folder, &status) < 0)
		return mkv_fail(err, MKV_BAD_USAGE, errno,
				"'%s' is not built yet (%s: %m); `mkvbench "
				"%s` does it",
				operand, *ret_folder, operand);
	return 0;
}

static int load_manifest(const char *folder, struct mkv_manifest **ret,
			 struct mkv_error *err)
{
	char path[4096];
	auto_buf struct mkv_buf text = {0};
	(void)snprintf(path, sizeof(path), "%s/manifest.json", folder);
	int rc = mkv_read_file(AT_FDCWD, path, MKV_CONTRACT_LIMIT_BYTES, &text,
			       err);
	if (rc == 0)
		rc = mkv_manifest_parse(text.size ? text.data : "", text.size,
					ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s' is no appliance", folder) : 0;
}

static int console_folder(struct printer *printer, const char **ret,
			  struct mkv_error *err)
{
	if (printer->options->console) {
		*ret = printer->options->console;
		return mkv_make_dirs(*ret, err);
	}
	const char *place = getenv("TMPDIR");
	if (!place || strlen(place) > 32)
		place = "/tmp";
	(void)snprintf(printer->temporary, sizeof(printer->temporary),
		       "%s/mkvbench-boot-XXXXXX", place);
	if (!mkdtemp(printer->temporary))
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
				printer->temporary);
	*ret = printer->temporary;
	return 0;
}

/* 0 when all passed, or only warned as their contract says; else names those
 * that didn't. */
static int judge(const struct mkv_boot_results *results, struct mkv_error *err)
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

/* A machine's contract can't hold under emulation: say what can be tried. */
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
		       "%s; where KVM can't be used, %s is the recipe that can "
		       "pass",
		       why, emulated);
}

static int boot(const struct options *options, const char *operand,
		struct mkv_boot_options *how, struct printer *printer,
		struct mkv_error *err)
{
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_manifest struct mkv_manifest *manifest = NULL;
	auto_boot_results struct mkv_boot_results results = {0};
	auto_free char *folder = NULL;
	auto_free char *names = strdup(options->hosts ? options->hosts : "");
	auto_free char *ports =
		strdup(options->forward ? options->forward : "");
	const char *hosts[HOSTS_MOST];
	struct mkv_boot_forward forwards[FORWARDS_MOST];
	if (!names || !ports)
		return mkv_oom(err);
	int rc = parse_forwards(ports, forwards, &how->n_forwards, err);
	if (rc < 0)
		return rc;
	how->forwards = forwards;
	rc = find_appliance(options, operand, &recipe, &folder, err);
	if (rc == 0)
		rc = load_manifest(folder, &manifest, err);
	if (rc == 0)
		rc = console_folder(printer, &how->console_folder, err);
	if (rc < 0)
		return rc;
	printer->recipe = recipe;
	how->appliance = folder;
	how->contract = manifest->contract;
	how->hosts = hosts;
	how->n_hosts = mkv_options_split(names, hosts, HOSTS_MOST);
	rc = mkv_boot_run(how, &results, err);
	if (rc == 0)
		rc = judge(&results, err);
	if (rc < 0 && err->kind == MKV_UNVERIFIED && recipe &&
	    how->accel != MKV_ACCEL_KVM)
		suggest_emulated(recipe, err);
	if (rc == 0 && printer->load_failed)
		rc = mkv_fail(err, MKV_FAILED, EIO, "the load failed");
	/* What a failure printed stays to be read, and what was asked for. */
	struct mkv_error ignored;
	if (rc == 0 && printer->temporary[0] && !how->load_count)
		(void)!mkv_remove_tree(AT_FDCWD, printer->temporary, &ignored);
	return rc;
}

static const char description[] =
	"Starts every host of an appliance under QEMU, on a private network of "
	"their own,\nprints the receipts of their verifiers and ends them "
	"again. The images stay as\nthey are. RECIPE.yaml stands for the "
	"appliance that was built from it. Hypervisors start only\nwhen named: "
	"this machine runs the guests itself.\n\nWithout KVM everything is "
	"emulated: the CPU then only says that it is the\npromised one, and "
	"clocks run as the host's load lets them. A receipt from there\ntries "
	"the appliance and proves nothing of a machine.";

int mkv_cmd_boot(int argc, char **argv, struct mkv_error *err)
{
	struct options options = {.output = "images", .accel = "auto"};
	const struct mkv_option table[] = {
		{"--host", "NAME[,NAME]", "only these hosts", &options.hosts,
		 NULL},
		{"--accel", "auto|kvm|tcg",
		 "auto boots a kernel in KVM to see if it works",
		 &options.accel, NULL},
		{"--uefi", NULL, "by firmware and the disk's boot loader", NULL,
		 &options.uefi},
		{"--cpu", "MODEL", "QEMU's CPU model, if not the nearest",
		 &options.cpu, NULL},
		{"--tpm", "DIR",
		 "a software TPM for each host, kept in DIR/HOST (swtpm)",
		 &options.tpm, NULL},
		{"--memory", "MIB", "of each host, if not the contract's",
		 &options.memory, NULL},
		{"--timeout", "SECONDS",
		 "for all receipts (ten minutes and more, as needed)",
		 &options.timeout, NULL},
		{"--console", "DIR", "keep the hosts' consoles there",
		 &options.console, NULL},
		{"--output", "DIR", "where a recipe's appliance is (images)",
		 &options.output, NULL},
		{"--load", "ORDERS",
		 "let the load generator send orders; keep the spans",
		 &options.load, NULL},
		{"--forward", "HOST:PORT[,...]",
		 "make hosts' ports reachable on 127.0.0.1", &options.forward,
		 NULL},
		{"--stay", NULL, "run on after the receipts, until Ctrl-C",
		 NULL, &options.stay},
		{"--verbose", NULL, "print the consoles' lines", NULL,
		 &options.verbose},
		{"--json", NULL, "receipts as JSON lines", NULL, &options.json},
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
	struct printer printer = {.options = &options};
	unsigned memory_mib = 0;
	struct mkv_boot_options how = {
		.cpu_model = options.cpu,
		.model_for = model_for,
		.model_context = &printer,
		.uefi = options.uefi,
		.tpm_folder = options.tpm,
		.on_line = print_line,
		.on_receipt = print_receipt,
		.on_load = print_load,
		.context = &printer,
		.stay = options.stay,
	};
	rc = mkv_accel_parse(options.accel, &how.accel, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "boot");
	rc = parse_number("--timeout", options.timeout, 1000000, &how.timeout_s,
			  err);
	if (rc == 0)
		rc = parse_number("--memory", options.memory, 1 << 24,
				  &memory_mib, err);
	if (rc == 0)
		rc = parse_number("--load", options.load, LOAD_MOST,
				  &how.load_count, err);
	if (rc < 0)
		return rc;
	how.memory_bytes = (uint64_t)memory_mib * MIB;
	return boot(&options, argv[0], &how, &printer, err);
}
