/* SPDX-License-Identifier: MIT */
#include "builder/config/generate/generate.h"

#include <string.h>

#include "builder/config/generate/generate_internal.h"
#include "builder/config/settings/settings.h"
#include "builder/config/units/units.h"

int mkv_generate_put(struct mkv_tree *tree, const char *path,
		     struct mkv_buf *text, struct mkv_error *err)
{
	auto_buf struct mkv_buf owned = *text;
	*text = (struct mkv_buf){0};
	int rc = mkv_buf_check(&owned, err);
	if (rc < 0)
		return rc;
	return mkv_tree_put_file(tree, path, 0644, owned.data, owned.size, err);
}

static int put_host_names(struct mkv_tree *tree,
			  const struct mkv_generate_inputs *inputs,
			  struct mkv_error *err)
{
	const struct mkv_recipe *recipe = inputs->recipe;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_str(&text, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	for (size_t i = 0; i < recipe->n_hosts; i++)
		if (recipe->hosts[i].address)
			mkv_buf_printf(&text, "%s\t%s\n",
				       recipe->hosts[i].address,
				       recipe->hosts[i].name);
	int rc = mkv_generate_put(tree, "/etc/hosts", &text, err);
	if (rc < 0)
		return rc;
	/* The name until the role is known; an empty file would leave the name
	 * to systemd. */
	mkv_buf_str(&text, "mkvbench\n");
	return mkv_generate_put(tree, "/etc/hostname", &text, err);
}

/* The image's name in the contract, for programs that run in the image. */
static int put_image_name(struct mkv_tree *tree,
			  const struct mkv_generate_inputs *inputs,
			  struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text, "%s\n", inputs->image->name);
	return mkv_generate_put(tree, "/usr/lib/mkvbench/image", &text, err);
}

static int put_sysctls(struct mkv_tree *tree,
		       const struct mkv_generate_inputs *inputs,
		       struct mkv_error *err)
{
	const struct mkv_settings *sysctls = &inputs->image->sysctls;
	if (!sysctls->count)
		return 0;
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < sysctls->count; i++)
		mkv_buf_printf(&text, "%s = %s\n", sysctls->items[i].key,
			       sysctls->items[i].value);
	return mkv_generate_put(tree, "/etc/sysctl.d/90-mkvbench.conf", &text,
				err);
}

/* The settings that mkvbench-settings.service applies with systemd-tmpfiles;
 * tmpfiles.d(5), "w": writes only to existing files. */
static int put_settings(struct mkv_tree *tree,
			const struct mkv_generate_inputs *inputs,
			struct mkv_error *err)
{
	struct mkv_promise promises[MKV_PROMISES_MAX];
	size_t count =
		mkv_settings_promised(inputs->recipe, inputs->image, promises);
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0;
		     j < MKV_PROMISE_FILES_MAX && promises[i].files[j].path;
		     j++)
			mkv_buf_printf(&text, "w %s - - - - %s\n",
				       promises[i].files[j].path,
				       promises[i].files[j].text);
	if (!text.size)
		return mkv_buf_check(&text, err);
	return mkv_generate_put(tree, "/usr/lib/mkvbench/settings.conf", &text,
				err);
}

/* Data partitions only: the initramfs mounts the root file system. */
static int put_fstab(struct mkv_tree *tree,
		     const struct mkv_generate_inputs *inputs,
		     struct mkv_error *err)
{
	const struct mkv_image *image = inputs->image;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_str(&text, "# device mount type options dump pass\n");
	for (size_t i = 0; i < image->n_partitions; i++) {
		char uuid[37];
		mkv_uuid_text(inputs->partition_uuids[i], uuid);
		const char *mount = image->partitions[i].mount;
		mkv_buf_printf(&text, "UUID=%s %s ext4 defaults 0 2\n", uuid,
			       mount);
		int rc = mkv_tree_make_dirs(tree, mount, err);
		if (rc < 0)
			return rc;
	}
	return mkv_generate_put(tree, "/etc/fstab", &text, err);
}

