/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/boot_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>

#include "builder/run/boot/directory.h"
#include "builder/run/boot/gateway.h"
#include "lib/clock.h"

enum { HOSTS_MAX = 64 };

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

static void release_run(struct mkv_boot_run *run)
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

void mkv_boot_note(const struct mkv_boot_run *run, const char *format, ...)
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

static int choose_guests(struct mkv_boot_run *run, struct mkv_error *err)
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

static int add_forwards(struct mkv_boot_run *run, struct mkv_error *err)
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
static int open_network(struct mkv_boot_run *run, struct mkv_error *err)
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

static int start_gateway(struct mkv_boot_run *run, struct mkv_error *err)
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
		mkv_boot_note(run, "%s:%u is forwarded from 127.0.0.1:%u",
			      run->forwards[i].host->name,
			      run->forwards[i].port, run->forwards[i].local);
	return 0;
}

static int watch_signals(struct mkv_boot_run *run, struct mkv_error *err)
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

static int boot_guests(struct mkv_boot_run *run, struct mkv_error *err)
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
	rc = mkv_boot_find_firmware(run, err);
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
		rc = mkv_boot_start_guest(run, &run->guests[i], err);
		if (rc < 0)
			return rc;
	}
	return mkv_boot_watch(run, err);
}

int mkv_boot_run(const struct mkv_boot_options *options,
		 struct mkv_boot_results *ret, struct mkv_error *err)
{
	struct mkv_boot_run run = {.options = options,
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
