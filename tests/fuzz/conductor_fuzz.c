/* SPDX-License-Identifier: MIT */
/* What comes to the conductor: orders and commands, of which only what the key
 * has signed may pass; the collector's spans, services' counters, the load
 * generator's files, names of agents' files, ranges of results. */
#include <sys/mman.h>

#include "programs/campaign/conductor/ask.c"
#include "programs/campaign/conductor/counts.c"
#include "programs/campaign/conductor/gather_files.c"
#include "programs/campaign/conductor/order.c"
#include "programs/campaign/conductor/reason.c"
#include "programs/campaign/conductor/self.c"
#include "programs/campaign/conductor/spans.c"
#include "programs/campaign/conductor/validity.c"
#include "programs/lib/http_range.h"

static const char *const fuzz_seeds[] = {
	"tests/fuzz/conductor/*.json", "tests/fuzz/conductor/*.pb",
	"tests/fuzz/conductor/*.txt", "tests/fuzz/conductor/*.csv", NULL};
static const char *const fuzz_words[] = {"\"plan\":",
					 "\"commands\":[",
					 "\"payload\":\"",
					 "\"sig\":\"",
					 "null",
					 "[]",
					 "{}",
					 "mkvbench_spans_total{state=\"",
					 "dropped\"} ",
					 "999999999999999999",
					 "status,",
					 ",200,",
					 "bytes=",
					 "-0",
					 "../",
					 "before/",
					 "\x0a\x12",
					 "\xff\xff\xff\xff\x0f",
					 NULL};

#include "tests/fuzz/driver.h"

static struct mkv_self self = {
	.contract_dir = "tests/fuzz/conductor",
	.host = "collector",
	.boot_id = "00000000-0000-4000-8000-000000000000",
};

static void claim(bool holds)
{
	if (!holds)
		abort();
}

static void load(void)
{
	struct mkv_error err;
	auto_buf struct mkv_buf text = {0};
	claim(mkv_read_file(AT_FDCWD, "tests/fuzz/conductor/contract",
			    MKV_CONTRACT_LIMIT_BYTES, &text, &err) == 0);
	claim(mkv_sha256_bytes(text.data, text.size, &self.contract_sha256,
			       &err) == 0);
	mkv_sha256_hex(&self.contract_sha256, self.contract_hex);
	claim(mkv_contract_parse(text.data, text.size, &self.contract, &err) ==
	      0);
	claim(mkv_public_key_load(AT_FDCWD, "tests/fuzz/conductor/key.pub",
				  &self.key, &err) == 0);
	json_t *seed = NULL;
	claim(mkv_json_load_file(AT_FDCWD, "tests/fuzz/conductor/order.json",
				 1 << 20, &seed, &err) == 0);
	/* The control: the seed itself passes. */
	auto_order struct mkv_run_order *order = NULL;
	claim(mkv_order_read(seed, &self, &order, &err) == 0);
	claim(mkv_order_estimate(order) > 0);
	json_decref(seed);
}

/* What passes says what was signed. */
static void try_order(json_t *document)
{
	struct mkv_error err;
	auto_order struct mkv_run_order *order = NULL;
	auto_command struct mkv_command *command = NULL;
	auto_buf struct mkv_buf bundle = {0};
	if (mkv_order_read(document, &self, &order, &err) == 0) {
		claim(strcmp(order->run->id, "01-1-solo") == 0);
		claim(order->attempt == 1);
		claim(order->commands[MKV_STEP_ABORT]->sequence == 4);
	}
	if (mkv_order_read_command(document, &self, true, &bundle, &command,
				   &err) == 0) {
		claim(strcmp(command->run, "01-1-solo") == 0);
		claim(command->sequence >= 1 && command->sequence <= 5);
	}
}

static void try_json(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	auto_json json_t *document = NULL;
	struct mkv_run_facts facts = {0};
	if (mkv_json_load((const char *)data, size, &document, &err) < 0)
		return;
	try_order(document);
	if (mkv_facts_read_summary(document, &facts, &err) == 0)
		claim(facts.blocked >= 0 && facts.late_p99_ns >= 0 &&
		      facts.rate_asked >= 0 && facts.rate_achieved >= 0);
}

/* However a stream is cut, the same spans are in it. */
static void try_spans(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	auto_spans struct mkv_spans whole, cut;
	mkv_spans_init(&whole, 1 << 16);
	mkv_spans_init(&cut, 1 << 16);
	int rc = mkv_spans_add(&whole, data, size, &err);
	int first = mkv_spans_add(&cut, data, size / 2, &err);
	if (first == 0)
		first = mkv_spans_add(&cut, data + size / 2, size - size / 2,
				      &err);
	claim(rc == first);
	if (rc == 0)
		claim(whole.count == cut.count && whole.count <= size / 28);
}

static void try_rows(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mkv_run_facts facts = {0};
	auto_fd int fd = memfd_create("rows", MFD_CLOEXEC);
	claim(fd >= 0 && mkv_write_all(fd, data, size, &err) == 0);
	claim(lseek(fd, 0, SEEK_SET) == 0);
	if (mkv_facts_read_rows(fd, 200, &facts, &err) == 0)
		claim(facts.answered <= facts.rows && facts.rows <= size);
}

static void try_text(const char *text)
{
	struct mkv_error err;
	struct mkv_http_range range;
	int64_t value;
	if (mkv_http_range_read(text, 1000, &range) == MKV_HTTP_RANGE_PART)
		claim(range.size > 0 && range.first + range.size <= 1000);
	auto_free char *place = mkv_gather_place("order", text, &err);
	claim(!place || (!strstr(place, "/.") && *place != '.' &&
			 *place != '/' && !strstr(place, "//")));
	if (mkv_decimal_parse(text, &value) == 0)
		claim(value >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_span_counts counts;
	if (!self.contract)
		load();
	char *text = strndup((const char *)data, size);
	claim(text);
	text[strcspn(text, "\n")] = '\0';
	try_json(data, size);
	try_spans(data, size);
	try_rows(data, size);
	try_text(text);
	if (mkv_span_counts_read((const char *)data, size, &counts))
		claim(size > 100);
	free(text);
	return 0;
}
