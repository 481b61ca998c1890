/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/hosts.h"

#include <string.h>

#include "lib/clock.h"

enum { STATE_MS = 4000, COMMAND_MS = 15000 };
/* No clock is slewed this far between two polls. */
#define STEP_NS (100 * (int64_t)MKV_NS_PER_MS)

int mkv_hosts_init(struct mkv_hosts *hosts, const struct mkv_self *self,
		   const struct mkv_run_order *order, struct mkv_error *err)
{
	size_t all = self->contract->n_hosts;
	int64_t now_ns = mkv_monotonic_ns();
	*hosts = (struct mkv_hosts){
		.items = calloc(all + 1, sizeof(*hosts->items)),
		.views = calloc(all + 1, sizeof(*hosts->views)),
	};
	if (!hosts->items || !hosts->views)
		return mkv_oom(err);
	for (size_t i = 0; i < all; i++) {
		const struct mkv_contract_host *host =
			&self->contract->hosts[i];
		if (!host->address ||
		    (order &&
		     !mkv_command_boot(mkv_order_command(order), host->name)))
			continue;
		struct mkv_conducted_host *item = &hosts->items[hosts->count];
		item->host = host;
		(void)snprintf(item->url, sizeof(item->url), "http://%s:%u",
			       host->address, (unsigned)self->agent_port);
		hosts->views[hosts->count++] = (struct mkv_host_view){
			.name = host->name, .heard_ns = now_ns, .step = -1};
	}
	return 0;
}

void mkv_hosts_done(struct mkv_hosts *hosts)
{
	for (size_t i = 0; hosts->items && i < hosts->count; i++)
		json_decref(hosts->items[i].state);
	free(hosts->items);
	free(hosts->views);
	*hosts = (struct mkv_hosts){0};
}

static const char *text_of(const json_t *state, const char *key)
{
	const char *text = json_string_value(json_object_get(state, key));
	return text ? text : "";
}

static enum mkv_receipt_state read_receipt(const json_t *state)
{
	static const char *const words[] = {
		[MKV_RECEIPT_NONE] = "none",	 [MKV_RECEIPT_PASS] = "pass",
		[MKV_RECEIPT_WARN] = "warn",	 [MKV_RECEIPT_FAIL] = "fail",
		[MKV_RECEIPT_BROKEN] = "broken",
	};
	const char *word = text_of(state, "receipt");
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum mkv_receipt_state)i;
	return MKV_RECEIPT_NONE;
}

static enum mkv_step_state read_step_state(const json_t *state)
{
	static const char *const words[] = {
		[MKV_STEP_IDLE] = "idle",
		[MKV_STEP_WORKING] = "working",
		[MKV_STEP_DONE] = "done",
		[MKV_STEP_FAILED] = "failed",
	};
	const char *word = text_of(state, "step_state");
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (strcmp(word, words[i]) == 0)
			return (enum mkv_step_state)i;
	return MKV_STEP_IDLE;
}

/* The step of this attempt that the agent is at; -1: none. */
static int read_step(const json_t *state, const struct mkv_run_order *order)
{
	if (!order || strcmp(text_of(state, "run"), order->run->id) != 0 ||
	    json_integer_value(json_object_get(state, "attempt")) !=
		    order->attempt)
		return -1;
	for (int i = 0; i < MKV_STEPS; i++)
		if (strcmp(text_of(state, "step"),
			   mkv_command_step_name((enum mkv_command_step)i)) ==
		    0)
			return i;
	return -1;
}

static void check_identity(struct mkv_conducted_host *host,
			   struct mkv_host_view *view,
			   const struct mkv_self *self,
			   const struct mkv_run_order *order)
{
	const char *boot = order ? mkv_command_boot(mkv_order_command(order),
						    host->host->name)
				 : NULL;
	*host->mismatch = '\0';
	if (strcmp(text_of(host->state, "contract_sha256"),
		   self->contract_hex) != 0)
		(void)snprintf(host->mismatch, sizeof(host->mismatch),
			       "it runs another contract");
	else if (strcmp(text_of(host->state, "host"), host->host->name) != 0)
		(void)snprintf(host->mismatch, sizeof(host->mismatch),
			       "its agent says that it is another host");
	else if (boot && strcmp(text_of(host->state, "boot_id"), boot) != 0)
		(void)snprintf(host->mismatch, sizeof(host->mismatch),
			       "it was booted again");
	view->is_other = *host->mismatch != '\0';
	view->mismatch = host->mismatch;
}

