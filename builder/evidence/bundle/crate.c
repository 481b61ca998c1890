/* SPDX-License-Identifier: MIT */
/* ro-crate-metadata.json: RO-Crate 1.2 (https://w3id.org/ro/crate/1.2), with
 * one CreateAction per attempt as in Process Run Crate 0.5. All follows from
 * the plan, the journal and the files. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/clock.h"
#include "lib/io.h"

#define CRATE "https://w3id.org/ro/crate/1.2"
#define PROCESS_RUN "https://w3id.org/ro/wfrun/process/0.5"

enum { RUN_JSON_MAX = 8 * 1024 * 1024 };

struct crate {
	const struct mkv_bundle *bundle;
	const struct mkv_strings *paths;
	json_t *graph, *parts, *mentions; /* of the root */
	bool failed;			  /* out of memory */
};

static json_t *reference(const char *id)
{
	return json_pack("{s:s}", "@id", id);
}

/* Each takes the reference; NULL: out of memory. */
static void append(struct crate *crate, json_t *list, json_t *value)
{
	if (!value || json_array_append_new(list, value) < 0)
		crate->failed = true;
}

static void put(struct crate *crate, json_t *object, const char *key,
		json_t *value)
{
	if (!object || !value || json_object_set_new(object, key, value) < 0)
		crate->failed = true;
}

static json_t *date_json(int64_t time_ns)
{
	char text[40] = "";
	struct tm parts;
	time_t seconds = (time_t)(time_ns / MKV_NS_PER_S);
	if (gmtime_r(&seconds, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ",
			       &parts);
	return json_string(text);
}

/* What the files of a bundle are, by their names' ends. */
static const struct {
	const char *suffix, *format, *description;
} kinds[] = {
	{"plan.json", "application/json",
	 "The plan: arms, runs in their order, load, limits and margin, signed "
	 "before the first run"},
	{"plan.sigstore.json", "application/vnd.dev.sigstore.bundle.v0.3+json",
	 "The signed statement about the plan"},
	{"result.sigstore.json",
	 "application/vnd.dev.sigstore.bundle.v0.3+json",
	 "The signed statement about SHA256SUMS"},
	{"campaign.yaml", "application/yaml", "The campaign file"},
	{"journal.jsonl", "application/jsonl",
	 "Every command, boot and attempt, each line with the SHA-256 of the "
	 "line before"},
	{"key.pub", "application/x-pem-file",
	 "The public key that verifies the signatures"},
	{"run.json", "application/json",
	 "Identity, phases, boots, counts and validity of the run"},
	{"load.csv", "text/csv",
	 "Every request: intended and actual time, latency, trace"},
	{"load-summary.json", "application/json",
	 "The load generator's summary"},
	{"traces.pb.zst", "application/zstd",
	 "OTLP trace requests (protobuf), each with its length as a varint, "
	 "compressed by Zstandard"},
	{"metrics.json.zst", "application/zstd",
	 "Prometheus' raw samples of the run as JSON of its query API, "
	 "compressed by Zstandard"},
	{"SHA256SUMS", "text/plain", "The SHA-256 of every file"},
	{"SHA256SUMS.sig", "application/octet-stream",
	 "The Ed25519 signature of SHA256SUMS"},
};

static json_t *file_json(const struct crate *crate, const char *path,
			 bool is_written)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	struct stat st;
	char size[32];
	json_t *file = json_pack("{s:s, s:s, s:s}", "@id", path, "@type",
				 "File", "name", name);
	if (is_written && fstatat(crate->bundle->dirfd, path, &st,
				  AT_SYMLINK_NOFOLLOW) == 0) {
		(void)snprintf(size, sizeof(size), "%jd", (intmax_t)st.st_size);
		if (file && json_object_set_new(file, "contentSize",
						json_string(size)) < 0)
			return NULL;
	}
	for (size_t i = 0; file && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(name, kinds[i].suffix) == 0 &&
		    (json_object_set_new(file, "encodingFormat",
					 json_string(kinds[i].format)) < 0 ||
		     json_object_set_new(file, "description",
					 json_string(kinds[i].description)) <
			     0))
			return NULL;
	return file;
}

/* A file of the list `parts`. */
static void add_file(struct crate *crate, json_t *parts, const char *path,
		     bool is_written)
{
	append(crate, crate->graph, file_json(crate, path, is_written));
	append(crate, parts, reference(path));
}

