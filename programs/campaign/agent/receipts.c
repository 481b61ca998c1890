/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/receipts.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum { RECEIPT_MAX = 8 << 20 };

const char *mkv_agent_receipt_word(const struct mkv_agent *agent)
{
	auto_buf struct mkv_buf path = {0}, broken = {0};
	auto_json json_t *receipt = NULL;
	struct mkv_error err;
	mkv_buf_printf(&path, "%s/receipt.json", agent->run_dir);
	mkv_buf_printf(&broken, "%s/receipt.broken.json", agent->run_dir);
	if (path.failed || broken.failed ||
	    mkv_json_load_file(AT_FDCWD, path.data, RECEIPT_MAX, &receipt,
			       &err) < 0)
		return "none";
	const char *boot = json_string_value(json_object_get(
		json_object_get(receipt, "machine"), "boot_id"));
	const char *verdict =
		json_string_value(json_object_get(receipt, "verdict"));
	if (!boot || strcmp(boot, agent->boot_id) != 0 || !verdict)
		return "none";
	if (access(broken.data, F_OK) == 0)
		return "broken";
	if (strcmp(verdict, "pass") == 0)
		return "pass";
	return agent->contract->is_gate ? "fail" : "warn";
}

static bool has_suffix(const char *name, const char *suffix)
{
	size_t all = strlen(name), length = strlen(suffix);
	return all > length && strcmp(name + all - length, suffix) == 0;
}

/* receipt.json and its signature, those of later runs, the watches' count, and
 * the evidence. */
static bool is_of_receipts(const char *name)
{
	return (strncmp(name, "receipt", 7) == 0 &&
		has_suffix(name, ".json")) ||
	       strcmp(name, "watches.json") == 0 ||
	       (name[0] != '.' && has_suffix(name, ".txt"));
}

static int copy_file(int from, const char *directory, const char *name,
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0}, path = {0};
	int rc = mkv_read_file(from, name, RECEIPT_MAX, &text, err);
	/* The verifier replaces its files. */
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	mkv_buf_printf(&path, "%s/%s", directory, name);
	rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	return mkv_place_file(path.data, 0644, text.data ? text.data : "",
			      text.size, err);
}

static int copy_all(const struct mkv_agent *agent, const char *to,
		    struct mkv_error *err)
{
	auto_dir DIR *dir = opendir(agent->run_dir);
	if (!dir)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				agent->run_dir);
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (!entry)
			break;
		if (!is_of_receipts(entry->d_name))
			continue;
		int rc = copy_file(dirfd(dir), to, entry->d_name, err);
		if (rc < 0)
			return rc;
	}
	return errno ? mkv_fail(err, MKV_FAILED, errno, "read '%s': %m",
				agent->run_dir)
		     : 0;
}

/* Copies into an empty directory. */
static int copy_into(const struct mkv_agent *agent, const char *to,
		     struct mkv_error *err)
{
	int rc = mkv_remove_tree(AT_FDCWD, to, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(to, err);
	return rc < 0 ? rc : copy_all(agent, to, err);
}

/* Replaces a directory that an earlier try left. */
static int place(const struct mkv_agent *agent, const char *draft,
		 const char *final, struct mkv_error *err)
{
	int rc = mkv_make_dirs(agent->files_dir, err);
	if (rc < 0)
		return rc;
	rc = mkv_remove_tree(AT_FDCWD, final, err);
	if (rc < 0)
		return rc;
	if (rename(draft, final) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename '%s': %m",
				draft);
	return 0;
}

int mkv_agent_receipts_copy(const struct mkv_agent *agent, const char *name,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf final = {0}, draft = {0};
	mkv_buf_printf(&final, "%s/%s", agent->files_dir, name);
	mkv_buf_printf(&draft, "%s/agent/%s.tmp", agent->run_dir, name);
	if (final.failed || draft.failed)
		return mkv_oom(err);
	int rc = copy_into(agent, draft.data, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "copy the receipts");
	rc = place(agent, draft.data, final.data, err);
	return rc < 0 ? mkv_wrap(err, rc, "copy the receipts") : 0;
}
