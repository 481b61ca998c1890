/* SPDX-License-Identifier: MIT */
/* Requests of loads: of contracts, plans and commands. */
#include <string.h>

#include "lib/contract_internal.h"

enum { PATH_BYTES_MAX = 2000, HEADER_BYTES_MAX = 64 };

bool mkv_contract_is_own_header(const char *name)
{
	static const char *const own[] = {
		"Connection", "Content-Length",	   "Expect",
		"Host",	      "Transfer-Encoding", "Traceparent",
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strcasecmp(own[i], name) == 0)
			return true;
	return false;
}

/* What the path of a request and of a health check may contain. */
const char *mkv_contract_read_path(struct mkv_json_reader *r,
				   const json_t *object, const char *key)
{
	const char *path = mkv_json_string(r, object, key, true);
	if (!path)
		return NULL;
	bool plain = path[0] == '/' && strlen(path) <= PATH_BYTES_MAX;
	for (const char *at = path; *at && plain; at++)
		plain = *at > ' ' && *at < 0x7f && *at != '"' && *at != '#';
	if (!plain)
		mkv_json_mistake(r, key, "not the path of a URL");
	return path;
}

static void read_headers(struct mkv_json_reader *r, const json_t *object,
			 struct mkv_contract_request *request)
{
	request->headers = mkv_contract_read_pairs(r, object, "headers");
	for (size_t i = 0; i < request->headers.count; i++) {
		const char *name = request->headers.items[i].key;
		size_t length =
			strspn(name, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
		if (length == 0 || length > HEADER_BYTES_MAX || name[length])
			mkv_json_mistake(r, "headers",
					 "'%.80s' is not a header's name",
					 name);
		else if (mkv_contract_is_own_header(name))
			mkv_json_mistake(r, "headers",
					 "'%s' is set by the load generator",
					 name);
	}
}

void mkv_contract_read_request(struct mkv_json_reader *r, const json_t *object,
			       struct mkv_contract_request *request)
{
	*request = (struct mkv_contract_request){0};
	mkv_json_only(r, object,
		      (const char *const[]){"method", "role", "port", "path",
					    "body", "status", "headers", NULL});
	request->method = mkv_contract_read_word(
		r, object, "method",
		(const char *const[]){"GET", "POST", "PUT", "PATCH", "DELETE",
				      NULL});
	request->role = mkv_contract_read_name(r, object, "role", true);
	request->port = (unsigned)mkv_json_integer(r, object, "port", 1, 65535,
						   true, 0);
	request->path = mkv_contract_read_path(r, object, "path");
	request->body = mkv_json_string(r, object, "body", false);
	if (request->body && strlen(request->body) > MKV_EXPERIMENT_BODY_MAX)
		mkv_json_mistake(r, "body", "longer than %d bytes",
				 MKV_EXPERIMENT_BODY_MAX);
	request->status = (unsigned)mkv_json_integer(r, object, "status", 200,
						     599, true, 0);
	read_headers(r, object, request);
}

void mkv_contract_request_done(struct mkv_contract_request *request)
{
	free(request->headers.items);
	*request = (struct mkv_contract_request){0};
}

static void check_fields(struct mkv_json_reader *r,
			 const struct mkv_contract_experiment *experiment,
			 const char *key, const char *text)
{
	struct mkv_template_fields fields;
	struct mkv_error why;
	if (text &&
	    mkv_contract_template_fields(experiment, &fields, &why) >= 0 &&
	    mkv_template_check(text, &fields, &why) < 0)
		mkv_json_mistake(r, key, "%s", why.message);
}

void mkv_contract_check_request(struct mkv_json_reader *r,
				const struct mkv_contract *contract,
				const struct mkv_contract_request *request)
{
	if (r->rc < 0)
		return;
	if (!mkv_contract_find_role(contract, request->role))
		mkv_json_mistake(r, "role", "not exactly one host is '%s'",
				 request->role);
	check_fields(r, &contract->experiment, "path", request->path);
	check_fields(r, &contract->experiment, "body", request->body);
	for (size_t i = 0; i < request->headers.count; i++)
		check_fields(r, &contract->experiment, "headers",
			     request->headers.items[i].value);
}

int mkv_contract_template_fields(
	const struct mkv_contract_experiment *experiment,
	struct mkv_template_fields *ret, struct mkv_error *err)
{
	*ret = (struct mkv_template_fields){0};
	for (size_t i = 0; i < experiment->n_fields; i++) {
		const struct mkv_contract_field *field = &experiment->fields[i];
		int rc = mkv_template_add_field(ret, field->name,
						strlen(field->name),
						field->count, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