/* A directory of the root, and the files of its own level. */
static json_t *add_directory(struct crate *crate, const char *path, char *name)
{
	auto_free char *id = NULL, *own = name;
	if (!own || asprintf(&id, "%s/", path) < 0) {
		id = NULL;
		crate->failed = true;
		return NULL;
	}
	json_t *parts = json_array();
	json_t *directory =
		json_pack("{s:s, s:s, s:s, s:o}", "@id", id, "@type", "Dataset",
			  "name", own, "hasPart", parts);
	append(crate, crate->graph, directory);
	append(crate, crate->parts, reference(id));
	if (crate->failed)
		return NULL;
	size_t length = strlen(id);
	for (size_t i = 0; i < crate->paths->count; i++) {
		const char *file = crate->paths->items[i];
		if (strncmp(file, id, length) == 0 &&
		    !strchr(file + length, '/'))
			add_file(crate, parts, file, true);
	}
	return directory;
}

static void add_appliances(struct crate *crate)
{
	const struct mkv_plan *plan = crate->bundle->plan;
	for (size_t i = 0; i < plan->n_arms; i++) {
		auto_free char *path = NULL;
		char *name;
		bool again = false;
		const struct mkv_plan_arm *arm = &plan->arms[i];
		for (size_t j = 0; j < i; j++)
			again = again || strcmp(plan->arms[j].appliance,
						arm->appliance) == 0;
		if (again)
			continue;
		if (asprintf(&path, "appliances/%s", arm->appliance) < 0 ||
		    asprintf(&name, "Appliance %s, scenario %s, without disks",
			     arm->appliance, arm->scenario) < 0) {
			crate->failed = true;
			return;
		}
		(void)add_directory(crate, path, name);
	}
}

/* Start and end of all phases. */
static void add_times(struct crate *crate, json_t *action, const json_t *run)
{
	const json_t *phases = json_object_get(run, "phases");
	const json_t *first = json_array_get(phases, 0);
	const json_t *last =
		json_array_get(phases, json_array_size(phases) - 1);
	const json_t *start = json_object_get(first, "start_ns");
	const json_t *end = json_object_get(last, "end_ns");
	if (json_is_integer(start))
		put(crate, action, "startTime",
		    date_json(json_integer_value(start)));
	if (json_is_integer(end))
		put(crate, action, "endTime",
		    date_json(json_integer_value(end)));
}

static void add_action(struct crate *crate, const char *path,
		       const struct mkv_bundle_attempt *attempt,
		       const json_t *run)
{
	const struct mkv_plan *plan = crate->bundle->plan;
	const struct mkv_plan_run *planned = &plan->runs[attempt->run];
	const struct mkv_plan_arm *arm = &plan->arms[planned->arm];
	auto_free char *id = NULL, *appliance = NULL, *result = NULL;
	auto_buf struct mkv_buf reasons = {0};
	if (asprintf(&id, "#%s.attempt-%u", planned->id, attempt->attempt) <
		    0 ||
	    asprintf(&appliance, "appliances/%s/", arm->appliance) < 0 ||
	    asprintf(&result, "%s/", path) < 0) {
		crate->failed = true;
		return;
	}
	json_t *action = json_pack(
		"{s:s, s:s, s:o, s:o, s:[oo], s:o, s:o}", "@id", id, "@type",
		"CreateAction", "name",
		json_sprintf("Run %s, attempt %u: block %u, slot %u, arm %s",
			     planned->id, attempt->attempt, planned->block,
			     planned->slot, arm->name),
		"instrument", reference("#mkvbench"), "object",
		reference("plan.json"), reference(appliance), "result",
		reference(result), "actionStatus",
		reference(attempt->is_valid
				  ? "http://schema.org/CompletedActionStatus"
				  : "http://schema.org/FailedActionStatus"));
	append(crate, crate->graph, action);
	append(crate, crate->mentions, reference(id));
	add_times(crate, action, run);
	const json_t *words = json_object_get(run, "reasons");
	for (size_t i = 0; i < json_array_size(words); i++)
		mkv_buf_printf(&reasons, "%s%s", i ? ", " : "",
			       json_string_value(json_array_get(words, i)));
	if (!attempt->is_valid && reasons.size)
		put(crate, action, "error", json_string(reasons.data));
}

static int add_run(struct crate *crate,
		   const struct mkv_bundle_attempt *attempt,
		   struct mkv_error *err)
{
	auto_free char *path = NULL, *document = NULL;
	auto_json json_t *run = NULL;
	char *name;
	const char *id = crate->bundle->plan->runs[attempt->run].id;
	if (!attempt->has_files)
		return 0;
	int rc = mkv_bundle_run_path(crate->bundle->plan, attempt, &path, err);
	if (rc < 0)
		return rc;
	if (asprintf(&document, "%s/run.json", path) < 0) {
		document = NULL;
		return mkv_oom(err);
	}
	rc = mkv_json_load_file(crate->bundle->dirfd, document, RUN_JSON_MAX,
				&run, err);
	if (rc < 0)
		return rc;
	if (asprintf(&name, "Run %s, attempt %u, %s", id, attempt->attempt,
		     attempt->is_valid ? "valid" : "invalid") < 0)
		return mkv_oom(err);
	(void)add_directory(crate, path, name);
	add_action(crate, path, attempt, run);
	return crate->failed ? mkv_oom(err) : 0;
}

