/* SPDX-License-Identifier: MIT */
#include "programs/boot/containers/docker.h"

#include <stdarg.h>
#include <string.h>

#include "lib/process.h"

enum { TIMEOUT_S = 900 };

void mkv_docker_args_done(struct mkv_docker_args *args)
{
	for (size_t i = 0; i < args->count; i++)
		free(args->items[i]);
	free(args->items);
	*args = (struct mkv_docker_args){0};
}

void mkv_docker_arg(struct mkv_docker_args *args, const char *format, ...)
{
	char **grown =
		reallocarray(args->items, args->count + 2, sizeof(*grown));
	char *text = NULL;
	va_list ap;
	va_start(ap, format);
	if (grown)
		args->items = grown;
	if (!grown || vasprintf(&text, format, ap) < 0) {
		args->failed = true;
	} else {
		args->items[args->count++] = text;
		args->items[args->count] = NULL;
	}
	va_end(ap);
}

int mkv_docker_run(const struct mkv_docker_args *args, struct mkv_buf *output,
		   struct mkv_error *err)
{
	if (args->failed)
		return mkv_oom(err);
	const struct mkv_process process = {
		.argv = (const char *const *)args->items,
		.output = output,
		.timeout_s = TIMEOUT_S,
	};
	int rc = mkv_process_run(&process, NULL, err);
	while (rc == 0 && output && output->size &&
	       output->data[output->size - 1] == '\n')
		output->data[--output->size] = '\0';
	return rc;
}

int mkv_docker_inspect(const char *kind, const char *name, const char *format,
		       bool *ret_there, struct mkv_buf *output,
		       struct mkv_error *err)
{
	auto_docker_args struct mkv_docker_args args = MKV_DOCKER_ARGS_INIT;
	const char *const words[] = {"docker",	 kind,	 "inspect",
				     "--format", format, name};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		mkv_docker_arg(&args, "%s", words[i]);
	int rc = mkv_docker_run(&args, output, err);
	*ret_there = rc == 0;
	/* "No such network: x", "Error response from daemon: get x: no such
	 * volume": the one way docker(1) tells absence from failure. */
	if (rc < 0 && (strcasestr(err->message, "no such ") ||
		       strcasestr(err->message, "not found")))
		return 0;
	return rc;
}
