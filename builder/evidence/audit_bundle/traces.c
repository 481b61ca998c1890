/* SPDX-License-Identifier: MIT */
/* The spans of a run: their resources name the contract and a boot of the run,
 * and they are as many as run.json says. */
#include <string.h>

#include "builder/evidence/audit_bundle/internal.h"
#include "builder/evidence/bundle/traces.h"
#include "lib/otlp.h"
#include "lib/protobuf.h"

enum { TEXT_MAX = 200 };

/* What a resource can have wrong; each is reported once per run. */
enum fault {
	NO_CONTRACT,
	OTHER_CONTRACT,
	NO_BOOT,
	OTHER_BOOT,
	FAULTS,
};

struct counting {
	struct mkv_bundle_run_audit *run;
	struct mkv_idset spans;
	bool is_over; /* more spans than run.json says: no longer counted */
	char first[FAULTS][2 * TEXT_MAX + 64]; /* "": none */
	uint64_t resources, faulty[FAULTS];
};

struct resource {
	char service[TEXT_MAX], host[TEXT_MAX], contract[TEXT_MAX],
		boot[TEXT_MAX];
};

static struct mkv_protobuf_reader
reader_of(const struct mkv_protobuf_field *field)
{
	return field->bytes;
}

static void copy_text(char into[static TEXT_MAX],
		      struct mkv_protobuf_reader bytes)
{
	size_t size = (size_t)(bytes.end - bytes.at);
	size = size < TEXT_MAX ? size : TEXT_MAX - 1;
	memcpy(into, bytes.at, size);
	into[size] = '\0';
}

/* AnyValue.string_value, or "". */
static void read_value(struct mkv_protobuf_reader value,
		       char into[static TEXT_MAX])
{
	struct mkv_protobuf_field field;
	into[0] = '\0';
	while (value.at < value.end && mkv_protobuf_next(&value, &field))
		if (field.number == 1 && field.wire == MKV_PROTOBUF_BYTES)
			copy_text(into, field.bytes);
}

static void read_pair(struct mkv_protobuf_reader pair, struct resource *ret)
{
	char key[TEXT_MAX] = "", value[TEXT_MAX] = "";
	struct mkv_protobuf_field field;
	while (pair.at < pair.end && mkv_protobuf_next(&pair, &field)) {
		if (field.number == 1)
			copy_text(key, field.bytes);
		else if (field.number == 2)
			read_value(reader_of(&field), value);
	}
	const struct {
		const char *key;
		char *into;
	} wanted[] = {{"service.name", ret->service},
		      {"host.name", ret->host},
		      {"mkvbench.contract", ret->contract},
		      {"mkvbench.boot_id", ret->boot}};
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (strcmp(key, wanted[i].key) == 0)
			memcpy(wanted[i].into, value, TEXT_MAX);
}

static void note(struct counting *counting, enum fault fault,
		 const struct resource *resource, const char *what)
{
	if (counting->faulty[fault]++ == 0)
		(void)snprintf(counting->first[fault],
			       sizeof(counting->first[fault]), "%.100s: %.200s",
			       resource->service[0] ? resource->service
						    : "a service without name",
			       what);
}

static void check_resource(struct counting *counting,
			   const struct resource *resource)
{
	const struct mkv_bundle_run_audit *run = counting->run;
	const char *boot = mkv_bundle_boot_of(run, resource->host);
	counting->resources++;
	if (!resource->contract[0])
		note(counting, NO_CONTRACT, resource,
		     "spans that name no contract");
	else if (strcmp(resource->contract, run->arm->contract_sha256) != 0)
		note(counting, OTHER_CONTRACT, resource,
		     "spans of another contract");
	if (!resource->boot[0])
		note(counting, NO_BOOT, resource, "spans that name no boot");
	else if (!boot || strcmp(boot, resource->boot) != 0)
		note(counting, OTHER_BOOT, resource,
		     "spans of a boot that isn't this run's of their host");
}

