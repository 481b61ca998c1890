/* SPDX-License-Identifier: MIT */
/* Which host of which contract this agent serves, in which boot. */
#include <fcntl.h>
#include <string.h>

#include "lib/io.h"
#include "programs/campaign/agent/agent.h"
#include "programs/campaign/agent/files.h"
#include "programs/campaign/agent/sequence.h"

enum { LINE_MAX_BYTES = 256 };

/* DIRECTORY/NAME without white space at its end. */
static int read_line(const char *directory, const char *name,
		     struct mkv_buf *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s", directory, name);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(AT_FDCWD, path.data, LINE_MAX_BYTES, ret, err);
	if (rc < 0)
		return rc;
	while (ret->size && strchr(" \t\r\n", ret->data[ret->size - 1]))
		ret->data[--ret->size] = '\0';
	if (!ret->size || memchr(ret->data, '\0', ret->size))
		return mkv_fail(err, MKV_FAILED, EINVAL, "'%s' has no line",
				path.data);
	return 0;
}

static int load_contract(struct mkv_agent *agent, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0}, text = {0};
	mkv_buf_printf(&path, "%s/contract.json", agent->contract_dir);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(AT_FDCWD, path.data, MKV_CONTRACT_LIMIT_BYTES, &text,
			   err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &agent->contract_sha256,
			      err);
	if (rc < 0)
		return rc;
	rc = mkv_contract_parse(text.data ? text.data : "", text.size,
				&agent->contract, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", path.data) : 0;
}

/* The key must be the one that the contract names: another would accept
 * commands of somebody else. */
static int load_key(struct mkv_agent *agent, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	char id[MKV_SHA256_HEX_SIZE];
	mkv_buf_printf(&path, "%s/key.pub", agent->contract_dir);
	int rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	rc = mkv_public_key_load(AT_FDCWD, path.data, &agent->key, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&agent->key.id, id);
	const char *named = agent->contract->key_id;
	if (!named || strcmp(named, id) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"'%s' is key %s, but the contract names %s",
				path.data, id, named ? named : "none");
	return 0;
}

static int load_host(struct mkv_agent *agent, struct mkv_error *err)
{
	auto_buf struct mkv_buf name = {0};
	int rc = read_line(agent->run_dir, "host", &name, err);
	if (rc < 0)
		return rc;
	agent->host = mkv_contract_find_host(agent->contract, name.data);
	if (!agent->host)
		return mkv_fail(err, MKV_UNVERIFIED, ENOENT,
				"the contract has no host '%s'", name.data);
	agent->image =
		mkv_contract_find_image(agent->contract, agent->host->image);
	if (!agent->address)
		agent->address = agent->host->address;
	if (!agent->address)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"host '%s' has no address in the contract: set "
				"MKVBENCH_ADDRESS",
				name.data);
	return 0;
}

static int load_boot_id(struct mkv_agent *agent, struct mkv_error *err)
{
	auto_buf struct mkv_buf kernel = {0};
	const char *id = agent->test_boot_id;
	if (!id) {
		int rc = read_line("/proc/sys/kernel/random", "boot_id",
				   &kernel, err);
		if (rc < 0)
			return rc;
		id = kernel.data;
	}
	if (strlen(id) != sizeof(agent->boot_id) - 1)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%.80s' is not a boot id", id);
	memcpy(agent->boot_id, id, sizeof(agent->boot_id));
	return 0;
}

int mkv_agent_load(struct mkv_agent *agent, struct mkv_error *err)
{
	(void)pthread_mutex_init(&agent->lock, NULL);
	if (asprintf(&agent->files_dir, "%s/agent/files", agent->run_dir) < 0)
		return mkv_oom(err);
	int rc = load_contract(agent, err);
	if (rc < 0)
		return rc;
	rc = load_key(agent, err);
	if (rc < 0)
		return rc;
	rc = load_host(agent, err);
	if (rc < 0)
		return rc;
	rc = load_boot_id(agent, err);
	if (rc < 0)
		return rc;
	return mkv_agent_sequence_load(agent, &agent->state.sequence, err);
}

void mkv_agent_done(struct mkv_agent *agent)
{
	mkv_contract_free(agent->contract);
	mkv_agent_files_done(&agent->files);
	free(agent->files_dir);
	(void)pthread_mutex_destroy(&agent->lock);
}

const char *mkv_agent_role(const struct mkv_agent *agent)
{
	return agent->host->role ? agent->host->role : agent->host->name;
}
