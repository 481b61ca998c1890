/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/boot.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "builder/run/boot/directory.h"
#include "builder/run/boot/gateway.h"
#include "builder/run/boot/guest.h"
#include "builder/run/boot/load.h"
#include "builder/run/boot/network.h"
#include "lib/clock.h"

enum {
	POLL_MS = 100,
	BOOT_S = 600,
	EMULATED_HOST_S = 180, /* emulated hosts share this machine's CPUs */
	HOSTS_MAX = 64,
	MIB = 1 << 20,
	MEMORY_MIN_MIB = 512,
	MEMORY_DEFAULT_MIB = 1024,
	RESTARTS_MAX = 3,
	STATUS_S = 60,
};

struct run {
	const struct mkv_boot_options *options;
	struct mkv_boot_guest *guests;
	size_t count;
	struct mkv_boot_result *results;
	double start_s;
	int signals;
	sigset_t old_mask;
	struct mkv_network *network;
	const char *firmware, *variables;
	struct mkv_child gateway;
	struct mkv_forward *forwards;
	size_t n_forwards;
	struct mkv_boot_load load;
	double load_end_s; /* 0: the load phase has not begun */
	bool load_is_over;
	int console_lock;
	double status_s; /* time of the last status report */
};

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

static void release_run(struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		mkv_guest_done(&run->guests[i]);
	mkv_child_end(&run->gateway);
	mkv_load_done(&run->load);
	free(run->forwards);
	free(run->guests);
	struct mkv_boot_results results = {run->results,
					   run->results ? run->count : 0};
	mkv_boot_results_done(&results);
	mkv_network_free(run->network);
	mkv_auto_close_(&run->console_lock);
	if (run->signals >= 0) {
		(void)close(run->signals);
		(void)sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
	}
}

static void mkv_printf(2, 3)
	report_note(const struct run *run, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (run->options->on_line)
		run->options->on_line(NULL, text, run->options->context);
}

/* Default: all hosts but hypervisors, because this machine takes the
 * hypervisor's place and runs the guests itself. */
static bool is_selected(const struct mkv_boot_options *options,
			const struct mkv_contract_host *host)
{
	for (size_t i = 0; i < options->n_hosts; i++)
		if (strcmp(options->hosts[i], host->name) == 0)
			return true;
	return options->n_hosts == 0 && host->guests.count == 0;
}

static int choose_guests(struct run *run, struct mkv_error *err)
{
	const struct mkv_contract *contract = run->options->contract;
	if (contract->n_hosts == 0 || contract->n_hosts > HOSTS_MAX)
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
	for (size_t i = 0; i < contract->n_hosts; i++) {
		if (!is_selected(run->options, &contract->hosts[i]))
			continue;
		int rc = mkv_guest_init(&run->guests[run->count++], contract,
					&contract->hosts[i],
					run->options->appliance,
					run->options->console_directory, err);
		if (rc < 0)
			return rc;
	}
	if (run->count == 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"all hosts of the appliance are hypervisors: "
				"name the hosts to boot");
	return 0;
}

static int add_forwards(struct run *run, struct mkv_error *err)
{
	const struct mkv_boot_options *options = run->options;
	run->forwards = calloc(options->n_forwards + MKV_LOAD_FORWARDS,
			       sizeof(*run->forwards));
	if (!run->forwards)
		return mkv_oom(err);
	for (size_t i = 0; i < options->n_forwards; i++) {
		struct mkv_forward *forward = &run->forwards[i];
		forward->port = options->forwards[i].port;
		forward->host = mkv_contract_find_host(
			options->contract, options->forwards[i].host);
		if (!forward->host)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"the appliance has no host '%s'",
					options->forwards[i].host);
	}
	run->n_forwards = options->n_forwards;
	run->load.count = options->load_count;
	if (!run->load.count)
		return 0;
	run->n_forwards += MKV_LOAD_FORWARDS;
	return mkv_load_plan(options->contract, &run->load,
			     run->forwards + options->n_forwards, err);
}

