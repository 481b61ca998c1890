/* SPDX-License-Identifier: MIT */
#include "builder/boot/boot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "builder/boot/accel.h"
#include "builder/boot/child.h"
#include "builder/boot/network.h"
#include "lib/io.h"

enum {
	POLL_MS = 100,
	BOOT_S = 600,
	EMULATED_HOST_S = 180, /* they share this machine's CPUs */
	HOSTS_MOST = 64,
	MIB = 1 << 20,
	LEAST_MEMORY_MIB = 512,
	USUAL_MEMORY_MIB = 1024,
	DIAGNOSIS_MOST = 2000,
	CONSOLE_MOST_BYTES = 64 << 20,
	RESTARTS_MOST = 3,
};

struct guest {
	const struct mkv_contract_host *host;
	const struct mkv_contract_image *image;
	struct mkv_child child;
	struct mkv_console console;
	int console_fd; /* our own end for reading */
	uint64_t console_bytes;
	char *folder, *console_path, *log_path;
	bool settled;  /* has its result */
	bool stumbled; /* over the emulator, not over the image */
	unsigned restarts;
};

struct run {
	const struct mkv_boot_options *options;
	struct guest *guests;
	size_t count;
	struct mkv_boot_result *results;
	double start_s;
	int signals;
	sigset_t old_mask;
	struct mkv_network *network;
	const char *firmware, *variables;
	enum mkv_accel accel;
};

static double now_s(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void mkv_boot_results_done(struct mkv_boot_results *results)
{
	for (size_t i = 0; i < results->count; i++) {
		free(results->items[i].receipt);
		free(results->items[i].console);
		free(results->items[i].diagnosis);
	}
	free(results->items);
	*results = (struct mkv_boot_results){0};
}

static void done(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		struct guest *guest = &run->guests[i];
		mkv_child_end(&guest->child);
		mkv_console_done(&guest->console);
		mkv_auto_close_(&guest->console_fd);
		free(guest->folder);
		free(guest->console_path);
		free(guest->log_path);
	}
	free(run->guests);
	struct mkv_boot_results results = {run->results,
					   run->results ? run->count : 0};
	mkv_boot_results_done(&results);
	mkv_network_free(run->network);
	if (run->signals >= 0) {
		(void)close(run->signals);
		(void)sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
	}
}

static void mkv_printf(2, 3)
	note(const struct run *run, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (run->options->on_line)
		run->options->on_line(NULL, text, run->options->context);
}

/* Unless hosts were named: all but hypervisors, since this machine is the one
 * that runs the guests here. */
static bool is_wanted(const struct mkv_boot_options *options,
		      const struct mkv_contract_host *host)
{
	for (size_t i = 0; i < options->n_hosts; i++)
		if (strcmp(options->hosts[i], host->name) == 0)
			return true;
	return options->n_hosts == 0 && host->guests.count == 0;
}

static int add_guest(struct run *run, const struct mkv_contract_host *host,
		     struct mkv_error *err)
{
	int rc = mkv_boot_check_host(host, err);
	if (rc < 0)
		return rc;
	struct guest *guest = &run->guests[run->count];
	*guest = (struct guest){.host = host,
				.child = MKV_CHILD_INIT,
				.console = MKV_CONSOLE_INIT,
				.console_fd = -1};
	guest->image =
		mkv_contract_find_image(run->options->contract, host->image);
	if (!guest->image)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"host '%s' has no image '%s'", host->name,
				host->image);
	run->count++;
	const char *folder = run->options->console_folder;
	if (asprintf(&guest->folder, "%s/%s", run->options->appliance,
		     host->image) < 0 ||
	    asprintf(&guest->console_path, "%s/%s.console", folder,
		     host->name) < 0 ||
	    asprintf(&guest->log_path, "%s/%s.qemu", folder, host->name) < 0)
		return mkv_oom(err);
	return 0;
}

static int choose_guests(struct run *run, struct mkv_error *err)
{
	const struct mkv_contract *contract = run->options->contract;
	if (contract->n_hosts == 0 || contract->n_hosts > HOSTS_MOST)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"the contract names %zu hosts",
				contract->n_hosts);
	for (size_t i = 0; i < run->options->n_hosts; i++)
		if (!mkv_contract_find_host(contract, run->options->hosts[i]))
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"the appliance has no host '%s'",
					run->options->hosts[i]);
	run->guests = calloc(contract->n_hosts, sizeof(*run->guests));
	run->results = calloc(contract->n_hosts, sizeof(*run->results));
	if (!run->guests || !run->results)
		return mkv_oom(err);
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < contract->n_hosts; i++)
		if (is_wanted(run->options, &contract->hosts[i]))
			rc = add_guest(run, &contract->hosts[i], err);
	return rc;
}

