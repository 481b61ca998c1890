/* SPDX-License-Identifier: MIT */
/* mkvbench-conductor: carries out the attempts of a campaign's runs, on the
 * collector's host (docs/CONDUCTOR.md).
 *
 *     POST /v1/run       {"plan":BUNDLE,"commands":[BUNDLE,...]}: one attempt
 *     POST /v1/command   BUNDLE with step abort or discard
 *     GET  /v1/state
 *     GET  /v1/results, /v1/results/{result}/{file}
 *     GET  /healthz, /metrics
 *
 * Everything that changes something is signed with the key of the image. The
 * conductor has no rights but its own directory and the network. */

#include "programs/campaign/conductor/conductor.h"
#include "programs/lib/service.h"

enum {
	BODY_MAX = 2 * 1024 * 1024,
	BODIES_MAX = 8 * 1024 * 1024,
	ADDRESS_CONNECTIONS = 32,
	RECEIVE_S = 60,
};

static struct mkv_self self;
static struct mkv_conductor *conductor;

static unsigned status_of(int rc)
{
	switch (rc) {
	case -EINVAL:
		return 400;
	case -EACCES:
	case -EBADMSG:
		return 403;
	case -ENOENT:
		return 404;
	case -EEXIST:
	case -EBUSY:
		return 409;
	case -EFBIG:
		return 413;
	case -ENOSPC:
		return 507;
	default:
		return 500;
	}
}

static void refuse(struct mkv_http_request *request, int rc,
		   const struct mkv_error *err)
{
	static const struct {
		unsigned status;
		const char *code;
	} rows[] = {{400, "malformed"}, {403, "refused"},   {404, "not-found"},
		    {409, "conflict"},	{413, "too-large"}, {507, "disk-full"}};
	unsigned status = status_of(rc);
	const char *code = "internal";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].status == status)
			code = rows[i].code;
	mkv_http_error(request, status, code, "%s", err->message);
}

/* An error with further members: who is in the way. */
static void refuse_with(struct mkv_http_request *request, unsigned status,
			const char *code, const char *message, json_t *detail)
{
	json_t *answer = detail ? detail : json_object();
	if (answer)
		(void)json_object_set_new(
			answer, "error",
			json_pack("{ss ss}", "code", code, "message", message));
	mkv_http_json(request, status, answer);
}

/* The same attempt again: its state, as long as that is of this attempt. */
static void answer_before(struct mkv_http_request *request, json_t *detail)
{
	auto_json json_t *state = mkv_conductor_state(conductor);
	if (json_equal(json_object_get(state, "run"),
		       json_object_get(detail, "run")) &&
	    json_equal(json_object_get(state, "attempt"),
		       json_object_get(detail, "attempt")))
		(void)json_object_update_missing(detail, state);
	mkv_http_json(request, 200, detail);
}

static void answer_accepted(struct mkv_http_request *request,
			    enum mkv_accepted accepted, json_t *detail)
{
	switch (accepted) {
	case MKV_ACCEPTED_NEW:
		mkv_http_json(request, 202, detail);
		return;
	case MKV_ACCEPTED_BEFORE:
		answer_before(request, detail);
		return;
	case MKV_ACCEPTED_BUSY:
		refuse_with(request, 409, "busy", "another attempt runs",
			    detail);
		return;
	case MKV_ACCEPTED_REPLAY:
		refuse_with(request, 409, "replay",
			    "a command with this or a larger sequence was "
			    "accepted before",
			    detail);
		return;
	case MKV_ACCEPTED_EXISTS:
		refuse_with(request, 409, "exists",
			    "there is a result of this run and attempt of "
			    "another plan: discard it first",
			    detail);
		return;
	case MKV_ACCEPTED_FULL:
		refuse_with(request, 507, "disk-full",
			    "the attempt needs more space than is free: "
			    "discard results",
			    detail);
		return;
	}
}

static void receive_run(struct mkv_http_request *request, void *context)
{
	(void)context;
	struct mkv_error err;
	struct mkv_run_order *order;
	enum mkv_accepted accepted;
	json_t *detail = NULL;
	auto_json json_t *document = mkv_http_body(request);
	if (!document)
		return;
	int rc = mkv_order_read(document, &self, &order, &err);
	if (rc < 0) {
		refuse(request, rc, &err);
		return;
	}
	json_t *answer =
		json_pack("{sb ss sI}", "accepted", true, "run", order->run->id,
			  "attempt", (json_int_t)order->attempt);
	rc = mkv_conductor_accept(conductor, order, &accepted, &detail, &err);
	if (rc < 0) {
		json_decref(answer);
		json_decref(detail);
		refuse(request, rc, &err);
		return;
	}
	if (accepted == MKV_ACCEPTED_NEW) {
		answer_accepted(request, accepted, answer);
		return;
	}
	json_decref(answer);
	answer_accepted(request, accepted, detail);
}

