/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/order.h"

#include <string.h>

#include "lib/dsse.h"

void mkv_order_free(struct mkv_run_order *order)
{
	if (!order)
		return;
	mkv_plan_free(order->plan);
	for (size_t i = 0; i < MKV_ORDER_STEPS; i++) {
		mkv_command_free(order->commands[i]);
		mkv_buf_done(&order->bundles[i]);
	}
	json_decref(order->document);
	free(order);
}

static int fail_malformed(struct mkv_error *err, const char *what)
{
	return mkv_fail(err, MKV_FAILED, EINVAL, "%s", what);
}

static int check_boot(const struct mkv_command *command,
		      const struct mkv_self *self, struct mkv_error *err)
{
	const char *boot = mkv_command_boot(command, self->host);
	if (boot && strcmp(boot, self->boot_id) == 0)
		return 0;
	return mkv_fail(err, MKV_UNVERIFIED, EACCES,
			"%s is for another boot of '%s'",
			mkv_command_step_name(command->step), self->host);
}

int mkv_order_read_command(const json_t *bundle, const struct mkv_self *self,
			   bool is_this_boot, struct mkv_buf *ret_bundle,
			   struct mkv_command **ret, struct mkv_error *err)
{
	auto_command struct mkv_command *command = NULL;
	if (!json_is_object(bundle))
		return fail_malformed(err, "a command is not an object");
	int rc = mkv_json_dump_compact(bundle, ret_bundle, err);
	if (rc < 0)
		return rc;
	rc = mkv_command_verify(ret_bundle->data, ret_bundle->size, &self->key,
				&command, err);
	if (rc < 0)
		return rc;
	rc = mkv_command_check(command, self->contract, &self->contract_sha256,
			       err);
	if (rc < 0)
		return rc;
	rc = is_this_boot ? check_boot(command, self, err) : 0;
	if (rc < 0)
		return rc;
	*ret = mkv_take(command);
	return 0;
}

/* Verifies the plan's bundle: its payload is a statement whose subject is the
 * digest of the plan's bytes and whose predicate is the plan. */
static int read_plan(struct mkv_run_order *order, const json_t *bundle,
		     const struct mkv_self *self, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0}, payload = {0}, plan = {0};
	auto_json json_t *statement = NULL;
	if (!json_is_object(bundle))
		return fail_malformed(err, "'plan' is not an object");
	int rc = mkv_json_dump_compact(bundle, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_dsse_verify(text.data, text.size, &self->key, MKV_DSSE_IN_TOTO,
			     &payload, err);
	if (rc < 0)
		return rc;
	rc = mkv_json_load(payload.data, payload.size, &statement, err);
	if (rc < 0)
		return rc;
	json_t *predicate = json_object_get(statement, "predicate");
	if (!json_is_object(predicate))
		return fail_malformed(err, "the statement has no predicate");
	rc = mkv_json_dump_compact(predicate, &plan, err);
	if (rc < 0)
		return rc;
	mkv_buf_char(&plan, '\n');
	rc = mkv_buf_check(&plan, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(plan.data, plan.size, &order->plan_sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&order->plan_sha256, order->plan_hex);
	rc = mkv_statement_subject_check(payload.data, payload.size,
					 MKV_PLAN_TYPE, "plan.json",
					 &order->plan_sha256, err);
	return rc < 0 ? rc
		      : mkv_plan_parse(plan.data, plan.size, &order->plan, err);
}

/* A member of a command, borrowed. */
static const json_t *command_member(const struct mkv_command *command,
				    const char *key)
{
	return json_object_get(json_object_get(command->document, "predicate"),
			       key);
}

/* Compares the load with the plan's and the seed with the run's. */
static bool is_planned_load(const struct mkv_run_order *order,
			    const struct mkv_command *command)
{
	auto_json json_t *load =
		json_copy((json_t *)command_member(command, "load"));
	if (!load || command->load.seed != order->run->seed)
		return false;
	(void)json_object_del(load, "seed");
	return json_equal(load, json_object_get(order->plan->document, "load"));
}

static bool is_planned_arm(const struct mkv_run_order *order,
			   const struct mkv_command *command, const char *key)
{
	const json_t *arms = json_object_get(order->plan->document, "arms");
	const json_t *arm = json_object_get(arms, order->arm->name);
	return json_equal(command_member(command, key),
			  json_object_get(arm, key));
}

static int refuse(struct mkv_error *err, const char *step, const char *what)
{
	return mkv_fail(err, MKV_UNVERIFIED, EACCES, "%s: %s", step, what);
}

/* A command says what the signed plan says, for one of its runs. */
static int check_command(const struct mkv_run_order *order,
			 const struct mkv_command *command,
			 struct mkv_error *err)
{
	const char *step = mkv_command_step_name(command->step);
	if (!mkv_sha256_equal(&command->plan_sha256, &order->plan_sha256))
		return refuse(err, step, "it belongs to another plan");
	if (strcmp(command->run, order->run->id) != 0 ||
	    command->attempt != order->attempt)
		return fail_malformed(err, "the commands are for several "
					   "attempts");
	if (!is_planned_arm(order, command, "tracing"))
		return refuse(err, step, "the plan has another tracing");
	if (!is_planned_arm(order, command, "settings"))
		return refuse(err, step, "the plan has other settings");
	if (!is_planned_load(order, command))
		return refuse(err, step, "the plan has another load");
	if (!json_equal(command_member(command, "boots"),
			command_member(mkv_order_command(order), "boots")))
		return fail_malformed(err, "the commands are for several "
					   "boots");
	return 0;
}

static int find_run(struct mkv_run_order *order, const struct mkv_self *self,
		    struct mkv_error *err)
{
	const struct mkv_command *command = mkv_order_command(order);
	order->run = mkv_plan_find_run(order->plan, command->run);
	if (!order->run)
		return mkv_fail(err, MKV_UNVERIFIED, EACCES,
				"the plan has no run '%s'", command->run);
	order->arm = &order->plan->arms[order->run->arm];
	order->attempt = command->attempt;
	if (strcmp(order->arm->contract_sha256, self->contract_hex) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EACCES,
				"run '%s' is for another contract",
				order->run->id);
	if (order->attempt > order->plan->limits.attempts)
		return mkv_fail(err, MKV_UNVERIFIED, EACCES,
				"the plan allows %u attempts",
				order->plan->limits.attempts);
	return 0;
}

/* All hosts take part but those that run guests: guests may be booted without
 * them. */
static int check_hosts(const struct mkv_run_order *order,
		       const struct mkv_self *self, struct mkv_error *err)
{
	for (size_t i = 0; i < self->contract->n_hosts; i++) {
		const struct mkv_contract_host *host =
			&self->contract->hosts[i];
		if (host->address && host->guests.count == 0 &&
		    !mkv_command_boot(mkv_order_command(order), host->name))
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"the commands name no boot of host "
					"'%s'",
					host->name);
	}
	return 0;
}

