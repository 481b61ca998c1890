/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/overrides.h"

#include <fcntl.h>
#include <string.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "programs/campaign/agent/child.h"
#include "programs/lib/settings.h"

static bool has_setting(const struct mkv_contract_service *settings,
			const char *name)
{
	for (size_t i = 0; settings && i < settings->settings.count; i++)
		if (strcmp(settings->settings.items[i].key, name) == 0)
			return true;
	return false;
}

/* A setting of the command wins over what tracing implies. */
static void put_unless_set(const struct mkv_contract_service *settings,
			   const char *name, const char *value,
			   struct mkv_buf *ret)
{
	if (!has_setting(settings, name))
		mkv_settings_put_override(ret, name, value);
}

/* `file` is where spans go with the tracing "file". */
static void put_tracing(const struct mkv_contract_service *settings,
			const char *tracing, const char *file,
			struct mkv_buf *ret)
{
	if (strcmp(tracing, "off") == 0) {
		put_unless_set(settings, "OTLP_ENDPOINT", "none", ret);
		put_unless_set(settings, "TRACE_FILE", "none", ret);
	} else if (strcmp(tracing, "file") == 0) {
		/* An empty value counts as unset. */
		put_unless_set(settings, "OTLP_ENDPOINT", "", ret);
		put_unless_set(settings, "TRACE_FILE", file, ret);
	}
}

void mkv_agent_overrides_service(const struct mkv_agent_service *service,
				 const struct mkv_command *command,
				 const char *state_dir, struct mkv_buf *ret)
{
	const char *name = service->row->name;
	const struct mkv_contract_service *settings =
		mkv_command_settings(command, name);
	auto_buf struct mkv_buf file = {0};
	for (size_t i = 0; settings && i < settings->settings.count; i++)
		mkv_settings_put_override(ret, settings->settings.items[i].key,
					  settings->settings.items[i].value);
	if (!service->row->has_spans)
		return;
	/* A container need not have the directory of a unit's state. */
	if (service->is_container)
		mkv_buf_str(&file, "/tmp/traces.jsonl");
	else
		mkv_buf_printf(&file, "%s/%s/traces.jsonl", state_dir, name);
	put_tracing(settings, command->tracing, file.data ? file.data : "",
		    ret);
	ret->failed |= file.failed;
}

static void put_number(struct mkv_buf *ret, const char *name, int64_t value)
{
	mkv_buf_printf(ret, "%s=%lld\n", name, (long long)value);
}

static void put_fields(const struct mkv_contract_experiment *experiment,
		       struct mkv_buf *ret)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < experiment->n_fields; i++)
		mkv_buf_printf(&text, "%s%s=%u", i ? "," : "",
			       experiment->fields[i].name,
			       experiment->fields[i].count);
	mkv_settings_put_override(ret, "FIELDS", text.data ? text.data : "");
	ret->failed |= text.failed;
}

static void put_request(const struct mkv_agent *agent,
			const struct mkv_contract_request *request,
			struct mkv_buf *ret)
{
	auto_buf struct mkv_buf url = {0}, headers = {0};
	const struct mkv_contract_host *host =
		mkv_contract_find_role(agent->contract, request->role);
	mkv_buf_printf(&url, "http://%s:%u",
		       host && host->address ? host->address : "127.0.0.1",
		       request->port);
	for (size_t i = 0; i < request->headers.count; i++)
		mkv_buf_printf(&headers, "%s%s: %s", i ? "\n" : "",
			       request->headers.items[i].key,
			       request->headers.items[i].value);
	mkv_settings_put_override(ret, "TARGET", request->role);
	mkv_settings_put_override(ret, "METHOD", request->method);
	mkv_settings_put_override(ret, "URL", url.data ? url.data : "");
	mkv_settings_put_override(ret, "PATH", request->path);
	mkv_settings_put_override(ret, "HEADERS",
				  headers.data ? headers.data : "");
	mkv_settings_put_override(ret, "BODY",
				  request->body ? request->body : "");
	put_number(ret, "STATUS", request->status);
	ret->failed |= url.failed || headers.failed;
}