static void receive_command(struct mkv_http_request *request, void *context)
{
	(void)context;
	struct mkv_error err;
	auto_command struct mkv_command *command = NULL;
	auto_buf struct mkv_buf bundle = {0};
	auto_json json_t *document = mkv_http_body(request);
	if (!document)
		return;
	int rc = mkv_order_read_command(document, &self, true, &bundle,
					&command, &err);
	if (rc == 0)
		rc = mkv_conductor_command(conductor, command, &err);
	if (rc < 0) {
		refuse(request, rc, &err);
		return;
	}
	mkv_http_json(request, command->step == MKV_STEP_ABORT ? 202 : 200,
		      json_pack("{sb ss sI ss}", "accepted", true, "run",
				command->run, "attempt",
				(json_int_t)command->attempt, "step",
				mkv_command_step_name(command->step)));
}

static void answer_state(struct mkv_http_request *request, void *context)
{
	(void)context;
	mkv_http_json(request, 200, mkv_conductor_state(conductor));
}

static void answer_results(struct mkv_http_request *request, void *context)
{
	(void)context;
	mkv_http_json(request, 200, mkv_conductor_results(conductor));
}

static void send_file(struct mkv_http_request *request, void *context)
{
	(void)context;
	struct mkv_error err;
	int rc = mkv_conductor_open(conductor, request->parameters[0],
				    request->parameters[1], &request->file_fd,
				    &request->file_size, &err);
	if (rc < 0) {
		refuse(request, rc, &err);
		return;
	}
	request->status = 200;
	request->content_type = "application/octet-stream";
}

static void answer_health(struct mkv_http_request *request, void *context)
{
	(void)context;
	mkv_http_json(request, 200, json_pack("{ss}", "status", "ok"));
}

static const struct mkv_http_route routes[] = {
	{"POST", "/v1/run", receive_run, true},
	{"POST", "/v1/command", receive_command, true},
	{"GET", "/v1/state", answer_state, true},
	{"GET", "/v1/results", answer_results, true},
	{"GET", "/v1/results/{result}/{file}", send_file, true},
	{"GET", "/healthz", answer_health, true},
	{0},
};

static const struct mkv_service_setting own_settings[] = {
	{"DATA_DIR", MKV_SETTING_TEXT, "/var/lib/conductor", .max = 3000,
	 .doc = "directory of results", .text = &self.directory},
	{"CONTRACT_DIR", MKV_SETTING_TEXT, "/usr/lib/mkvbench", .max = 3000,
	 .doc = "directory of contract.json and key.pub",
	 .text = &self.contract_dir},
	{"HOST",
	 .doc = "this host's name in the contract; default: the host "
		"with the role collector",
	 .text = &self.host},
	{"BOOT_ID", .doc = "id of this boot; default: the kernel's",
	 .text = &self.boot_id_setting},
	{"COLLECTOR_URL", MKV_SETTING_TEXT, "http://127.0.0.1:4318", .max = 256,
	 .doc = "URL of the collector", .text = &self.collector_url},
	{"PROMETHEUS_URL", MKV_SETTING_TEXT, "http://127.0.0.1:9090",
	 .max = 256, .doc = "URL of Prometheus", .text = &self.prometheus_url},
	{"AGENT_PORT", MKV_SETTING_INTEGER, "9180", 1, 65535,
	 .doc = "TCP port of the agents", .number = &self.agent_port},
	{"SPARE", MKV_SETTING_SIZE, "256MiB", 0, INT64_C(1) << 40,
	 .doc = "free space to keep on the disk of DATA_DIR",
	 .number = &self.spare_bytes},
	{"POLL_MS", MKV_SETTING_INTEGER, "1000", 20, 60000,
	 .doc = "milliseconds between two looks at all hosts",
	 .number = &self.poll_ms},
	{"SILENT_S", MKV_SETTING_INTEGER, "30", 1, 3600,
	 .doc = "seconds without an answer of an agent that end an attempt",
	 .number = &self.silent_s},
	{"STALL_S", MKV_SETTING_INTEGER, "60", 1, 3600,
	 .doc = "seconds, beyond a request's timeout, without progress of the "
		"load that end an attempt",
	 .number = &self.stall_s},
	{"PREPARE_S", MKV_SETTING_INTEGER, "600", 1, 86400,
	 .doc = "seconds for the step prepare", .number = &self.prepare_s},
	{"DRAIN_S", MKV_SETTING_INTEGER, "120", 1, 86400,
	 .doc = "seconds for the spans of a run to arrive",
	 .number = &self.drain_s},
	{"FINISH_S", MKV_SETTING_INTEGER, "600", 1, 86400,
	 .doc = "seconds for the step finish", .number = &self.finish_s},
	{0},
};
static const struct mkv_service_setting *const settings[] = {own_settings,
							     NULL};

static int configure(void *context, struct mkv_error *err)
{
	(void)context;
	int rc = mkv_self_load(&self, err);
	return rc < 0 ? rc : mkv_conductor_start(&self, &conductor, err);
}

int main(int argc, char **argv)
{
	const struct mkv_service_options options = {
		.name = "conductor",
		.port = "9181",
		.body_max = BODY_MAX,
		.bodies_max = BODIES_MAX,
		.address_connections = ADDRESS_CONNECTIONS,
		.receive_s = RECEIVE_S,
		.routes = routes,
		.settings = settings,
		.configure = configure,
		.untraced = true,
	};
	int status = mkv_service_main(&options, argc, argv);
	mkv_conductor_stop(conductor);
	mkv_self_done(&self);
	return status;
}
