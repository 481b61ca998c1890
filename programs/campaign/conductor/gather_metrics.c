/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "lib/clock.h"
#include "programs/campaign/conductor/ask.h"
#include "programs/campaign/conductor/gather.h"
#include "programs/campaign/conductor/zst.h"

/* Prometheus makes the answer before it sends its first byte. */
enum { SILENCE_S = 150, TARGETS_MS = 15000, HEAD_MAX = 96 };

/* The beginning of an answer with samples. */
static const char prefix[] =
	"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\","
	"\"result\":[{";

struct samples {
	struct mkv_zst *zst;
	char head[HEAD_MAX]; /* the answer's first bytes */
	size_t head_size;
	char last; /* byte that is not a newline */
};

static int take_samples(void *context, const void *data, size_t size,
			struct mkv_error *err)
{
	struct samples *samples = context;
	const char *text = data;
	for (size_t i = 0; i < size && samples->head_size < HEAD_MAX; i++)
		samples->head[samples->head_size++] = text[i];
	for (size_t i = size; i > 0; i--)
		if (text[i - 1] != '\n') {
			samples->last = text[i - 1];
			break;
		}
	return mkv_zst_add(samples->zst, data, size, err);
}

static int check_samples(const struct samples *samples, struct mkv_error *err)
{
	size_t length = sizeof(prefix) - 1;
	if (samples->head_size >= length &&
	    memcmp(samples->head, prefix, length) == 0 && samples->last == '}')
		return 0;
	return mkv_fail(err, MKV_FAILED, ENODATA,
			"Prometheus has no samples of the run: %.*s",
			(int)samples->head_size, samples->head);
}

int mkv_gather_metrics(const struct mkv_self *self, int64_t begin_ns,
		       int64_t end_ns, const char *directory,
		       struct mkv_error *err)
{
	char url[512], path[4096], form[160];
	auto_zst struct mkv_zst *zst = NULL;
	int64_t window_ms = (end_ns - begin_ns) / MKV_NS_PER_MS + 1;
	int64_t end_ms = end_ns / MKV_NS_PER_MS;
	(void)snprintf(path, sizeof(path), "%s/metrics.json.zst", directory);
	(void)snprintf(url, sizeof(url), "%s/api/v1/query",
		       self->prometheus_url);
	/* query={job=~".+"}[WINDOWms]&time=END */
	(void)snprintf(form, sizeof(form),
		       "query=%%7Bjob%%3D~%%22.%%2B%%22%%7D%%5B%lldms%%5D"
		       "&time=%lld.%03lld",
		       (long long)window_ms, (long long)(end_ms / 1000),
		       (long long)(end_ms % 1000));
	int rc = mkv_zst_open(path, (uint64_t)self->spare_bytes, &zst, err);
	if (rc < 0)
		return rc;
	struct samples samples = {.zst = zst};
	const struct mkv_fetch fetch = {
		.url = url,
		.form = form,
		.silence_s = SILENCE_S,
		.take = take_samples,
		.context = &samples,
	};
	rc = mkv_fetch(&fetch, err);
	if (rc < 0)
		return rc;
	rc = check_samples(&samples, err);
	return rc < 0 ? rc : mkv_zst_commit(zst, err);
}

/* "5s", "1m30s", "500ms" as Prometheus prints durations; 0: another text. */
static int64_t parse_duration(const char *text)
{
	static const struct {
		const char *unit;
		int64_t ns;
	} units[] = {{"ms", MKV_NS_PER_MS},
		     {"s", MKV_NS_PER_S},
		     {"m", 60 * (int64_t)MKV_NS_PER_S},
		     {"h", 3600 * (int64_t)MKV_NS_PER_S}};
	int64_t sum = 0;
	while (*text) {
		char *end;
		long value = strtol(text, &end, 10);
		size_t i = 0, length = strspn(end, "mshdwy");
		while (i < 4 && (strlen(units[i].unit) != length ||
				 memcmp(units[i].unit, end, length) != 0))
			i++;
		if (end == text || value < 0 || value > 1000000 || i == 4)
			return 0;
		sum += value * units[i].ns;
		text = end + length;
	}
	return sum;
}

static int64_t longest_interval(const json_t *document)
{
	const json_t *data = json_object_get(document, "data");
	const json_t *list = json_object_get(data, "activeTargets");
	int64_t longest_ns = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_object_get(
			json_array_get(list, i), "scrapeInterval"));
		int64_t ns = text ? parse_duration(text) : 0;
		longest_ns = ns > longest_ns ? ns : longest_ns;
	}
	return longest_ns;
}

int mkv_gather_interval(const struct mkv_self *self, int64_t *ret_ns,
			struct mkv_error *err)
{
	char url[512];
	auto_json json_t *document = NULL;
	(void)snprintf(url, sizeof(url), "%s/api/v1/targets?state=active",
		       self->prometheus_url);
	int rc = mkv_ask_json(url, TARGETS_MS, &document, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "Prometheus");
	*ret_ns = longest_interval(document);
	return *ret_ns ? 0
		       : mkv_fail(err, MKV_FAILED, ENODATA,
				  "Prometheus scrapes nothing");
}
