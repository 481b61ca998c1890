/* SPDX-License-Identifier: MIT */
#include "lib/command.h"

#include <string.h>

#include "lib/contract_internal.h"
#include "lib/dsse.h"

static const char *const step_names[] = {
	[MKV_STEP_PREPARE] = "prepare", [MKV_STEP_LOAD] = "load",
	[MKV_STEP_FINISH] = "finish",	[MKV_STEP_ABORT] = "abort",
	[MKV_STEP_DISCARD] = "discard", [MKV_STEPS] = NULL,
};

const char *mkv_command_step_name(enum mkv_command_step step)
{
	return step < MKV_STEPS ? step_names[step] : "unknown";
}

void mkv_command_free(struct mkv_command *command)
{
	if (!command)
		return;
	free(command->boots.items);
	mkv_plan_settings_done(&command->settings);
	mkv_plan_load_done(&command->load);
	json_decref(command->document);
	free(command);
}

static enum mkv_command_step read_step(struct mkv_json_reader *r,
				       const json_t *object)
{
	const char *word =
		mkv_contract_read_word(r, object, "step", step_names);
	for (enum mkv_command_step i = 0; word && i < MKV_STEPS; i++)
		if (strcmp(word, step_names[i]) == 0)
			return i;
	return MKV_STEPS;
}

