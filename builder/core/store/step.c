/* SPDX-License-Identifier: MIT */
/* Results of steps: "steps/KEY" holds a line "NAME SHA256 SIZE" per output. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/core/store/store_internal.h"
#include "lib/buf.h"
#include "lib/io.h"

/* Parses one line, "NAME SHA256 SIZE". */
static int parse_output(const char *line, size_t length,
			struct mkv_step_output *output)
{
	char hex[MKV_SHA256_HEX_SIZE];
	const char *space = memchr(line, ' ', length);
	size_t name = space ? (size_t)(space - line) : 0;
	if (name == 0 || name >= sizeof(output->name) ||
	    length < name + 1 + 64 + 2 || line[name + 65] != ' ')
		return -EINVAL;
	memcpy(output->name, line, name);
	output->name[name] = '\0';
	memcpy(hex, line + name + 1, 64);
	hex[64] = '\0';
	if (mkv_sha256_parse(hex, &output->sha256) < 0)
		return -EINVAL;
	output->size_bytes = 0;
	for (const char *at = line + name + 66; at < line + length; at++) {
		if (*at < '0' || *at > '9' ||
		    __builtin_mul_overflow(output->size_bytes, 10,
					   &output->size_bytes) ||
		    __builtin_add_overflow(output->size_bytes,
					   (uint64_t)(*at - '0'),
					   &output->size_bytes))
			return -EINVAL;
	}
	return 0;
}

static int parse_step(const struct mkv_buf *text, struct mkv_step_result *ret)
{
	const char *at = text->data;
	const char *end = at + text->size;
	*ret = (struct mkv_step_result){0};
	while (at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		if (!stop || ret->count == MKV_STEP_OUTPUTS_MAX)
			return -EINVAL;
		if (parse_output(at, (size_t)(stop - at),
				 &ret->outputs[ret->count]) < 0)
			return -EINVAL;
		ret->count++;
		at = stop + 1;
	}
	return ret->count ? 0 : -EINVAL;
}

static bool has_size(const struct mkv_store *store,
		     const struct mkv_step_output *output)
{
	auto_store_entry struct mkv_store_entry entry = MKV_STORE_ENTRY_INIT;
	struct mkv_error ignored;
	struct stat st;
	return mkv_store_entry_open(store, MKV_STORE_OBJECTS, &output->sha256,
				    false, &entry, &ignored) == 0 &&
	       fstatat(entry.directory, entry.name, &st, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       S_ISREG(st.st_mode) &&
	       (uint64_t)st.st_size == output->size_bytes;
}

static int read_step(const struct mkv_store *store,
		     const struct mkv_sha256 *key, struct mkv_step_result *ret,
		     struct mkv_error *err)
{
	enum { LIMIT_BYTES = 64 * 1024 };
	auto_store_entry struct mkv_store_entry entry = MKV_STORE_ENTRY_INIT;
	auto_buf struct mkv_buf text = {0};
	auto_fd int fd = -1;
	struct stat st;
	int rc = mkv_store_entry_open(store, MKV_STORE_STEPS, key, false,
				      &entry, err);
	if (rc < 0)
		return rc;
	rc = mkv_store_entry_read(store, &entry, &fd, &st, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_fd(fd, LIMIT_BYTES, &text, err);
	if (rc < 0 && rc != -EFBIG)
		return mkv_wrap(err, rc, "'%s/%s'", store->path, entry.path);
	if (rc < 0 || parse_step(&text, ret) < 0)
		return mkv_store_entry_remove(store, &entry, &st, "is damaged",
					      err);
	return 0;
}

int mkv_store_step_get(struct mkv_store *store, const struct mkv_sha256 *key,
		       struct mkv_step_result *ret, struct mkv_error *err)
{
	struct mkv_step_result result;
	int rc = read_step(store, key, &result, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < result.count; i++)
		if (!has_size(store, &result.outputs[i]))
			return mkv_fail(
				err, MKV_FAILED, ENOENT,
				"output '%s' of a step is missing from the "
				"store",
				result.outputs[i].name);
	*ret = result;
	return 0;
}

int mkv_store_step_put(struct mkv_store *store, const struct mkv_sha256 *key,
		       const struct mkv_step_result *result,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < result->count; i++) {
		const struct mkv_step_output *output = &result->outputs[i];
		if (!output->name[0] || strpbrk(output->name, " \n"))
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"invalid name of a step's output: '%s'",
					output->name);
		char hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&output->sha256, hex);
		mkv_buf_printf(&text, "%s %s %llu\n", output->name, hex,
			       (unsigned long long)output->size_bytes);
	}
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	auto_store_new struct mkv_store_new file = MKV_STORE_NEW_INIT;
	rc = mkv_store_new_open(store, &file, err);
	if (rc < 0)
		return rc;
	rc = mkv_write_all(file.fd, text.data, text.size, err);
	if (rc < 0)
		return rc;
	return mkv_store_new_place(&file, MKV_STORE_STEPS, key, NULL, err);
}
