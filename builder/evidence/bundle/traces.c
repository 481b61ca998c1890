/* SPDX-License-Identifier: MIT */
#include "builder/evidence/bundle/traces.h"

#include <string.h>

#include "builder/format/archive/unzstd.h"

enum { PREFIX_MAX = 5 };

struct visiting {
	mkv_traces_visit *visit;
	void *context;
};

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
static int visit_complete(struct mkv_buf *rest, void *context,
			  struct mkv_error *err)
{
	const struct visiting *visiting = context;
	size_t at = 0;
	for (;;) {
		uint64_t length = 0;
		int prefix = read_prefix(rest->data + at, rest->size - at,
					 &length, err);
		if (prefix < 0)
			return prefix;
		if (prefix == 0 || length > rest->size - at - (size_t)prefix)
			break;
		int rc =
			visiting->visit(rest->data + at + prefix,
					(size_t)length, visiting->context, err);
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
	struct visiting visiting = {visit, context};
	auto_buf struct mkv_buf rest = {0};
	int rc = mkv_unzstd_each(fd, MKV_TRACES_LIMIT_BYTES, visit_complete,
				 &visiting, &rest, err);
	if (rc >= 0 && rest.size)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"the last request is incomplete");
	return rc;
}
