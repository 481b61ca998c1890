/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/boot_internal.h"

#include <poll.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "lib/clock.h"

enum {
	POLL_MS = 100,
	BOOT_S = 600,
	EMULATED_HOST_S = 180, /* emulated hosts share this machine's CPUs */
	RESTARTS_MAX = 3,
	STATUS_S = 60,
};

struct line_context {
	struct mkv_boot_run *run;
	struct mkv_boot_guest *guest;
};

/* Linux tests once, early at boot, that timer interrupts arrive at the expected
 * rate (arch/x86/kernel/apic/io_apic.c, check_timer). Under emulation on a busy
 * machine they can be late, which is no fault of the image. */
static bool is_timer_failure(const struct mkv_boot_run *run, const char *line)
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

static void settle_guest(struct mkv_boot_run *run, size_t index, bool died)
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

static int restart_guest(struct mkv_boot_run *run, struct mkv_boot_guest *guest,
			 struct mkv_error *err)
{
	mkv_boot_note(
		run,
		"%s: restarted: the kernel found its timer interrupts late, which "
		"happens under emulation on a busy machine",
		guest->host->name);
	guest->restarts++;
	return mkv_boot_start_guest(run, guest, err);
}

static int read_guest(struct mkv_boot_run *run, struct mkv_boot_guest *guest,
		      struct mkv_error *err)
{
	struct line_context context = {run, guest};
	bool had_receipt = guest->console.boot.complete;
	int rc = mkv_guest_read(guest, handle_line, &context, err);
	if (rc < 0 && rc != -EFBIG)
		return rc;
	if (rc == -EFBIG) /* QEMU was killed: the host gets its result */
		mkv_boot_note(run, "%s", err->message);
	if (guest->console.boot.complete && !had_receipt &&
	    !mkv_guest_is_complete(guest))
		mkv_boot_note(
			run,
			"%s: %s at boot, after %.0f s; waiting for its containers",
			guest->host->name,
			mkv_verdict_name(guest->console.boot.verdict),
			mkv_monotonic_s() - run->start_s);
	return 0;
}

/* Reads every guest's console once. Returns the number of guests without a
 * result, or a negative errno. */
static int poll_guests(struct mkv_boot_run *run, struct mkv_error *err)
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

static unsigned limit_s(const struct mkv_boot_run *run)
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
static void report_status(struct mkv_boot_run *run)
{
	double now = mkv_monotonic_s();
	if (now - run->status_s < STATUS_S)
		return;
	run->status_s = now;
	for (size_t i = 0; i < run->count; i++)
		if (!run->guests[i].settled)
			mkv_boot_note(run, "%.0f s: %s: %s", now - run->start_s,
				      run->guests[i].host->name,
				      run->guests[i].console.last);
}

static int check_gateway(struct mkv_boot_run *run, struct mkv_error *err)
{
	int status;
	if (!run->n_forwards || !mkv_child_reap(&run->gateway, &status))
		return 0;
	return mkv_fail(err, MKV_HOST_CANNOT, EIO,
			"the gateway to the hosts exited: see "
			"'%s/gateway.qemu'",
			run->options->console_directory);
}

static void end_load(struct mkv_boot_run *run)
{
	run->load_is_over = true;
	if (run->options->on_load)
		run->options->on_load(&run->load, run->options->context);
}

/* Called after all hosts have results. Returns whether the load phase is still
 * running. */
static bool tend_load(struct mkv_boot_run *run, struct mkv_error *err)
{
	if (!run->load.count || run->load_is_over)
		return false;
	for (size_t i = 0; i < run->count; i++)
		if (run->results[i].verdict > MKV_VERDICT_WARN) {
			mkv_boot_note(run, "no load is sent: %s did not pass",
				      run->results[i].host);
			end_load(run);
			return false;
		}
	if (run->load_end_s == 0) {
		mkv_boot_note(
			run,
			"all hosts passed; waiting for the load to finish");
		run->load_end_s = mkv_monotonic_s() + limit_s(run);
	}
	int rc = mkv_load_poll(&run->load, run->options->console_directory,
			       run->load_end_s, err);
	if (rc > 0)
		return true;
	if (rc < 0)
		mkv_boot_note(run, "%s", err->message);
	end_load(run);
	return false;
}

static bool is_alive(const struct mkv_boot_run *run)
{
	for (size_t i = 0; i < run->count; i++)
		if (run->guests[i].child.pidfd >= 0)
			return true;
	return false;
}

int mkv_boot_watch(struct mkv_boot_run *run, struct mkv_error *err)
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
