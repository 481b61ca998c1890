/* SPDX-License-Identifier: MIT */
/* What a hostile bundle holds: a journal, compressed traces and samples. Traces
 * and samples also come uncompressed, since a fuzzer rarely makes a valid
 * frame. */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "builder/evidence/bundle/journal.h"
#include "builder/evidence/bundle/samples.h"
#include "builder/evidence/bundle/traces.h"
#include "builder/format/archive/zstd.h"
#include "lib/io.h"
#include "lib/otlp.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/bundle/*",
					 "tests/fuzz/otlp/*", NULL};
static const char *const fuzz_words[] = {"{\"status\":\"success\",\"data\":{",
					 "\"resultType\":\"matrix\",",
					 "\"result\":[{\"metric\":{",
					 "\"__name__\":\"up\"",
					 "},\"values\":[[1700000000.1,\"1\"]",
					 "\\ud83d\\ude00",
					 "\\u0000",
					 "\"previous\":\"",
					 "\"event\":\"attempt\"",
					 "\n",
					 "\x28\xb5\x2f\xfd",
					 NULL};

#include "tests/fuzz/driver.h"

static int file_of(const void *data, size_t size)
{
	struct mkv_error err;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || (size && mkv_write_all(fd, data, size, &err) < 0) ||
	    lseek(fd, 0, SEEK_SET) < 0)
		abort();
	return fd;
}

static int see_line(const json_t *line, void *context, struct mkv_error *err)
{
	(void)err;
	if (!json_is_object(line))
		abort();
	++*(uint64_t *)context;
	return 0;
}

static void read_journal(const uint8_t *data, size_t size)
{
	struct mkv_journal_end end = {0};
	struct mkv_error err;
	uint64_t lines = 0;
	auto_fd int fd = file_of(data, size);
	if (mkv_journal_read(fd, see_line, &lines, &end, &err) == 0 &&
	    (lines != end.lines || end.bytes + end.torn_bytes != size))
		abort();
}

static int see_request(const void *request, size_t size, void *context,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	uint64_t spans;
	*(size_t *)context += size;
	if (mkv_otlp_check_protobuf(request, size, &spans, err) == 0 &&
	    mkv_otlp_print_json(request, size, NULL, &text, err) == -ENOMEM)
		abort();
	return 0;
}

static int see_series(const struct mkv_samples_label *labels, size_t count,
		      void *context, struct mkv_error *err)
{
	(void)err;
	for (size_t i = 0; i < count; i++)
		*(size_t *)context +=
			strlen(labels[i].name) + strlen(labels[i].value);
	return 0;
}

static int see_sample(const char *time_s, const char *value, void *context,
		      struct mkv_error *err)
{
	(void)err;
	*(size_t *)context += strlen(time_s) + strlen(value);
	return 0;
}

/* What is found is never more than what was there. */
static void read_compressed(const void *data, size_t size, size_t limit)
{
	static const struct mkv_samples_visitor visitor = {see_series,
							   see_sample};
	struct mkv_error err;
	size_t seen = 0;
	auto_fd int fd = file_of(data, size);
	(void)!mkv_traces_read(fd, see_request, &seen, &err);
	if (seen > limit || lseek(fd, 0, SEEK_SET) < 0)
		abort();
	seen = 0;
	(void)!mkv_samples_read(fd, &visitor, &seen, &err);
	if (seen > limit)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	auto_buf struct mkv_buf packed = {0};
	read_journal(data, size);
	read_compressed(data, size, SIZE_MAX);
	if (mkv_zstd_encode(size ? (const void *)data : "", size, 1, &packed,
			    &err) < 0)
		abort();
	read_compressed(packed.data, packed.size, size);
	return 0;
}
