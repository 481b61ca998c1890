/* SPDX-License-Identifier: MIT */
#pragma once
/* A campaign file (docs/CAMPAIGNS.md) as one typed value: which appliances are
 * measured, how often and in which order, under which load. Read by the same
 * machinery as recipes, with the same diagnostics. The campaign owns all its
 * members. Maps are sorted by key, durations are in nanoseconds, fractions in
 * parts per 10^9. An omitted string is NULL. */

#include "builder/input/recipe/recipe.h"
#include "lib/buf.h"

enum mkv_campaign_order { MKV_ORDER_SHUFFLED, MKV_ORDER_SEQUENCE };
enum mkv_campaign_boot { MKV_BOOT_EACH_RUN, MKV_BOOT_SHARED };

struct mkv_campaign_arm {
	char *name;
	char *recipe_path; /* as in the file; NULL for an arm with same_as */
	char *same_as;	   /* arm that this one repeats; NULL */
	bool baseline;
	char *tracing; /* "otlp", "file", "off"; NULL for an arm with same_as */
	struct mkv_service *settings; /* of services, by name */
	size_t n_settings;
	/* Set by the load: the path of the recipe to open, and the recipe. For
	 * an arm with same_as, that arm's. */
	char *path;
	const struct mkv_recipe *recipe;
};

/* A member that is omitted has its bool unset: the contract's value counts. */
struct mkv_campaign_load {
	bool has_rate, has_connections, has_warm_up, has_measured, has_timeout;
	unsigned rate, connections, warm_up, measured;
	int64_t timeout_ns;
	char *arrivals;
	bool has_request;
	struct mkv_request request;
};

struct mkv_campaign {
	char *path;
	char *name;
	struct mkv_campaign_arm *arms;
	size_t n_arms;
	unsigned blocks;
	unsigned seed;
	enum mkv_campaign_order order;
	enum mkv_campaign_boot boot;
	struct mkv_campaign_load load;
	struct {
		int64_t lateness_ns, rate_ppb;
		unsigned attempts;
	} limits;
	struct {
		int64_t delta_ppb, alpha_ppb;
	} analysis;
	int64_t scrape_interval_ns;
	char *text; /* the file's bytes, for the bundle */
	size_t text_size;
	char *sha256;		     /* of the file's bytes, as hex */
	struct mkv_recipe **recipes; /* those of the arms, once each */
	size_t n_recipes;
};

/* Reads and checks a campaign and the recipes of its arms. For an invalid one
 * returns a negative errno, with at least one diagnostic in *diagnostics and a
 * one-line summary in *err. `world` as for mkv_recipe_load_in(), may be NULL.
 */
int mkv_campaign_load(const struct mkv_recipe_world *world, const char *path,
		      struct mkv_campaign **ret,
		      struct mkv_diagnostics *diagnostics,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(2, 3, 4, 5);
void mkv_campaign_free(struct mkv_campaign *campaign);
MKV_DEFINE_AUTO(campaign, struct mkv_campaign *, mkv_campaign_free)
#define auto_campaign mkv_auto(campaign)

/* Whether a file is a campaign: YAML with the key `mkvbench-campaign`. False
 * also for a file that cannot be read. */
bool mkv_campaign_is(const char *path) mkv_nonnull(1);

/* The generated part of docs/CAMPAIGNS.md, and the JSON Schema. */
int mkv_campaign_reference_print(struct mkv_buf *ret,
				 struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
int mkv_campaign_schema_print(struct mkv_buf *ret,
			      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
