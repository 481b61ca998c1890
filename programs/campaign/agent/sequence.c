/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/sequence.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum { SEQUENCE_FILE_MAX = 128 };

static int name_file(const struct mkv_agent *agent, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	mkv_buf_printf(ret, "%s/agent", agent->run_dir);
	int rc = mkv_buf_check(ret, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(ret->data, err);
	if (rc < 0)
		return rc;
	mkv_buf_str(ret, "/sequence");
	return mkv_buf_check(ret, err);
}

/* "SEQUENCE BOOT-ID": the directory is a tmpfs on a host of an appliance, but
 * need not be one elsewhere. */
int mkv_agent_sequence_load(const struct mkv_agent *agent, int64_t *ret,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0}, text = {0};
	int rc = name_file(agent, &path, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(AT_FDCWD, path.data, SEQUENCE_FILE_MAX, &text, err);
	if (rc == -ENOENT) {
		*ret = 0;
		return 0;
	}
	if (rc < 0)
		return rc;
	char *end = NULL;
	errno = 0;
	long long sequence = strtoll(text.data ? text.data : "", &end, 10);
	if (errno || sequence < 1 || *end != ' ' || strlen(end) != 38 ||
	    end[37] != '\n')
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not the sequence of a boot",
				path.data);
	end[37] = '\0';
	*ret = strcmp(end + 1, agent->boot_id) == 0 ? sequence : 0;
	return 0;
}

int mkv_agent_sequence_store(const struct mkv_agent *agent, int64_t sequence,
			     struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0}, text = {0};
	int rc = name_file(agent, &path, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&text, "%lld %s\n", (long long)sequence, agent->boot_id);
	rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	return mkv_write_file(path.data, 0644, text.data, text.size, err);
}
