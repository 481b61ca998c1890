/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/boots.h"

#include <fcntl.h>
#include <string.h>

void mkv_boots_done(struct mkv_boots *boots)
{
	mkv_strings_done(&boots->ids);
}

static int visit_line(const json_t *line, void *context, struct mkv_error *err)
{
	struct mkv_boots *boots = context;
	const char *event = json_string_value(json_object_get(line, "event"));
	if (!event || strcmp(event, "boot") != 0)
		return 0;
	const char *id = json_string_value(json_object_get(line, "boot_id"));
	return id ? mkv_strings_insert(&boots->ids, id, err) : 0;
}

int mkv_boots_read(const char *directory, struct mkv_boots *ret,
		   struct mkv_error *err)
{
	char path[4096];
	struct mkv_journal_end end;
	(void)snprintf(path, sizeof(path), "%s/journal.jsonl", directory);
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", path);
	return mkv_journal_read(fd, visit_line, ret, &end, err);
}

int mkv_boots_use(struct mkv_boots *boots, struct mkv_bundle *bundle,
		  int64_t time_ns, const struct mkv_state *state,
		  struct mkv_error *err)
{
	for (size_t i = 0; i < state->n_hosts; i++) {
		const struct mkv_state_host *host = &state->hosts[i];
		if (!host->boot_id)
			continue;
		int rc = mkv_bundle_add_boot(bundle, host->name, host->boot_id,
					     state->contract_sha256, time_ns,
					     err);
		if (rc < 0)
			return rc;
		rc = mkv_strings_insert(&boots->ids, host->boot_id, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
