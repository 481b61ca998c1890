/* SPDX-License-Identifier: MIT */
#include "verify/options.h"

#include <string.h>

#include "lib/text.h"
#include "verify/probe/chrony.h"
#include "verify/probe/docker.h"

/* One option; `hidden` ones serve tests and stay out of the help. */
struct option {
	const char *name, *placeholder, *help;
	bool hidden;
};

static const struct option options[] = {
	{"--list", NULL, "print every check and why it matters", false},
	{"--check", "NAME", "run only this check (may be repeated)", false},
	{"--files", NULL, "read every file, not only settings and units",
	 false},
	{"--json", NULL, "print the receipt as JSON", false},
	{"--contract", "FILE", "use this contract, which is not trusted",
	 false},
	{"--host", "NAME", "verify as this host of the contract", false},
	{"--capture", NULL, "print a hardware contract of this machine", false},
	{"--record", NULL, "print the CPUID registers of every CPU", false},
	{"--tpm-key", NULL, "print the key of this machine's TPM, for a recipe",
	 false},
	{"--boot", NULL, "run as the gate: wait for the clock, write receipts",
	 false},
	{"--after-start", NULL, "verify again after the containers started",
	 false},
	{"--watch", NULL, "run the checks whose result can change", false},
	{"--completion", "bash|zsh", "print the completion script of a shell",
	 false},
	{"--help", NULL, "print this", false},
	{"--version", NULL, "print the version", false},
	{"--root", "DIR", "", true},
	{"--out", "DIR", "", true},
	{"--metrics", "FILE", "", true},
	{"--console", "FILE", "", true},
	{"--cpuid", "FILE", "", true},
	{"--chrony-socket", "PATH", "", true},
	{"--docker-socket", "PATH", "", true},
	{"--ntp-port", "PORT", "", true},
	{"--tpm", "PATH", "", true},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

void mkv_verify_help(struct mkv_buf *into)
{
	mkv_buf_str(into,
		    "Usage: mkvbench-verify [OPTIONS]\n\n"
		    "Compares the running system with the signed contract of "
		    "its image. Every check\nreports pass, fail or not "
		    "established. Nothing is repaired.\n\nOptions:\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		char left[48];
		const struct option *o = &options[i];
		if (o->hidden)
			continue;
		(void)snprintf(left, sizeof(left), "%s%s%s", o->name,
			       o->placeholder ? " " : "",
			       o->placeholder ? o->placeholder : "");
		mkv_buf_printf(into, "  %-21s %s\n", left, o->help);
	}
	mkv_buf_str(into,
		    "\nExit status: 0 passed (or the contract only "
		    "warns), 1 an error occurred, 2 bad\nusage, 3 this "
		    "machine can't do it, 4 verification did not pass.\n");
}

/* The values of --check: "contract|cpu-model|..." */
static void list_names(struct mkv_buf *into)
{
	for (const struct mkv_check *check = mkv_checks; check->name; check++)
		mkv_buf_printf(into, "%s%s", check == mkv_checks ? "" : "|",
			       check->name);
}

void mkv_verify_completion(enum mkv_shell shell, struct mkv_buf *into)
{
	static const char program[] = "mkvbench-verify";
	auto_buf struct mkv_buf names = {0};
	struct mkv_completion_option rows[OPTIONS];
	struct mkv_completion_command run = {.synopsis = "", .options = rows};
	list_names(&names);
	if (names.failed)
		into->failed = true;
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct option *o = &options[i];
		bool is_check = strcmp(o->name, "--check") == 0;
		if (!o->hidden)
			rows[run.n_options++] = (struct mkv_completion_option){
				.name = o->name,
				.placeholder = o->placeholder,
				.help = o->help,
				.words = is_check ? names.data : NULL,
				.repeats = is_check,
			};
	}
	mkv_completion_begin(shell, program, into);
	mkv_completion_command(shell, program, &run, into);
	mkv_completion_end(shell, program, NULL, 0, NULL, into);
}

static int fail_unknown_option(const char *word, struct mkv_error *err)
{
	const char *names[OPTIONS];
	size_t count = 0;
	for (size_t i = 0; i < OPTIONS; i++)
		if (!options[i].hidden)
			names[count++] = options[i].name;
	const char *near = mkv_nearest(word, names, count);
	return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
			"unknown option '%s'%s%s%s; --help lists all", word,
			near ? " (did you mean '" : "", near ? near : "",
			near ? "'?)" : "");
}

static void set_phase(struct mkv_verify_options *o, enum mkv_phase phase)
{
	o->phase = phase;
	o->service = true;
}

