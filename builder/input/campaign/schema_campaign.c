/* SPDX-License-Identifier: MIT */
/* The schema of campaign files. */
#include "builder/input/campaign/campaign_internal.h"

#include "builder/input/recipe/schema_rows.h"
#include "lib/plan.h"

#define PERCENT UINT64_C(10000000)

PATTERN(pattern_arm, MKV_PLAN_ARM_MAX,
	"a name of lower-case letters, digits and single hyphens that starts "
	"with a letter",
	"^[a-z][a-z0-9]*(-[a-z0-9]+)*$");
PATTERN(pattern_recipe, 500, "a file path relative to this file",
	"^[^/\x01-\x1f\x7f][^\x01-\x1f\x7f]*$");

static const struct mkv_table service_table = {
	.name = "SERVICE",
	.rows = ROWS({"", MKV_ROW_MAP, AT(mkv_service, settings),
		      .table = SETTINGS(pattern_upper)}),
	.size = sizeof(struct mkv_service),
	.key_offset = offsetof(struct mkv_service, name),
	.key_pattern = &pattern_name,
};

static const struct mkv_table arm_table = {
	.name = "ARM",
	.rows = ROWS(
		{"recipe", MKV_ROW_TEXT, AT(mkv_campaign_arm, recipe_path),
		 .pattern = &pattern_recipe,
		 .doc = "Recipe of the appliance, relative to this file; "
			"required unless `same-as` is given"},
		{"same-as", MKV_ROW_TEXT, AT(mkv_campaign_arm, same_as),
		 .pattern = &pattern_arm, .names = "arms",
		 .doc = "Arm that this arm repeats under another name, to "
			"measure what differs between equal arms (A/A). "
			"Excludes all other keys"},
		{"baseline", MKV_ROW_BOOL, AT(mkv_campaign_arm, baseline),
		 .default_value = "false",
		 .doc = "`true` for the one arm that the others are compared "
			"with"},
		{"settings", MKV_ROW_MAP, AT(mkv_campaign_arm, settings),
		 .table = &service_table,
		 .doc = "Settings of services during the runs of this arm, of "
			"those that the recipe's experiment varies"},
		{"tracing", MKV_ROW_TEXT, AT(mkv_campaign_arm, tracing),
		 .words = WORDS("otlp", "file", "off"), .derived = "`otlp`",
		 .doc = "`otlp`: spans go to the collector; `file`: to a file "
			"on the service's host; `off`: no spans"}),
	.size = sizeof(struct mkv_campaign_arm),
	.key_offset = offsetof(struct mkv_campaign_arm, name),
	.key_pattern = &pattern_arm,
};

static const struct mkv_table request_table = {
	.name = "request",
	.rows = REQUEST_ROWS(mkv_campaign, load.request),
};

#define OF_RECIPE .derived = "the recipe's"
static const struct mkv_table load_table = {
	.name = "load",
	.rows = ROWS(
		{"rate", MKV_ROW_COUNT, AT(mkv_campaign, load.rate),
		 PRESENT(mkv_campaign, load.has_rate), OF_RECIPE, .min = 1,
		 .max = MKV_EXPERIMENT_RATE_MAX, .doc = "Requests per second"},
		{"arrivals", MKV_ROW_TEXT, AT(mkv_campaign, load.arrivals),
		 OF_RECIPE, .words = MKV_WORDS_ARRIVALS,
		 .doc = MKV_DOC_ARRIVALS},
		{"connections", MKV_ROW_COUNT,
		 AT(mkv_campaign, load.connections),
		 PRESENT(mkv_campaign, load.has_connections), OF_RECIPE,
		 .min = 1, .max = MKV_EXPERIMENT_CONNECTIONS_MAX,
		 .doc = "Maximum number of connections"},
		{"timeout", MKV_ROW_DURATION, AT(mkv_campaign, load.timeout_ns),
		 PRESENT(mkv_campaign, load.has_timeout), OF_RECIPE,
		 .min = 10 * 1000 * US, .max = MKV_EXPERIMENT_TIMEOUT_MAX_NS,
		 .doc = "Time after which an unanswered request counts as "
			"failed"},
		{"warm-up", MKV_ROW_COUNT, AT(mkv_campaign, load.warm_up),
		 PRESENT(mkv_campaign, load.has_warm_up), OF_RECIPE,
		 .max = MKV_EXPERIMENT_REQUESTS_MAX,
		 .doc = "Requests before the measurement"},
		{"measured", MKV_ROW_COUNT, AT(mkv_campaign, load.measured),
		 PRESENT(mkv_campaign, load.has_measured), OF_RECIPE, .min = 1,
		 .max = MKV_EXPERIMENT_REQUESTS_MAX,
		 .doc = "Measured requests"},
		{"request", MKV_ROW_OBJECT,
		 PRESENT(mkv_campaign, load.has_request),
		 .table = &request_table,
		 .doc = "Request instead of the recipe's, with the fields of "
			"the recipe's experiment"}),
};

