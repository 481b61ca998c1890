/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/api.h"

#include "lib/clock.h"
#include "programs/campaign/agent/files.h"
#include "programs/campaign/agent/load.h"
#include "programs/campaign/agent/receipts.h"
#include "programs/campaign/agent/steps.h"
#include "programs/lib/log.h"

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

static int read_command(const struct mkv_agent *agent,
			const struct mkv_http_request *request,
			struct mkv_command **ret, struct mkv_error *err)
{
	auto_command struct mkv_command *command = NULL;
	int rc = mkv_command_verify(request->body, request->body_size,
				    &agent->key, &command, err);
	if (rc < 0)
		return rc;
	rc = mkv_command_check(command, agent->contract,
			       &agent->contract_sha256, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(command);
	return 0;
}

static json_t *pack_acceptance(const struct mkv_command *command)
{
	return json_pack("{sbsssIss}", "accepted", 1, "run", command->run,
			 "attempt", (json_int_t)command->attempt, "step",
			 mkv_command_step_name(command->step));
}

static void take_command(struct mkv_http_request *request, void *context)
{
	struct mkv_agent *agent = context;
	auto_command struct mkv_command *command = NULL;
	auto_json json_t *answer = NULL;
	struct mkv_agent_refusal refusal = {0};
	struct mkv_error err;
	int rc = read_command(agent, request, &command, &err);
	if (rc < 0) {
		refuse_error(request, rc, &err);
		return;
	}
	answer = pack_acceptance(command);
	rc = mkv_agent_begin(agent, &command, &refusal, &err);
	if (refusal.status)
		refuse(request, refusal.status, refusal.code, refusal.message);
	else if (rc < 0)
		refuse(request, 500, "failed", err.message);
	else
		mkv_http_json(request, 202, mkv_take(answer));
}

static void show_state(struct mkv_http_request *request, void *context)
{
	struct mkv_agent *agent = context;
	char contract[MKV_SHA256_HEX_SIZE];
	(void)pthread_mutex_lock(&agent->lock);
	struct mkv_agent_state state = agent->state;
	(void)pthread_mutex_unlock(&agent->lock);
	bool any = state.run[0];
	mkv_sha256_hex(&agent->contract_sha256, contract);
	json_t *progress = any && mkv_agent_has_loadgen(agent)
				   ? mkv_agent_load_progress(agent, state.run,
							     state.attempt)
				   : NULL;
	mkv_http_json(request, 200,
		      json_pack("{ss ss ss ss ss? so ss? ss ss? ss so sI sI}",
				"host", agent->host->name, "contract_sha256",
				contract, "boot_id", agent->boot_id, "receipt",
				mkv_agent_receipt_word(agent), "run",
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

static json_t *list_files(const struct mkv_agent *agent)
{
	json_t *list = json_array();
	for (size_t i = 0; i < agent->files.count; i++) {
		char hex[MKV_SHA256_HEX_SIZE];
		const struct mkv_agent_file *file = &agent->files.items[i];
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
	struct mkv_agent *agent = context;
	(void)pthread_mutex_lock(&agent->lock);
	json_t *list = list_files(agent);
	(void)pthread_mutex_unlock(&agent->lock);
	mkv_http_json(request, 200, json_pack("{so}", "files", list));
}

/* Opens the file while the list can't change. */
static int open_file(struct mkv_agent *agent, int64_t index, int *ret_fd,
		     uint64_t *ret_size, struct mkv_error *err)
{
	(void)pthread_mutex_lock(&agent->lock);
	int rc;
	if ((uint64_t)index >= agent->files.count) {
		rc = mkv_fail(err, MKV_FAILED, ENOENT, "no such file");
	} else {
		const struct mkv_agent_file *file = &agent->files.items[index];
		*ret_size = file->size_bytes;
		rc = mkv_agent_file_open(file, ret_fd, err);
	}
	(void)pthread_mutex_unlock(&agent->lock);
	return rc;
}

static void send_file(struct mkv_http_request *request, void *context)
{
	struct mkv_error err;
	auto_fd int fd = -1;
	uint64_t size = 0;
	int rc = open_file(context, request->parameters[0], &fd, &size, &err);
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

const struct mkv_http_route mkv_agent_routes[] = {
	{"POST", "/v1/command", take_command, .untraced = true},
	{"GET", "/v1/state", show_state, .untraced = true},
	{"GET", "/v1/files", show_files, .untraced = true},
	{"GET", "/v1/files/{index}", send_file, .untraced = true},
	{0},
};
