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

/* Compares an existing network with the contract. Docker chooses the subnet of
 * a network that has none in the contract: nothing is compared then. */
static int check_network(const struct mkv_contract_network *network,
			 struct mkv_error *err)
{
	if (!network->subnet || !*network->subnet)
		return 0;
	auto_buf struct mkv_buf answer = {0}, expected = {0};
	int rc = mkv_docker_inspect("network", network->name,
				    "{{.Driver}}{{if .IPAM.Config}} {{(index "
				    ".IPAM.Config 0).Subnet}}{{end}}",
				    &answer, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&expected, "%s %s", network->driver, network->subnet);
	rc = mkv_buf_check(&expected, err);
	if (rc < 0)
		return rc;
	if (!answer.data || strcmp(answer.data, expected.data) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EEXIST,
				"network '%s' already exists as '%s', "
				"expected '%s'",
				network->name, answer.data ? answer.data : "",
				expected.data);
	return 0;
}

static int create_network(const struct mkv_contract_network *network,
			  struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	static const char *const words[] = {"docker", "network", "create",
					    NULL};
	mkv_docker_add_words(&argv, words);
	mkv_argv_add(&argv, "--driver=%s", network->driver);
	if (network->subnet && *network->subnet)
		mkv_argv_add(&argv, "--subnet=%s", network->subnet);
	mkv_argv_add(&argv, "--label=mkvbench=1");
	mkv_argv_add(&argv, "%s", network->name);
	return mkv_docker_run(&argv, NULL, err);
}

