/* SPDX-License-Identifier: MIT */
#include "builder/run/campaign/state.h"

#include <string.h>

enum { HOSTS_MAX = 1000 };

void mkv_state_done(struct mkv_state *state)
{
	free(state->hosts);
	json_decref(state->document);
	*state = (struct mkv_state){0};
}

static int64_t count_of(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* A member that is a string, or null or absent. */
static const char *read_optional(struct mkv_json_reader *r, const json_t *root,
				 const char *key)
{
	if (json_is_null(json_object_get(root, key)))
		return NULL;
	return mkv_json_string(r, root, key, false);
}

static void read_hosts(struct mkv_json_reader *r, const json_t *root,
		       struct mkv_state *state)
{
	json_t *map = mkv_json_member(r, root, "hosts", JSON_OBJECT, false);
	size_t count = json_object_size(map);
	if (count > HOSTS_MAX) {
		(void)mkv_json_mistake(r, "hosts", "more than %d", HOSTS_MAX);
		return;
	}
	state->hosts = calloc(count + 1, sizeof(*state->hosts));
	if (!state->hosts) {
		r->rc = mkv_oom(r->err);
		return;
	}
	const char *name;
	json_t *value;
	size_t mark = mkv_json_enter(r, "hosts");
	json_object_foreach(map, name, value)
	{
		size_t inner = mkv_json_enter(r, name);
		struct mkv_state_host *host = &state->hosts[state->n_hosts++];
		host->name = name;
		host->boot_id = read_optional(r, value, "boot_id");
		host->receipt = read_optional(r, value, "receipt");
		mkv_json_leave(r, inner);
	}
	mkv_json_leave(r, mark);
}

int mkv_state_parse(json_t *document, struct mkv_state *ret,
		    struct mkv_error *err)
{
	auto_state struct mkv_state state = {.document = document};
	struct mkv_json_reader r;
	mkv_json_reader_init(&r, err);
	state.contract_sha256 =
		mkv_json_string(&r, document, "contract_sha256", true);
	state.run = read_optional(&r, document, "run");
	if (state.run)
		state.attempt = (unsigned)mkv_json_integer(
			&r, document, "attempt", 1, 1000, true, 0);
	state.phase = mkv_json_string(&r, document, "phase", true);
	/* What a program printed; it may have several lines. */
	state.error = json_string_value(json_object_get(document, "error"));
	state.realtime_ns = mkv_json_integer(&r, document, "realtime_ns", 0,
					     INT64_MAX, true, 0);
	const json_t *spans = json_object_get(document, "spans");
	state.spans_received = count_of(spans, "received");
	state.spans_expected = count_of(spans, "expected");
	state.spans_dropped = count_of(spans, "dropped");
	const json_t *progress = json_object_get(document, "progress");
	state.progress = json_is_object(progress) ? progress : NULL;
	read_hosts(&r, document, &state);
	if (r.rc < 0)
		return mkv_wrap(err, r.rc, "the conductor's state");
	*ret = state;
	state = (struct mkv_state){0};
	return 0;
}

bool mkv_state_is_working(const struct mkv_state *state)
{
	return strcmp(state->phase, "idle") != 0 &&
	       strcmp(state->phase, "complete") != 0 &&
	       strcmp(state->phase, "failed") != 0;
}