/* Compares the host's clock with ours at the middle of the request, in which it
 * was read. */
static void check_clock(struct mkv_hosts *hosts,
			struct mkv_conducted_host *host,
			const struct mkv_ask *ask, int64_t realtime_offset_ns)
{
	const json_t *now = json_object_get(host->state, "realtime_ns");
	if (!json_is_integer(now))
		return;
	int64_t half_ns = (ask->answered_ns - ask->sent_ns) / 2;
	int64_t offset_ns = json_integer_value(now) -
			    (ask->sent_ns + half_ns + realtime_offset_ns);
	int64_t change_ns = llabs(offset_ns - host->offset_ns);
	if (host->has_offset && !*hosts->clock_stepped &&
	    change_ns > STEP_NS + half_ns + host->uncertainty_ns)
		(void)snprintf(hosts->clock_stepped,
			       sizeof(hosts->clock_stepped),
			       "the clock of '%s' stepped by %lld ms",
			       host->host->name,
			       (long long)(change_ns / MKV_NS_PER_MS));
	host->has_offset = true;
	host->offset_ns = offset_ns;
	host->uncertainty_ns = half_ns;
}

static void take_state(struct mkv_hosts *hosts, size_t i,
		       const struct mkv_self *self,
		       const struct mkv_run_order *order, struct mkv_ask *ask,
		       int64_t realtime_offset_ns)
{
	struct mkv_conducted_host *host = &hosts->items[i];
	struct mkv_host_view *view = &hosts->views[i];
	struct mkv_error ignored;
	json_t *state = NULL;
	view->answers = ask->status == 200 &&
			mkv_json_load(ask->reply.data, ask->reply.size, &state,
				      &ignored) == 0;
	if (!view->answers)
		return;
	json_decref(host->state);
	host->state = state;
	view->heard_ns = ask->answered_ns;
	view->receipt = read_receipt(state);
	view->step = read_step(state, order);
	view->step_state = read_step_state(state);
	host->was_prepared |= view->step == MKV_STEP_LOAD ||
			      view->step == MKV_STEP_FINISH ||
			      (view->step == MKV_STEP_PREPARE &&
			       view->step_state == MKV_STEP_DONE);
	view->error = json_string_value(json_object_get(state, "error"));
	check_identity(host, view, self, order);
	check_clock(hosts, host, ask, realtime_offset_ns);
}

/* Reads CLOCK_REALTIME between two readings of the other that are close
 * together. */
int64_t mkv_hosts_clock_offset(void)
{
	int64_t best_ns = INT64_MAX, offset_ns = 0;
	for (int i = 0; i < 5; i++) {
		int64_t before_ns = mkv_monotonic_ns();
		int64_t realtime_ns = mkv_realtime_ns();
		int64_t took_ns = mkv_monotonic_ns() - before_ns;
		if (took_ns >= best_ns)
			continue;
		best_ns = took_ns;
		offset_ns = realtime_ns - before_ns - took_ns / 2;
	}
	return offset_ns;
}

static struct mkv_ask *make_asks(const struct mkv_hosts *hosts,
				 const char *path, struct mkv_buf *urls,
				 struct mkv_error *err)
{
	struct mkv_ask *asks = calloc(hosts->count + 1, sizeof(*asks));
	for (size_t i = 0; i < hosts->count; i++) {
		mkv_buf_printf(urls, "%s%s", hosts->items[i].url, path);
		mkv_buf_char(urls, '\0');
	}
	if (!asks || mkv_buf_check(urls, err) < 0) {
		free(asks);
		(void)mkv_oom(err);
		return NULL;
	}
	const char *url = urls->data;
	for (size_t i = 0; i < hosts->count; i++) {
		asks[i].url = url;
		url += strlen(url) + 1;
	}
	return asks;
}

static void free_asks(struct mkv_ask *asks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mkv_ask_done(&asks[i]);
	free(asks);
}

