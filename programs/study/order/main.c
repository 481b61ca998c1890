/* SPDX-License-Identifier: MIT */
/* mkvbench-order: the study's order service.
 *
 *     POST /orders/create/id/{id} with {"productName","price"}
 *         LargeFileTask.write, LargeFileTask.read, SmallFileTask.run, GET user,
 *         GET payment (transfer of the price), PUT user, INSERT orders; answers
 *         the stored order
 *     GET  /orders/{id}
 *
 * Prices are numbers with up to two decimals, stored as cents. The flow has no
 * transaction across its services: an order that is not answered 200 may have
 * been paid for, or even stored. The answer reports this as "settled", and
 * mkvbench_order_unsettled_total counts it.
 *
 * With --clean-up it removes all orders and the files of its tasks. */

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"
#include "programs/lib/peer.h"
#include "programs/lib/service.h"
#include "programs/lib/work.h"
#include "programs/study/order/body.h"

static struct order_service {
	struct mkv_db *db; /* first: mkv_service_health() */
	struct mkv_peer *user, *payment;
	struct mkv_work_files files;
} service;

/* How far an order got that is not answered 200. */
enum settled { UNKNOWN, PAID, MAYBE_STORED, SETTLED_MAX };
static const char *const settled_names[] = {
	[UNKNOWN] = "unknown", /* payment was called; its result is unknown */
	[PAID] = "paid",       /* paid for, not stored */
	[MAYBE_STORED] = "maybe_stored", /* paid for; the database did not
					    confirm the INSERT */
};
static atomic_ullong unsettled[SETTLED_MAX];

enum { INSERT_ORDER, SELECT_ORDER };
static const struct mkv_db_statement statements[] = {
	[INSERT_ORDER] = {"INSERT orders",
			  "INSERT INTO orders (user_id, product_name, price)"
			  " VALUES ($1::bigint, $2, $3::bigint)"
			  " RETURNING id, user_id, product_name, price",
			  3},
	[SELECT_ORDER] = {"SELECT orders",
			  "SELECT id, user_id, product_name, price FROM orders"
			  " WHERE id = $1::bigint",
			  1},
	{0},
};

#define SCHEMA                                                                 \
	"BEGIN;"                                                               \
	"SELECT pg_advisory_xact_lock(7318002);"                               \
	"CREATE TABLE IF NOT EXISTS orders ("                                  \
	" id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"                 \
	" user_id bigint NOT NULL, product_name text NOT NULL,"                \
	" price bigint NOT NULL);"
static const char schema[] = SCHEMA "COMMIT";
/* Unlike DELETE, TRUNCATE leaves no dead rows that a later run would vacuum. */
static const char clean_up_sql[] =
	SCHEMA "TRUNCATE orders RESTART IDENTITY; COMMIT";

static const struct mkv_service_setting own_settings[] = {
	{"DATA_DIR", MKV_SETTING_TEXT, "/var/lib/order", .max = 4000,
	 .doc = "directory of the files of LargeFileTask and SmallFileTask",
	 .text = &service.files.directory},
	{"LARGE_FILE", MKV_SETTING_SIZE, "5MB", 0, 1024 * 1024 * 1024,
	 .doc = "file size of LargeFileTask",
	 .number = &service.files.large_bytes},
	{"SMALL_FILE", MKV_SETTING_SIZE, "140B", 0, 1024 * 1024,
	 .doc = "file size of SmallFileTask",
	 .number = &service.files.small_bytes},
	{"SMALL_COUNT", MKV_SETTING_INTEGER, "10", 0, 10000,
	 .doc = "number of writes and reads of SmallFileTask",
	 .number = &service.files.small_count},
	{"FSYNC", MKV_SETTING_WORD, "none", .words = "none data",
	 .doc = "`data`: each file is synced to disk before it is read",
	 .number = &service.files.sync},
	{"USER_URL", .doc = "URL of the user service; default: port 8080 of "
			    "MKVBENCH_ADDRESS_USER, else of 127.0.0.1"},
	{"PAYMENT_URL",
	 .doc = "URL of the payment service; default: port 8080 of "
		"MKVBENCH_ADDRESS_PAYMENT, else of 127.0.0.1"},
	MKV_PEER_TIMEOUT("8000"),
	{0},
};
static const struct mkv_service_setting *const settings[] = {own_settings,
							     NULL};

