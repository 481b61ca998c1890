/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/target.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/core/host/child.h"
#include "lib/argv.h"
#include "lib/io.h"
#include "lib/json.h"

enum { LOG_MAX_BYTES = 64 << 20, BOOTS_MAX = 100000 };

struct mkv_target {
	bool is_qemu;
	char *address; /* of --on hosts; NULL: the contract's */
	struct mkv_target_qemu qemu;
	char *consoles;	       /* directory of all boots' directories */
	struct mkv_child boot; /* `mkvbench boot` */
	char *directory;       /* of this boot's consoles and boot.log */
	unsigned boots;
	char appliance[4096];
	const struct mkv_contract *contract;
};

int mkv_target_hosts_new(const char *address, struct mkv_target **ret,
			 struct mkv_error *err)
{
	auto_target struct mkv_target *target = calloc(1, sizeof(*target));
	if (!target)
		return mkv_oom(err);
	target->boot = MKV_CHILD_INIT;
	if (address) {
		const char *colon = strrchr(address, ':');
		bool has_port = colon && !strchr(colon, ']');
		if (asprintf(&target->address, has_port ? "%s" : "%s:%d",
			     address, MKV_CONDUCTOR_PORT) < 0)
			return mkv_oom(err);
	}
	*ret = mkv_take(target);
	return 0;
}

int mkv_target_qemu_new(const struct mkv_target_qemu *options,
			struct mkv_target **ret, struct mkv_error *err)
{
	auto_target struct mkv_target *target = calloc(1, sizeof(*target));
	if (!target)
		return mkv_oom(err);
	target->is_qemu = true;
	target->qemu = *options;
	target->boot = MKV_CHILD_INIT;
	target->consoles = strdup(options->console_directory);
	if (!target->consoles)
		return mkv_oom(err);
	*ret = mkv_take(target);
	return 0;
}

void mkv_target_stop(struct mkv_target *target)
{
	mkv_child_end(&target->boot);
	target->contract = NULL;
	target->appliance[0] = '\0';
}

void mkv_target_free(struct mkv_target *target)
{
	if (!target)
		return;
	mkv_target_stop(target);
	free(target->address);
	free(target->consoles);
	free(target->directory);
	free(target);
}

bool mkv_target_is_lasting(const struct mkv_target *target)
{
	return !target->is_qemu;
}

static const struct mkv_contract_host *
find_collector(const struct mkv_contract *contract, struct mkv_error *err)
{
	const struct mkv_contract_host *host =
		mkv_contract_find_role(contract, "collector");
	if (!host)
		(void)mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			       "the appliance '%s' has no host of role "
			       "'collector', which conducts a campaign",
			       contract->name);
	return host;
}

/* A new directory for this boot's consoles: the files of earlier boots stay. */
static int make_directory(struct mkv_target *target, struct mkv_error *err)
{
	free(mkv_take(target->directory));
	while (target->boots < BOOTS_MAX) {
		auto_free char *path = NULL;
		if (asprintf(&path, "%s/boot-%03u", target->consoles,
			     ++target->boots) < 0)
			return mkv_oom(err);
		if (mkdir(path, 0755) == 0) {
			target->directory = mkv_take(path);
			return 0;
		}
		if (errno != EEXIST)
			return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
					path);
	}
	return mkv_fail(err, MKV_FAILED, EEXIST, "'%s' has too many boots",
			target->consoles);
}

static int start_boot(struct mkv_target *target, const char *collector,
		      struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	auto_free char *log = NULL;
	int rc = make_directory(target, err);
	if (rc < 0)
		return rc;
	if (asprintf(&log, "%s/boot.log", target->directory) < 0)
		return mkv_oom(err);
	auto_fd int fd = open(
		log, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_APPEND, 0644);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", log);
	const char *const words[] = {
		"/proc/self/exe",   "boot",	 target->appliance,
		"--json",	    "--stay",	 "--accel",
		target->qemu.accel, "--console", target->directory};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		mkv_argv_add(&argv, "%s", words[i]);
	mkv_argv_add(&argv, "--forward");
	mkv_argv_add(&argv, "%s:%d", collector, MKV_CONDUCTOR_PORT);
	if (target->qemu.timeout) {
		mkv_argv_add(&argv, "--timeout");
		mkv_argv_add(&argv, "%s", target->qemu.timeout);
	}
	if (argv.failed)
		return mkv_oom(err);
	return mkv_child_start(argv.items, fd, &target->boot, err);
}

