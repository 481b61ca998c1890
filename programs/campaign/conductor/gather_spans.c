/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "programs/campaign/conductor/ask.h"
#include "programs/campaign/conductor/gather.h"
#include "programs/campaign/conductor/spans.h"
#include "programs/campaign/conductor/zst.h"

enum {
	POSITION_MS = 15000,
	SILENCE_S = 60,
	SPANS_MAX = 64 << 20,
	ROTATIONS_MAX = 5, /* while the files are read */
};

static void read_position(struct mkv_json_reader *reader,
			  const json_t *document, const char *key,
			  int64_t *ret_file, int64_t *ret_bytes)
{
	const json_t *position =
		mkv_json_member(reader, document, key, JSON_OBJECT, true);
	size_t at = mkv_json_enter(reader, key);
	*ret_file = mkv_json_integer(reader, position, "file", 0, UINT32_MAX,
				     true, 0);
	*ret_bytes = mkv_json_integer(reader, position, "bytes", 0, INT64_MAX,
				      true, 0);
	mkv_json_leave(reader, at);
}

int mkv_gather_mark(const struct mkv_self *self, struct mkv_gather_mark *ret,
		    struct mkv_error *err)
{
	char url[512];
	struct mkv_json_reader reader;
	auto_json json_t *document = NULL;
	(void)snprintf(url, sizeof(url), "%s/v1/position", self->collector_url);
	int rc = mkv_ask_json(url, POSITION_MS, &document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "collector");
	mkv_json_reader_init(&reader, err);
	read_position(&reader, document, "pb", &ret->pb.file, &ret->pb.bytes);
	read_position(&reader, document, "jsonl", &ret->jsonl.file,
		      &ret->jsonl.bytes);
	return reader.rc < 0 ? mkv_wrap(err, reader.rc, "collector") : 0;
}

/* One of the collector's two kinds of files, between two positions. */
struct source {
	const struct mkv_self *self;
	const char *suffix;
	int64_t first_file, first_bytes, last_file, last_bytes;
	struct mkv_zst *zst;
	struct mkv_spans *spans; /* NULL: not counted */
};

static int take_bytes(void *context, const void *data, size_t size,
		      struct mkv_error *err)
{
	struct source *source = context;
	int rc = mkv_zst_add(source->zst, data, size, err);
	if (rc < 0 || !source->spans)
		return rc;
	return mkv_spans_add(source->spans, data, size, err);
}

/* Bytes of one file from `from` up to `to` (-1: its end). */
static int fetch_file(struct source *source, int64_t number, int64_t from,
		      int64_t to, struct mkv_error *err)
{
	char url[512], range[64];
	if (number)
		(void)snprintf(url, sizeof(url), "%s/traces.%s/%lld",
			       source->self->collector_url, source->suffix,
			       (long long)number);
	else
		(void)snprintf(url, sizeof(url), "%s/traces.%s",
			       source->self->collector_url, source->suffix);
	if (to < 0)
		(void)snprintf(range, sizeof(range), "%lld-", (long long)from);
	else
		(void)snprintf(range, sizeof(range), "%lld-%lld",
			       (long long)from, (long long)to - 1);
	const struct mkv_fetch fetch = {
		.url = url,
		.range = from || to >= 0 ? range : NULL,
		.silence_s = SILENCE_S,
		.take = take_bytes,
		.context = source,
	};
	return mkv_fetch(&fetch, err);
}

/* The rotated files, then the current one. A rotated file that ends at the
 * mark has nothing of the run: 416. */
static int fetch_all(struct source *source, struct mkv_error *err)
{
	int64_t from = source->first_bytes;
	for (int64_t n = source->first_file; n < source->last_file; n++) {
		int rc = fetch_file(source, n, from, -1, err);
		bool is_empty =
			rc == -EREMOTEIO && strstr(err->message, "status 416");
		if (rc < 0 && !is_empty)
			return rc;
		from = 0;
	}
	return source->last_bytes > from
		       ? fetch_file(source, 0, from, source->last_bytes, err)
		       : 0;
}

static int write_source(struct source *source, const char *path,
			struct mkv_error *err)
{
	auto_zst struct mkv_zst *zst = NULL;
	int rc = mkv_zst_open(path, (uint64_t)source->self->spare_bytes, &zst,
			      err);
	if (rc < 0)
		return rc;
	source->zst = zst;
	rc = fetch_all(source, err);
	if (rc < 0)
		return rc;
	rc = source->spans ? mkv_spans_finish(source->spans, err) : 0;
	return rc < 0 ? rc : mkv_zst_commit(zst, err);
}

static int write_spans(const struct mkv_self *self,
		       const struct mkv_gather_mark *from,
		       const struct mkv_gather_mark *to, const char *directory,
		       uint64_t *ret_spans, struct mkv_error *err)
{
	char path[4096];
	auto_spans struct mkv_spans spans;
	mkv_spans_init(&spans, SPANS_MAX);
	struct source pb = {self,	    "pb",	 from->pb.file,
			    from->pb.bytes, to->pb.file, to->pb.bytes,
			    NULL,	    &spans};
	struct source jsonl = {self,
			       "jsonl",
			       from->jsonl.file,
			       from->jsonl.bytes,
			       to->jsonl.file,
			       to->jsonl.bytes,
			       NULL,
			       NULL};
	(void)snprintf(path, sizeof(path), "%s/traces.pb.zst", directory);
	int rc = write_source(&pb, path, err);
	if (rc < 0)
		return rc;
	*ret_spans = spans.count;
	if (jsonl.first_file == jsonl.last_file &&
	    jsonl.first_bytes == jsonl.last_bytes)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/traces.jsonl.zst", directory);
	return write_source(&jsonl, path, err);
}

/* A rotation while the files are read moves the current one: read again. */
int mkv_gather_spans(const struct mkv_self *self,
		     const struct mkv_gather_mark *mark, const char *directory,
		     uint64_t *ret_spans, struct mkv_error *err)
{
	struct mkv_gather_mark to, after;
	int rc = mkv_gather_mark(self, &to, err);
	for (int i = 0; rc == 0 && i < ROTATIONS_MAX; i++) {
		rc = write_spans(self, mark, &to, directory, ret_spans, err);
		if (rc == -ENOSPC)
			return rc;
		int again = mkv_gather_mark(self, &after, err);
		if (again < 0)
			return again;
		if (after.pb.file == to.pb.file &&
		    after.jsonl.file == to.jsonl.file)
			return rc;
		to = after;
		rc = 0;
	}
	return rc < 0 ? rc
		      : mkv_fail(err, MKV_FAILED, EAGAIN,
				 "the collector's files are rotated faster "
				 "than they can be read");
}
