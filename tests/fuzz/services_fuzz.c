/* SPDX-License-Identifier: MIT */
/* What comes to the services from outside: paths, traceparents, bodies of
 * orders and users, the values and the file of settings, templates of requests.
 */
#include "lib/json.h"
#include "lib/template.h"
#include "programs/lib/route.h"
#include "programs/lib/settings.h"
#include "programs/lib/trace.h"
#include "programs/study/order/body.c"
#include "programs/study/user/body.c"

#include <sys/mman.h>

static const char *const fuzz_seeds[] = {"tests/fuzz/services/*", NULL};
static const char *const fuzz_words[] = {"/users/",
					 "/amount/",
					 "00-",
					 "-01",
					 "\"productName\"",
					 "\"price\":",
					 "\"balance\":",
					 "\"amount\":",
					 "1e999",
					 "-9223372036854775808",
					 "\\u0000",
					 "0af7651916cd43dd8448eb211c80319c",
					 "GiB",
					 "us",
					 "data",
					 "{n}",
					 "{{",
					 "item=3,",
					 "SIZE=",
					 "\n",
					 NULL};

#include "tests/fuzz/driver.h"

static const struct mkv_http_route routes[] = {
	{"GET", "/users/{id}", NULL, false},
	{"POST", "/users/create", NULL, false},
	{"GET", "/payment/transfer/id/{id}/amount/{amount}", NULL, false},
	{0},
};

static void try_path(const char *text)
{
	int64_t parameters[MKV_HTTP_PARAMETERS_MAX] = {0};
	size_t index;
	if (mkv_route_find(routes, "GET", text, &index, parameters) ==
		    MKV_ROUTE_FOUND &&
	    (index == 1 || parameters[0] < 0 || parameters[1] < 0))
		abort();
}

static void try_traceparent(const char *text)
{
	struct mkv_trace_context context;
	char back[56];
	if (!mkv_traceparent_parse(text, &context))
		return;
	mkv_traceparent_print(&context, back);
	if (strncmp(back + 3, text + 3, 49) != 0)
		abort();
}

static bool is_text(const char *text)
{
	return !text || (*text && strlen(text) <= 200);
}

static void try_body(const uint8_t *data, size_t size)
{
	auto_json json_t *body = NULL;
	struct mkv_error err;
	struct mkv_order order;
	struct mkv_user_change change = {0};
	free(mkv_order_user_update((const char *)data, size));
	if (mkv_json_load((const char *)data, size, &body, &err) < 0 ||
	    !json_is_object(body))
		return;
	if (mkv_order_read(body, &order, &err) == 0 &&
	    (order.cents < 0 || order.cents > 100000000000 || !order.product ||
	     !is_text(order.product)))
		abort();
	if (mkv_user_read(body, &change, &err) == 0 &&
	    (!is_text(change.name) || !is_text(change.email) ||
	     llabs(strtoll(change.amount, NULL, 10)) > MKV_USER_BALANCE_MAX ||
	     (change.balance && change.balance != change.balance_text)))
		abort();
}

static int64_t number;
static const struct mkv_service_setting table[] = {
	{"SIZE", MKV_SETTING_SIZE, "1", 1, 1 << 30, NULL, "", &number, NULL},
	{"TIME", MKV_SETTING_DURATION, "1", 1, 1 << 30, NULL, "", &number,
	 NULL},
	{"WORD", MKV_SETTING_WORD, "none", 0, 0, "none data", "", &number,
	 NULL},
	{"NAME", MKV_SETTING_TEXT, NULL, 0, 8, NULL, "", NULL, NULL},
	{0},
};

static void try_settings(const uint8_t *data, size_t size, const char *text)
{
	static const struct mkv_service_setting *const tables[] = {table, NULL};
	static int fd = -1;
	struct mkv_error err;
	char path[64];
	if (fd < 0) {
		fd = memfd_create("settings", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (fd < 0 || setenv("MKVBENCH_SETTINGS", path, 1) < 0 ||
		    setenv("MKVBENCH_OVERRIDES_DIR", "/nonexistent", 1) < 0)
			abort();
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) < 0)
		abort();
	(void)unsetenv("MKVBENCH_SIZE");
	if (mkv_settings_load("order", &err) == 0 &&
	    mkv_settings_check_files(tables, &err) == 0)
		(void)!mkv_settings_read(table, &err);
	mkv_settings_done();
	number = 1;
	if (setenv("MKVBENCH_SIZE", text, 1) == 0 &&
	    mkv_settings_read(table, &err) == 0 && (number < 0 || number > 1))
		abort(); /* the last number that is read is the word's */
	const struct mkv_service_setting *const size_row = table;
	const struct mkv_service_setting alone[] = {*size_row, {0}};
	if (mkv_settings_read(alone, &err) == 0 &&
	    (number < 1 || number > 1 << 30))
		abort();
}

/* A text without a known field and without two braces is itself. */
static void try_template(const char *text)
{
	struct mkv_template_fields fields = {0};
	struct mkv_error err;
	auto_buf struct mkv_buf printed = {0};
	(void)!mkv_template_parse_fields(text, &fields, &err);
	if (mkv_template_check(text, &fields, &err) < 0)
		return;
	mkv_template_print(text, &fields, 12, &printed);
	if (!strstr(text, "{{") && !strchr(text, '}') && *text &&
	    strcmp(printed.data, text) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	if (!text)
		return 0;
	try_path(text);
	try_traceparent(text);
	try_body(data, size);
	try_settings(data, size, text);
	try_template(text);
	free(text);
	return 0;
}
