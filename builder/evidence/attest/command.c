/* SPDX-License-Identifier: MIT */
#include "builder/evidence/attest/attest.h"
#include "builder/evidence/attest/statement.h"
#include "lib/dsse.h"

static json_t *make_pairs(const struct mkv_contract_pairs *pairs)
{
	json_t *map = json_object();
	for (size_t i = 0; i < pairs->count; i++)
		if (json_object_set_new(map, pairs->items[i].key,
					json_string(pairs->items[i].value)) <
		    0) {
			json_decref(map);
			return NULL;
		}
	return map;
}

static json_t *make_settings(const struct mkv_plan_settings *settings)
{
	json_t *map = json_object();
	for (size_t i = 0; i < settings->count; i++)
		if (json_object_set_new(
			    map, settings->services[i].name,
			    make_pairs(&settings->services[i].settings)) < 0) {
			json_decref(map);
			return NULL;
		}
	return map;
}

static json_t *make_request(const struct mkv_contract_request *request)
{
	return json_pack("{ss ss sI ss ss* sI so}", "method", request->method,
			 "role", request->role, "port",
			 (json_int_t)request->port, "path", request->path,
			 "body", request->body, "status",
			 (json_int_t)request->status, "headers",
			 make_pairs(&request->headers));
}

static json_t *make_load(const struct mkv_plan_load *load)
{
	json_t *json = json_pack(
		"{sI ss sI sI sI sI sI}", "rate", (json_int_t)load->rate,
		"arrivals", load->arrivals, "connections",
		(json_int_t)load->connections, "warm_up",
		(json_int_t)load->warm_up, "measured",
		(json_int_t)load->measured, "timeout_ns",
		(json_int_t)load->timeout_ns, "seed", (json_int_t)load->seed);
	if (load->has_request &&
	    json_object_set_new(json, "request", make_request(&load->request)) <
		    0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

static json_t *make_predicate(const struct mkv_command *command)
{
	char plan[MKV_SHA256_HEX_SIZE], contract[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&command->plan_sha256, plan);
	mkv_sha256_hex(&command->contract_sha256, contract);
	return json_pack("{si ss ss ss sI ss sI so so ss so}",
			 "mkvbench_command", 1, "plan_sha256", plan,
			 "contract_sha256", contract, "run", command->run,
			 "attempt", (json_int_t)command->attempt, "step",
			 mkv_command_step_name(command->step), "sequence",
			 (json_int_t)command->sequence, "boots",
			 make_pairs(&command->boots), "settings",
			 make_settings(&command->settings), "tracing",
			 command->tracing, "load", make_load(&command->load));
}

static int sign(const struct mkv_private_key *key,
		const struct mkv_command *command, struct mkv_buf *ret,
		struct mkv_error *err)
{
	auto_buf struct mkv_buf statement = {0};
	int rc = mkv_statement_print(
		json_pack("[o]", mkv_statement_subject(MKV_COMMAND_SUBJECT,
						       &command->plan_sha256)),
		MKV_PREDICATE_COMMAND, make_predicate(command), &statement,
		err);
	if (rc < 0)
		return rc;
	return mkv_dsse_sign(key, statement.data, statement.size, ret, err);
}

int mkv_command_sign(const struct mkv_private_key *key,
		     const struct mkv_command *command,
		     struct mkv_buf *ret_bundle, struct mkv_error *err)
{
	auto_command struct mkv_command *again = NULL;
	auto_buf struct mkv_buf bundle = {0};
	int rc = sign(key, command, &bundle, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "command");
	rc = mkv_command_verify(bundle.data, bundle.size,
				mkv_private_key_public(key), &again, err);
	if (rc < 0)
		return rc;
	mkv_buf_add(ret_bundle, bundle.data, bundle.size);
	return mkv_buf_check(ret_bundle, err);
}