static void put_variable(struct mkv_buf *into,
			 const struct mkv_setting *setting)
{
	mkv_buf_str(into, "MKVBENCH_");
	for (const char *c = setting->key; *c; c++)
		mkv_buf_char(into, *c >= 'a' && *c <= 'z' ? (char)(*c - 32)
				   : *c == '-'		  ? '_'
							  : *c);
	mkv_buf_str(into, "=\"");
	for (const char *c = setting->value; *c; c++)
		mkv_buf_printf(into, "%s%c", strchr("\\\"$`", *c) ? "\\" : "",
			       *c);
	mkv_buf_str(into, "\"\n");
}

/* The environment of each program of the application; systemd.exec(5),
 * "EnvironmentFile=". */
static int put_services(struct mkv_tree *tree,
			const struct mkv_generate_inputs *inputs,
			struct mkv_error *err)
{
	for (size_t i = 0; i < inputs->recipe->n_services; i++) {
		const struct mkv_service *service =
			&inputs->recipe->services[i];
		auto_buf struct mkv_buf text = {0}, path = {0};
		mkv_buf_printf(&path, "/usr/lib/mkvbench/services/%s.env",
			       service->name);
		for (size_t j = 0; j < service->settings.count; j++)
			put_variable(&text, &service->settings.items[j]);
		int rc = mkv_buf_check(&path, err);
		if (rc < 0)
			return rc;
		rc = mkv_generate_put(tree, path.data, &text, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The stamps of systemd-update-done(8). Without them systemd would rebuild
 * caches at the first boot that the image already has. */
static int put_updated(struct mkv_tree *tree,
		       const struct mkv_generate_inputs *inputs,
		       struct mkv_error *err)
{
	const struct mkv_inode *usr = mkv_tree_lookup(tree, "/usr");
	static const char *const places[] = {"/etc/.updated", "/var/.updated"};
	(void)inputs;
	for (size_t i = 0; usr && i < 2; i++) {
		auto_buf struct mkv_buf text = {0};
		mkv_buf_printf(&text,
			       "# The image is up to date with /usr.\n"
			       "TIMESTAMP_NSEC=%lld000000000\n",
			       (long long)usr->mtime_s);
		int rc = mkv_generate_put(tree, places[i], &text, err);
		if (rc < 0)
			return rc;
		mkv_tree_lookup(tree, places[i])->mtime_s = usr->mtime_s;
	}
	return 0;
}

static int put_units(struct mkv_tree *tree,
		     const struct mkv_generate_inputs *inputs,
		     struct mkv_error *err)
{
	const struct mkv_image *image = inputs->image;
	for (size_t i = 0; i < image->enable.count; i++) {
		int rc = mkv_unit_enable(tree, image->enable.items[i], err);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < image->mask.count; i++) {
		int rc = mkv_unit_mask(tree, image->mask.items[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* In the order of generation; units last, so that a generated unit can be
 * enabled. */
static const struct {
	const char *what;
	int (*put)(struct mkv_tree *tree,
		   const struct mkv_generate_inputs *inputs,
		   struct mkv_error *err);
} rows[] = {
	{"host names", put_host_names},
	{"image name", put_image_name},
	{"network", mkv_generate_network},
	{"sysctls", put_sysctls},
	{"settings", put_settings},
	{"fstab", put_fstab},
	{"services", put_services},
	{"Prometheus", mkv_generate_prometheus},
	{"update stamps", put_updated},
	{"units", put_units},
};

int mkv_generate(struct mkv_tree *tree,
		 const struct mkv_generate_inputs *inputs,
		 struct mkv_error *err)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int rc = rows[i].put(tree, inputs, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "image '%s': %s",
					inputs->image->name, rows[i].what);
	}
	return 0;
}
