/* SPDX-License-Identifier: MIT */
/* What comes to the services from the network: paths, traceparents, protobuf. */
#include "services/lib/route.h"
#include "services/lib/trace.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/services/*", NULL};
static const char *const fuzz_words[] = {"/users/", "/amount/", "00-", "-01",
					 "0af7651916cd43dd8448eb211c80319c",
					 "\x0a\xff\xff\xff\xff\x0f", "\x12\x00",
					 NULL};

#include "tests/fuzz/driver.h"

static const struct mkv_http_route routes[] = {
	{"GET", "/users/{id}", NULL, false},
	{"POST", "/users/create", NULL, false},
	{"GET", "/payment/transfer/id/{id}/amount/{amount}", NULL, false},
	{0},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t parameters[MKV_HTTP_PARAMETERS_MAX] = {0};
	struct mkv_trace_context context;
	size_t index;
	char *text = strndup((const char *)data, size);
	if (!text)
		return 0;
	if (mkv_route_find(routes, "GET", text, &index, parameters) ==
		    MKV_ROUTE_FOUND &&
	    (index == 1 || parameters[0] < 0 || parameters[1] < 0))
		abort();
	if (mkv_traceparent_parse(text, &context)) {
		char back[56];
		mkv_traceparent_print(&context, back);
		if (strncmp(back + 3, text + 3, 49) != 0)
			abort();
	}
	free(text);
	return 0;
}