static int read_span(struct counting *counting, struct mkv_protobuf_reader span,
		     struct mkv_error *err)
{
	uint8_t id[24] = {0};
	struct mkv_protobuf_field field;
	if (counting->is_over)
		return 0;
	while (span.at < span.end && mkv_protobuf_next(&span, &field)) {
		size_t size = (size_t)(field.bytes.end - field.bytes.at);
		if (field.number == 1 && size == 16)
			memcpy(id, field.bytes.at, 16);
		else if (field.number == 2 && size == 8)
			memcpy(id + 16, field.bytes.at, 8);
	}
	if (!mkv_idset_add(&counting->spans, id, sizeof(id)) ||
	    !mkv_idset_add(&counting->run->traces, id, 16))
		return mkv_oom(err);
	/* Memory is bounded by what run.json promises. */
	counting->is_over = counting->spans.count > counting->run->received ||
			    counting->spans.count > MKV_BUNDLE_SPANS_MAX;
	return 0;
}

static int read_scope(struct counting *counting,
		      struct mkv_protobuf_reader scope, struct mkv_error *err)
{
	struct mkv_protobuf_field field;
	while (scope.at < scope.end && mkv_protobuf_next(&scope, &field))
		if (field.number == 2) {
			int rc = read_span(counting, field.bytes, err);
			if (rc < 0)
				return rc;
		}
	return 0;
}

/* ResourceSpans: resource 1 (attributes 1), scope_spans 2 (spans 2). */
static int read_resource_spans(struct counting *counting,
			       struct mkv_protobuf_reader spans,
			       struct mkv_error *err)
{
	struct resource resource = {0};
	struct mkv_protobuf_field field, attribute;
	while (spans.at < spans.end && mkv_protobuf_next(&spans, &field)) {
		if (field.number == 2) {
			int rc = read_scope(counting, field.bytes, err);
			if (rc < 0)
				return rc;
		}
		struct mkv_protobuf_reader about = field.bytes;
		while (field.number == 1 && about.at < about.end &&
		       mkv_protobuf_next(&about, &attribute))
			if (attribute.number == 1)
				read_pair(attribute.bytes, &resource);
	}
	check_resource(counting, &resource);
	return 0;
}

static int read_request(const void *data, size_t size, void *context,
			struct mkv_error *err)
{
	struct counting *counting = context;
	struct mkv_protobuf_reader request = {data,
					      (const uint8_t *)data + size};
	struct mkv_protobuf_field field;
	uint64_t spans = 0;
	/* Wire types and depth are checked here, once for all. */
	int rc = mkv_otlp_check_protobuf(data, size, &spans, err);
	if (rc < 0)
		return rc;
	counting->run->at->report->spans += spans;
	while (request.at < request.end && mkv_protobuf_next(&request, &field))
		if (field.number == 1) {
			rc = read_resource_spans(counting, field.bytes, err);
			if (rc < 0)
				return rc;
		}
	return 0;
}

static void report_counts(const struct counting *counting, const char *path)
{
	struct mkv_bundle_run_audit *run = counting->run;
	for (int i = 0; i < FAULTS; i++)
		if (counting->faulty[i])
			mkv_bundle_find(run->at, path,
					"%s (%ju of %ju resources)",
					counting->first[i],
					(uintmax_t)counting->faulty[i],
					(uintmax_t)counting->resources);
	/* The conductor counts spans that came as JSON elsewhere. */
	if (mkv_bundle_has_file(run, "traces.jsonl.zst"))
		return;
	if (counting->is_over)
		mkv_bundle_find(run->at, path,
				"holds more spans than run.json has received "
				"(%ju)",
				(uintmax_t)run->received);
	else if (counting->spans.count != run->received)
		mkv_bundle_find(run->at, path,
				"holds %zu distinct spans, run.json has "
				"received %ju",
				counting->spans.count,
				(uintmax_t)run->received);
}

int mkv_bundle_audit_traces(struct mkv_bundle_run_audit *run,
			    struct mkv_error *err)
{
	struct counting counting = {.run = run};
	char path[512];
	auto_fd int fd = -1;
	mkv_bundle_file_path(run, "traces.pb.zst", path);
	if (!mkv_bundle_has_file(run, "traces.pb.zst")) {
		if (run->event->is_valid && run->received)
			mkv_bundle_find(run->at, path, "missing");
		return 0;
	}
	if (mkv_audit_open(&run->at->audit, path, &fd) < 0)
		return 0; /* its digest is a finding */
	int rc = mkv_traces_read(fd, read_request, &counting, err);
	if (rc < 0)
		rc = mkv_bundle_find_error(run->at, path, rc, err);
	else
		report_counts(&counting, path);
	mkv_idset_done(&counting.spans);
	return rc;
}