static const struct mkv_table limits_table = {
	.name = "limits",
	.rows = ROWS(
		{"lateness", MKV_ROW_DURATION,
		 AT(mkv_campaign, limits.lateness_ns), .default_value = "1ms",
		 .min = US, .max = 60 * S,
		 .doc = "Maximum 99th percentile of the time between the "
			"intended and the actual start of a request"},
		{"rate", MKV_ROW_FRACTION, AT(mkv_campaign, limits.rate_ppb),
		 .default_value = "0.1%", .min = 1000, .max = 100 * PERCENT,
		 .doc = "Maximum deviation of the achieved rate"},
		{"attempts", MKV_ROW_COUNT, AT(mkv_campaign, limits.attempts),
		 .default_value = "2", .min = 1, .max = MKV_PLAN_ATTEMPTS_MAX,
		 .doc = "Attempts per run: an invalid attempt is kept, and the "
			"run is repeated until this number is reached"}),
};

static const struct mkv_table analysis_table = {
	.name = "analysis",
	.rows = ROWS({"delta", MKV_ROW_FRACTION,
		      AT(mkv_campaign, analysis.delta_ppb),
		      .default_value = "5%", .min = 1000, .max = 100 * PERCENT,
		      .doc = "Difference from the baseline that matters"},
		     {"alpha", MKV_ROW_FRACTION,
		      AT(mkv_campaign, analysis.alpha_ppb),
		      .default_value = "5%", .min = 1000, .max = 50 * PERCENT,
		      .doc = "Probability of a false finding in the whole "
			     "campaign"}),
};

static const struct mkv_table metrics_table = {
	.name = "metrics",
	.rows = ROWS({"scrape-interval", MKV_ROW_DURATION,
		      AT(mkv_campaign, scrape_interval_ns),
		      .default_value = "5s", .min = 5 * S, .max = 600 * S,
		      .doc = "Time by which the samples of a run begin before "
			     "and end after its measurement; at least the 5 s "
			     "between two samples of Prometheus"}),
};

const struct mkv_table mkv_schema_campaign = {
	.name = "campaign",
	.rows = ROWS(
		{"mkvbench-campaign", MKV_ROW_COUNT, .no_member = true,
		 .required = true, .min = 1, .max = 1,
		 .doc = "Version of the campaign language"},
		{"name", MKV_ROW_TEXT, AT(mkv_campaign, name), .required = true,
		 .pattern = &pattern_name,
		 .doc = "Name of the campaign; results are written to "
			"results/NAME/"},
		{"arms", MKV_ROW_MAP, AT(mkv_campaign, arms), .required = true,
		 .min = 1, .table = &arm_table,
		 .doc = "What is compared, by name: appliances, with the "
			"settings of their services"},
		{"blocks", MKV_ROW_COUNT, AT(mkv_campaign, blocks),
		 .required = true, .min = 1, .max = MKV_PLAN_BLOCKS_MAX,
		 .doc = "Number of blocks; each runs every arm once"},
		{"seed", MKV_ROW_COUNT, AT(mkv_campaign, seed),
		 .required = true, .max = UINT32_MAX,
		 .doc = "Seed of all random numbers: the order of the arms in "
			"each block, and the arrivals of each run"},
		{"order", MKV_ROW_CHOICE, AT(mkv_campaign, order),
		 .default_value = "shuffled",
		 .words = WORDS("shuffled", "sequence"),
		 .doc = "`shuffled`: each block has an order of its own, from "
			"the seed; `sequence`: every block has the arms in "
			"the order of their names"},
		{"boot", MKV_ROW_CHOICE, AT(mkv_campaign, boot),
		 .default_value = "each-run",
		 .words = WORDS("each-run", "shared"),
		 .doc = "`each-run`: the hosts boot before each run; `shared`: "
			"runs of an appliance may follow each other in one "
			"boot, which makes the campaign exploratory"},
		{"load", MKV_ROW_OBJECT, .table = &load_table,
		 .doc = "Values that replace those of the recipes' "
			"experiments. A value that is omitted must be equal in "
			"the recipes of all arms"},
		{"limits", MKV_ROW_OBJECT, .implied = true,
		 .table = &limits_table,
		 .doc = "Limits beyond which a run is invalid"},
		{"analysis", MKV_ROW_OBJECT, .implied = true,
		 .table = &analysis_table,
		 .doc = "What the analysis decides by, fixed before the first "
			"run"},
		{"metrics", MKV_ROW_OBJECT, .implied = true,
		 .table = &metrics_table, .doc = "System metrics"}),
	.size = sizeof(struct mkv_campaign),
};

/* struct mkv_items requires the count directly after the pointer. */
_Static_assert(offsetof(struct mkv_campaign, n_arms) ==
		       offsetof(struct mkv_campaign, arms) + sizeof(void *),
	       "count behind its list");
_Static_assert(offsetof(struct mkv_campaign_arm, n_settings) ==
		       offsetof(struct mkv_campaign_arm, settings) +
			       sizeof(void *),
	       "count behind its list");

int mkv_campaign_reference_print(struct mkv_buf *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf buf = {0};
	mkv_buf_str(
		&buf,
		"<!-- From here on generated by `mkvbench check --campaigns "
		"--reference`; edit the\n     tables in "
		"builder/input/campaign/schema_campaign.c instead. -->\n"
		"## The campaign file\n");
	mkv_reference_add(&mkv_schema_campaign, &buf);
	int rc = mkv_buf_check(&buf, err);
	if (rc < 0)
		return rc;
	*ret = buf;
	buf = (struct mkv_buf){0};
	return 0;
}

int mkv_campaign_schema_print(struct mkv_buf *ret, struct mkv_error *err)
{
	return mkv_schema_print_whole(&mkv_schema_campaign,
				      "An mkvbench campaign", ret, err);
}