/* Frames need VLAN tags only where machines, which tag their frames, meet
 * guests or the gateway, which do not. */
static int open_network(struct run *run, struct mkv_error *err)
{
	bool has_gateway = run->n_forwards > 0;
	bool machines = false, others = has_gateway;
	for (size_t i = 0; i < run->count; i++) {
		if (run->guests[i].image->platform == MKV_PLATFORM_GUEST)
			others = true;
		else
			machines = true;
	}
	return mkv_network_open(
		machines && others ? run->options->contract->vlan.id : 0,
		has_gateway, &run->network, err);
}

static int start_gateway(struct run *run, struct mkv_error *err)
{
	if (!run->n_forwards)
		return 0;
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/gateway.qemu",
		       run->options->console_directory);
	auto_fd int log =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (log < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	int rc = mkv_gateway_start(run->options->contract, run->network,
				   run->forwards, run->n_forwards, log,
				   &run->gateway, err);
	if (rc < 0)
		return mkv_wrap(err, rc,
				"start the gateway to the hosts (log: '%s')",
				path);
	for (size_t i = 0; i < run->options->n_forwards; i++)
		report_note(run, "%s:%u is forwarded from 127.0.0.1:%u",
			    run->forwards[i].host->name, run->forwards[i].port,
			    run->forwards[i].local);
	return 0;
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
			"no UEFI firmware for QEMU is installed: install the "
			"package ovmf");
}

/* The memory that the contract promises, limited to an equal share of three
 * quarters of this machine's memory. */
