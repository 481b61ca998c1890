/* SPDX-License-Identifier: MIT */
/* mkvbench-payment: the study's payment service.
 *
 *     GET /payment/transfer/id/{id}/amount/{amount}
 *         SleepTask, LinpackBenchmark2, then PUT user, which subtracts the
 * amount (cents) from the user's balance */

#include <inttypes.h>
#include <stdio.h>

#include "programs/lib/linpack.h"
#include "programs/lib/peer.h"
#include "programs/lib/service.h"
#include "programs/lib/work.h"

static struct payment_service {
	struct mkv_db *db; /* always NULL; for mkv_service_health() */
	struct mkv_peer *user;
	int64_t sleep_us, linpack_size;
} service;

static const struct mkv_service_setting own_settings[] = {
	{"SLEEP", MKV_SETTING_DURATION, "0us", 0, 60 * 1000 * 1000,
	 .doc = "time that SleepTask busy-waits", .number = &service.sleep_us},
	{"LINPACK_SIZE", MKV_SETTING_INTEGER, "350", 1, MKV_LINPACK_ORDER_MAX,
	 .doc = "order of LinpackBenchmark2's system of equations",
	 .number = &service.linpack_size},
	{"USER_URL", .doc = "URL of the user service; default: port 8080 of "
			    "MKVBENCH_ADDRESS_USER, else of 127.0.0.1"},
	MKV_PEER_TIMEOUT("6000"),
	{0},
};
static const struct mkv_service_setting *const settings[] = {own_settings,
							     NULL};

static int configure(void *context, struct mkv_error *err)
{
	(void)context;
	return mkv_peer_new("user", &service.user, err);
}

static void transfer_amount(struct mkv_http_request *request, void *context)
{
	(void)context;
	char path[64], body[64];
	unsigned status;
	struct mkv_error err;
	int64_t id = request->parameters[0], amount = request->parameters[1];
	mkv_work_sleep(request, "SleepTask", service.sleep_us);
	if (mkv_work_linpack(request, "LinpackBenchmark2",
			     service.linpack_size) < 0)
		return;
	(void)snprintf(path, sizeof(path), "/users/%" PRId64, id);
	(void)snprintf(body, sizeof(body), "{\"amount\":-%" PRId64 "}", amount);
	const struct mkv_peer_call call = {
		.span = "PUT user",
		.method = "PUT",
		.path = path,
		.body = body,
		.parent = &request->span.context,
		.tracestate = &request->tracestate,
	};
	if (mkv_peer_ask(service.user, &call, &status, NULL, &err) < 0)
		mkv_http_error(request, 503, "user-away", "%s", err.message);
	else if (status == 404)
		mkv_http_error(request, 404, "no-user", "no such user");
	else if (status == 400)
		mkv_http_error(request, 400, "bad-value",
			       "the amount is out of range");
	else if (status != 200)
		mkv_http_error(request, 503, "user-away",
			       "the user service answered %u", status);
	else
		mkv_http_json(request, 200,
			      json_pack("{sIsI}", "id", (json_int_t)id,
					"amount", (json_int_t)amount));
}

static const struct mkv_http_route routes[] = {
	{"GET", "/payment/transfer/id/{id}/amount/{amount}", transfer_amount,
	 false},
	{"GET", "/healthz", mkv_service_health, true},
	{0},
};

int main(int argc, char **argv)
{
	const struct mkv_service_options options = {
		.name = "payment",
		.port = "8080",
		.routes = routes,
		.settings = settings,
		.configure = configure,
		.context = &service,
	};
	int status = mkv_service_main(&options, argc, argv);
	mkv_peer_free(service.user);
	return status;
}
