/* SPDX-License-Identifier: MIT */
/* Campaigns: any bytes yield a campaign or at least one diagnostic, and a
 * schedule of every campaign can be made. */

#include <fcntl.h>
#include <stddef.h>
#include <sys/stat.h>

#include "builder/evidence/plan/plan.h"
#include "builder/input/campaign/campaign.h"
#include "lib/io.h"

static const char *const fuzz_seeds[] = {"tests/reject/campaign-*/input.yaml",
					 "tests/fuzz/campaign/*.yaml", NULL};
static const char *const fuzz_words[] = {
	"arms: {",
	"a: {same-as: a}",
	"recipe: ../recipe-experiment-base.yaml",
	"recipe: input.yaml",
	"recipe: ..",
	"baseline: true",
	"settings: {order: {FSYNC: data}}",
	"tracing: off",
	"load: {",
	"request: {role: order, port: 1, path: /}",
	"blocks: ",
	"seed: ",
	"5%",
	"0.1%",
	"1ms",
	"{",
	"}",
	"\n",
	": ",
	"null",
	"4294967296",
	"\xff\xfe",
	NULL};

#include "tests/fuzz/driver.h"

/* Inputs stand where the cases of tests/reject/ do, beside what they include.
 */
static char folder[] = "/tmp/mkv-fuzz-XXXXXX";
static char path[64];

static void clean_up(void)
{
	struct mkv_error err = {0};
	if (mkv_remove_tree(AT_FDCWD, folder, &err) < 0)
		(void)fprintf(stderr, "%s\n", err.message);
}

static void copy(const char *name)
{
	char from[64], to[64];
	struct mkv_error err = {0};
	auto_buf struct mkv_buf buf = {0};
	(void)snprintf(from, sizeof(from), "tests/reject/%s", name);
	(void)snprintf(to, sizeof(to), "%s/%s", folder, name);
	if (mkv_read_file(AT_FDCWD, from, 65536, &buf, &err) < 0 ||
	    mkv_write_file(to, 0644, buf.data, buf.size, &err) < 0)
		(void)fprintf(stderr, "%s\n", err.message);
}

static bool begin(void)
{
	if (*path)
		return true;
	if (!mkdtemp(folder))
		return false;
	(void)atexit(clean_up);
	copy("recipe-docker-base.yaml");
	copy("recipe-experiment-base.yaml");
	(void)snprintf(path, sizeof(path), "%s/case", folder);
	if (mkdir(path, 0755) < 0)
		return false;
	(void)snprintf(path, sizeof(path), "%s/case/input.yaml", folder);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!begin())
		return 0;
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	auto_campaign struct mkv_campaign *campaign = NULL;
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	auto_schedule struct mkv_plan_schedule schedule = {0};
	struct mkv_error err = {0};
	int rc = mkv_campaign_load(NULL, path, &campaign, &diagnostics, &err);
	bool right = rc == 0 && campaign && diagnostics.count == 0;
	bool wrong = rc < 0 && !campaign && diagnostics.count > 0 &&
		     err.kind == MKV_BAD_RECIPE;
	if (!right && !wrong)
		abort();
	if (right &&
	    (!mkv_campaign_is(path) || campaign->text_size != size ||
	     mkv_plan_schedule(campaign, 1000000000, &schedule, &err) < 0 ||
	     schedule.count != campaign->n_arms * campaign->blocks))
		abort();
	return 0;
}
