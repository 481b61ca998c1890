/* SPDX-License-Identifier: MIT */
#include "builder/evidence/bundle/traces.h"

#include <string.h>

#include "builder/format/archive/unzstd.h"

enum { CHUNK = 64 * 1024, PREFIX_MAX = 5 };

/* The size of the prefix; 0: it is incomplete; negative: too large. */
static int read_prefix(const char *data, size_t size, uint64_t *ret,
		       struct mkv_error *err)
{
	uint64_t length = 0;
	for (size_t i = 0; i < size && i < PREFIX_MAX; i++) {
		length |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (data[i] & 0x80)
			continue;
		if (length == 0 || length > MKV_TRACES_REQUEST_MAX)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"a request of %ju bytes",
					(uintmax_t)length);
		*ret = length;
		return (int)i + 1;
	}
	return size < PREFIX_MAX
		       ? 0
		       : mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				  "the length of a request isn't valid");
}

/* Visits all complete requests and removes them from the buffer. */
static int visit_complete(struct mkv_buf *rest, mkv_traces_visit *visit,
			  void *context, struct mkv_error *err)
{
	size_t at = 0;
	for (;;) {
		uint64_t length = 0;
		int prefix = read_prefix(rest->data + at, rest->size - at,
					 &length, err);
		if (prefix < 0)
			return prefix;
		if (prefix == 0 || length > rest->size - at - (size_t)prefix)
			break;
		int rc = visit(rest->data + at + prefix, (size_t)length,
			       context, err);
		if (rc < 0)
			return rc;
		at += (size_t)prefix + (size_t)length;
	}
	if (at)
		memmove(rest->data, rest->data + at, rest->size - at);
	rest->size -= at;
	return 0;
}

int mkv_traces_read(int fd, mkv_traces_visit *visit, void *context,
		    struct mkv_error *err)
{
	auto_unzstd struct mkv_unzstd *stream = NULL;
	auto_buf struct mkv_buf rest = {0};
	auto_free char *chunk = malloc(CHUNK);
	size_t got = 1;
	if (!chunk)
		return mkv_oom(err);
	int rc = mkv_unzstd_new(fd, MKV_TRACES_LIMIT_BYTES, &stream, err);
	while (rc >= 0 && got > 0) {
		rc = mkv_unzstd_read(stream, chunk, CHUNK, &got, err);
		if (rc < 0 || got == 0)
			break;
		mkv_buf_add(&rest, chunk, got);
		rc = mkv_buf_check(&rest, err);
		if (rc >= 0)
			rc = visit_complete(&rest, visit, context, err);
	}
	if (rc >= 0 && rest.size)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the last request is incomplete");
	return rc;
}
