/* SPDX-License-Identifier: MIT */
/* Requests of loads: of recipes and campaigns. */
#include <inttypes.h>
#include <string.h>

#include "builder/input/recipe/cross.h"
#include "lib/contract.h"
#include "lib/template.h"
#include "lib/text.h"

/* The memory of the load generator: that many requests may wait for an answer
 * at once. */
enum { WAITING_MAX = 100000 };

static void diagnose_field(const struct mkv_cross *c, struct mkv_mark mark,
			   const char *name)
{
	const struct mkv_experiment *e = &c->recipe->experiment;
	const char **names = mkv_arena_take(&c->load->arena,
					    (e->n_fields + 1) * sizeof(*names));
	if (!names || !name)
		return;
	for (size_t i = 0; i < e->n_fields; i++)
		names[i] = e->fields[i].name;
	names[e->n_fields] = "n";
	const char *near = mkv_nearest(name, names, e->n_fields + 1);
	mkv_diagnose(c->load, mark,
		     "'{%.40s}' is not one of the experiment's 'fields'%s%s%s; "
		     "'{{' stands for a brace",
		     name, near ? " (did you mean '{" : "", near ? near : "",
		     near ? "}'?)" : "");
	mkv_diagnose_suggest(c->load, near);
}

static void check_fields(const struct mkv_cross *c, const char *path,
			 const char *key, const char *text)
{
	const struct mkv_experiment *e = &c->recipe->experiment;
	struct mkv_template_fields fields = {0};
	struct mkv_error why;
	size_t size;
	/* A field that cannot be added has a diagnostic already. */
	for (size_t i = 0; i < e->n_fields; i++)
		(void)!mkv_template_add_field(&fields, e->fields[i].name,
					      strlen(e->fields[i].name),
					      e->fields[i].count, &why);
	const char *unknown =
		text ? mkv_template_find_unknown(text, &fields, &size) : NULL;
	if (unknown)
		diagnose_field(c, mkv_cross_mark(c, "%s.%s", path, key),
			       mkv_arena_text(&c->load->arena, unknown, size));
}

static void check_headers(const struct mkv_cross *c, const char *path,
			  const struct mkv_settings *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		const char *name = headers->items[i].key;
		struct mkv_mark mark =
			mkv_cross_mark(c, "%s.headers.%s", path, name);
		char key[80];
		(void)snprintf(key, sizeof(key), "headers.%s", name);
		check_fields(c, path, key, headers->items[i].value);
		if (mkv_contract_is_own_header(name))
			mkv_diagnose(c->load, mark,
				     "the load generator sets the header '%s' "
				     "itself",
				     name);
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(headers->items[j].key, name) == 0)
				mkv_diagnose(c->load, mark,
					     "the header '%s' is set twice: "
					     "letter case does not "
					     "distinguish headers",
					     name);
	}
}

void mkv_cross_request(const struct mkv_cross *c, const char *path,
		       const struct mkv_request *request)
{
	struct mkv_mark mark = mkv_cross_mark(c, "%s.role", path);
	size_t count = mkv_cross_role(c, mark, request->role);
	if (count > 1)
		mkv_diagnose(c->load, mark,
			     "%zu hosts have the role '%s': requests go to "
			     "one host",
			     count, request->role);
	check_fields(c, path, "path", request->path);
	check_fields(c, path, "body", request->body);
	check_headers(c, path, &request->headers);
	if (request->body && strcmp(request->method, "GET") == 0)
		mkv_diagnose(c->load, mkv_cross_mark(c, "%s.body", path),
			     "a GET request has no body: set 'method', or "
			     "remove 'body'");
}

void mkv_cross_timeout(const struct mkv_cross *c, const char *path,
		       unsigned rate, int64_t timeout_ns)
{
	uint64_t waiting = (uint64_t)rate * (uint64_t)timeout_ns / 1000000000;
	if (waiting > WAITING_MAX)
		mkv_diagnose(c->load, mkv_cross_mark(c, "%s", path),
			     "%u requests per second that each wait up to "
			     "%" PRId64 " s are %" PRIu64
			     " requests at once, more than %d: reduce 'rate' "
			     "or 'timeout'",
			     rate, timeout_ns / 1000000000, waiting,
			     WAITING_MAX);
}