int mkv_hosts_poll(struct mkv_hosts *hosts, const struct mkv_self *self,
		   const struct mkv_run_order *order, struct mkv_error *err)
{
	auto_buf struct mkv_buf urls = {0};
	struct mkv_ask *asks = make_asks(hosts, "/v1/state", &urls, err);
	if (!asks)
		return -ENOMEM;
	int rc = mkv_ask_all(asks, hosts->count, STATE_MS, err);
	int64_t offset_ns = mkv_hosts_clock_offset();
	for (size_t i = 0; rc == 0 && i < hosts->count; i++)
		take_state(hosts, i, self, order, &asks[i], offset_ns);
	free_asks(asks, hosts->count);
	return rc;
}

/* What an agent says when it does not accept a command. */
static void take_refusal(struct mkv_conducted_host *host,
			 struct mkv_host_view *view, enum mkv_command_step step,
			 const struct mkv_ask *ask)
{
	struct mkv_error ignored;
	auto_json json_t *answer = NULL;
	view->refused = NULL;
	view->refused_step = (int)step;
	if (ask->status < 400 || ask->status >= 500)
		return;
	if (mkv_json_load(ask->reply.data ? ask->reply.data : "",
			  ask->reply.size, &answer, &ignored) < 0)
		answer = NULL;
	const char *message =
		text_of(json_object_get(answer, "error"), "message");
	(void)snprintf(host->refused, sizeof(host->refused), "%u %s",
		       ask->status, message);
	view->refused = host->refused;
}

int mkv_hosts_send(struct mkv_hosts *hosts, const struct mkv_run_order *order,
		   enum mkv_command_step step, struct mkv_error *err)
{
	auto_buf struct mkv_buf urls = {0};
	auto_free size_t *targets = calloc(hosts->count + 1, sizeof(*targets));
	struct mkv_ask *asks = make_asks(hosts, "/v1/command", &urls, err);
	size_t n = 0;
	if (!asks || !targets) {
		free(asks);
		return mkv_oom(err);
	}
	for (size_t i = 0; i < hosts->count; i++) {
		if (hosts->views[i].step == (int)step)
			continue;
		targets[n] = i;
		asks[n] = (struct mkv_ask){
			.url = asks[i].url,
			.body = order->bundles[step].data,
			.body_size = order->bundles[step].size,
		};
		n++;
	}
	int rc = mkv_ask_all(asks, n, COMMAND_MS, err);
	for (size_t i = 0; rc == 0 && i < n; i++)
		take_refusal(&hosts->items[targets[i]],
			     &hosts->views[targets[i]], step, &asks[i]);
	free_asks(asks, n);
	return rc;
}

enum mkv_load_phase mkv_hosts_load(const struct mkv_hosts *hosts,
				   uint64_t *ret_count, json_t **ret_progress)
{
	*ret_count = 0;
	*ret_progress = NULL;
	for (size_t i = 0; i < hosts->count; i++) {
		const struct mkv_contract_host *host = hosts->items[i].host;
		if (strcmp(host->role ? host->role : host->name, "loadgen") !=
			    0 ||
		    hosts->views[i].step != MKV_STEP_LOAD)
			continue;
		json_t *progress =
			json_object_get(hosts->items[i].state, "progress");
		const char *phase = text_of(progress, "phase");
		*ret_progress = progress;
		*ret_count = (uint64_t)(json_integer_value(json_object_get(
						progress, "answered")) +
					json_integer_value(json_object_get(
						progress, "failed")));
		return strcmp(phase, "warm-up") == 0	? MKV_LOAD_WARM_UP
		       : strcmp(phase, "measured") == 0 ? MKV_LOAD_MEASURED
		       : strcmp(phase, "done") == 0	? MKV_LOAD_DONE
							: MKV_LOAD_NONE;
	}
	return MKV_LOAD_NONE;
}

json_t *mkv_hosts_pack(const struct mkv_hosts *hosts)
{
	json_t *map = json_object();
	for (size_t i = 0; map && i < hosts->count; i++) {
		json_t *state = hosts->items[i].state;
		(void)json_object_set_new(map, hosts->items[i].host->name,
					  state && hosts->views[i].answers
						  ? json_incref(state)
						  : json_null());
	}
	return map;
}
