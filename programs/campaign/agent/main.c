/* SPDX-License-Identifier: MIT */
/* mkvbench-agent: works on this host for a campaign. It obeys only commands
 * that the build's key has signed, for this contract and this boot, each once
 * (docs/AGENT.md).
 *
 *     POST /v1/command         a signed command
 *     GET /v1/state            what the agent does
 *     GET /v1/files            files of the current attempt
 *     GET /v1/files/{index}    the content of one */

#include <signal.h>
#include <string.h>

#include "lib/clock.h"
#include "programs/campaign/agent/agent.h"
#include "programs/campaign/agent/files.h"
#include "programs/campaign/agent/load.h"
#include "programs/campaign/agent/receipts.h"
#include "programs/campaign/agent/steps.h"
#include "programs/campaign/agent/watch.h"
#include "programs/lib/http.h"
#include "programs/lib/log.h"
#include "programs/lib/program.h"

enum {
	HANDLER_THREADS = 2,
	QUEUE_MS = 10000,
	CONNECTIONS = 64,
	ADDRESS_CONNECTIONS = 16,
	IDLE_S = 30,
	STOP_S = 5,
};

static struct mkv_agent agent;

static const struct mkv_service_setting own_settings[] = {
	{"PORT", MKV_SETTING_INTEGER, "9180", 0, 65535,
	 .doc = "TCP port to listen on; 0: any free port",
	 .number = &agent.port},
	{"ADDRESS",
	 .doc = "IPv4 address to listen on; default: the host's address of the "
		"contract",
	 .text = &agent.address},
	{"RUN_DIR", MKV_SETTING_TEXT, "/run/mkvbench", .max = 1000,
	 .doc = "directory of the host's name, the receipts and the agent's own "
		"files",
	 .text = &agent.run_dir},
	{"CONTRACT_DIR", MKV_SETTING_TEXT, "/usr/lib/mkvbench", .max = 1000,
	 .doc = "directory of contract.json and key.pub",
	 .text = &agent.contract_dir},
	{"LOADGEN_DIR", MKV_SETTING_TEXT, "/var/lib/loadgen", .max = 1000,
	 .doc = "directory of the load generator's results",
	 .text = &agent.loadgen_dir},
	{"OVERRIDES_DIR", MKV_SETTING_TEXT, MKV_SETTINGS_OVERRIDES, .max = 1000,
	 .doc = "directory of overrides of settings",
	 .text = &agent.overrides_dir},
	{"STATE_DIR", MKV_SETTING_TEXT, "/var/lib", .max = 1000,
	 .doc = "parent of the services' directories: spans go to "
		"STATE_DIR/SERVICE/traces.jsonl with the tracing `file`",
	 .text = &agent.state_dir},
	{"COMMAND_S", MKV_SETTING_INTEGER, "300", 1, 86400,
	 .doc = "seconds that systemctl, docker or a clean-up may take",
	 .number = &agent.child_s},
	{"HEALTH_S", MKV_SETTING_INTEGER, "120", 1, 86400,
	 .doc = "seconds until a restarted service must be healthy",
	 .number = &agent.health_s},
	{"RECEIVE_S", MKV_SETTING_INTEGER, "30", 1, 3600,
	 .doc = "seconds until a request must have arrived as a whole",
	 .number = &agent.receive_s},
	{"BOOT_ID", .doc = "id of the boot, for tests; default: the kernel's",
	 .text = &agent.test_boot_id},
	{0},
};

static void refuse(struct mkv_http_request *request, unsigned status,
		   const char *code, const char *message)
{
	mkv_log_error("refused: %s", message);
	mkv_http_error(request, status, code, "%s", message);
}

static void refuse_error(struct mkv_http_request *request, int rc,
			 const struct mkv_error *err)
{
	unsigned status = 500;
	const char *code = "failed";
	switch (rc) {
	case -EFBIG:
		status = 413;
		code = "too-large";
		break;
	case -EINVAL:
		status = 400;
		code = "bad-command";
		break;
	case -EBADMSG:
		status = 403;
		code = "unsigned";
		break;
	case -EACCES:
		status = 403;
		code = "not-allowed";
		break;
	default:
		break;
	}
	refuse(request, status, code, err->message);
}

static void take_command(struct mkv_http_request *request, void *context)
{
	auto_command struct mkv_command *command = NULL;
	struct mkv_agent_refusal refusal = {0};
	struct mkv_error err;
	(void)context;
	int rc = mkv_command_verify(request->body, request->body_size,
				    &agent.key, &command, &err);
	if (rc == 0)
		rc = mkv_command_check(command, agent.contract,
				       &agent.contract_sha256, &err);
	if (rc < 0) {
		refuse_error(request, rc, &err);
		return;
	}
	json_t *answer =
		json_pack("{sbsssIss}", "accepted", 1, "run", command->run,
			  "attempt", (json_int_t)command->attempt, "step",
			  mkv_command_step_name(command->step));
	rc = mkv_agent_begin(&agent, &command, &refusal, &err);
	if (rc == 0) {
		mkv_http_json(request, 202, answer);
		return;
	}
	json_decref(answer);
	if (refusal.status)
		refuse(request, refusal.status, refusal.code, refusal.message);
	else
		refuse(request, 500, "failed", err.message);
}