/* Tags matter only between machines and guests. */
static int open_network(struct run *run, struct mkv_error *err)
{
	bool machines = false, guests = false;
	for (size_t i = 0; i < run->count; i++) {
		if (run->guests[i].image->platform == MKV_PLATFORM_GUEST)
			guests = true;
		else
			machines = true;
	}
	return mkv_network_open(
		machines && guests ? run->options->contract->vlan.id : 0,
		&run->network, err);
}

static int find_firmware(struct run *run, struct mkv_error *err)
{
	static const char *const known[][2] = {
		{"/usr/share/OVMF/OVMF_CODE_4M.fd",
		 "/usr/share/OVMF/OVMF_VARS_4M.fd"},
		{"/usr/share/OVMF/OVMF_CODE.fd",
		 "/usr/share/OVMF/OVMF_VARS.fd"},
	};
	if (!run->options->uefi)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (access(known[i][0], R_OK) == 0 &&
		    access(known[i][1], R_OK) == 0) {
			run->firmware = known[i][0];
			run->variables = known[i][1];
			return 0;
		}
	}
	return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
			"no UEFI firmware for QEMU here (package ovmf)");
}

static int choose_accel(struct run *run, struct mkv_error *err)
{
	run->accel = run->options->accel;
	if (run->accel != MKV_ACCEL_AUTO)
		return 0;
	char kernel[4096], why[128] = "";
	bool works = false;
	(void)snprintf(kernel, sizeof(kernel), "%s/boot/vmlinuz",
		       run->guests[0].folder);
	int rc = mkv_boot_probe_kvm(kernel, &works, why, err);
	if (rc < 0)
		return rc;
	run->accel = works ? MKV_ACCEL_KVM : MKV_ACCEL_TCG;
	note(run, "%s (%s)", works ? "KVM" : "emulation instead of KVM", why);
	return 0;
}

/* What is promised, as far as all guests together leave a quarter to the host.
 */
static uint64_t memory_of(const struct run *run, const struct guest *guest)
{
	if (run->options->memory_bytes)
		return run->options->memory_bytes;
	uint64_t wanted = guest->image->memory.bytes;
	if (!guest->image->memory.promised || wanted < MIB)
		wanted = (uint64_t)USUAL_MEMORY_MIB * MIB;
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			(uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t share = host / 4 * 3 / run->count / MIB * MIB;
	if (share < (uint64_t)LEAST_MEMORY_MIB * MIB)
		share = (uint64_t)LEAST_MEMORY_MIB * MIB;
	if (wanted <= share)
		return wanted;
	note(run,
	     "%s gets %llu MiB of memory instead of %llu: this machine "
	     "has no more",
	     guest->host->name, (unsigned long long)(share / MIB),
	     (unsigned long long)(wanted / MIB));
	return share;
}

static int start_guest(struct run *run, struct guest *guest,
		       struct mkv_error *err)
{
	const struct mkv_boot_options *options = run->options;
	struct mkv_boot_machine machine = {
		.contract = options->contract,
		.host = guest->host,
		.image = guest->image,
		.folder = guest->folder,
		.console = guest->console_path,
		.accel = run->accel,
		.cpu_model = options->cpu_model,
		.memory_bytes = memory_of(run, guest),
		.firmware = run->firmware,
		.firmware_variables = run->variables,
		.port = mkv_network_port(run->network,
					 guest->image->platform ==
							 MKV_PLATFORM_GUEST
						 ? MKV_SEGMENT_ACCESS
						 : MKV_SEGMENT_TRUNK),
	};
	if (!machine.cpu_model && options->model_for)
		machine.cpu_model = options->model_for(guest->image,
						       options->model_context);
	auto_argv struct mkv_argv argv = {0};
	int rc = mkv_boot_machine_argv(&machine, &argv, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "host '%s'", guest->host->name);
	guest->console_fd =
		open(guest->console_path,
		     O_RDONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	auto_fd int log = open(guest->log_path,
			       O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (guest->console_fd < 0 || log < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
				guest->console_path);
	return mkv_child_start(argv.items, log, &guest->child, err);
}

static int watch_signals(struct run *run, struct mkv_error *err)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &run->old_mask) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "sigprocmask: %m");
	run->signals = signalfd(-1, &set, SFD_CLOEXEC);
	return run->signals < 0
		       ? mkv_fail(err, MKV_FAILED, errno, "signalfd: %m")
		       : 0;
}

