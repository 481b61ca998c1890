/* SPDX-License-Identifier: MIT */
#include "builder/run/import/import.h"

#include <stdarg.h>
#include <string.h>

#include "builder/run/import/import_internal.h"

void mkv_import_report_done(struct mkv_import_report *report)
{
	for (size_t i = 0; i < report->n_items; i++)
		free(report->items[i].name);
	for (size_t i = 0; i < report->n_reasons; i++)
		free(report->reasons[i]);
	for (size_t i = 0; i < report->n_notes; i++)
		free(report->notes[i]);
	free(report->items);
	free(report->reasons);
	free(report->notes);
	*report = (struct mkv_import_report){0};
}

int mkv_import_fail(struct mkv_error *err, const char *format, ...)
{
	char context[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	return mkv_fail(err, MKV_FAILED, EIO, "%s: libvirt: %s", context,
			virGetLastErrorMessage());
}

static void append_line(struct mkv_import *import, char ***lines, size_t *count,
			const char *format, va_list arguments)
{
	char *text = NULL;
	char **grown = reallocarray(*lines, *count + 1, sizeof(*grown));
	if (grown)
		*lines = grown;
	if (!grown || vasprintf(&text, format, arguments) < 0)
		import->failed = true;
	else
		grown[(*count)++] = text;
}

void mkv_import_add_reason(struct mkv_import *import, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	append_line(import, &import->report->reasons,
		    &import->report->n_reasons, format, arguments);
	va_end(arguments);
}

void mkv_import_add_note(struct mkv_import *import, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	append_line(import, &import->report->notes, &import->report->n_notes,
		    format, arguments);
	va_end(arguments);
}

static void release_part(struct mkv_import_part *part)
{
	free(part->name);
	free(part->xml);
	free(part->old_xml);
}

static void release_import(struct mkv_import *import)
{
	for (size_t i = 0; i < import->n_guests; i++) {
		struct mkv_import_guest *guest = &import->guests[i];
		mkv_domain_needs_done(&guest->needs);
		mkv_document_free(guest->document);
		free(guest->artifact);
		free(guest->disk);
		free(guest->xml);
		free(guest->old_xml);
	}
	free(import->guests);
	free(import->directory);
	free(import->bridge);
	release_part(&import->pool);
	release_part(&import->network);
	mkv_auto_close_(&import->lock_fd);
	if (import->connection)
		(void)virConnectClose(import->connection);
	mkv_trusted_free(import->trusted);
}

static void ignore_libvirt_error(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

/* Disks are copied to this machine: a remote libvirt is refused. */
static int connect_libvirt(struct mkv_import *import, struct mkv_error *err)
{
	const char *uri = import->options->uri;
	virSetErrorFunc(NULL, ignore_libvirt_error);
	import->connection = virConnectOpen(uri);
	if (!import->connection)
		return mkv_fail(err, MKV_HOST_CANNOT, ECONNREFUSED,
				"no connection to '%s': libvirt: %s", uri,
				virGetLastErrorMessage());
	auto_free char *full = virConnectGetURI(import->connection);
	const char *authority = full ? strstr(full, "://") : NULL;
	if (authority && authority[3] != '/' && authority[3] != '\0')
		return mkv_fail(err, MKV_HOST_CANNOT, EREMOTE,
				"'%s' is on another machine: run the import on "
				"that machine",
				uri);
	return 0;
}

static int add_item(struct mkv_import_report *report, const char *kind,
		    const char *name, enum mkv_import_state state,
		    struct mkv_error *err)
{
	struct mkv_import_item *item = &report->items[report->n_items];
	*item = (struct mkv_import_item){kind, strdup(name), state};
	if (!item->name)
		return mkv_oom(err);
	report->n_items++;
	return 0;
}

static int list_items(struct mkv_import *import, struct mkv_error *err)
{
	struct mkv_import_report *report = import->report;
	report->items =
		calloc(2 + 2 * import->n_guests, sizeof(*report->items));
	if (!report->items)
		return mkv_oom(err);
	int rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = add_item(report, "disk", import->guests[i].disk,
			      import->guests[i].disk_state, err);
		if (rc < 0)
			return rc;
	}
	rc = add_item(report, "pool", import->pool.name, import->pool.state,
		      err);
	if (rc < 0)
		return rc;
	rc = add_item(report, "network", import->network.name,
		      import->network.state, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = add_item(report, "domain", import->guests[i].needs.name,
			      import->guests[i].domain_state, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int import_appliance(struct mkv_import *import, struct mkv_error *err)
{
	bool dry_run = import->options->dry_run;
	int rc = mkv_import_load(import, err);
	if (rc < 0)
		return rc;
	rc = connect_libvirt(import, err);
	if (rc < 0)
		return rc;
	rc = mkv_import_adapt(import, err);
	if (rc < 0)
		return rc;
	rc = dry_run ? 0 : mkv_import_lock_directory(import, err);
	if (rc < 0)
		return rc;
	rc = mkv_import_compare(import, err);
	if (rc < 0)
		return rc;
	rc = mkv_import_check_host(import, err);
	if (rc < 0)
		return rc;
	if (import->failed)
		return mkv_oom(err);
	rc = list_items(import, err);
	if (rc < 0 || import->report->n_reasons || dry_run)
		return rc;
	return mkv_import_apply(import, err);
}

int mkv_import_run(const struct mkv_import_options *options,
		   struct mkv_import_report *ret, struct mkv_error *err)
{
	auto_import_report struct mkv_import_report report = {0};
	struct mkv_import import = {
		.options = options, .report = &report, .lock_fd = -1};
	int rc = import_appliance(&import, err);
	if (rc < 0 || report.n_reasons)
		mkv_import_remove_directory(&import);
	release_import(&import);
	if (rc < 0)
		return mkv_wrap(err, rc, "import");
	*ret = report;
	report = (struct mkv_import_report){0};
	return 0;
}
