/* SPDX-License-Identifier: MIT */
#include "programs/boot/containers/docker.h"

#include <string.h>

#include "lib/process.h"

enum { TIMEOUT_S = 900 };

void mkv_docker_add_words(struct mkv_argv *argv, const char *const *words)
{
	for (; *words; words++)
		mkv_argv_add(argv, "%s", *words);
}

int mkv_docker_run(const struct mkv_argv *argv, struct mkv_buf *output,
		   struct mkv_error *err)
{
	if (argv->failed)
		return mkv_oom(err);
	const struct mkv_process process = {
		.argv = (const char *const *)argv->items,
		.output = output,
		.timeout_s = TIMEOUT_S,
	};
	int rc = mkv_process_run(&process, NULL, err);
	if (rc < 0 || !output)
		return rc;
	while (output->size && output->data[output->size - 1] == '\n')
		output->data[--output->size] = '\0';
	return 0;
}

int mkv_docker_list(const char *const *command, struct mkv_buf *ret,
		    struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	mkv_docker_add_words(&argv, command);
	return mkv_docker_run(&argv, ret, err);
}

bool mkv_docker_is_listed(const struct mkv_buf *list, const char *name)
{
	size_t length = strlen(name);
	const char *at = list->data;
	while ((at = at ? strstr(at, name) : NULL)) {
		bool begins = at == list->data || at[-1] == '\n';
		if (begins && (at[length] == '\n' || !at[length]))
			return true;
		at += length;
	}
	return false;
}

int mkv_docker_inspect(const char *kind, const char *name, const char *format,
		       struct mkv_buf *output, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	const char *const words[] = {"docker", kind, "inspect", "--format",
				     format,   name, NULL};
	mkv_docker_add_words(&argv, words);
	return mkv_docker_run(&argv, output, err);
}