static int configure(void *context, struct mkv_error *err)
{
	(void)context;
	int rc = mkv_work_files_init(&service.files, err);
	if (rc < 0)
		return rc;
	rc = mkv_peer_new("user", &service.user, err);
	return rc < 0 ? rc : mkv_peer_new("payment", &service.payment, err);
}

static int clean_up(void *context, struct mkv_error *err)
{
	(void)context;
	return mkv_work_files_remove(&service.files, err);
}

/* Sets the "settled" value of errors from now on. */
static void set_settled(struct mkv_http_request *request, enum settled settled)
{
	request->settled = settled_names[settled];
}

static void count_unsettled(struct mkv_http_request *request)
{
	if (request->status == 200 || !request->settled)
		return;
	for (size_t i = 0; i < SETTLED_MAX; i++)
		if (request->settled == settled_names[i])
			atomic_fetch_add(&unsettled[i], 1);
	mkv_span_text(&request->span, "mkvbench.settled", request->settled);
}

static void print_metrics(struct mkv_buf *into, void *context)
{
	(void)context;
	mkv_buf_str(into, "# HELP mkvbench_order_unsettled_total Orders not "
			  "answered 200 that may be paid for.\n"
			  "# TYPE mkvbench_order_unsettled_total counter\n");
	for (size_t i = 0; i < SETTLED_MAX; i++)
		mkv_buf_printf(into,
			       "mkvbench_order_unsettled_total{state=\"%s\"} "
			       "%llu\n",
			       settled_names[i], atomic_load(&unsettled[i]));
}

/* Calls a peer. True: it answered 200. False: an error was answered. */
static bool call_peer(struct mkv_http_request *request, struct mkv_peer *peer,
		      const struct mkv_peer_call *call, struct mkv_buf *reply)
{
	struct mkv_error err;
	unsigned status = 0;
	int rc = mkv_peer_ask(peer, call, &status, reply, &err);
	/* A refusal by payment: nothing was paid. */
	if (peer == service.payment && status >= 400 && status < 500)
		request->settled = NULL;
	if (rc < 0)
		mkv_http_error(request, 503, "peer-away", "%s: %s", call->span,
			       err.message);
	else if (status == 404)
		mkv_http_error(request, 404, "no-user", "no such user");
	else if (status == 400)
		mkv_http_error(request, 400, "bad-value",
			       "%s: the price is out of the user's range",
			       call->span);
	else if (status != 200)
		mkv_http_error(request, 503, "peer-away", "%s: status %u",
			       call->span, status);
	return request->status == 0;
}

static bool call_peers(struct mkv_http_request *request,
		       const struct mkv_order *order)
{
	char user_path[64], payment_path[128];
	auto_buf struct mkv_buf reply = {0};
	int64_t user = request->parameters[0];
	(void)snprintf(user_path, sizeof(user_path), "/users/%" PRId64, user);
	(void)snprintf(payment_path, sizeof(payment_path),
		       "/payment/transfer/id/%" PRId64 "/amount/%" PRId64, user,
		       order->cents);
	struct mkv_peer_call call = {
		.span = "GET user",
		.method = "GET",
		.path = user_path,
		.parent = &request->span.context,
		.tracestate = &request->tracestate,
	};
	if (!call_peer(request, service.user, &call, &reply))
		return false;
	auto_free char *update = mkv_order_user_update(reply.data, reply.size);
	if (!update) {
		mkv_http_error(request, 503, "peer-away",
			       "GET user: the answer is not a user");
		return false;
	}
	call.span = "GET payment";
	call.path = payment_path;
	set_settled(request, UNKNOWN);
	if (!call_peer(request, service.payment, &call, NULL))
		return false;
	set_settled(request, PAID);
	call.span = "PUT user";
	call.method = "PUT";
	call.path = user_path;
	call.body = update;
	return call_peer(request, service.user, &call, NULL);
}