static int prepare_networks(const struct mkv_contract_docker *docker,
			    struct mkv_error *err)
{
	static const char *const list[] = {"docker",   "network",   "ls",
					   "--format", "{{.Name}}", NULL};
	auto_buf struct mkv_buf names = {0};
	if (docker->n_networks == 0)
		return 0;
	int rc = mkv_docker_list(list, &names, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < docker->n_networks; i++) {
		const struct mkv_contract_network *network =
			&docker->networks[i];
		rc = mkv_docker_is_listed(&names, network->name)
			     ? check_network(network, err)
			     : create_network(network, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* `docker volume create` succeeds for a volume that exists. */
static int create_volume(const char *name, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	const char *const words[] = {"docker",
				     "volume",
				     "create",
				     "--driver=local",
				     "--label=mkvbench=1",
				     name,
				     NULL};
	mkv_docker_add_words(&argv, words);
	return mkv_docker_run(&argv, NULL, err);
}

static int list_containers(struct mkv_buf *ret, struct mkv_error *err)
{
	static const char *const list[] = {
		"docker",     "container", "ls",	 "--all",
		"--no-trunc", "--format",  "{{.Names}}", NULL};
	return mkv_docker_list(list, ret, err);
}

static int remove_container(const char *name, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	const char *const words[] = {"docker", "rm", "--force", name, NULL};
	mkv_docker_add_words(&argv, words);
	return mkv_docker_run(&argv, NULL, err);
}

/* Lists all containers once: each docker(1) is a process to start. */
static int remove_leftovers(const struct mkv_contract_docker *docker,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf names = {0};
	int rc = list_containers(&names, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const char *name = docker->containers[i].name;
		rc = mkv_docker_is_listed(&names, name)
			     ? remove_container(name, err)
			     : 0;
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_containers_prepare(const struct mkv_containers *what,
			   struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	int rc = remove_leftovers(docker, err);
	if (rc < 0)
		return rc;
	rc = prepare_networks(docker, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < docker->volumes.count; i++) {
		rc = create_volume(docker->volumes.items[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Comes before the recipe's own environment: the last --env of a name wins. */
static int add_identity(const struct mkv_containers *what,
			struct mkv_argv *argv, struct mkv_error *err)
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
			mkv_argv_add(argv, "--env=%s", line);
	return 0;
}

static void add_options(const struct mkv_contract_container *container,
			struct mkv_argv *argv)
{
	mkv_argv_add(argv, "--name=%s", container->name);
	mkv_argv_add(argv, "--hostname=%s", container->name);
	mkv_argv_add(argv, "--network=%s",
		     container->network ? container->network : "none");
	/* Any other policy lets Docker start the container at the next boot,
	 * before the gate. */
	mkv_argv_add(argv, "--restart=no");
	mkv_argv_add(argv, "--pull=never");
	mkv_argv_add(argv, "--label=mkvbench=1");
	for (size_t i = 0; i < container->n_mounts; i++)
		mkv_argv_add(argv, "--mount=type=volume,src=%s,dst=%s",
			     container->mounts[i].volume,
			     container->mounts[i].path);
	for (size_t i = 0; i < container->ports.count; i++)
		mkv_argv_add(argv, "--publish=%s", container->ports.items[i]);
	for (size_t i = 0; i < container->environment.count; i++)
		mkv_argv_add(argv, "--env=%s=%s",
			     container->environment.items[i].key,
			     container->environment.items[i].value);
}

/* Compares an existing container with the contract: it must run its image. */
static int check_container(const char *name, const char *config,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf answer = {0}, expected = {0};
	int rc = mkv_docker_inspect("container", name,
				    "{{.Image}} {{.State.Running}}", &answer,
				    err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&expected, "%s true", config);
	rc = mkv_buf_check(&expected, err);
	if (rc < 0)
		return rc;
	if (!answer.data || strcmp(answer.data, expected.data) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EEXIST,
				"already exists as '%s', expected '%s'",
				answer.data ? answer.data : "", expected.data);
	return 0;
}

static int run_container(const struct mkv_containers *what,
			 const struct mkv_contract_container *container,
			 const char *config, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	static const char *const words[] = {"docker", "run", "--detach", NULL};
	mkv_docker_add_words(&argv, words);
	int rc = add_identity(what, &argv, err);
	if (rc < 0)
		return rc;
	add_options(container, &argv);
	mkv_argv_add(&argv, "%s", config);
	return mkv_docker_run(&argv, NULL, err);
}

static int start_container(const struct mkv_containers *what,
			   const struct mkv_contract_container *container,
			   bool exists, struct mkv_error *err)
{
	const struct mkv_contract_oci *oci =
		mkv_contract_find_oci(what->contract, container->image);
	if (!oci || !oci->config)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"the contract has no digest of image '%s'",
				container->image);
	return exists ? check_container(container->name, oci->config, err)
		      : run_container(what, container, oci->config, err);
}

int mkv_containers_start(const struct mkv_containers *what,
			 struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	auto_buf struct mkv_buf names = {0};
	int rc = list_containers(&names, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const struct mkv_contract_container *container =
			&docker->containers[i];
		if (!runs_here(what, container))
			continue;
		rc = start_container(
			what, container,
			mkv_docker_is_listed(&names, container->name), err);
		if (rc < 0)
			return mkv_wrap(err, rc, "container '%s'",
					container->name);
	}
	return 0;
}

static int stop_container(const char *name, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	const char *const words[] = {"docker", "stop", "--time=30", name, NULL};
	mkv_docker_add_words(&argv, words);
	return mkv_docker_run(&argv, NULL, err);
}

int mkv_containers_stop(const struct mkv_containers *what,
			struct mkv_error *err)
{
	const struct mkv_contract_docker *docker = &what->image->docker;
	int first = 0;
	for (size_t i = docker->n_containers; i-- > 0;) {
		struct mkv_error own;
		if (!runs_here(what, &docker->containers[i]))
			continue;
		/* A failure must not keep the others running: the first error
		 * is returned at the end. */
		int rc = stop_container(docker->containers[i].name, &own);
		if (rc < 0 && first == 0) {
			first = rc;
			*err = own;
		}
	}
	return first;
}

/* Starts an exited container unless its exit status was 0. */
static int restart_failed(const char *name, struct mkv_error *err)
{
	auto_buf struct mkv_buf state = {0};
	int rc = mkv_docker_inspect("container", name,
				    "{{.State.Status}} {{.State.ExitCode}}",
				    &state, err);
	if (rc < 0)
		return rc;
	if (!state.data || strncmp(state.data, "exited ", 7) != 0 ||
	    strcmp(state.data, "exited 0") == 0)
		return 0;
	auto_argv struct mkv_argv argv = {0};
	const char *const words[] = {"docker", "start", name, NULL};
	mkv_docker_add_words(&argv, words);
	return mkv_docker_run(&argv, NULL, err);
}

int mkv_containers_revive(const struct mkv_containers *what,
			  struct mkv_error *err)
{
	static const char *const list[] = {
		"docker",   "container",  "ls",
		"--all",    "--no-trunc", "--filter=status=exited",
		"--format", "{{.Names}}", NULL};
	const struct mkv_contract_docker *docker = &what->image->docker;
	auto_buf struct mkv_buf exited = {0};
	int rc = mkv_docker_list(list, &exited, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < docker->n_containers; i++) {
		const char *name = docker->containers[i].name;
		if (!runs_here(what, &docker->containers[i]) ||
		    !mkv_docker_is_listed(&exited, name))
			continue;
		rc = restart_failed(name, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "container '%s'", name);
	}
	return 0;
}
