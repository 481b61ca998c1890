/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/bundle/export_internal.h"
#include "builder/evidence/bundle/traces.h"
#include "builder/format/archive/unzstd.h"
#include "lib/otlp.h"

struct exporting {
	struct mkv_export_output output;
	char attributes[512]; /* of the current run */
	const char *run;
	unsigned attempt;
	uint64_t requests;
};

static int print_request(const void *data, size_t size, void *context,
			 struct mkv_error *err)
{
	struct exporting *exporting = context;
	int rc = mkv_otlp_print_json(data, size, exporting->attributes,
				     &exporting->output.text, err);
	if (rc < 0)
		return rc;
	mkv_buf_char(&exporting->output.text, '\n');
	exporting->requests++;
	return mkv_export_flush(&exporting->output, false, err);
}

static json_t *attribute_json(const char *key, const char *type, json_t *value)
{
	return json_pack("{s:s, s:{s:o}}", "key", key, "value", type, value);
}

/* A request that came as JSON gets the same attributes. */
static int print_line(const char *line, size_t size,
		      struct exporting *exporting, struct mkv_error *err)
{
	auto_json json_t *request = NULL;
	int rc = mkv_json_load(line, size, &request, err);
	if (rc < 0)
		return rc;
	const json_t *list = json_object_get(request, "resourceSpans");
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *spans = json_array_get(list, i);
		json_t *resource = json_object_get(spans, "resource");
		if (!json_is_object(resource)) {
			resource = json_object();
			json_object_set_new(spans, "resource", resource);
		}
		json_t *attributes = json_object_get(resource, "attributes");
		if (!json_is_array(attributes)) {
			attributes = json_array();
			json_object_set_new(resource, "attributes", attributes);
		}
		json_array_append_new(
			attributes,
			attribute_json("mkvbench.run", "stringValue",
				       json_string(exporting->run)));
		json_array_append_new(
			attributes,
			attribute_json("mkvbench.attempt", "intValue",
				       json_sprintf("%u", exporting->attempt)));
	}
	rc = mkv_json_dump_compact(request, &exporting->output.text, err);
	if (rc < 0)
		return rc;
	mkv_buf_char(&exporting->output.text, '\n');
	exporting->requests++;
	return mkv_export_flush(&exporting->output, false, err);
}

/* Prints all complete lines and removes them from the buffer. */
static int print_lines(struct mkv_buf *rest, void *context,
		       struct mkv_error *err)
{
	struct exporting *exporting = context;
	size_t at = 0;
	const char *stop;
	while (at < rest->size &&
	       (stop = memchr(rest->data + at, '\n', rest->size - at))) {
		size_t size = (size_t)(stop - rest->data) - at;
		int rc = print_line(rest->data + at, size, exporting, err);
		if (rc < 0)
			return rc;
		at += size + 1;
	}
	if (at)
		memmove(rest->data, rest->data + at, rest->size - at);
	rest->size -= at;
	return rest->size > MKV_TRACES_REQUEST_MAX
		       ? mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				  "a line that is too long")
		       : 0;
}

static int print_json_file(int fd, struct exporting *exporting,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf rest = {0};
	return mkv_unzstd_each(fd, MKV_TRACES_LIMIT_BYTES, print_lines,
			       exporting, &rest, err);
}

static int export_file(int dirfd, const char *name, struct exporting *exporting,
		       struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = mkv_export_open(dirfd, name, &fd, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = strcmp(name, "traces.pb.zst") == 0
		     ? mkv_traces_read(fd, print_request, exporting, err)
		     : print_json_file(fd, exporting, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s", name) : 0;
}

static int export_run(int dirfd, const char *run, unsigned attempt,
		      void *context, struct mkv_error *err)
{
	struct exporting *exporting = context;
	exporting->run = run;
	exporting->attempt = attempt;
	/* The plan's reader allows letters, digits and hyphens in the id. */
	(void)snprintf(exporting->attributes, sizeof(exporting->attributes),
		       "{\"key\":\"mkvbench.run\",\"value\":{\"stringValue\":"
		       "\"%s\"}},{\"key\":\"mkvbench.attempt\",\"value\":{"
		       "\"intValue\":\"%u\"}}",
		       run, attempt);
	int rc = export_file(dirfd, "traces.pb.zst", exporting, err);
	return rc < 0 ? rc
		      : export_file(dirfd, "traces.jsonl.zst", exporting, err);
}

int mkv_bundle_export_otlp(const char *bundle, int fd,
			   struct mkv_export_counts *ret, struct mkv_error *err)
{
	struct exporting exporting = {.output = {.fd = fd}};
	int rc = mkv_export_runs(bundle, export_run, &exporting, &ret->runs,
				 err);
	if (rc >= 0)
		rc = mkv_export_flush(&exporting.output, true, err);
	mkv_buf_done(&exporting.output.text);
	ret->items = exporting.requests;
	return rc;
}