static void show_state(struct mkv_http_request *request, void *context)
{
	char contract[MKV_SHA256_HEX_SIZE];
	(void)context;
	(void)pthread_mutex_lock(&agent.lock);
	struct mkv_agent_state state = agent.state;
	(void)pthread_mutex_unlock(&agent.lock);
	bool any = state.run[0];
	mkv_sha256_hex(&agent.contract_sha256, contract);
	json_t *progress = any && mkv_agent_has_loadgen(&agent)
				   ? mkv_agent_load_progress(&agent, state.run,
							     state.attempt)
				   : NULL;
	mkv_http_json(request, 200,
		      json_pack("{ss ss ss ss ss? so ss? ss ss? ss so sI sI}",
				"host", agent.host->name, "contract_sha256",
				contract, "boot_id", agent.boot_id, "receipt",
				mkv_agent_receipt_word(&agent), "run",
				any ? state.run : NULL, "attempt",
				any ? json_integer(state.attempt) : json_null(),
				"step",
				any ? mkv_command_step_name(state.step) : NULL,
				"step_state",
				mkv_agent_progress_name(state.progress),
				"error", state.error[0] ? state.error : NULL,
				"detail", state.detail, "progress",
				progress ? progress : json_null(), "sequence",
				(json_int_t)state.sequence, "realtime_ns",
				(json_int_t)mkv_realtime_ns()));
}

static json_t *list_files(void)
{
	json_t *list = json_array();
	for (size_t i = 0; i < agent.files.count; i++) {
		char hex[MKV_SHA256_HEX_SIZE];
		const struct mkv_agent_file *file = &agent.files.items[i];
		mkv_sha256_hex(&file->sha256, hex);
		if (json_array_append_new(
			    list,
			    json_pack("{sssIss}", "name", file->name, "size",
				      (json_int_t)file->size_bytes, "sha256",
				      hex)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static void show_files(struct mkv_http_request *request, void *context)
{
	(void)context;
	(void)pthread_mutex_lock(&agent.lock);
	json_t *list = list_files();
	(void)pthread_mutex_unlock(&agent.lock);
	mkv_http_json(request, 200, json_pack("{so}", "files", list));
}

/* Opens the file while the list can't change. */
static int open_file(int64_t index, int *ret_fd, uint64_t *ret_size,
		     struct mkv_error *err)
{
	(void)pthread_mutex_lock(&agent.lock);
	int rc;
	if ((uint64_t)index >= agent.files.count) {
		rc = mkv_fail(err, MKV_FAILED, ENOENT, "no such file");
	} else {
		const struct mkv_agent_file *file = &agent.files.items[index];
		*ret_size = file->size_bytes;
		rc = mkv_agent_file_open(file, ret_fd, err);
	}
	(void)pthread_mutex_unlock(&agent.lock);
	return rc;
}

static void send_file(struct mkv_http_request *request, void *context)
{
	struct mkv_error err;
	auto_fd int fd = -1;
	uint64_t size = 0;
	(void)context;
	int rc = open_file(request->parameters[0], &fd, &size, &err);
	if (rc < 0) {
		mkv_http_error(request, rc == -ENOENT ? 404 : 500,
			       rc == -ENOENT ? "not-found" : "changed", "%s",
			       err.message);
		return;
	}
	request->status = 200;
	request->content_type = "application/octet-stream";
	request->file_size = size;
	if (size)
		request->file_fd = mkv_take_fd(&fd);
}

static const struct mkv_http_route routes[] = {
	{"POST", "/v1/command", take_command, .untraced = true},
	{"GET", "/v1/state", show_state, .untraced = true},
	{"GET", "/v1/files", show_files, .untraced = true},
	{"GET", "/v1/files/{index}", send_file, .untraced = true},
	{0},
};

static int serve(const sigset_t *signals, struct mkv_error *err)
{
	const struct mkv_http_options options = {
		.address = agent.address,
		.port = (uint16_t)agent.port,
		.threads = HANDLER_THREADS,
		.queue_ms = QUEUE_MS,
		.connections = CONNECTIONS,
		.address_connections = ADDRESS_CONNECTIONS,
		.idle_s = IDLE_S,
		.receive_s = (unsigned)agent.receive_s,
		.body_max = MKV_COMMAND_BUNDLE_MAX,
		.bodies_max = 4 * MKV_COMMAND_BUNDLE_MAX,
		.routes = routes,
	};
	struct mkv_http *http;
	int rc = mkv_http_start(&options, &http, err);
	if (rc < 0)
		return rc;
	int signal = 0;
	mkv_log_info("listening on %s, port %u", agent.address,
		     mkv_http_port(http));
	while (sigwait(signals, &signal) != 0)
		;
	mkv_http_stop(http, STOP_S);
	mkv_agent_stop(&agent);
	return 0;
}

static int run_agent(const struct mkv_program *program, struct mkv_error *err)
{
	struct mkv_error own;
	sigset_t signals;
	(void)program;
	/* Blocked before any thread starts, so that only sigwait() receives
	 * them. */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	int rc = mkv_agent_load(&agent, err);
	if (rc < 0)
		return rc;
	/* An agent that was killed in a step has left the timer paused. */
	rc = mkv_agent_watch_resume(&agent, &own);
	if (rc < 0)
		mkv_log_error("resume the verifier's watch: %s", own.message);
	return serve(&signals, err);
}

int main(int argc, char **argv)
{
	static const struct mkv_service_setting *const settings[] = {
		own_settings, NULL};
	const struct mkv_program program = {
		.name = "agent", .settings = settings, .run = run_agent};
	int rc = mkv_program_main(&program, argc, argv);
	mkv_agent_done(&agent);
	return rc;
}