static bool set_switch(struct mkv_verify_options *o, const char *name)
{
	if (strcmp(name, "--list") == 0)
		o->action = MKV_VERIFY_LIST;
	else if (strcmp(name, "--capture") == 0)
		o->action = MKV_VERIFY_CAPTURE;
	else if (strcmp(name, "--record") == 0)
		o->action = MKV_VERIFY_RECORD;
	else if (strcmp(name, "--tpm-key") == 0)
		o->action = MKV_VERIFY_TPM_KEY;
	else if (strcmp(name, "--help") == 0)
		o->action = MKV_VERIFY_HELP;
	else if (strcmp(name, "--version") == 0)
		o->action = MKV_VERIFY_VERSION;
	else if (strcmp(name, "--files") == 0)
		o->every_file = true;
	else if (strcmp(name, "--json") == 0)
		o->json = true;
	else if (strcmp(name, "--boot") == 0)
		set_phase(o, MKV_PHASE_BOOT);
	else if (strcmp(name, "--after-start") == 0)
		set_phase(o, MKV_PHASE_AFTER_START);
	else if (strcmp(name, "--watch") == 0)
		set_phase(o, MKV_PHASE_WATCH);
	else
		return false;
	return true;
}

static int add_check(struct mkv_verify_options *o, const char *name,
		     struct mkv_error *err)
{
	const char *names[MKV_VERIFY_CHECKS_MAX];
	size_t count = 0;
	if (!mkv_check_find(name)) {
		while (mkv_checks[count].name &&
		       count < MKV_VERIFY_CHECKS_MAX) {
			names[count] = mkv_checks[count].name;
			count++;
		}
		const char *near = mkv_nearest(name, names, count);
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"unknown check '%s'%s%s%s; --list prints all",
				name, near ? " (did you mean '" : "",
				near ? near : "", near ? "'?)" : "");
	}
	if (o->n_checks == MKV_VERIFY_CHECKS_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG,
				"more than %d --check", MKV_VERIFY_CHECKS_MAX);
	o->checks[o->n_checks++] = name;
	return 0;
}

static int set_port(struct mkv_verify_options *o, const char *text,
		    struct mkv_error *err)
{
	char *end;
	long port = strtol(text, &end, 10);
	if (*end || end == text || port < 1 || port > 65535)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"--ntp-port: '%s' is not a port (1 to 65535)",
				text);
	o->ntp_port = (uint16_t)port;
	return 0;
}

static int set_value(struct mkv_verify_options *o, const char *name,
		     const char *value, struct mkv_error *err)
{
	const struct {
		const char *name;
		const char **into;
	} plain[] = {
		{"--contract", &o->contract},
		{"--host", &o->host},
		{"--root", &o->root},
		{"--out", &o->out},
		{"--metrics", &o->metrics},
		{"--console", &o->console},
		{"--cpuid", &o->cpuid},
		{"--chrony-socket", &o->chrony_socket},
		{"--docker-socket", &o->docker_socket},
		{"--tpm", &o->tpm},
	};
	if (strcmp(name, "--check") == 0)
		return add_check(o, value, err);
	if (strcmp(name, "--completion") == 0) {
		o->action = MKV_VERIFY_COMPLETION;
		return mkv_completion_shell(value, &o->shell, err);
	}
	if (strcmp(name, "--ntp-port") == 0)
		return set_port(o, value, err);
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (strcmp(name, plain[i].name) == 0)
			*plain[i].into = value;
	return 0;
}

int mkv_verify_options(int argc, char **argv, struct mkv_verify_options *ret,
		       struct mkv_error *err)
{
	struct mkv_verify_options o = {
		.root = "",
		.out = "/run/mkvbench",
		.metrics = "/var/lib/prometheus/node-exporter/mkvbench.prom",
		.chrony_socket = MKV_CHRONY_SOCKET,
		.docker_socket = MKV_DOCKER_SOCKET,
		.ntp_port = 123,
		.phase = MKV_PHASE_AFTER_START,
	};
	for (int i = 1; i < argc; i++) {
		const struct option *known = NULL;
		size_t length = strcspn(argv[i], "=");
		for (size_t j = 0; j < OPTIONS; j++)
			if (strlen(options[j].name) == length &&
			    strncmp(options[j].name, argv[i], length) == 0)
				known = &options[j];
		if (!known)
			return fail_unknown_option(argv[i], err);
		bool joined = argv[i][length] == '=';
		if (!known->placeholder) {
			if (joined)
				return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
						"%s takes no value",
						known->name);
			(void)set_switch(&o, known->name);
			continue;
		}
		if (!joined && i + 1 >= argc)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"%s needs a value (%s)", known->name,
					known->placeholder);
		const char *value = joined ? argv[i] + length + 1 : argv[++i];
		int rc = set_value(&o, known->name, value, err);
		if (rc < 0)
			return rc;
	}
	*ret = o;
	return 0;
}
