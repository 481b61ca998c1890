/* SPDX-License-Identifier: MIT */
#include "lib/plan.h"

#include <string.h>

#include "lib/contract_internal.h"
#include "lib/plan_internal.h"

int mkv_plan_parse_fraction(const char *text, int64_t *ret_ppb)
{
	int64_t value = 0, unit = INT64_C(1000000000);
	if (strcmp(text, "0") == 0 || strcmp(text, "1") == 0) {
		*ret_ppb = text[0] == '1' ? unit : 0;
		return 0;
	}
	size_t length = strlen(text);
	if (strncmp(text, "0.", 2) != 0 || length < 3 || length > 11 ||
	    text[length - 1] == '0')
		return -EINVAL;
	for (const char *at = text + 2; *at; at++) {
		if (*at < '0' || *at > '9')
			return -EINVAL;
		unit /= 10;
		value += (*at - '0') * unit;
	}
	*ret_ppb = value;
	return 0;
}

void mkv_plan_print_fraction(int64_t ppb, char ret[static 16])
{
	if (ppb == 0 || ppb == INT64_C(1000000000)) {
		(void)snprintf(ret, 16, "%d", ppb != 0);
		return;
	}
	int length = snprintf(ret, 16, "0.%09lld", (long long)ppb);
	while (length > 0 && ret[length - 1] == '0')
		ret[--length] = '\0';
}

static struct mkv_plan_fraction
read_fraction(struct mkv_json_reader *r, const json_t *object, const char *key)
{
	struct mkv_plan_fraction fraction = {
		.text = mkv_json_string(r, object, key, true)};
	if (fraction.text &&
	    mkv_plan_parse_fraction(fraction.text, &fraction.ppb) < 0)
		mkv_json_mistake(r, key, "not a decimal fraction from 0 to 1");
	return fraction;
}

/* A string or null. */
static const char *read_nullable(struct mkv_json_reader *r,
				 const json_t *object, const char *key)
{
	if (json_is_null(json_object_get(object, key)))
		return NULL;
	return mkv_contract_read_name(r, object, key, true);
}

static void read_arm(struct mkv_json_reader *r, const json_t *object,
		     struct mkv_plan_arm *arm)
{
	mkv_json_only(r, object,
		      (const char *const[]){"appliance", "scenario",
					    "contract_sha256", "baseline",
					    "same_as", "tracing", "settings",
					    NULL});
	if (!mkv_plan_is_arm(arm->name))
		mkv_json_mistake(r, NULL, "not a valid name of an arm");
	arm->appliance = mkv_contract_read_name(r, object, "appliance", true);
	arm->scenario = mkv_contract_read_name(r, object, "scenario", true);
	arm->contract_sha256 =
		mkv_contract_read_hex(r, object, "contract_sha256", true, NULL);
	int baseline = mkv_json_boolean(r, object, "baseline");
	if (baseline < 0)
		mkv_json_mistake(r, "baseline", "missing");
	arm->is_baseline = baseline == 1;
	arm->same_as = read_nullable(r, object, "same_as");
	arm->tracing = mkv_plan_read_tracing(r, object);
	mkv_plan_read_settings(r, object, "settings", &arm->settings);
}

static void read_run(struct mkv_json_reader *r, const json_t *row,
		     struct mkv_plan_run *run, const struct mkv_plan *plan)
{
	mkv_json_only(r, row,
		      (const char *const[]){"id", "block", "slot", "arm",
					    "seed", NULL});
	run->id = mkv_json_string(r, row, "id", true);
	run->block = (unsigned)mkv_json_integer(r, row, "block", 1,
						MKV_PLAN_BLOCKS_MAX, true, 0);
	run->slot = (unsigned)mkv_json_integer(r, row, "slot", 1,
					       MKV_PLAN_ARMS_MAX, true, 0);
	run->seed =
		mkv_json_integer(r, row, "seed", 0, MKV_PLAN_SEED_MAX, true, 0);
	const char *name = mkv_json_string(r, row, "arm", true);
	const struct mkv_plan_arm *arm =
		name ? mkv_plan_find_arm(plan, name) : NULL;
	if (name && !arm)
		mkv_json_mistake(r, "arm", "no arm '%.80s'", name);
	run->arm = arm ? (size_t)(arm - plan->arms) : 0;
}

static void read_runs(struct mkv_json_reader *r, const json_t *root,
		      struct mkv_plan *plan)
{
	json_t *rows = mkv_json_member(r, root, "runs", JSON_ARRAY, true);
	size_t count = json_array_size(rows);
	if (count > (size_t)MKV_PLAN_BLOCKS_MAX * MKV_PLAN_ARMS_MAX)
		mkv_json_mistake(r, "runs", "too many runs: %zu", count);
	plan->runs = mkv_contract_room(r, count, sizeof(*plan->runs));
	for (size_t i = 0; plan->runs && i < count; i++) {
		char where[32];
		(void)snprintf(where, sizeof(where), "runs[%zu]", i);
		size_t mark = mkv_json_enter(r, where);
		const json_t *row = json_array_get(rows, i);
		if (!json_is_object(row))
			mkv_json_mistake(r, NULL, "must be an object");
		else
			read_run(r, row, &plan->runs[i], plan);
		plan->n_runs = i + 1;
		mkv_json_leave(r, mark);
	}
}