struct line_context {
	const struct run *run;
	struct guest *guest;
};

/* An emulated timer that this machine has no time for: Linux tests once, very
 * early, that interrupts come as often as they should
 * (arch/x86/kernel/apic/io_apic.c, check_timer). */
static bool is_stumble(const struct run *run, const char *line)
{
	return run->accel == MKV_ACCEL_TCG &&
	       strstr(line, "IO-APIC + timer doesn't work");
}

static void on_line(const char *line, void *context)
{
	const struct line_context *at = context;
	if (is_stumble(at->run, line))
		at->guest->stumbled = true;
	if (at->run->options->on_line)
		at->run->options->on_line(at->guest->host->name, line,
					  at->run->options->context);
}

/* What the console's file gained since. */
static int read_console(const struct run *run, struct guest *guest,
			struct mkv_error *err)
{
	struct line_context context = {run, guest};
	char chunk[16384];
	ssize_t got;
	while ((got = read(guest->console_fd, chunk, sizeof(chunk))) > 0) {
		mkv_console_feed(&guest->console, chunk, (size_t)got, on_line,
				 &context);
		guest->console_bytes += (uint64_t)got;
		/* It would fill the disk. */
		if (guest->console_bytes > CONSOLE_MOST_BYTES &&
		    guest->child.pidfd >= 0) {
			note(run, "%s ended: it wrote more than 64 MiB",
			     guest->host->name);
			mkv_child_end(&guest->child);
		}
	}
	return got < 0 && errno != EINTR
		       ? mkv_fail(err, MKV_FAILED, errno, "read '%s': %m",
				  guest->console_path)
		       : 0;
}

static char *read_diagnosis(const struct guest *guest)
{
	struct mkv_error ignored;
	auto_buf struct mkv_buf text = {0};
	if (mkv_read_file(AT_FDCWD, guest->log_path, MIB, &text, &ignored) <
		    0 ||
	    !text.size)
		return NULL;
	size_t from =
		text.size > DIAGNOSIS_MOST ? text.size - DIAGNOSIS_MOST : 0;
	return strdup(text.data + from);
}

/* Containers of this host's role: the verifier then looks again once they run.
 */
static bool has_containers(const struct guest *guest)
{
	const struct mkv_contract_docker *docker = &guest->image->docker;
	for (size_t i = 0; docker->promised && i < docker->n_containers; i++) {
		const struct mkv_contract_strings *roles =
			&docker->containers[i].roles;
		if (!roles->count ||
		    mkv_contract_strings_have(roles, guest->host->role))
			return true;
	}
	return false;
}

/* After a boot that doesn't let services start, nothing more will come. */
static bool is_complete(const struct guest *guest)
{
	const struct mkv_console *console = &guest->console;
	if (!console->boot.complete)
		return false;
	return console->boot.verdict > MKV_VERDICT_WARN ||
	       console->later.complete || !has_containers(guest);
}

static char *text_of(const struct mkv_console *console)
{
	char *text = NULL;
	const char *boot = console->boot.text.data;
	const char *later = console->later.text.data;
	if (!console->boot.complete ||
	    asprintf(&text, "%s%s", boot ? boot : "", later ? later : "") < 0)
		return NULL;
	return text;
}

static enum mkv_verdict verdict_of(const struct guest *guest)
{
	const struct mkv_console *console = &guest->console;
	if (!is_complete(guest))
		return MKV_VERDICT_NONE;
	/* A receipt of somebody else's proves nothing of this host. */
	if (console->boot.host[0] &&
	    strcmp(console->boot.host, guest->host->name) != 0)
		return MKV_VERDICT_FAIL;
	return console->later.complete &&
			       console->later.verdict > console->boot.verdict
		       ? console->later.verdict
		       : console->boot.verdict;
}