static int check_commands(const struct mkv_run_order *order,
			  struct mkv_error *err)
{
	for (size_t i = 0; i < MKV_ORDER_STEPS; i++) {
		int rc = check_command(order, order->commands[i], err);
		if (rc < 0)
			return rc;
		if (i && order->commands[i]->sequence <=
				 order->commands[i - 1]->sequence)
			return fail_malformed(
				err, "the sequences of the commands do not "
				     "grow from step to step");
	}
	return 0;
}

static int read_commands(struct mkv_run_order *order, const json_t *list,
			 const struct mkv_self *self, bool is_this_boot,
			 struct mkv_error *err)
{
	if (!json_is_array(list) || json_array_size(list) != MKV_ORDER_STEPS)
		return fail_malformed(err, "'commands' is not a list of four");
	for (size_t i = 0; i < MKV_ORDER_STEPS; i++) {
		auto_command struct mkv_command *command = NULL;
		auto_buf struct mkv_buf bundle = {0};
		int rc = mkv_order_read_command(json_array_get(list, i), self,
						is_this_boot, &bundle, &command,
						err);
		if (rc < 0)
			return mkv_wrap(err, rc, "command %zu", i + 1);
		size_t step = (size_t)command->step;
		if (step >= MKV_ORDER_STEPS || order->commands[step])
			return fail_malformed(
				err, "the commands are not one each of "
				     "prepare, load, finish and abort");
		order->commands[step] = mkv_take(command);
		order->bundles[step] = bundle;
		bundle = (struct mkv_buf){0};
	}
	return 0;
}

static int read_order(json_t *document, const struct mkv_self *self,
		      bool is_this_boot, struct mkv_run_order **ret,
		      struct mkv_error *err)
{
	auto_order struct mkv_run_order *order = calloc(1, sizeof(*order));
	if (!order)
		return mkv_oom(err);
	order->document = json_incref(document);
	if (json_object_size(document) != 2)
		return fail_malformed(err, "the members are not 'plan' and "
					   "'commands'");
	int rc = read_plan(order, json_object_get(document, "plan"), self, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "plan");
	rc = read_commands(order, json_object_get(document, "commands"), self,
			   is_this_boot, err);
	if (rc < 0)
		return rc;
	rc = find_run(order, self, err);
	if (rc < 0)
		return rc;
	rc = check_hosts(order, self, err);
	if (rc < 0)
		return rc;
	rc = check_commands(order, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(order);
	return 0;
}

int mkv_order_read(json_t *document, const struct mkv_self *self,
		   struct mkv_run_order **ret, struct mkv_error *err)
{
	return read_order(document, self, true, ret, err);
}

int mkv_order_reread(json_t *document, const struct mkv_self *self,
		     struct mkv_run_order **ret, struct mkv_error *err)
{
	return read_order(document, self, false, ret, err);
}

const struct mkv_command *mkv_order_command(const struct mkv_run_order *order)
{
	return order->commands[MKV_STEP_PREPARE];
}

int64_t mkv_order_status(const struct mkv_run_order *order,
			 const struct mkv_self *self)
{
	return order->plan->load.has_request
		       ? order->plan->load.request.status
		       : self->contract->experiment.request.status;
}

uint64_t mkv_order_estimate(const struct mkv_run_order *order)
{
	/* The collector's spans of an order (22 of 119 bytes and their
	 * resources), compressed ones, a row of load.csv; the samples of a
	 * second, compressed; receipts, logs. */
	enum { REQUEST = 5 * 1024, SECOND = 24 * 1024, FIXED = 16 << 20 };
	const struct mkv_plan_load *load = &order->plan->load;
	uint64_t requests = (uint64_t)load->warm_up + load->measured;
	return requests * REQUEST + requests / load->rate * SECOND + FIXED;
}
