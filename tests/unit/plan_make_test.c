/* SPDX-License-Identifier: MIT */
/* Plans: the order that a seed gives, and plans of the study's campaign with
 * contracts of its recipes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "builder/evidence/plan/plan.h"
#include "lib/dsse.h"
#include "lib/io.h"
#include "lib/plan.h"
#include "lib/random.h"
#include "tests/unit/contract_fixture.h"

enum { WHOLE = 1000000000 };

/* A campaign file in a directory that has the recipes at `recipes`. */
struct sample {
	char dir[64];
	struct mkv_campaign *campaign;
	struct mkv_plan_appliance appliances[8];
};

static struct mkv_manifest *manifest_of(const char *contract)
{
	struct mkv_error err = {0};
	struct mkv_manifest *manifest = NULL;
	auto_buf struct mkv_buf text = {0};
	mkv_buf_printf(&text,
		       "{\"mkvbench_manifest\":1,\"contract\":%s,"
		       "\"artifacts\":{},\"tool\":{\"name\":\"mkvbench\","
		       "\"version\":\"0\"}}",
		       contract);
	if (mkv_manifest_parse(text.data, text.size, &manifest, &err) < 0)
		fail_msg("%s", err.message);
	return manifest;
}

static void appliance_of(const struct mkv_recipe *recipe, const char *key_id,
			 struct mkv_plan_appliance *ret)
{
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	fixture_contract(recipe, key_id, &text);
	assert_int_equal(mkv_sha256_bytes(text.data, text.size,
					  &ret->contract_sha256, &err),
			 0);
	ret->manifest = manifest_of(text.data);
}

static void sample_init(struct sample *s, const char *text)
{
	struct mkv_error err = {0};
	auto_diagnostics struct mkv_diagnostics diagnostics = {0};
	auto_free char *path = NULL, *link = NULL, *recipes = NULL;
	*s = (struct sample){.dir = "/tmp/plan-test-XXXXXX"};
	assert_non_null(mkdtemp(s->dir));
	recipes = realpath("recipes", NULL);
	assert_true(asprintf(&path, "%s/campaign.yaml", s->dir) > 0);
	assert_true(asprintf(&link, "%s/recipes", s->dir) > 0);
	assert_int_equal(symlink(recipes, link), 0);
	assert_int_equal(mkv_place_file(path, 0644, text, strlen(text), &err),
			 0);
	if (mkv_campaign_load(NULL, path, &s->campaign, &diagnostics, &err) < 0)
		fail_msg("%s: %s", err.message,
			 diagnostics.count ? diagnostics.items[0].message : "");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(link), 0);
	assert_int_equal(rmdir(s->dir), 0);
	for (size_t i = 0; i < s->campaign->n_arms; i++)
		appliance_of(s->campaign->arms[i].recipe, FIXTURE_KEY_ID,
			     &s->appliances[i]);
}

static void sample_done(struct sample *s)
{
	for (size_t i = 0; i < s->campaign->n_arms; i++)
		mkv_plan_appliance_done(&s->appliances[i]);
	mkv_campaign_free(s->campaign);
}
#define auto_sample __attribute__((cleanup(sample_done)))

static int make(const struct sample *s, int64_t scale_ppb, struct mkv_buf *ret,
		struct mkv_error *err)
{
	const struct mkv_plan_inputs inputs = {
		.campaign = s->campaign,
		.appliances = s->appliances,
		.scale_ppb = scale_ppb,
		.tool_version = "0.1.0",
	};
	return mkv_plan_make(&inputs, ret, err);
}

static struct mkv_plan *made(const struct sample *s, int64_t scale_ppb)
{
	struct mkv_error err = {0};
	struct mkv_plan *plan = NULL;
	auto_buf struct mkv_buf text = {0};
	if (make(s, scale_ppb, &text, &err) < 0 ||
	    mkv_plan_parse(text.data, text.size, &plan, &err) < 0)
		fail_msg("%s", err.message);
	return plan;
}