void mkv_agent_overrides_load(const struct mkv_agent *agent,
			      const struct mkv_command *command,
			      struct mkv_buf *ret)
{
	const struct mkv_plan_load *load = &command->load;
	auto_buf struct mkv_buf file = {0};
	mkv_buf_printf(ret, "RUN=%s.%lld\n", command->run,
		       (long long)command->attempt);
	put_number(ret, "RATE", load->rate);
	put_number(ret, "WARM_UP", load->warm_up);
	put_number(ret, "COUNT", load->measured);
	put_number(ret, "CONNECTIONS", load->connections);
	put_number(ret, "SEED", load->seed);
	put_number(ret, "TIMEOUT_MS", load->timeout_ns / MKV_NS_PER_MS);
	mkv_settings_put_override(ret, "ARRIVALS", load->arrivals);
	put_request(agent,
		    load->has_request ? &load->request
				      : &agent->contract->experiment.request,
		    ret);
	put_fields(&agent->contract->experiment, ret);
	mkv_buf_printf(&file, "%s/traces.jsonl", agent->loadgen_dir);
	put_tracing(NULL, command->tracing, file.data ? file.data : "", ret);
	ret->failed |= file.failed;
}

int mkv_agent_overrides_write(const struct mkv_agent *agent, const char *name,
			      const struct mkv_buf *lines,
			      struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	mkv_buf_printf(&path, "%s/%s.env", agent->overrides_dir, name);
	if (path.failed || lines->failed)
		return mkv_oom(err);
	if (!lines->size)
		return mkv_remove_tree(AT_FDCWD, path.data, err);
	int rc = mkv_make_dirs(agent->overrides_dir, err);
	if (rc < 0)
		return rc;
	return mkv_write_file(path.data, 0644, lines->data, lines->size, err);
}

/* Where the last two components of the overrides' directory begin:
 * "mkvbench/overrides". docker-cp(1) gives directories of a container the modes
 * of those that it copies, so that only these are copied. */
static size_t split_directory(const char *path)
{
	const char *last = strrchr(path, '/');
	const char *before =
		last ? memrchr(path, '/', (size_t)(last - path)) : NULL;
	return before ? (size_t)(before - path) + 1 : 0;
}

static int stage(const char *directory, const char *name,
		 const struct mkv_buf *lines, struct mkv_error *err)
{
	auto_buf struct mkv_buf path = {0};
	int rc = mkv_make_dirs(directory, err);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&path, "%s/%s.env", directory, name);
	rc = mkv_buf_check(&path, err);
	if (rc < 0)
		return rc;
	return mkv_place_file(path.data, 0644, lines->data ? lines->data : "",
			      lines->size, err);
}

static int copy_staged(const struct mkv_agent *agent, const char *from,
		       const char *name, size_t split, struct mkv_error *err)
{
	auto_buf struct mkv_buf source = {0}, to = {0};
	const char *tail = agent->overrides_dir + split;
	mkv_buf_printf(&source, "%s/%.*s", from, (int)strcspn(tail, "/"), tail);
	mkv_buf_printf(&to, "%s:%.*s", name, (int)split, agent->overrides_dir);
	if (source.failed || to.failed)
		return mkv_oom(err);
	return mkv_agent_run(agent,
			     (const char *const[]){"docker", "cp", source.data,
						   to.data, NULL},
			     NULL, err);
}

int mkv_agent_overrides_copy(const struct mkv_agent *agent, const char *name,
			     const struct mkv_buf *lines, struct mkv_error *err)
{
	auto_buf struct mkv_buf root = {0}, directory = {0};
	size_t split = split_directory(agent->overrides_dir);
	mkv_buf_printf(&root, "%s/agent/container", agent->run_dir);
	mkv_buf_printf(&directory, "%s/agent/container/%s", agent->run_dir,
		       agent->overrides_dir + split);
	if (root.failed || directory.failed || lines->failed)
		return mkv_oom(err);
	int rc = mkv_remove_tree(AT_FDCWD, root.data, err);
	if (rc < 0)
		return rc;
	rc = stage(directory.data, name, lines, err);
	if (rc < 0)
		return rc;
	rc = copy_staged(agent, root.data, name, split, err);
	return rc < 0 ? mkv_wrap(err, rc, "overrides of %s", name) : 0;
}