static json_int_t number_at(const PGresult *result, int column)
{
	return (json_int_t)strtoll(PQgetvalue(result, 0, column), NULL, 10);
}

/* Appends the price to jansson's output: jansson has no decimal numbers. */
static void answer_row(struct mkv_http_request *request, const PGresult *result)
{
	json_int_t cents = number_at(result, 3);
	mkv_http_json(request, 200,
		      json_pack("{sIsIss}", "id", number_at(result, 0),
				"userId", number_at(result, 1), "productName",
				PQgetvalue(result, 0, 2)));
	if (request->status != 200)
		return;
	request->reply.size -= 2; /* "}\n" */
	mkv_buf_printf(&request->reply, ",\"price\":%lld.%02lld}\n",
		       (long long)cents / 100, (long long)cents % 100);
}

static void answer_order(struct mkv_http_request *request, size_t statement,
			 const char *const *parameters)
{
	struct mkv_error err;
	auto_result PGresult *result = NULL;
	int rc = mkv_db_run(service.db, statement, parameters,
			    &request->span.context, &result, &err);
	if (statement == INSERT_ORDER && (rc == 0 || rc == -ENODATA))
		set_settled(request, MAYBE_STORED);
	if (rc < 0) {
		mkv_service_db_error(request, rc, &err);
		return;
	}
	if (PQntuples(result) != 1) {
		mkv_http_error(request, 404, "no-order", "no such order");
		return;
	}
	answer_row(request, result);
}

static void run_order(struct mkv_http_request *request,
		      const struct mkv_order *order)
{
	if (mkv_work_file_tasks(request, &service.files) < 0 ||
	    !call_peers(request, order))
		return;
	char user[24], cents[24];
	(void)snprintf(user, sizeof(user), "%" PRId64, request->parameters[0]);
	(void)snprintf(cents, sizeof(cents), "%" PRId64, order->cents);
	const char *const parameters[] = {user, order->product, cents};
	answer_order(request, INSERT_ORDER, parameters);
}

static void create_order(struct mkv_http_request *request, void *context)
{
	(void)context;
	struct mkv_order order;
	struct mkv_error err;
	auto_json json_t *body = mkv_http_body(request);
	if (!body)
		return;
	if (mkv_order_read(body, &order, &err) < 0) {
		mkv_http_error(request, 400, "bad-value", "%s", err.message);
		return;
	}
	run_order(request, &order);
	count_unsettled(request);
}

static void get_order(struct mkv_http_request *request, void *context)
{
	(void)context;
	char id[24];
	(void)snprintf(id, sizeof(id), "%" PRId64, request->parameters[0]);
	const char *const parameters[] = {id};
	answer_order(request, SELECT_ORDER, parameters);
}

static const struct mkv_http_route routes[] = {
	{"POST", "/orders/create/id/{id}", create_order, false},
	{"GET", "/orders/{id}", get_order, false},
	{"GET", "/healthz", mkv_service_health, true},
	{0},
};

int main(int argc, char **argv)
{
	const struct mkv_service_options options = {
		.name = "order",
		.port = "8080",
		.routes = routes,
		.schema = schema,
		.statements = statements,
		.settings = settings,
		.configure = configure,
		.clean_up = clean_up,
		.clean_up_sql = clean_up_sql,
		.metrics = print_metrics,
		.context = &service,
		.db = &service.db,
	};
	int status = mkv_service_main(&options, argc, argv);
	mkv_peer_free(service.user);
	mkv_peer_free(service.payment);
	free(service.files.text);
	return status;
}