int mkv_target_start(struct mkv_target *target, const char *appliance,
		     const struct mkv_contract *contract, bool fresh,
		     char **ret_request, struct mkv_error *err)
{
	*ret_request = NULL;
	const struct mkv_contract_host *collector =
		find_collector(contract, err);
	if (!collector)
		return -ENOENT;
	if (!target->is_qemu && !target->address && !collector->address)
		return mkv_fail(err, MKV_BAD_USAGE, EDESTADDRREQ,
				"the collector of '%s' has no address: name "
				"the conductor's with --at",
				contract->name);
	bool is_other = strcmp(target->appliance, appliance) != 0;
	target->contract = contract;
	(void)snprintf(target->appliance, sizeof(target->appliance), "%s",
		       appliance);
	if (!target->is_qemu) {
		if (!is_other && !fresh)
			return 0;
		return asprintf(ret_request,
				"boot all hosts of the appliance '%s'%s",
				contract->name,
				is_other ? ""
					 : " anew: every run needs its "
					   "own boot") < 0
			       ? mkv_oom(err)
			       : 0;
	}
	if (!is_other && !fresh && target->boot.pidfd >= 0)
		return 0;
	mkv_child_end(&target->boot);
	return start_boot(target, collector->name, err);
}

/* Reads the events of `mkvbench boot --json`. Sets *ret_port to the local port
 * of the conductor, 0 until it is known. A host that did not pass is an error.
 */
static int read_events(char *text, unsigned *ret_port, struct mkv_error *err)
{
	char *rest = text;
	*ret_port = 0;
	for (char *line; (line = strsep(&rest, "\n"));) {
		struct mkv_error ignored;
		auto_json json_t *event = NULL;
		if (*line != '{' ||
		    mkv_json_load(line, strlen(line), &event, &ignored) < 0)
			continue;
		const char *note =
			json_string_value(json_object_get(event, "text"));
		const char *from =
			note ? strstr(note, "is forwarded from 127.0.0.1:")
			     : NULL;
		if (from)
			*ret_port = (unsigned)strtoul(strrchr(from, ':') + 1,
						      NULL, 10);
		const char *host =
			json_string_value(json_object_get(event, "host"));
		const char *verdict =
			json_string_value(json_object_get(event, "verdict"));
		if (host && verdict && strcmp(verdict, "pass") != 0)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"host '%.100s' did not pass (%.50s)",
					host, verdict);
	}
	return 0;
}

static int poll_qemu(struct mkv_target *target, unsigned *ret_port,
		     struct mkv_error *err)
{
	int status;
	auto_free char *path = NULL;
	auto_buf struct mkv_buf text = {0};
	bool is_over = mkv_child_reap(&target->boot, &status);
	if (asprintf(&path, "%s/boot.log", target->directory) < 0)
		return mkv_oom(err);
	int rc = mkv_read_file(AT_FDCWD, path, LOG_MAX_BYTES, &text, err);
	if (rc < 0)
		return rc;
	rc = read_events(text.data ? text.data : (char[]){""}, ret_port, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "boot the hosts of '%s' (log: '%s')",
				target->contract->name, path);
	return is_over ? mkv_fail(err, MKV_FAILED, ECHILD,
				  "boot the hosts of '%s': `mkvbench boot` "
				  "exited; see '%s'",
				  target->contract->name, path)
		       : 0;
}

int mkv_target_poll(struct mkv_target *target,
		    char ret_address[static MKV_TARGET_ADDRESS_MAX],
		    struct mkv_error *err)
{
	unsigned port = MKV_CONDUCTOR_PORT;
	if (target->address) {
		(void)snprintf(ret_address, MKV_TARGET_ADDRESS_MAX, "%s",
			       target->address);
		return 0;
	}
	if (target->is_qemu) {
		int rc = poll_qemu(target, &port, err);
		if (rc < 0)
			return rc;
		if (port == 0)
			return 1;
		(void)snprintf(ret_address, MKV_TARGET_ADDRESS_MAX,
			       "127.0.0.1:%u", port);
		return 0;
	}
	const struct mkv_contract_host *collector =
		find_collector(target->contract, err);
	if (!collector)
		return -ENOENT;
	(void)snprintf(ret_address, MKV_TARGET_ADDRESS_MAX, "%s:%u",
		       collector->address, port);
	return 0;
}
