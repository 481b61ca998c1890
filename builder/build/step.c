/* SPDX-License-Identifier: MIT */
#include "builder/build/step.h"

#include <stdarg.h>
#include <string.h>

#include "builder/core/paths/paths.h"
#include "lib/io.h"

enum { INPUTS_BYTES_MAX = 16 << 20 };

/* SHA-256, in hex, of the code of all steps: build/obj/steps.o (Makefile). */
extern const char mkv_steps_code[];

int mkv_step_init(struct mkv_step *step, const char *kind, unsigned version,
		  struct mkv_error *err, const char *name, ...)
{
	*step = (struct mkv_step){0};
	va_list ap;
	va_start(ap, name);
	(void)vsnprintf(step->name, sizeof(step->name), name, ap);
	va_end(ap);
	mkv_step_input(step, "code", "%s", mkv_steps_code);
	mkv_step_input(step, "step", "%s %u", kind, version);
	return mkv_buf_check(&step->inputs, err);
}

int mkv_step_input_tool(struct mkv_step *step, struct mkv_error *err)
{
	struct mkv_sha256 tool;
	int rc = mkv_paths_tool_sha256(&tool, err);
	if (rc < 0)
		return rc;
	mkv_step_input_sha256(step, "tool", &tool);
	return 0;
}

void mkv_step_done(struct mkv_step *step)
{
	mkv_buf_done(&step->inputs);
}

void mkv_step_input(struct mkv_step *step, const char *name, const char *format,
		    ...)
{
	va_list ap;
	va_start(ap, format);
	auto_free char *value = NULL;
	if (vasprintf(&value, format, ap) < 0)
		step->inputs.failed = true;
	else
		mkv_buf_printf(&step->inputs, "%s %s\n", name, value);
	va_end(ap);
}

/* Writes '%', DEL and bytes below `lowest` as %XX. */
static void add_escaped(struct mkv_buf *into, const char *text, char lowest)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c < (unsigned char)lowest || c == 0x7f || c == '%')
			mkv_buf_printf(into, "%%%02X", c);
		else
			mkv_buf_char(into, *text);
	}
}

void mkv_step_input_text(struct mkv_step *step, const char *kind,
			 const char *name, const char *value)
{
	mkv_buf_str(&step->inputs, kind);
	mkv_buf_char(&step->inputs, ':');
	add_escaped(&step->inputs, name, '!');
	mkv_buf_char(&step->inputs, ' ');
	add_escaped(&step->inputs, value, ' ');
	mkv_buf_char(&step->inputs, '\n');
}

void mkv_step_input_sha256(struct mkv_step *step, const char *name,
			   const struct mkv_sha256 *sha256)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	mkv_step_input(step, name, "%s", hex);
}

int mkv_step_key(const struct mkv_step *step, struct mkv_sha256 *ret,
		 struct mkv_error *err)
{
	int rc = mkv_buf_check(&step->inputs, err);
	if (rc < 0)
		return rc;
	return mkv_sha256_bytes(step->inputs.data, step->inputs.size, ret, err);
}

int mkv_step_find(const struct mkv_step *step, struct mkv_store *store,
		  struct mkv_step_result *ret, struct mkv_error *err)
{
	struct mkv_sha256 key;
	int rc = mkv_step_key(step, &key, err);
	return rc < 0 ? rc : mkv_store_step_get(store, &key, ret, err);
}

/* The store keeps the inputs of the step's last run under this key. */
static int last_inputs_key(const struct mkv_step *step, struct mkv_sha256 *ret,
			   struct mkv_error *err)
{
	char text[320];
	int size =
		snprintf(text, sizeof(text), "last inputs of %s", step->name);
	return mkv_sha256_bytes(text, (size_t)size, ret, err);
}

