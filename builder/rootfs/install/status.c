/* SPDX-License-Identifier: MIT */
/* dpkg's status file, /var/lib/dpkg/status: a paragraph of each package's
 * control fields and its state (dpkg(1), "Package states"). */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>
#include <strings.h>

#include "lib/io.h"

enum { STATUS_BYTES_MAX = 64 << 20 };

static const char status_path[] = "/var/lib/dpkg/status";
static const char status_key[] = "\nStatus: ";

/* True for fields that dpkg writes itself, whatever the control file states. */
static bool is_dpkg_field(const char *name)
{
	static const char *const names[] = {
		"Status",
		"Config-Version",
		"Conffiles",
		"Triggers-Pending",
		"Triggers-Awaited",
		"Filename",
		"Size",
		"MD5sum",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(names[i], name) == 0)
			return true;
	return false;
}

static void add_paragraph(const struct mkv_package *package, struct mkv_buf *to)
{
	for (size_t i = 0; i < package->control.count; i++) {
		const struct mkv_field *field = &package->control.fields[i];
		if (is_dpkg_field(field->name))
			continue;
		mkv_buf_printf(to, "%s: ", field->name);
		mkv_buf_str(to, field->value);
		mkv_buf_char(to, '\n');
	}
	mkv_buf_str(to, "Status: install ok unpacked\n");
	if (package->n_conffiles)
		mkv_buf_str(to, "Conffiles:\n");
	for (size_t i = 0; i < package->n_conffiles; i++)
		mkv_buf_printf(to, " %s newconffile%s\n", package->conffiles[i],
			       package->conffile_removes[i]
				       ? " remove-on-upgrade"
				       : "");
	mkv_buf_char(to, '\n');
}

int mkv_status_add(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < rootfs->count; i++)
		if (rootfs->phases[i] == rootfs->phase)
			add_paragraph(&rootfs->packages[i], &text);
	int rc = mkv_buf_check(&text, err);
	return rc < 0 ? rc
		      : mkv_rootfs_append(rootfs->root_fd, status_path,
					  text.data, text.size, err);
}

/* The value after a "Status: " key is "WANT FLAG STATE". */
static bool has_state(const char *value, const char *state)
{
	size_t line = strcspn(value, "\n"), length = strlen(state);
	return line > length && value[line - length - 1] == ' ' &&
	       memcmp(value + line - length, state, length) == 0;
}

bool mkv_status_find_half_configured(const struct mkv_rootfs *rootfs,
				     char ret_name[static MKV_STATUS_NAME_SIZE])
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_error ignored;
	if (mkv_read_file(rootfs->root_fd, status_path + 1, STATUS_BYTES_MAX,
			  &text, &ignored) < 0)
		return false;
	static const char name_key[] = "Package: ";
	const char *name = NULL;
	for (const char *at = text.data ? text.data : ""; *at;) {
		if (strncmp(at, name_key, sizeof(name_key) - 1) == 0)
			name = at + sizeof(name_key) - 1;
		if (strncmp(at, status_key + 1, sizeof(status_key) - 2) == 0 &&
		    name && has_state(at, "half-configured")) {
			(void)snprintf(ret_name, MKV_STATUS_NAME_SIZE, "%.*s",
				       (int)strcspn(name, "\n"), name);
			return true;
		}
		at += strcspn(at, "\n");
		at += *at == '\n';
	}
	return false;
}

int mkv_status_check(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(rootfs->root_fd, status_path + 1,
			       STATUS_BYTES_MAX, &text, err);
	if (rc < 0)
		return rc;
	static const char good[] = "install ok installed";
	size_t installed = 0;
	for (const char *at = text.data ? text.data : "";
	     (at = strstr(at, status_key)); installed++) {
		at += sizeof(status_key) - 1;
		if (strncmp(at, good, sizeof(good) - 1) != 0 ||
		    at[sizeof(good) - 1] != '\n')
			return mkv_fail(
				err, MKV_FAILED, EIO,
				"dpkg left a package in the state '%.*s'",
				(int)strcspn(at, "\n"), at);
	}
	if (installed != rootfs->count)
		return mkv_fail(err, MKV_FAILED, EIO,
				"dpkg's status file has %zu packages, "
				"expected %zu",
				installed, rootfs->count);
	return 0;
}