#define HEAD "mkvbench-campaign: 1\nname: test\nblocks: 11\n"
#define ARMS                                                                   \
	"arms:\n"                                                              \
	"  bare-metal: {recipe: recipes/bare-metal.yaml, baseline: true}\n"    \
	"  bare-metal-again: {same-as: bare-metal}\n"                          \
	"  docker: {recipe: recipes/docker.yaml, tracing: file,\n"             \
	"    settings: {payment: {SLEEP: 50us}}}\n"                            \
	"  kvm: {recipe: recipes/kvm.yaml}\n"                                  \
	"  kvm-docker: {recipe: recipes/kvm-docker.yaml}\n"
static const char study[] = HEAD ARMS "seed: 20231130\n";

/* Computed by another implementation of SplitMix64, xoshiro256** and of
 * Durstenfeld's shuffle. */
static void a_seed_gives_the_same_order_everywhere(void **state)
{
	(void)state;
	static const struct {
		uint64_t seed;
		size_t order[10];
	} golden[] = {
		{0, {4, 2, 1, 7, 5, 6, 3, 9, 8, 0}},
		{1, {3, 8, 0, 9, 2, 5, 6, 4, 1, 7}},
	};
	for (size_t i = 0; i < sizeof(golden) / sizeof(*golden); i++) {
		size_t items[10];
		struct mkv_random random;
		for (size_t j = 0; j < 10; j++)
			items[j] = j;
		mkv_random_seed(&random, golden[i].seed);
		mkv_plan_shuffle(&random, items, 10);
		assert_memory_equal(items, golden[i].order, sizeof(items));
	}
}

/* Each of the six orders of three items, 60,000 shuffles: chi-squared with 5
 * degrees of freedom is below 20.5 with a probability of .999. */
static void every_order_is_equally_probable(void **state)
{
	(void)state;
	unsigned counts[27] = {0};
	double chi = 0;
	struct mkv_random random;
	mkv_random_seed(&random, 7);
	for (int i = 0; i < 60000; i++) {
		size_t items[3] = {0, 1, 2};
		mkv_plan_shuffle(&random, items, 3);
		counts[items[0] * 9 + items[1] * 3 + items[2]]++;
	}
	for (size_t i = 0; i < 27; i++)
		if (counts[i])
			chi += (counts[i] - 10000.0) * (counts[i] - 10000.0) /
			       10000.0;
	if (chi >= 20.5)
		fail_msg("chi-squared is %g", chi);
}

static void a_plan_has_what_the_campaign_and_the_contracts_say(void **state)
{
	(void)state;
	auto_sample struct sample s;
	sample_init(&s, study);
	auto_plan struct mkv_plan *plan = made(&s, WHOLE);
	assert_string_equal(plan->name, "test");
	assert_string_equal(plan->campaign_sha256, s.campaign->sha256);
	assert_string_equal(plan->key_id, FIXTURE_KEY_ID);
	assert_false(plan->is_trial);
	assert_int_equal(plan->n_arms, 5);
	assert_int_equal(plan->n_runs, 55);
	char hex[MKV_SHA256_HEX_SIZE];
	for (size_t i = 0; i < 5; i++) {
		mkv_sha256_hex(&s.appliances[i].contract_sha256, hex);
		assert_string_equal(plan->arms[i].contract_sha256, hex);
	}
	assert_string_equal(plan->arms[0].contract_sha256,
			    plan->arms[1].contract_sha256);
	assert_string_equal(plan->arms[1].same_as, "bare-metal");
	assert_string_equal(plan->arms[2].tracing, "file");
	assert_string_equal(plan->arms[2].settings.services[0].name, "payment");
	assert_string_equal(plan->arms[3].appliance, "kvm");
	assert_string_equal(plan->arms[3].tracing, "otlp");
	assert_int_equal(plan->load.rate, 20);
	assert_int_equal(plan->load.warm_up, 5000);
	assert_int_equal(plan->load.measured, 10000);
	assert_true(plan->load.timeout_ns == INT64_C(30000000000));
	assert_string_equal(plan->limits.rate.text, "0.001");
	assert_string_equal(plan->analysis.delta.text, "0.05");
	/* By the other implementation. */
	static const char *const first[] = {
		"01-1-bare-metal", "01-2-bare-metal-again", "01-3-kvm",
		"01-4-kvm-docker", "01-5-docker",	    "02-1-bare-metal",
		"02-2-kvm-docker"};
	for (size_t i = 0; i < sizeof(first) / sizeof(*first); i++)
		assert_string_equal(plan->runs[i].id, first[i]);
	assert_true(plan->runs[0].seed == INT64_C(836317058229248));
	assert_true(plan->runs[1].seed == INT64_C(175437015989139));
}