static void read_limits(struct mkv_json_reader *r, const json_t *root,
			struct mkv_plan *plan)
{
	json_t *limits = mkv_json_member(r, root, "limits", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(r, "limits");
	mkv_json_only(
		r, limits,
		(const char *const[]){"lateness_ns", "rate", "attempts", NULL});
	plan->limits.lateness_ns =
		mkv_json_integer(r, limits, "lateness_ns", 1000,
				 MKV_EXPERIMENT_TIMEOUT_MAX_NS, true, 0);
	plan->limits.rate = read_fraction(r, limits, "rate");
	plan->limits.attempts = (unsigned)mkv_json_integer(
		r, limits, "attempts", 1, MKV_PLAN_ATTEMPTS_MAX, true, 0);
	mkv_json_leave(r, mark);
	json_t *analysis =
		mkv_json_member(r, root, "analysis", JSON_OBJECT, true);
	mark = mkv_json_enter(r, "analysis");
	mkv_json_only(r, analysis,
		      (const char *const[]){"delta", "alpha", NULL});
	plan->analysis.delta = read_fraction(r, analysis, "delta");
	plan->analysis.alpha = read_fraction(r, analysis, "alpha");
	mkv_json_leave(r, mark);
}

static void read_trial(struct mkv_json_reader *r, const json_t *root,
		       struct mkv_plan *plan)
{
	int trial = mkv_json_boolean(r, root, "trial");
	struct mkv_plan_fraction scale = read_fraction(r, root, "scale");
	if (trial < 0)
		mkv_json_mistake(r, "trial", "missing");
	plan->is_trial = trial == 1;
	plan->scale = scale.text;
	if (scale.ppb == 0)
		mkv_json_mistake(r, "scale", "must be more than 0");
	if (r->rc == 0 && plan->is_trial != (strcmp(plan->scale, "1") != 0))
		mkv_json_mistake(r, "trial",
				 "only a plan of scale 1 is no trial");
}

static void read_head(struct mkv_json_reader *r, const json_t *root,
		      struct mkv_plan *plan)
{
	mkv_json_only(r, root,
		      (const char *const[]){"mkvbench_plan", "name", "seed",
					    "campaign_sha256", "tool_version",
					    "key_id", "trial", "scale", "boot",
					    "arms", "load", "limits",
					    "analysis", "scrape_interval_ns",
					    "runs", NULL});
	(void)mkv_json_integer(r, root, "mkvbench_plan", 1, 1, true, 0);
	plan->name = mkv_contract_read_name(r, root, "name", true);
	plan->seed = mkv_json_integer(r, root, "seed", 0, MKV_PLAN_SEED_MAX,
				      true, 0);
	plan->campaign_sha256 =
		mkv_contract_read_hex(r, root, "campaign_sha256", true, NULL);
	plan->tool_version =
		mkv_contract_read_name(r, root, "tool_version", true);
	plan->key_id = mkv_contract_read_hex(r, root, "key_id", true, NULL);
	const char *boot = mkv_contract_read_word(
		r, root, "boot",
		(const char *const[]){"each-run", "shared", NULL});
	plan->boots_each_run = boot && strcmp(boot, "each-run") == 0;
	plan->scrape_interval_ns = mkv_json_integer(
		r, root, "scrape_interval_ns", INT64_C(1000000000),
		600 * INT64_C(1000000000), true, 0);
}

int mkv_plan_from_json(json_t *document, struct mkv_plan **ret,
		       struct mkv_error *err)
{
	struct mkv_json_reader state;
	mkv_json_reader_init(&state, err);
	struct mkv_json_reader *r = &state;
	auto_plan struct mkv_plan *plan = calloc(1, sizeof(*plan));
	if (!plan)
		return mkv_oom(err);
	plan->document = json_incref(document);
	read_head(r, document, plan);
	read_trial(r, document, plan);
	json_t *arms = mkv_json_member(r, document, "arms", JSON_OBJECT, true);
	if (json_object_size(arms) == 0 ||
	    json_object_size(arms) > MKV_PLAN_ARMS_MAX)
		mkv_json_mistake(r, "arms", "not 1 to %d arms",
				 MKV_PLAN_ARMS_MAX);
	MKV_READ_MAP(r, document, "arms", true, read_arm, plan->arms,
		     plan->n_arms);
	json_t *load = mkv_json_member(r, document, "load", JSON_OBJECT, true);
	size_t mark = mkv_json_enter(r, "load");
	mkv_plan_read_load(r, load, false, &plan->load);
	mkv_json_leave(r, mark);
	read_limits(r, document, plan);
	read_runs(r, document, plan);
	mkv_plan_check_arms(r, plan);
	mkv_plan_check_runs(r, plan);
	if (r->rc < 0)
		return mkv_wrap(err, r->rc, "plan");
	*ret = mkv_take(plan);
	return 0;
}

int mkv_plan_parse(const char *text, size_t size, struct mkv_plan **ret,
		   struct mkv_error *err)
{
	if (size > MKV_PLAN_LIMIT_BYTES)
		return mkv_fail(err, MKV_FAILED, EFBIG,
				"plan: %zu bytes are over the limit", size);
	auto_json json_t *document = NULL;
	int rc = mkv_json_load(text, size, &document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "plan");
	return mkv_plan_from_json(document, ret, err);
}

void mkv_plan_free(struct mkv_plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_arms; i++)
		mkv_plan_settings_done(&plan->arms[i].settings);
	free(plan->arms);
	free(plan->runs);
	mkv_plan_load_done(&plan->load);
	json_decref(plan->document);
	free(plan);
}

const struct mkv_plan_run *mkv_plan_find_run(const struct mkv_plan *plan,
					     const char *id)
{
	for (size_t i = 0; i < plan->n_runs; i++)
		if (strcmp(plan->runs[i].id, id) == 0)
			return &plan->runs[i];
	return NULL;
}

const struct mkv_plan_arm *mkv_plan_find_arm(const struct mkv_plan *plan,
					     const char *name)
{
	for (size_t i = 0; i < plan->n_arms; i++)
		if (strcmp(plan->arms[i].name, name) == 0)
			return &plan->arms[i];
	return NULL;
}
