/* SPDX-License-Identifier: MIT */
#include "builder/config/generate/generate.h"

#include <string.h>

#include "builder/config/generate/generate_internal.h"
#include "builder/config/settings/settings.h"
#include "builder/config/units/units.h"

int mkv_generate_put(struct mkv_tree *tree, const char *path,
		     struct mkv_buf *text, struct mkv_error *err)
{
	int rc = mkv_buf_check(text, err);
	if (rc == 0)
		rc = mkv_tree_put_file(tree, path, 0644, text->data, text->size,
				       err);
	mkv_buf_done(text);
	return rc;
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
	/* Until the role is known; systemd takes an empty file as no name. */
	mkv_buf_str(&text, "mkvbench\n");
	return mkv_generate_put(tree, "/etc/hostname", &text, err);
}

/* Which image of the contract this is, for what runs in it. */
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

/* What mkvbench-settings.service writes with systemd-tmpfiles; tmpfiles.d(5),
 * "w": only into files that are there. */
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

/* The root file system is mounted by the initramfs; data partitions here. */
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

/* What a program of the application reads from its environment;
 * systemd.exec(5), "EnvironmentFile=". */
static int put_services(struct mkv_tree *tree,
			const struct mkv_generate_inputs *inputs,
			struct mkv_error *err)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < inputs->recipe->n_services; i++) {
		const struct mkv_service *service =
			&inputs->recipe->services[i];
		auto_buf struct mkv_buf text = {0}, path = {0};
		mkv_buf_printf(&path, "/usr/lib/mkvbench/services/%s.env",
			       service->name);
		for (size_t j = 0; j < service->settings.count; j++) {
			mkv_buf_str(&text, "MKVBENCH_");
			for (const char *c = service->settings.items[j].key; *c;
			     c++)
				mkv_buf_char(&text, *c >= 'a' && *c <= 'z'
							    ? (char)(*c - 32)
						    : *c == '-' ? '_'
								: *c);
			mkv_buf_str(&text, "=\"");
			for (const char *c = service->settings.items[j].value;
			     *c; c++)
				mkv_buf_printf(&text, "%s%c",
					       strchr("\\\"$`", *c) ? "\\" : "",
					       *c);
			mkv_buf_str(&text, "\"\n");
		}
		rc = mkv_buf_check(&path, err);
		if (rc == 0)
			rc = mkv_generate_put(tree, path.data, &text, err);
	}
	return rc;
}

/* systemd compares /usr's time with these files' (systemd-update-done(8)) and
 * otherwise rebuilds caches at the first boot, which are built already. */
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
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < image->enable.count; i++)
		rc = mkv_unit_enable(tree, image->enable.items[i], err);
	for (size_t i = 0; rc == 0 && i < image->mask.count; i++)
		rc = mkv_unit_mask(tree, image->mask.items[i], err);
	return rc;
}

/* In this order; units last, so that a generated unit can be enabled. */
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