static void settle(struct run *run, size_t index, bool died)
{
	struct guest *guest = &run->guests[index];
	struct mkv_boot_result *result = &run->results[index];
	guest->settled = true;
	result->host = guest->host->name;
	result->verdict = verdict_of(guest);
	result->died = died;
	result->seconds = now_s() - run->start_s;
	result->receipt = text_of(&guest->console);
	result->console = strdup(guest->console_path);
	result->diagnosis = died ? read_diagnosis(guest) : NULL;
	if (run->options->on_receipt)
		run->options->on_receipt(result, run->options->context);
}

static int restart_guest(struct run *run, struct guest *guest,
			 struct mkv_error *err)
{
	note(run,
	     "%s: its timer came too late for its kernel, as it may in "
	     "emulation on a busy machine; once more",
	     guest->host->name);
	mkv_child_end(&guest->child);
	mkv_console_done(&guest->console);
	guest->console = (struct mkv_console)MKV_CONSOLE_INIT;
	mkv_auto_close_(&guest->console_fd);
	guest->console_fd = -1;
	guest->stumbled = false;
	guest->restarts++;
	return start_guest(run, guest, err);
}

/* One look at every guest; returns how many still owe a receipt. */
static int look(struct run *run, struct mkv_error *err)
{
	int owing = 0;
	for (size_t i = 0; i < run->count; i++) {
		struct guest *guest = &run->guests[i];
		int status;
		/* Before reading: what it wrote before it ended is then read.
		 */
		bool ended = mkv_child_reap(&guest->child, &status);
		int rc = read_console(run, guest, err);
		if (rc == 0 && guest->stumbled && !guest->settled &&
		    guest->restarts < RESTARTS_MOST) {
			rc = restart_guest(run, guest, err);
			ended = false;
		}
		if (rc < 0)
			return rc;
		if (!guest->settled && (is_complete(guest) || ended))
			settle(run, i, !is_complete(guest));
		owing += !guest->settled;
	}
	return owing;
}

static bool is_alive(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->guests[i].child.pidfd >= 0)
			return true;
	return false;
}

static unsigned limit_s(const struct run *run)
{
	const struct mkv_contract *contract = run->options->contract;
	if (run->options->timeout_s)
		return run->options->timeout_s;
	int64_t clock_s = contract->has_clock ? (contract->clock.settle_ns +
						 contract->clock.dwell_ns) /
							1000000000
					      : 0;
	unsigned boot_s = BOOT_S;
	if (run->accel == MKV_ACCEL_TCG)
		boot_s += EMULATED_HOST_S * (unsigned)run->count;
	return boot_s + (unsigned)(clock_s > 86400 ? 86400 : clock_s);
}

static int watch(struct run *run, struct mkv_error *err)
{
	double end_s = run->start_s + limit_s(run);
	for (;;) {
		struct pollfd polled = {.fd = run->signals, .events = POLLIN};
		struct signalfd_siginfo taken;
		/* Taken off the queue: else it would end us, unblocked. */
		if (poll(&polled, 1, POLL_MS) > 0 &&
		    read(run->signals, &taken, sizeof(taken)) ==
			    (ssize_t)sizeof(taken))
			return mkv_fail(err, MKV_FAILED, EINTR,
					"interrupted (%s)",
					strsignal((int)taken.ssi_signo));
		int owing = look(run, err);
		if (owing < 0)
			return owing;
		if (owing == 0 && (!run->options->stay || !is_alive(run)))
			return 0;
		if (owing > 0 && now_s() >= end_s) {
			for (size_t i = 0; i < run->count; i++)
				if (!run->guests[i].settled)
					settle(run, i, false);
			return 0;
		}
	}
}

static int go(struct run *run, struct mkv_error *err)
{
	int rc = choose_guests(run, err);
	if (rc == 0)
		rc = find_firmware(run, err);
	if (rc == 0)
		rc = choose_accel(run, err);
	if (rc == 0)
		rc = watch_signals(run, err);
	/* Behind the signals' mask, which its thread inherits. */
	if (rc == 0)
		rc = open_network(run, err);
	run->start_s = now_s();
	for (size_t i = 0; rc == 0 && i < run->count; i++)
		rc = start_guest(run, &run->guests[i], err);
	return rc < 0 ? rc : watch(run, err);
}

int mkv_boot_run(const struct mkv_boot_options *options,
		 struct mkv_boot_results *ret, struct mkv_error *err)
{
	struct run run = {.options = options, .signals = -1};
	int rc = go(&run, err);
	if (rc == 0) {
		*ret = (struct mkv_boot_results){run.results, run.count};
		run.results = NULL;
	}
	done(&run);
	return rc;
}
