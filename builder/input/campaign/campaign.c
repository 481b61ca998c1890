/* SPDX-License-Identifier: MIT */
#include "builder/input/campaign/campaign.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/input/campaign/campaign_internal.h"
#include "lib/hash.h"
#include "lib/io.h"

void mkv_campaign_free(struct mkv_campaign *campaign)
{
	if (!campaign)
		return;
	for (size_t i = 0; i < campaign->n_arms; i++)
		free(campaign->arms[i].path);
	mkv_schema_release(&mkv_schema_campaign, campaign);
	for (size_t i = 0; i < campaign->n_recipes; i++)
		mkv_recipe_free(campaign->recipes[i]);
	free(campaign->recipes);
	free(campaign->path);
	free(campaign->text);
	free(campaign->sha256);
	free(campaign);
}

static void loader_done(struct mkv_recipe_loader *load)
{
	mkv_arena_done(&load->arena);
}
#define auto_loader __attribute__((cleanup(loader_done)))

/* O_NONBLOCK: opening a FIFO or a device must not block. */
static int read_text(const char *path, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	struct stat st;
	auto_fd int fd =
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_BAD_RECIPE, errno,
				"can't read '%s': %m", path);
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"can't read '%s': not a regular file", path);
	int rc = mkv_read_fd(fd, MKV_RECIPE_FILE_BYTES_MAX, ret, err);
	if (rc == -EFBIG)
		return mkv_fail(err, MKV_BAD_RECIPE, EFBIG,
				"the file is larger than 256 KiB, the maximum "
				"for a campaign");
	return rc;
}

/* NULL after a diagnostic. */
static struct mkv_node *parse_text(struct mkv_recipe_loader *load,
				   const struct mkv_buf *text)
{
	const char *slash = strrchr(load->path, '/');
	size_t length = slash ? (size_t)(slash - load->path) + 1 : 0;
	const char *directory =
		mkv_arena_text(&load->arena, load->path, length);
	if (!directory)
		return NULL;
	struct mkv_node *root =
		mkv_yaml_parse(load, load->path, directory,
			       text->data ? text->data : "", text->size);
	if (!root || root->kind == MKV_NODE_MAP)
		return root;
	mkv_diagnose(load, root->mark, "a campaign must be a mapping, not %s",
		     mkv_node_describe(&load->arena, root));
	return NULL;
}

bool mkv_campaign_is(const char *path)
{
	auto_buf struct mkv_buf text = {0};
	auto_diagnostics struct mkv_diagnostics ignored = {0};
	auto_loader struct mkv_recipe_loader load = {.diagnostics = &ignored,
						     .path = path};
	struct mkv_error err;
	if (read_text(path, &text, &err) < 0)
		return false;
	const struct mkv_node *root = parse_text(&load, &text);
	return root && mkv_node_find(root, "mkvbench-campaign");
}

static int keep_text(struct mkv_campaign *campaign, const char *path,
		     struct mkv_buf *text, struct mkv_error *err)
{
	struct mkv_sha256 sha256;
	int rc = mkv_sha256_bytes(text->data, text->size, &sha256, err);
	if (rc < 0)
		return rc;
	campaign->path = strdup(path);
	campaign->sha256 = malloc(MKV_SHA256_HEX_SIZE);
	campaign->text_size = text->size;
	campaign->text = mkv_buf_take(text);
	if (!campaign->path || !campaign->sha256 || !campaign->text)
		return mkv_oom(err);
	mkv_sha256_hex(&sha256, campaign->sha256);
	return 0;
}

/* Decodes and checks as far as the diagnostics allow: rules between keys need
 * valid keys, and rules between files need valid files. */
static int check_all(struct mkv_recipe_loader *load,
		     const struct mkv_node *root, struct mkv_campaign *campaign,
		     struct mkv_error *err)
{
	mkv_decode_document(load, &mkv_schema_campaign, root, campaign);
	if (load->diagnostics->count > 0 || load->failed || load->arena.failed)
		return 0;
	mkv_campaign_check_arms(load, root, campaign);
	if (load->diagnostics->count > 0)
		return 0;
	int rc = mkv_campaign_load_recipes(load, root, campaign, err);
	if (rc == 0 && load->diagnostics->count == 0)
		mkv_campaign_check_recipes(load, root, campaign);
	return rc;
}

int mkv_campaign_load(const struct mkv_recipe_world *world, const char *path,
		      struct mkv_campaign **ret,
		      struct mkv_diagnostics *diagnostics,
		      struct mkv_error *err)
{
	auto_loader struct mkv_recipe_loader load = {
		.diagnostics = diagnostics, .world = world, .path = path};
	auto_campaign struct mkv_campaign *campaign =
		calloc(1, sizeof(*campaign));
	auto_buf struct mkv_buf text = {0};
	*diagnostics = (struct mkv_diagnostics){0};
	if (!campaign)
		return mkv_oom(err);
	int rc = read_text(path, &text, err);
	if (rc < 0)
		mkv_diagnose(&load, (struct mkv_mark){path, 1, 1}, "%s",
			     err->message);
	const struct mkv_node *root = rc < 0 ? NULL : parse_text(&load, &text);
	rc = root ? check_all(&load, root, campaign, err) : 0;
	if (rc < 0)
		return rc;
	if (load.failed || load.arena.failed)
		return mkv_oom(err);
	mkv_diagnostics_sort(diagnostics);
	if (diagnostics->count > 0)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"campaign '%s': %zu error%s", path,
				diagnostics->count,
				diagnostics->count == 1 ? "" : "s");
	rc = keep_text(campaign, path, &text, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(campaign);
	return 0;
}
