/* SPDX-License-Identifier: MIT */
#pragma once
/* For tests of captured hardware: makes the contract of a recipe with the
 * output of --capture, and runs the verifier's checks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <cmocka.h>

#include "builder/evidence/contract/contract.h"
#include "lib/io.h"
#include "tests/unit/attest_fixture.h"
#include "verify/capture.h"
#include "verify/check/check.h"

static char directory[] = "/tmp/mkvbench-capture-XXXXXX";

static const char recipe_text[] =
	"mkvbench: 1\nname: t\nscenario: bare-metal\nhardware: %s\n"
	"vlan: {id: 100, subnet: 10.77.0.0/24}\ntime: {server: me}\n"
	"hosts: {me: {image: dut, address: 10.77.0.1, mac: "
	"52:54:00:77:00:01}}\n"
	"images: {dut: {packages: [chrony]}}\n";

static void write_to(const char *name, const char *data, size_t size)
{
	char path[4096];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	path[strlen(path)] = '/';
	/* Not mkv_write_file(), whose fsync is slow for thousands of files. */
	auto_fd int fd =
		open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(mkv_write_all(fd, data, size, &err), 0);
}

/* The contract of a recipe for the captured machine. */
static struct mkv_contract *make_contract(const struct mkv_buf *captured,
					  const char *recording)
{
	struct mkv_error err = {0};
	struct mkv_diagnostics diagnostics = {0};
	auto_recipe struct mkv_recipe *recipe = NULL;
	auto_buf struct mkv_buf text = {0}, contract = {0};
	char name[256], path[4096];
	const char *line = strstr(captured->data, "\nname: ");
	assert_non_null(line);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 7, "\n"),
		       line + 7);
	(void)snprintf(path, sizeof(path), "hardware/%s.yaml", name);
	write_to(path, captured->data, captured->size);
	mkv_buf_printf(&text, recipe_text, name);
	write_to("t.yaml", text.data, text.size);
	(void)snprintf(path, sizeof(path), "%s/t.yaml", directory);
	if (mkv_recipe_load(path, &recipe, &diagnostics, &err) < 0)
		fail_msg("%s: %s: %s\n%s", recording, err.message,
			 diagnostics.count ? diagnostics.items[0].message : "",
			 captured->data);
	const struct mkv_sha256 lock = {{1}};
	const struct mkv_built_image image = {.files_count = 1};
	const uint8_t ids[1][16] = {{0}};
	const struct mkv_contract_inputs inputs = {
		.recipe = recipe,
		.lock = &fixture_lock,
		.lock_sha256 = &lock,
		.key_id = "c1000000000000000000000000000000000000000000000000"
			  "00000000000000",
		.domain_ids = ids,
		.images = &image,
	};
	struct mkv_contract *ret = NULL;
	if (mkv_contract_write(&inputs, &contract, &err) < 0 ||
	    mkv_contract_parse(contract.data, contract.size, &ret, &err) < 0)
		fail_msg("%s: %s\n%s", recording, err.message, captured->data);
	return ret;
}

static void expect_result(const struct mkv_env *env, const char *name,
			  enum mkv_result worst, const char *recording)
{
	auto_answer struct mkv_answer answer = {0};
	mkv_check_find(name)->run(env, &answer);
	if (mkv_answer_result(&answer) <= worst)
		return;
	for (size_t i = 0; i < answer.count; i++)
		print_message("%s: %s / %s\n", answer.items[i].what,
			      answer.items[i].expected,
			      answer.items[i].observed);
	fail_msg("%s: %s: %s", recording, name,
		 mkv_result_name(mkv_answer_result(&answer)));
}
