/* SPDX-License-Identifier: MIT */
#include "builder/evidence/bundle/export.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "builder/evidence/bundle/export_internal.h"
#include "lib/io.h"

enum { OUTPUT_SIZE = 256 * 1024 };

int mkv_export_flush(struct mkv_export_output *output, bool all,
		     struct mkv_error *err)
{
	int rc = mkv_buf_check(&output->text, err);
	if (rc < 0 || output->text.size == 0 ||
	    (!all && output->text.size < OUTPUT_SIZE))
		return rc;
	rc = mkv_write_all(output->fd, output->text.data, output->text.size,
			   err);
	output->text.size = 0;
	return rc;
}

int mkv_export_open(int dirfd, const char *name, int *ret,
		    struct mkv_error *err)
{
	struct stat st;
	auto_fd int fd = openat(dirfd, name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", name);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"'%s' isn't a regular file", name);
	*ret = mkv_take_fd(&fd);
	return 0;
}

static int read_plan(int dirfd, struct mkv_plan **ret,
		     char hex[static MKV_SHA256_HEX_SIZE],
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_sha256 sha256;
	auto_fd int fd = -1;
	int rc = mkv_export_open(dirfd, "plan.json", &fd, err);
	if (rc > 0)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"it isn't a result bundle: it holds no "
				"plan.json");
	if (rc < 0)
		return rc;
	rc = mkv_read_fd(fd, MKV_PLAN_LIMIT_BYTES, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	return mkv_plan_parse(text.data ? text.data : "", text.size, ret, err);
}

static int read_state(int dirfd, struct mkv_bundle_state *state,
		      struct mkv_error *err)
{
	struct mkv_journal_end end;
	auto_fd int fd = -1;
	int rc = mkv_export_open(dirfd, MKV_JOURNAL_NAME, &fd, err);
	if (rc > 0)
		return mkv_fail(err, MKV_FAILED, ENOENT, "'%s' is missing",
				MKV_JOURNAL_NAME);
	if (rc < 0)
		return rc;
	rc = mkv_journal_read(fd, mkv_bundle_state_visit, state, &end, err);
	return rc < 0 ? mkv_wrap(err, rc, "'%s'", MKV_JOURNAL_NAME) : 0;
}

static int visit_run(int dirfd, const char *run, unsigned attempt,
		     mkv_export_visit *visit, void *context,
		     struct mkv_error *err)
{
	char path[MKV_PLAN_ID_MAX + 8];
	(void)snprintf(path, sizeof(path), "runs/%s", run);
	auto_fd int fd = openat(
		dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	int rc = visit(fd, run, attempt, context, err);
	return rc < 0 ? mkv_wrap(err, rc, "run '%s'", run) : 0;
}

static int visit_runs(int dirfd, mkv_export_visit *visit, void *context,
		      uint64_t *ret_runs, struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE];
	auto_plan struct mkv_plan *plan = NULL;
	__attribute__((cleanup(
		mkv_bundle_state_done))) struct mkv_bundle_state state = {0};
	int rc = read_plan(dirfd, &plan, hex, err);
	if (rc < 0)
		return rc;
	rc = mkv_bundle_state_init(&state, plan, hex, err);
	if (rc < 0)
		return rc;
	rc = read_state(dirfd, &state, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < plan->n_runs; i++) {
		if (!state.runs[i].valid)
			continue;
		rc = visit_run(dirfd, plan->runs[i].id, state.runs[i].valid,
			       visit, context, err);
		if (rc < 0)
			return rc;
		++*ret_runs;
	}
	return 0;
}

int mkv_export_runs(const char *bundle, mkv_export_visit *visit, void *context,
		    uint64_t *ret_runs, struct mkv_error *err)
{
	auto_fd int fd = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno, "bundle '%s': %m",
				bundle);
	int rc = visit_runs(fd, visit, context, ret_runs, err);
	return rc < 0 ? mkv_wrap(err, rc, "bundle '%s'", bundle) : 0;
}
