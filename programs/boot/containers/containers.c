/* SPDX-License-Identifier: MIT */
#include "programs/boot/containers/containers.h"

#include <string.h>

#include "lib/identity.h"
#include "programs/boot/containers/docker.h"

static bool runs_here(const struct mkv_containers *what,
		      const struct mkv_contract_container *container)
{
	const struct mkv_contract_host *host = what->host;
	if (container->roles.count &&
	    !(host->role &&
	      mkv_contract_strings_have(&container->roles, host->role)))
		return false;
	return mkv_contract_strings_have(&host->containers, container->name);
}

static int prepare_network(const struct mkv_contract_network *network,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf answer = {0}, expected = {0};
	bool there;
	const char *subnet = network->subnet ? network->subnet : "";
	int rc = mkv_docker_inspect("network", network->name,
				    "{{.Driver}}{{if .IPAM.Config}} {{(index "
				    ".IPAM.Config 0).Subnet}}{{end}}",
				    &there, &answer, err);
	if (rc < 0)
		return rc;
	if (there) {
		mkv_buf_printf(&expected, "%s %s", network->driver, subnet);
		rc = mkv_buf_check(&expected, err);
		if (rc < 0 || !*subnet)
			return rc;
		if (strcmp(answer.data, expected.data) != 0)
			return mkv_fail(err, MKV_UNVERIFIED, EEXIST,
					"network '%s' is '%s', not '%s'",
					network->name, answer.data,
					expected.data);
		return 0;
	}
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	mkv_docker_arg(&args, "docker");
	mkv_docker_arg(&args, "network");
	mkv_docker_arg(&args, "create");
	mkv_docker_arg(&args, "--driver=%s", network->driver);
	if (*subnet)
		mkv_docker_arg(&args, "--subnet=%s", subnet);
	mkv_docker_arg(&args, "--label=mkvbench=1");
	mkv_docker_arg(&args, "%s", network->name);
	return mkv_docker_run(&args, NULL, err);
}

static int prepare_volume(const char *name, struct mkv_error *err)
{
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	const char *const words[] = {"docker",
				     "volume",
				     "create",
				     "--driver=local",
				     "--label=mkvbench=1",
				     name};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		mkv_docker_arg(&args, "%s", words[i]);
	return mkv_docker_run(&args, NULL, err);
}

static int list_containers(struct mkv_buf *ret, struct mkv_error *err)
{
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	const char *const words[] = {"docker",	  "container",	"ls",
				     "--all",	  "--no-trunc", "--format",
				     "{{.Names}}"};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		mkv_docker_arg(&args, "%s", words[i]);
	return mkv_docker_run(&args, ret, err);
}

/* Whether one of the lines is the name. */
static bool is_listed(const struct mkv_buf *names, const char *name)
{
	size_t length = strlen(name);
	const char *at = names->data;
	while ((at = at ? strstr(at, name) : NULL)) {
		bool begins = at == names->data || at[-1] == '\n';
		if (begins && (at[length] == '\n' || !at[length]))
			return true;
		at += length;
	}
	return false;
}

static int remove_container(const char *name, struct mkv_error *err)
{
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	mkv_docker_arg(&args, "docker");
	mkv_docker_arg(&args, "rm");
	mkv_docker_arg(&args, "--force");
	mkv_docker_arg(&args, "%s", name);
	return mkv_docker_run(&args, NULL, err);
}

int mkv_containers_prepare(const struct mkv_containers *what,
			   struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	/* One question for all: each is a program that starts. */
	auto_buf struct mkv_buf names = {0};
	int rc = list_containers(&names, err);
	for (size_t i = 0; rc == 0 && i < docker->n_containers; i++)
		if (is_listed(&names, docker->containers[i].name))
			rc = remove_container(docker->containers[i].name, err);
	for (size_t i = 0; rc == 0 && i < docker->n_networks; i++)
		rc = prepare_network(&docker->networks[i], err);
	for (size_t i = 0; rc == 0 && i < docker->volumes.count; i++)
		rc = prepare_volume(docker->volumes.items[i], err);
	return rc;
}

/* The recipe's own values come later on the command line and win. */
static int add_identity(const struct mkv_containers *what,
			struct mkv_docker_args *args, struct mkv_error *err)
{
	auto_buf struct mkv_buf lines = {0};
	mkv_identity_print(what->contract, what->host, what->contract_sha256,
			   what->boot_id, &lines);
	int rc = mkv_buf_check(&lines, err);
	if (rc < 0)
		return rc;
	char *rest = lines.data;
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line)
			mkv_docker_arg(args, "--env=%s", line);
	return 0;
}

