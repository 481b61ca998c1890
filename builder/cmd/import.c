/* SPDX-License-Identifier: MIT */
/* mkvbench import: an appliance's guests into libvirt. */
#include <stdio.h>
#include <string.h>

#include "builder/cmd/cmd.h"
#include "builder/cmd/options.h"
#include "builder/core/host/accel.h"
#include "builder/format/libvirt/xml.h"
#include "builder/run/import/import.h"
#include "lib/json.h"

enum { HOSTS_MAX = 64 };

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static void watch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal,
				   .sa_flags = SA_RESTART};
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
}

static const char *state_word(const struct mkv_import_item *item, bool dry_run)
{
	bool is_disk = strcmp(item->kind, "disk") == 0;
	switch (item->state) {
	case MKV_IMPORT_NEW:
		return dry_run ? (is_disk ? "would be copied"
					  : "would be defined")
			       : (is_disk ? "copied" : "defined");
	case MKV_IMPORT_REPLACED:
		return dry_run ? "would be replaced" : "replaced";
	case MKV_IMPORT_USED:
		return "kept: written to since it was imported";
	case MKV_IMPORT_UNCHANGED:
		break;
	}
	return "unchanged";
}

static const char *state_name(enum mkv_import_state state)
{
	static const char *const names[] = {
		[MKV_IMPORT_NEW] = "new",
		[MKV_IMPORT_UNCHANGED] = "unchanged",
		[MKV_IMPORT_USED] = "used",
		[MKV_IMPORT_REPLACED] = "replaced",
	};
	return names[state];
}

static json_t *strings_json(char *const *items, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		(void)json_array_append_new(list, json_string(items[i]));
	return list;
}

static int print_json(const struct mkv_import_report *report, bool dry_run,
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	char id[MKV_SHA256_HEX_SIZE];
	json_t *items = json_array();
	for (size_t i = 0; i < report->n_items; i++)
		(void)json_array_append_new(
			items, json_pack("{s:s, s:s, s:s}", "kind",
					 report->items[i].kind, "name",
					 report->items[i].name, "state",
					 state_name(report->items[i].state)));
	mkv_sha256_hex(&report->key.id, id);
	auto_json json_t *root = json_pack(
		"{s:s, s:b, s:o, s:o, s:o, s:{s:s, s:b}}", "result",
		report->n_reasons ? "refused"
		: dry_run	  ? "dry-run"
				  : "imported",
		"emulated", report->emulated, "items", items, "reasons",
		strings_json(report->reasons, report->n_reasons), "notes",
		strings_json(report->notes, report->n_notes), "key", "id", id,
		"proves_origin", report->key_origin != MKV_KEY_INSIDE);
	int rc = root ? mkv_json_dump(root, &text, err) : mkv_oom(err);
	if (rc < 0)
		return rc;
	(void)fwrite(text.data, 1, text.size, stdout);
	return 0;
}

static void print_text(const struct mkv_import_report *report, bool dry_run)
{
	if (report->key_origin == MKV_KEY_INSIDE)
		(void)printf("note: checked with the key from the appliance "
			     "itself: nothing changed since it was signed, "
			     "but the signer is unknown (--key)\n");
	for (size_t i = 0; i < report->n_notes; i++)
		(void)printf("note: %s\n", report->notes[i]);
	if (report->n_reasons) {
		(void)printf("this host can't run the appliance's guests:\n");
		for (size_t i = 0; i < report->n_reasons; i++)
			(void)printf("  %s\n", report->reasons[i]);
		return;
	}
	for (size_t i = 0; i < report->n_items; i++)
		(void)printf("%s %s: %s\n", report->items[i].kind,
			     report->items[i].name,
			     state_word(&report->items[i], dry_run));
}

static const char description[] =
	"Copies the disks of an appliance's guests, verifies the copies, and "
	"defines in\nlibvirt a storage pool, the network on the experiment's "
	"bridge, and a domain for\neach guest. Before that it checks signatures "
	"and digests, and that this host can\nkeep the contract: working KVM, "
	"the CPU, its threads for the pinning, memory in\nhuge pages, bridge, "
	"firmware, free space; otherwise it lists every reason and\nexits with "
	"status 3. A second import changes nothing. A failed or interrupted "
	"import\nis undone. It starts the pool and the network, not the "
	"domains.\n\n--accel tcg defines emulated domains, to try the "
	"appliance on any host. Their\nreceipts prove nothing about a machine.";

static int import_appliance(const struct mkv_import_options *options, bool json,
			    struct mkv_error *err)
{
	auto_import_report struct mkv_import_report report = {0};
	watch_signals();
	int rc = mkv_import_run(options, &report, err);
	if (rc < 0)
		return rc;
	if (json)
		rc = print_json(&report, options->dry_run, err);
	else
		print_text(&report, options->dry_run);
	if (rc < 0 || report.n_reasons == 0)
		return rc;
	return mkv_fail(err, MKV_HOST_CANNOT, ENOTSUP,
			"import: nothing was changed%s",
			report.emulated ? ""
					: "; --accel tcg imports emulated "
					  "guests for a trial");
}

int mkv_cmd_import(int argc, char **argv, struct mkv_error *err)
{
	const char *hosts = NULL, *accel = "auto";
	bool json = false, silent = false;
	const char *names[HOSTS_MAX];
	struct mkv_import_options options = {
		.uri = "qemu:///system",
		.pool = MKV_LIBVIRT_DISKS,
		.hosts = names,
		.stop = &stopped,
	};
	const struct mkv_option table[] = {
		{"--connect", "URI",
		 "libvirt on this machine (default: qemu:///system)",
		 &options.uri, NULL},
		{"--host", "NAME[,NAME]", "only these hosts", &hosts, NULL},
		{"--pool", "DIR",
		 "copy disks to DIR/RECIPE (" MKV_LIBVIRT_DISKS ")",
		 &options.pool, NULL},
		{"--accel", "auto|kvm|tcg",
		 "KVM or emulation; auto boots a kernel to test KVM", &accel,
		 NULL},
		{"--replace", NULL, "replace imported objects that differ",
		 NULL, &options.replace},
		{"--dry-run", NULL, "only print what would be done", NULL,
		 &options.dry_run},
		{"--key", "FILE", "the public key (PEM) of the expected signer",
		 &options.key, NULL},
		{"--json", NULL, "print the result as JSON", NULL, &json},
		{"--quiet", NULL, "print no progress", NULL, &silent},
		{0},
	};
	const struct mkv_usage usage = {
		.synopsis = "APPLIANCE",
		.description = description,
		.options = table,
		.min_operands = 1,
		.max_operands = 1,
	};
	int operands;
	bool is_done;
	int rc = mkv_options_parse("import", &usage, argc, argv, &operands,
				   &is_done, err);
	if (rc < 0 || is_done)
		return rc;
	rc = mkv_accel_parse(accel, &options.accel, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "import");
	if (options.pool[0] != '/' || strstr(options.pool, "/../"))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"import: --pool takes an absolute path without "
				"'..', not '%s'",
				options.pool);
	auto_free char *list = strdup(hosts ? hosts : "");
	if (!list)
		return mkv_oom(err);
	options.n_hosts = mkv_options_split(list, names, HOSTS_MAX);
	auto_progress struct mkv_progress *progress =
		mkv_progress_new(mkv_progress_mode(json, silent));
	options.appliance = argv[0];
	options.progress = progress;
	return import_appliance(&options, json, err);
}