static void add_context(struct crate *crate)
{
	append(crate, crate->graph,
	       json_pack("{s:s, s:s, s:s, s:s}", "@id", "#mkvbench", "@type",
			 "SoftwareApplication", "name", "mkvbench",
			 "softwareVersion", MKV_VERSION));
	append(crate, crate->graph,
	       json_pack("{s:s, s:s, s:s, s:s}", "@id", "#license", "@type",
			 "CreativeWork", "name", "No license stated",
			 "description",
			 "The campaign does not state a license for its "
			 "results. Ask the person who ran it."));
	append(crate, crate->graph,
	       json_pack("{s:s, s:s, s:s, s:s}", "@id", PROCESS_RUN, "@type",
			 "CreativeWork", "name", "Process Run Crate", "version",
			 "0.5"));
	static const char *const states[] = {
		"http://schema.org/CompletedActionStatus",
		"http://schema.org/FailedActionStatus"};
	for (size_t i = 0; i < 2; i++)
		append(crate, crate->graph,
		       json_pack("{s:s, s:s, s:s}", "@id", states[i], "@type",
				 "ActionStatusType", "name",
				 i == 0 ? "valid" : "invalid"));
}

static json_t *root_json(const struct crate *crate)
{
	const struct mkv_bundle_state *state = &crate->bundle->state;
	const struct mkv_plan *plan = crate->bundle->plan;
	size_t valid = 0, invalid = 0;
	for (size_t i = 0; i < plan->n_runs; i++)
		valid += state->runs[i].valid != 0;
	for (size_t i = 0; i < state->n_attempts; i++)
		invalid += !state->attempts[i].is_valid;
	return json_pack(
		"{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:O, s:O}", "@id", "./",
		"@type", "Dataset", "name",
		json_sprintf("%sResults of campaign %s",
			     plan->is_trial ? "TRIAL: " : "", plan->name),
		"description",
		json_sprintf(
			"%sBenchmark results of mkvbench: %zu of %zu planned "
			"runs are valid, %zu attempts were invalid; plan "
			"SHA-256 %s. Times are UTC.%s",
			plan->is_trial
				? "A TRIAL with a fraction of the requests: "
				  "no measurement. "
				: "",
			valid, plan->n_runs, invalid,
			crate->bundle->plan_sha256,
			plan->is_trial ? " The scale is in the plan." : ""),
		"datePublished", date_json(state->completed_ns), "license",
		reference("#license"), "conformsTo", reference(PROCESS_RUN),
		"hasPart", crate->parts, "mentions", crate->mentions);
}

/* The files of the bundle's own level, and those that are written after this
 * one. */
static void add_top(struct crate *crate)
{
	for (size_t i = 0; i < crate->paths->count; i++)
		if (!strchr(crate->paths->items[i], '/') &&
		    strcmp(crate->paths->items[i], "ro-crate-metadata.json"))
			add_file(crate, crate->parts, crate->paths->items[i],
				 true);
	add_file(crate, crate->parts, "SHA256SUMS", false);
	add_file(crate, crate->parts, "SHA256SUMS.sig", false);
	add_file(crate, crate->parts, MKV_BUNDLE_RESULT, false);
}

static int fill_graph(struct crate *crate, struct mkv_error *err)
{
	const struct mkv_bundle_state *state = &crate->bundle->state;
	append(crate, crate->graph,
	       json_pack("{s:s, s:s, s:o, s:o}", "@id",
			 "ro-crate-metadata.json", "@type", "CreativeWork",
			 "about", reference("./"), "conformsTo",
			 reference(CRATE)));
	append(crate, crate->graph, root_json(crate));
	add_context(crate);
	add_top(crate);
	add_appliances(crate);
	for (size_t i = 0; i < state->n_attempts; i++) {
		int rc = add_run(crate, &state->attempts[i], err);
		if (rc < 0)
			return rc;
	}
	return crate->failed ? mkv_oom(err) : 0;
}

int mkv_bundle_crate(const struct mkv_bundle *bundle,
		     const struct mkv_strings *paths, struct mkv_buf *ret,
		     struct mkv_error *err)
{
	auto_json json_t *graph = json_array();
	auto_json json_t *parts = json_array();
	auto_json json_t *mentions = json_array();
	struct crate crate = {.bundle = bundle,
			      .paths = paths,
			      .graph = graph,
			      .parts = parts,
			      .mentions = mentions};
	if (!graph || !parts || !mentions)
		return mkv_oom(err);
	int rc = fill_graph(&crate, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "ro-crate-metadata.json");
	auto_json json_t *root = json_pack("{s:s, s:O}", "@context",
					   CRATE "/context", "@graph", graph);
	return root ? mkv_json_dump(root, ret, err) : mkv_oom(err);
}