static bool is_boot_id(const char *text)
{
	static const char pattern[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	if (strlen(text) != sizeof(pattern) - 1)
		return false;
	for (size_t i = 0; pattern[i]; i++)
		if (pattern[i] == '-' ? text[i] != '-'
				      : !strchr("0123456789abcdef", text[i]))
			return false;
	return true;
}

static void read_boots(struct mkv_json_reader *r, const json_t *object,
		       struct mkv_contract_pairs *ret)
{
	const json_t *map =
		mkv_json_member(r, object, "boots", JSON_OBJECT, true);
	size_t count = json_object_size(map);
	if (map && (count == 0 || count > MKV_COMMAND_HOSTS_MAX))
		mkv_json_mistake(r, "boots", "must have 1 to %d hosts",
				 MKV_COMMAND_HOSTS_MAX);
	*ret = mkv_contract_read_pairs(r, object, "boots");
	for (size_t i = 0; i < ret->count; i++) {
		if (!mkv_contract_is_name(ret->items[i].key))
			mkv_json_mistake(r, "boots", "'%.80s' is not a name",
					 ret->items[i].key);
		else if (!is_boot_id(ret->items[i].value))
			mkv_json_mistake(r, "boots", "'%.80s' is not a boot id",
					 ret->items[i].value);
	}
}

static void read_run(struct mkv_json_reader *r, const json_t *object,
		     struct mkv_command *command)
{
	command->run = mkv_json_string(r, object, "run", true);
	if (command->run && !mkv_plan_is_run_id(command->run))
		mkv_json_mistake(r, "run", "'%.80s' is not the id of a run",
				 command->run);
	command->attempt = mkv_json_integer(r, object, "attempt", 1,
					    MKV_PLAN_ATTEMPTS_MAX, true, 0);
	command->step = read_step(r, object);
	command->sequence =
		mkv_json_integer(r, object, "sequence", 1, INT64_MAX, true, 0);
}

static void read_predicate(struct mkv_json_reader *r, const json_t *object,
			   struct mkv_command *command)
{
	mkv_json_only(r, object,
		      (const char *const[]){"mkvbench_command", "plan_sha256",
					    "contract_sha256", "run", "attempt",
					    "step", "sequence", "boots",
					    "settings", "tracing", "load",
					    NULL});
	(void)mkv_json_integer(r, object, "mkvbench_command", 1, 1, true, 0);
	(void)mkv_contract_read_hex(r, object, "plan_sha256", true,
				    &command->plan_sha256);
	(void)mkv_contract_read_hex(r, object, "contract_sha256", true,
				    &command->contract_sha256);
	read_run(r, object, command);
	read_boots(r, object, &command->boots);
	mkv_plan_read_settings(r, object, "settings", &command->settings);
	command->tracing = mkv_plan_read_tracing(r, object);
	const json_t *load =
		mkv_json_member(r, object, "load", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(r, "load");
	if (load)
		mkv_plan_read_load(r, load, true, &command->load);
	mkv_json_leave(r, mark);
}

/* The statement's only subject: the plan that the command belongs to. */
static void read_subject(struct mkv_json_reader *r, const json_t *statement,
			 const struct mkv_sha256 *plan)
{
	const json_t *list =
		mkv_json_member(r, statement, "subject", JSON_ARRAY, true);
	const json_t *one = json_array_get(list, 0);
	struct mkv_sha256 sha256 = {0};
	if (list && (json_array_size(list) != 1 || !json_is_object(one)))
		mkv_json_mistake(r, "subject", "must be one object");
	if (r->rc < 0)
		return;
	size_t mark = mkv_json_enter(r, "subject");
	mkv_json_only(r, one, (const char *const[]){"name", "digest", NULL});
	const char *name = mkv_json_string(r, one, "name", true);
	if (name && strcmp(name, MKV_COMMAND_SUBJECT) != 0)
		mkv_json_mistake(r, "name", "is not " MKV_COMMAND_SUBJECT);
	const json_t *digest =
		mkv_json_member(r, one, "digest", JSON_OBJECT, true);
	if (digest)
		mkv_json_only(r, digest, (const char *const[]){"sha256", NULL});
	(void)mkv_contract_read_hex(r, digest, "sha256", true, &sha256);
	if (r->rc == 0 && !mkv_sha256_equal(&sha256, plan))
		mkv_json_mistake(r, "digest",
				 "differs from the command's plan_sha256");
	mkv_json_leave(r, mark);
}

static void read_text(struct mkv_json_reader *r, const json_t *statement,
		      const char *key, const char *expected)
{
	const char *text = mkv_json_string(r, statement, key, true);
	if (text && strcmp(text, expected) != 0)
		mkv_json_mistake(r, key, "is '%.80s', not %s", text, expected);
}

static int read_statement(json_t *statement, struct mkv_command **ret,
			  struct mkv_error *err)
{
	struct mkv_json_reader reader, *r = &reader;
	auto_command struct mkv_command *command = calloc(1, sizeof(*command));
	if (!command)
		return mkv_oom(err);
	command->document = json_incref(statement);
	mkv_json_reader_init(r, err);
	read_text(r, statement, "_type", MKV_STATEMENT_TYPE);
	read_text(r, statement, "predicateType", MKV_PREDICATE_COMMAND);
	mkv_json_only(r, statement,
		      (const char *const[]){"_type", "subject", "predicateType",
					    "predicate", NULL});
	const json_t *predicate =
		mkv_json_member(r, statement, "predicate", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(r, "predicate");
	if (predicate)
		read_predicate(r, predicate, command);
	mkv_json_leave(r, mark);
	read_subject(r, statement, &command->plan_sha256);
	if (r->rc < 0)
		return r->rc;
	*ret = mkv_take(command);
	return 0;
}

int mkv_command_parse(const char *text, size_t size, struct mkv_command **ret,
		      struct mkv_error *err)
{
	auto_json json_t *statement = NULL;
	int rc = mkv_json_load(text, size, &statement, err);
	if (rc < 0)
		return rc;
	if (!json_is_object(statement))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"the statement is not an object");
	return read_statement(statement, ret, err);
}

/* Any other mistake of the bundle means that it is not signed. */
static int check_json(const char *bundle, size_t size, struct mkv_error *err)
{
	auto_json json_t *document = NULL;
	return mkv_json_load(bundle, size, &document, err);
}

int mkv_command_verify(const char *bundle, size_t size,
		       const struct mkv_public_key *key,
		       struct mkv_command **ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf payload = {0};
	if (size > MKV_COMMAND_BUNDLE_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"command: more than %d bytes",
				MKV_COMMAND_BUNDLE_MAX);
	int rc = check_json(bundle, size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "command");
	rc = mkv_dsse_verify(bundle, size, key, MKV_DSSE_IN_TOTO, &payload,
			     err);
	if (rc < 0)
		return mkv_wrap(err, rc == -ENOMEM ? rc : -EBADMSG, "command");
	rc = mkv_command_parse(payload.data ? payload.data : "", payload.size,
			       ret, err);
	return rc < 0 ? mkv_wrap(err, rc, "command") : 0;
}