static void equal_inputs_give_equal_bytes(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf a = {0}, b = {0}, other = {0};
	auto_sample struct sample first, second, third;
	sample_init(&first, study);
	sample_init(&second, study);
	sample_init(&third, HEAD ARMS "seed: 20231131\n");
	assert_int_equal(make(&first, WHOLE, &a, &err), 0);
	assert_int_equal(make(&second, WHOLE, &b, &err), 0);
	assert_int_equal(make(&third, WHOLE, &other, &err), 0);
	assert_string_equal(a.data, b.data);
	assert_string_not_equal(a.data, other.data);
	assert_int_equal(a.data[a.size - 1], '\n');
	/* Another seed is another order. */
	auto_plan struct mkv_plan *x = made(&first, WHOLE);
	auto_plan struct mkv_plan *y = made(&third, WHOLE);
	size_t equal = 0;
	for (size_t i = 0; i < x->n_runs; i++)
		equal += x->runs[i].arm == y->runs[i].arm;
	assert_in_range(equal, 0, 40);
	/* The plan is what the tool says it is: nothing of the place. */
	assert_null(strstr(a.data, "/tmp"));
}

static void a_sequence_is_the_order_of_names(void **state)
{
	(void)state;
	auto_sample struct sample s;
	sample_init(&s, HEAD ARMS "seed: 1\norder: sequence\nboot: shared\n");
	auto_plan struct mkv_plan *plan = made(&s, WHOLE);
	for (size_t i = 0; i < plan->n_runs; i++)
		assert_int_equal(plan->runs[i].arm, i % 5);
	assert_false(plan->boots_each_run);
}

static void a_trial_is_small_and_says_so(void **state)
{
	(void)state;
	auto_sample struct sample s;
	sample_init(&s, study);
	auto_plan struct mkv_plan *plan = made(&s, 2000000);
	assert_true(plan->is_trial);
	assert_string_equal(plan->scale, "0.002");
	assert_int_equal(plan->load.warm_up, 10);
	assert_int_equal(plan->load.measured, 20);
	assert_int_equal(plan->n_runs, 10);
	/* Its first blocks have the order of the campaign's. */
	auto_plan struct mkv_plan *whole = made(&s, WHOLE);
	for (size_t i = 0; i < plan->n_runs; i++)
		assert_string_equal(plan->runs[i].id, whole->runs[i].id);
	auto_plan struct mkv_plan *least = made(&s, 1);
	assert_int_equal(least->load.measured, 1);
}

