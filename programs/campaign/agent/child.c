/* SPDX-License-Identifier: MIT */
#include "programs/campaign/agent/child.h"

#include "lib/process.h"

enum { OUTPUT_MAX = 1 << 20 };

int mkv_agent_run(const struct mkv_agent *agent, const char *const *words,
		  struct mkv_buf *output, struct mkv_error *err)
{
	const struct mkv_process process = {
		.argv = words,
		.output = output,
		.output_limit_bytes = OUTPUT_MAX,
		.timeout_s = (unsigned)agent->child_s,
	};
	int rc = mkv_process_run(&process, NULL, err);
	if (rc < 0 || !output)
		return rc;
	while (output->size && output->data[output->size - 1] == '\n')
		output->data[--output->size] = '\0';
	return 0;
}

int mkv_agent_unit_property(const struct mkv_agent *agent, const char *unit,
			    const char *property, struct mkv_buf *ret,
			    struct mkv_error *err)
{
	auto_buf struct mkv_buf option = {0};
	mkv_buf_printf(&option, "--property=%s", property);
	int rc = mkv_buf_check(&option, err);
	if (rc < 0)
		return rc;
	return mkv_agent_run(agent,
			     (const char *const[]){"systemctl", "show",
						   option.data, "--value", "--",
						   unit, NULL},
			     ret, err);
}