static int keep_inputs(const struct mkv_step *step, struct mkv_store *store,
		       struct mkv_error *err)
{
	auto_store_new struct mkv_store_new object = MKV_STORE_NEW_INIT;
	int rc = mkv_store_new_open(store, &object, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(object.fd, step->inputs.data, step->inputs.size,
			   err);
	if (rc < 0)
		return rc;
	struct mkv_step_result result = {.count = 1};
	struct mkv_step_output *output = &result.outputs[0];
	rc = mkv_store_new_commit(&object, NULL, &output->sha256, err);
	if (rc < 0)
		return rc;
	(void)snprintf(output->name, sizeof(output->name), "inputs");
	output->size_bytes = step->inputs.size;
	struct mkv_sha256 key;
	rc = last_inputs_key(step, &key, err);
	return rc < 0 ? rc : mkv_store_step_put(store, &key, &result, err);
}

int mkv_step_keep(const struct mkv_step *step, struct mkv_store *store,
		  const struct mkv_step_result *result, struct mkv_error *err)
{
	struct mkv_sha256 key;
	int rc = mkv_step_key(step, &key, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_step_put(store, &key, result, err);
	return rc < 0 ? rc : keep_inputs(step, store, err);
}

/* The value of an input in the lines of a step, or NULL. */
static const char *value_of(const char *inputs, const char *name,
			    size_t name_length, size_t *ret_length)
{
	for (const char *line = inputs; *line;) {
		size_t length = strcspn(line, "\n");
		if (length > name_length && line[name_length] == ' ' &&
		    strncmp(line, name, name_length) == 0) {
			*ret_length = length - name_length - 1;
			return line + name_length + 1;
		}
		line += length + (line[length] == '\n');
	}
	return NULL;
}

static void put_change(struct mkv_buf *ret, const char *name,
		       size_t name_length, const char *before,
		       size_t before_length, const char *now, size_t now_length)
{
	enum { SHOWN = 40 };
	mkv_buf_printf(ret, "%.*s", (int)name_length, name);
	if (!before)
		mkv_buf_printf(ret, " is new");
	else if (!now)
		mkv_buf_printf(ret, " was removed");
	else
		mkv_buf_printf(
			ret, ": %.*s -> %.*s",
			(int)(before_length < SHOWN ? before_length : SHOWN),
			before, (int)(now_length < SHOWN ? now_length : SHOWN),
			now);
}

/* Counts lines that differ from the other text, and appends the first such
 * change of the whole comparison. A changed value counts only with
 * `lines_are_new`. */
static void compare_lines(struct mkv_buf *ret, const char *lines,
			  const char *others, bool lines_are_new, size_t *count)
{
	for (const char *line = lines; *line;) {
		size_t length = strcspn(line, "\n");
		size_t name = strcspn(line, " ");
		size_t other_length = 0;
		const char *value = line + name + 1;
		size_t value_length = length > name ? length - name - 1 : 0;
		const char *other = value_of(others, line, name, &other_length);
		bool same = other && other_length == value_length &&
			    memcmp(other, value, value_length) == 0;
		if (!same && (lines_are_new || !other)) {
			if ((*count)++ == 0 && lines_are_new)
				put_change(ret, line, name, other, other_length,
					   value, value_length);
			else if (*count == 1)
				put_change(ret, line, name, value, value_length,
					   NULL, 0);
		}
		line += length + (line[length] == '\n');
	}
}

int mkv_step_reason(const struct mkv_step *step, struct mkv_store *store,
		    struct mkv_buf *ret, struct mkv_error *err)
{
	struct mkv_sha256 key;
	int rc = last_inputs_key(step, &key, err);
	if (rc < 0)
		return rc;
	struct mkv_step_result last;
	struct mkv_error ignored;
	auto_fd int fd = -1;
	auto_buf struct mkv_buf before = {0};
	if (mkv_store_step_get(store, &key, &last, &ignored) < 0 ||
	    mkv_store_get(store, &last.outputs[0].sha256, &fd, &ignored) < 0 ||
	    mkv_read_fd(fd, INPUTS_BYTES_MAX, &before, &ignored) < 0 ||
	    !before.size) {
		mkv_buf_str(ret, "never ran here");
		return mkv_buf_check(ret, err);
	}
	size_t count = 0;
	compare_lines(ret, step->inputs.data, before.data, true, &count);
	compare_lines(ret, before.data, step->inputs.data, false, &count);
	if (count == 0)
		mkv_buf_str(ret, "its result is missing from the store");
	else if (count > 1)
		mkv_buf_printf(ret, " and %zu more", count - 1);
	return mkv_buf_check(ret, err);
}