static uint64_t choose_memory(const struct run *run,
			      const struct mkv_boot_guest *guest)
{
	if (run->options->memory_bytes)
		return run->options->memory_bytes;
	uint64_t wanted = guest->image->memory.bytes;
	if (!guest->image->memory.promised || wanted < MIB)
		wanted = (uint64_t)MEMORY_DEFAULT_MIB * MIB;
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			(uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t share = host / 4 * 3 / run->count / MIB * MIB;
	if (share < (uint64_t)MEMORY_MIN_MIB * MIB)
		share = (uint64_t)MEMORY_MIN_MIB * MIB;
	if (wanted <= share)
		return wanted;
	report_note(
		run,
		"%s gets %llu MiB of memory instead of %llu MiB: this machine "
		"has too little memory",
		guest->host->name, (unsigned long long)(share / MIB),
		(unsigned long long)(wanted / MIB));
	return share;
}

static int start_guest(struct run *run, struct mkv_boot_guest *guest,
		       struct mkv_error *err)
{
	const struct mkv_boot_options *options = run->options;
	struct mkv_boot_machine machine = {
		.contract = options->contract,
		.host = guest->host,
		.image = guest->image,
		.directory = guest->directory,
		.console = guest->console_path,
		.accel = options->accel,
		.cpu_model = options->cpu_model,
		.memory_bytes = choose_memory(run, guest),
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
	auto_buf struct mkv_buf load = {0};
	if (run->load.count && guest->host == run->load.generator) {
		int rc = mkv_load_credential(&run->load, &load, err);
		if (rc < 0)
			return rc;
		machine.load = load.data;
	}
	return mkv_guest_start(guest, &machine, options->tpm_directory, err);
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
	struct run *run;
	struct mkv_boot_guest *guest;
};

/* Linux tests once, early at boot, that timer interrupts arrive at the expected
 * rate (arch/x86/kernel/apic/io_apic.c, check_timer). Under emulation on a busy
 * machine they can be late, which is no fault of the image. */
static bool is_timer_failure(const struct run *run, const char *line)
{
	return run->options->accel == MKV_ACCEL_TCG &&
	       strstr(line, "IO-APIC + timer doesn't work");
}

static void handle_line(const char *line, void *context)
{
	const struct line_context *at = context;
	if (is_timer_failure(at->run, line))
		at->guest->stumbled = true;
	if (at->run->load.count && at->guest->host == at->run->load.generator)
		(void)mkv_load_take_line(&at->run->load, line);
	if (at->run->options->on_line)
		at->run->options->on_line(at->guest->host->name, line,
					  at->run->options->context);
}

static void settle_guest(struct run *run, size_t index, bool died)
{
	struct mkv_boot_guest *guest = &run->guests[index];
	struct mkv_boot_result *result = &run->results[index];
	guest->settled = true;
	result->host = guest->host->name;
	result->verdict = mkv_guest_verdict(guest);
	result->died = died;
	result->seconds = mkv_monotonic_s() - run->start_s;
	result->receipt = mkv_guest_receipts(guest);
	result->console = strdup(guest->console_path);
	result->diagnosis = died ? mkv_guest_diagnosis(guest) : NULL;
	if (run->options->on_receipt)
		run->options->on_receipt(result, run->options->context);
}

static int restart_guest(struct run *run, struct mkv_boot_guest *guest,
			 struct mkv_error *err)
{
	report_note(
		run,
		"%s: restarted: the kernel found its timer interrupts late, which "
		"happens under emulation on a busy machine",
		guest->host->name);
	guest->restarts++;
	return start_guest(run, guest, err);
}

static int read_guest(struct run *run, struct mkv_boot_guest *guest,
		      struct mkv_error *err)
{
	struct line_context context = {run, guest};
	bool had_receipt = guest->console.boot.complete;
	int rc = mkv_guest_read(guest, handle_line, &context, err);
	if (rc < 0 && rc != -EFBIG)
		return rc;
	if (rc == -EFBIG) /* QEMU was killed: the host gets its result */
		report_note(run, "%s", err->message);
	if (guest->console.boot.complete && !had_receipt &&
	    !mkv_guest_is_complete(guest))
		report_note(
			run,
			"%s: %s at boot, after %.0f s; waiting for its containers",
			guest->host->name,
			mkv_verdict_name(guest->console.boot.verdict),
			mkv_monotonic_s() - run->start_s);
	return 0;
}

/* Reads every guest's console once. Returns the number of guests without a
 * result, or a negative errno. */
static int poll_guests(struct run *run, struct mkv_error *err)
{
	int owing = 0;
	for (size_t i = 0; i < run->count; i++) {
		struct mkv_boot_guest *guest = &run->guests[i];
		int status;
		/* Reaped before the console is read, so that output from
		 * before the exit is not missed. */
		bool ended = mkv_child_reap(&guest->child, &status);
		int rc = read_guest(run, guest, err);
		if (rc < 0)
			return rc;
		if (guest->stumbled && !guest->settled &&
		    guest->restarts < RESTARTS_MAX) {
			rc = restart_guest(run, guest, err);
			if (rc < 0)
				return rc;
			ended = false;
		}
		if (!guest->settled && (mkv_guest_is_complete(guest) || ended))
			settle_guest(run, i, !mkv_guest_is_complete(guest));
		owing += !guest->settled;
	}
	return owing;
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
	if (run->options->accel == MKV_ACCEL_TCG)
		boot_s += EMULATED_HOST_S * (unsigned)run->count;
	return boot_s + (unsigned)(clock_s > 86400 ? 86400 : clock_s);
}

/* Reports each host without a result and the last line of its console. */
static void report_status(struct run *run)
{
	double now = mkv_monotonic_s();
	if (now - run->status_s < STATUS_S)
		return;
	run->status_s = now;
	for (size_t i = 0; i < run->count; i++)
		if (!run->guests[i].settled)
			report_note(run, "%.0f s: %s: %s", now - run->start_s,
				    run->guests[i].host->name,
				    run->guests[i].console.last);
}

static int check_gateway(struct run *run, struct mkv_error *err)
{
	int status;
	if (!run->n_forwards || !mkv_child_reap(&run->gateway, &status))
		return 0;
	return mkv_fail(err, MKV_HOST_CANNOT, EIO,
			"the gateway to the hosts exited: see "
			"'%s/gateway.qemu'",
			run->options->console_directory);
}

static void end_load(struct run *run)
{
	run->load_is_over = true;
	if (run->options->on_load)
		run->options->on_load(&run->load, run->options->context);
}

/* Called after all hosts have results. Returns whether the load phase is still
 * running. */
static bool tend_load(struct run *run, struct mkv_error *err)
{
	if (!run->load.count || run->load_is_over)
		return false;
	for (size_t i = 0; i < run->count; i++)
		if (run->results[i].verdict > MKV_VERDICT_WARN) {
			report_note(run, "no load is sent: %s did not pass",
				    run->results[i].host);
			end_load(run);
			return false;
		}
	if (run->load_end_s == 0) {
		report_note(run,
			    "all hosts passed; waiting for the load to finish");
		run->load_end_s = mkv_monotonic_s() + limit_s(run);
	}
	int rc = mkv_load_poll(&run->load, run->options->console_directory,
			       run->load_end_s, err);
	if (rc > 0)
		return true;
	if (rc < 0)
		report_note(run, "%s", err->message);
	end_load(run);
	return false;
}

static bool is_alive(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->guests[i].child.pidfd >= 0)
			return true;
	return false;
}

static int watch_guests(struct run *run, struct mkv_error *err)
{
	double end_s = run->start_s + limit_s(run);
	for (;;) {
		struct pollfd polled = {.fd = run->signals, .events = POLLIN};
		struct signalfd_siginfo taken;
		/* Read from the queue: a signal that is still pending when the
		 * mask is restored would kill this process. */
		if (poll(&polled, 1, POLL_MS) > 0 &&
		    read(run->signals, &taken, sizeof(taken)) ==
			    (ssize_t)sizeof(taken))
			return mkv_fail(err, MKV_FAILED, EINTR,
					"interrupted (%s)",
					strsignal((int)taken.ssi_signo));
		int owing = poll_guests(run, err);
		int rc = owing < 0 ? owing : check_gateway(run, err);
		if (rc < 0)
			return rc;
		if (owing == 0 && tend_load(run, err))
			continue;
		if (owing > 0)
			report_status(run);
		if (owing == 0 && (!run->options->stay || !is_alive(run)))
			return 0;
		if (owing > 0 && mkv_monotonic_s() >= end_s) {
			for (size_t i = 0; i < run->count; i++)
				if (!run->guests[i].settled)
					settle_guest(run, i, false);
			return 0;
		}
	}
}

static int boot_guests(struct run *run, struct mkv_error *err)
{
	/* Console logs are named after hosts: two boots in one directory would
	 * overwrite each other's. */
	int rc = mkv_boot_lock_directory(run->options->console_directory,
					 "the directory for consoles",
					 &run->console_lock, err);
	if (rc < 0)
		return rc;
	rc = choose_guests(run, err);
	if (rc < 0)
		return rc;
	rc = add_forwards(run, err);
	if (rc < 0)
		return rc;
	rc = find_firmware(run, err);
	if (rc < 0)
		return rc;
	rc = watch_signals(run, err);
	if (rc < 0)
		return rc;
	/* After the signals are blocked: the network's thread inherits the
	 * mask. */
	rc = open_network(run, err);
	if (rc < 0)
		return rc;
	rc = start_gateway(run, err);
	if (rc < 0)
		return rc;
	run->start_s = run->status_s = mkv_monotonic_s();
	for (size_t i = 0; i < run->count; i++) {
		rc = start_guest(run, &run->guests[i], err);
		if (rc < 0)
			return rc;
	}
	return watch_guests(run, err);
}

int mkv_boot_run(const struct mkv_boot_options *options,
		 struct mkv_boot_results *ret, struct mkv_error *err)
{
	struct run run = {.options = options,
			  .signals = -1,
			  .gateway = MKV_CHILD_INIT,
			  .console_lock = -1};
	int rc = boot_guests(&run, err);
	if (rc < 0) {
		release_run(&run);
		return rc;
	}
	*ret = (struct mkv_boot_results){run.results, run.count};
	run.results = NULL;
	release_run(&run);
	return 0;
}