static void the_campaign_s_load_replaces_the_contracts(void **state)
{
	(void)state;
	auto_sample struct sample s;
	sample_init(&s, HEAD ARMS
		    "seed: 1\n"
		    "load:\n"
		    "  rate: 40\n"
		    "  arrivals: poisson\n"
		    "  warm-up: 0\n"
		    "  timeout: 5s\n"
		    "  request:\n"
		    "    role: payment\n"
		    "    port: 8080\n"
		    "    path: /payment/transfer/id/{user}/amount/1\n");
	auto_plan struct mkv_plan *plan = made(&s, WHOLE);
	assert_int_equal(plan->load.rate, 40);
	assert_string_equal(plan->load.arrivals, "poisson");
	assert_int_equal(plan->load.warm_up, 0);
	assert_int_equal(plan->load.measured, 10000);
	assert_true(plan->load.timeout_ns == INT64_C(5000000000));
	assert_true(plan->load.has_request);
	assert_string_equal(plan->load.request.method, "GET");
	assert_string_equal(plan->load.request.role, "payment");
	assert_int_equal(plan->load.request.headers.count, 0);
}

static void appliances_must_belong_together(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0};
	auto_sample struct sample s;
	sample_init(&s, study);
	struct mkv_plan_appliance kvm = s.appliances[3], other = {0};
	/* Another key. */
	appliance_of(s.campaign->arms[3].recipe,
		     "c2000000000000000000000000000000"
		     "00000000000000000000000000000000",
		     &other);
	s.appliances[3] = other;
	assert_true(make(&s, WHOLE, &text, &err) < 0);
	assert_non_null(strstr(err.message, "signed by different keys"));
	mkv_plan_appliance_done(&other);
	/* Another recipe. */
	s.appliances[3] = s.appliances[2];
	assert_true(make(&s, WHOLE, &text, &err) < 0);
	assert_non_null(strstr(err.message, "another state of its recipe"));
	/* A repeated arm on another appliance. */
	s.appliances[3] = kvm;
	struct mkv_plan_appliance again = s.appliances[1];
	s.appliances[1].contract_sha256.bytes[0] ^= 1;
	assert_true(make(&s, WHOLE, &text, &err) < 0);
	assert_non_null(strstr(err.message, "has other factors"));
	s.appliances[1] = again;
	assert_int_equal(text.size, 0);
	assert_int_equal(make(&s, WHOLE, &text, &err), 0);
}

static void a_scale_is_a_number_or_a_percentage(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ppb;
	} cases[] = {
		{"1", WHOLE},	   {"100%", WHOLE}, {"0.002", 2000000},
		{"0.2%", 2000000}, {"0", -1},	    {"0%", -1},
		{"2", -1},	   {"101%", -1},    {"", -1},
		{"x", -1},	   {"0.002x", -1},  {"-1", -1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mkv_error err = {0};
		int64_t ppb = -1;
		int rc = mkv_plan_parse_scale(cases[i].text, &ppb, &err);
		if (ppb != cases[i].ppb || (rc < 0) != (cases[i].ppb < 0))
			fail_msg("'%s': %d", cases[i].text, rc);
	}
}

static void put(const char *dir, const char *name, const void *data,
		size_t size)
{
	struct mkv_error err = {0};
	auto_free char *path = NULL;
	assert_true(asprintf(&path, "%s/%s", dir, name) > 0);
	if (mkv_place_file(path, 0644, data, size, &err) < 0)
		fail_msg("%s", err.message);
}

static void take_away(const char *dir, const char *const *names)
{
	for (; *names; names++) {
		auto_free char *path = NULL;
		assert_true(asprintf(&path, "%s/%s", dir, *names) > 0);
		(void)remove(path);
	}
	assert_int_equal(rmdir(dir), 0);
}