static void add_options(const struct mkv_contract_container *container,
			struct mkv_docker_args *args)
{
	mkv_docker_arg(args, "--name=%s", container->name);
	mkv_docker_arg(args, "--hostname=%s", container->name);
	mkv_docker_arg(args, "--network=%s",
		       container->network ? container->network : "none");
	/* Docker would start it again at the next boot, before the gate. */
	mkv_docker_arg(args, "--restart=no");
	mkv_docker_arg(args, "--pull=never");
	mkv_docker_arg(args, "--label=mkvbench=1");
	for (size_t i = 0; i < container->n_mounts; i++)
		mkv_docker_arg(args, "--mount=type=volume,src=%s,dst=%s",
			       container->mounts[i].volume,
			       container->mounts[i].path);
	for (size_t i = 0; i < container->ports.count; i++)
		mkv_docker_arg(args, "--publish=%s", container->ports.items[i]);
	for (size_t i = 0; i < container->environment.count; i++)
		mkv_docker_arg(args, "--env=%s=%s",
			       container->environment.items[i].key,
			       container->environment.items[i].value);
}

/* What is there already and as promised counts as started. */
static int start_container(const struct mkv_containers *what,
			   const struct mkv_contract_container *container,
			   bool is_there, struct mkv_error *err)
{
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(what->contract, container->image);
	if (!oci || !oci->config)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"the contract has no digest of image '%s'",
				container->image);
	auto_buf struct mkv_buf answer = {0}, expected = {0};
	bool there = false;
	int rc = is_there ? mkv_docker_inspect("container", container->name,
					       "{{.Image}} {{.State.Running}}",
					       &there, &answer, err)
			  : 0;
	if (rc < 0)
		return rc;
	mkv_buf_printf(&expected, "%s true", oci->config);
	rc = mkv_buf_check(&expected, err);
	if (rc < 0)
		return rc;
	if (there && strcmp(answer.data, expected.data) == 0)
		return 0;
	if (there)
		return mkv_fail(err, MKV_UNVERIFIED, EEXIST,
				"it is there already, as '%s', not '%s'",
				answer.data, expected.data);
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	mkv_docker_arg(&args, "docker");
	mkv_docker_arg(&args, "run");
	mkv_docker_arg(&args, "--detach");
	rc = add_identity(what, &args, err);
	if (rc < 0)
		return rc;
	add_options(container, &args);
	mkv_docker_arg(&args, "%s", oci->config);
	return mkv_docker_run(&args, NULL, err);
}

int mkv_containers_start(const struct mkv_containers *what,
			 struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	auto_buf struct mkv_buf names = {0};
	int rc = list_containers(&names, err);
	for (size_t i = 0; rc == 0 && i < docker->n_containers; i++) {
		const struct mkv_contract_container *container =
			&docker->containers[i];
		if (!runs_here(what, container))
			continue;
		rc = start_container(what, container,
				     is_listed(&names, container->name), err);
		if (rc < 0)
			rc = mkv_wrap(err, rc, "container '%s'",
				      container->name);
	}
	return rc;
}

int mkv_containers_stop(const struct mkv_containers *what,
			struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	int first = 0;
	for (size_t i = docker->n_containers; i-- > 0;) {
		struct mkv_error own;
		const char *name = docker->containers[i].name;
		auto_docker_args struct mkv_docker_args args =
			MKV_DOCKER_ARGS_INIT;
		if (!runs_here(what, &docker->containers[i]))
			continue;
		mkv_docker_arg(&args, "docker");
		mkv_docker_arg(&args, "stop");
		mkv_docker_arg(&args, "--time=30");
		mkv_docker_arg(&args, "%s", name);
		int rc = mkv_docker_run(&args, NULL, &own);
		if (rc < 0 && first == 0) {
			first = rc;
			*err = own;
		}
	}
	return first;
}

static int revive(const char *name, struct mkv_error *err)
{
	auto_buf struct mkv_buf state = {0};
	bool there;
	int rc = mkv_docker_inspect("container", name,
				    "{{.State.Status}} {{.State.ExitCode}}",
				    &there, &state, err);
	if (rc < 0 || !there || !state.data ||
	    strncmp(state.data, "exited ", 7) != 0 ||
	    strcmp(state.data, "exited 0") == 0)
		return rc;
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	mkv_docker_arg(&args, "docker");
	mkv_docker_arg(&args, "start");
	mkv_docker_arg(&args, "%s", name);
	return mkv_docker_run(&args, NULL, err);
}

int mkv_containers_revive(const struct mkv_containers *what,
			  struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	for (size_t i = 0; i < docker->n_containers; i++) {
		if (!runs_here(what, &docker->containers[i]))
			continue;
		int rc = revive(docker->containers[i].name, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "container '%s'",
					docker->containers[i].name);
	}
	return 0;
}
