/* SPDX-License-Identifier: MIT */
/* Bodies of requests to the collector (protobuf, JSON, gzip), and the records
 * of its files after a crash. */
#include <stddef.h>
#include <stdint.h>

#include "lib/json.h"
#include "lib/otlp.h"
#include "programs/campaign/collector/check_json.c"
#include "programs/campaign/collector/record.c"
#include "programs/campaign/collector/unzip.c"
#include "programs/lib/trace_queue.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/otlp/*", NULL};
static const char *const fuzz_words[] = {"\"resourceSpans\":[",
					 "\"scopeSpans\":[",
					 "\"spans\":[{",
					 "\"traceId\":\"",
					 "\"arrayValue\":{",
					 "\"kvlistValue\":{",
					 "\x0a\x0f",
					 "\x12\x10",
					 "\x2a\x02\x0a\x00",
					 "\xff\xff\xff\xff\x0f",
					 "\x1f\x8b\x08",
					 NULL};

#include "tests/fuzz/driver.h"

/* An accepted body is also accepted as a record of a file. */
static void check_record(const uint8_t *data, size_t size)
{
	auto_buf struct mkv_buf record = {0};
	mkv_record_put(&record, data, size);
	if (record.failed ||
	    mkv_record_delimited(record.data, record.size) != record.size)
		abort();
	if (record.size > 1 &&
	    mkv_record_delimited(record.data, record.size - 1) != 0)
		abort();
}

/* In JSON the request has the same spans. */
static void check_as_json(const uint8_t *data, size_t size, uint64_t spans)
{
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	json_t *document = NULL;
	uint64_t again = 0;
	if (mkv_otlp_print_json(
		    data, size,
		    "{\"key\":\"k\",\"value\":{\"intValue\":\"1\"}}", &text,
		    &err) < 0)
		return;
	/* jansson refuses NUL in texts. */
	if (mkv_json_load(text.data, text.size, &document, &err) < 0) {
		if (!strstr(text.data, "\\u0000") &&
		    !strstr(err.message, "nested"))
			abort();
		return;
	}
	if (mkv_otlp_check_json(document, &again, &err) < 0 || again != spans)
		abort();
	json_decref(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	uint64_t spans = 0;
	auto_buf struct mkv_buf text = {0};
	json_t *document = NULL;
	if (size == 0)
		return 0;
	if (mkv_otlp_check_protobuf(data, size, &spans, &err) == 0) {
		/* A span has two ids: at least 28 bytes with their tags. */
		if (spans > size / 28)
			abort();
		check_record(data, size);
		check_as_json(data, size, spans);
	}
	(void)mkv_otlp_rejected(data, size);
	(void)mkv_record_delimited((const char *)data, size);
	(void)mkv_record_line((const char *)data, size);
	if (mkv_unzip(data, size, 1 << 20, &text, &err) == 0 &&
	    text.size > 1 << 20)
		abort();
	if (mkv_json_load((const char *)data, size, &document, &err) == 0 &&
	    mkv_otlp_check_json(document, &spans, &err) == 0 &&
	    spans > size / 48)
		abort();
	json_decref(document);
	return 0;
}