/* The appliance's parts as a build writes them, and the signed plan. */
static void what_is_signed_is_read_back(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	char dir[] = "/tmp/plan-test-XXXXXX", path[64];
	struct mkv_public_key public;
	auto_private_key struct mkv_private_key *key = NULL;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/key.pem", dir);
	assert_int_equal(mkv_key_generate(path, &public, &err), 0);
	assert_int_equal(mkv_private_key_load(path, &key, &err), 0);
	char id[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(&public.id, id);
	auto_recipe struct mkv_recipe *recipe =
		fixture_load("recipes/docker.yaml");
	auto_buf struct mkv_buf contract = {0}, bundle = {0}, pem = {0},
				manifest = {0}, payload = {0};
	fixture_contract(recipe, id, &contract);
	assert_int_equal(mkv_contract_bundle(key, contract.data, contract.size,
					     &bundle, &err),
			 0);
	mkv_public_key_pem(&public, &pem);
	/* In another notation than the images' contract.json. */
	auto_json json_t *document = NULL;
	assert_int_equal(
		mkv_json_load(contract.data, contract.size, &document, &err),
		0);
	mkv_buf_str(&manifest, "{\"mkvbench_manifest\":1,\"contract\":");
	assert_int_equal(mkv_json_dump_compact(document, &manifest, &err), 0);
	mkv_buf_str(&manifest, ",\"artifacts\":{},\"tool\":{\"name\":\"x\","
			       "\"version\":\"0\"}}");
	(void)snprintf(path, sizeof(path), "%s/attestations", dir);
	assert_int_equal(mkdir(path, 0755), 0);
	put(dir, "manifest.json", manifest.data, manifest.size);
	put(dir, "attestations/key.pub", pem.data, pem.size);
	put(dir, "attestations/contract.sigstore.json", bundle.data,
	    bundle.size);
	struct mkv_plan_appliance appliance = {0}, none = {0};
	struct mkv_sha256 expected;
	if (mkv_plan_appliance_read(dir, &appliance, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(
		mkv_sha256_bytes(contract.data, contract.size, &expected, &err),
		0);
	assert_memory_equal(&appliance.contract_sha256, &expected,
			    sizeof(expected));
	mkv_plan_appliance_done(&appliance);
	/* A contract that was not signed. */
	char *at = strstr(manifest.data, "\"rate\":20");
	assert_non_null(at);
	at[7] = '3';
	put(dir, "manifest.json", manifest.data, manifest.size);
	assert_true(mkv_plan_appliance_read(dir, &none, &err) < 0);
	assert_null(none.manifest);
	assert_int_equal(err.kind, MKV_UNVERIFIED);
	/* The plan's bundle. */
	static const char plan[] = "{\"mkvbench_plan\":1}\n";
	auto_buf struct mkv_buf signed_plan = {0};
	assert_int_equal(
		mkv_plan_sign(key, plan, strlen(plan), &signed_plan, &err), 0);
	assert_int_equal(mkv_dsse_verify(signed_plan.data, signed_plan.size,
					 &public, MKV_DSSE_IN_TOTO, &payload,
					 &err),
			 0);
	assert_int_equal(mkv_sha256_bytes(plan, strlen(plan), &expected, &err),
			 0);
	assert_int_equal(mkv_statement_subject_check(payload.data, payload.size,
						     MKV_PLAN_TYPE, "plan.json",
						     &expected, &err),
			 0);
	assert_non_null(
		strstr(payload.data, "\"predicate\":{\"mkvbench_plan\":1}"));
	take_away(dir,
		  (const char *const[]){"attestations/key.pub",
					"attestations/contract.sigstore.json",
					"attestations", "manifest.json",
					"key.pem", "key.pub", NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_seed_gives_the_same_order_everywhere),
		cmocka_unit_test(every_order_is_equally_probable),
		cmocka_unit_test(
			a_plan_has_what_the_campaign_and_the_contracts_say),
		cmocka_unit_test(equal_inputs_give_equal_bytes),
		cmocka_unit_test(a_sequence_is_the_order_of_names),
		cmocka_unit_test(a_trial_is_small_and_says_so),
		cmocka_unit_test(the_campaign_s_load_replaces_the_contracts),
		cmocka_unit_test(appliances_must_belong_together),
		cmocka_unit_test(a_scale_is_a_number_or_a_percentage),
		cmocka_unit_test(what_is_signed_is_read_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
