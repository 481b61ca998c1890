/* SPDX-License-Identifier: MIT */
#include "programs/lib/http.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "programs/lib/http_deadline.h"
#include "programs/lib/http_metrics.h"
#include "programs/lib/http_range.h"
#include "programs/lib/http_workers.h"
#include "programs/lib/log.h"
#include "programs/lib/route.h"

struct mkv_http {
	struct mkv_http_options options;
	struct MHD_Daemon *daemon;
	struct mkv_http_workers *workers;
	struct mkv_http_metrics metrics;
	struct mkv_http_deadline *deadline; /* NULL: none */
	atomic_uint in_progress;
	atomic_bool stopping;
	atomic_size_t held; /* bytes of bodies of requests in progress */
};

/* Names of spans. Static, since spans may be exported after the server is
 * freed.
 */
static char names[MKV_HTTP_ROUTES_MAX][96];

/* One request between its first bytes and its answer. */
struct exchange {
	struct mkv_http *http;
	struct MHD_Connection *connection;
	struct mkv_http_task task;
	bool answered;
	enum mkv_route_match match;
	size_t route;
	struct mkv_buf body;
	bool too_large, too_busy;
	size_t held; /* of http->held */
	int64_t began_ns;
	struct mkv_http_request request;
};

static bool is_metrics(const char *method, const char *path)
{
	return strcmp(method, "GET") == 0 && strcmp(path, "/metrics") == 0;
}

struct single_header {
	const char *name, *value;
	unsigned count;
};

static enum MHD_Result note_header(void *context, enum MHD_ValueKind kind,
				   const char *name, const char *value)
{
	struct single_header *single = context;
	(void)kind;
	if (strcasecmp(name, single->name) == 0) {
		single->value = value;
		single->count++;
	}
	return MHD_YES;
}

/* The value of a header that occurs once; NULL for none or several. */
static const char *single_header_value(struct MHD_Connection *connection,
				       const char *name)
{
	struct single_header single = {.name = name};
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND,
					note_header, &single);
	return single.count == 1 ? single.value : NULL;
}

static enum MHD_Result add_tracestate(void *context, enum MHD_ValueKind kind,
				      const char *name, const char *value)
{
	(void)kind;
	if (strcasecmp(name, "tracestate") == 0 && value)
		mkv_tracestate_add(context, value);
	return MHD_YES;
}

/* Without a valid traceparent a new trace begins, and tracestate is ignored. */
static void read_trace(struct MHD_Connection *connection,
		       struct mkv_trace_context *ret,
		       struct mkv_tracestate *ret_state)
{
	if (mkv_traceparent_parse(
		    single_header_value(connection, "traceparent"), ret))
		(void)MHD_get_connection_values(connection, MHD_HEADER_KIND,
						add_tracestate, ret_state);
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
	const char *value =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
	return value ? value : "";
}

static struct exchange *begin_exchange(struct mkv_http *http,
				       struct MHD_Connection *connection,
				       const char *method, const char *path)
{
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return NULL;
	exchange->http = http;
	exchange->connection = connection;
	exchange->began_ns = mkv_monotonic_ns();
	exchange->match =
		mkv_route_find(http->options.routes, method, path,
			       &exchange->route, exchange->request.parameters);
	atomic_fetch_add(&http->in_progress, 1);
	struct mkv_trace_context parent;
	read_trace(connection, &parent, &exchange->request.tracestate);
	exchange->request.body_type =
		header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
	exchange->request.body_encoding =
		header(connection, MHD_HTTP_HEADER_CONTENT_ENCODING);
	if (exchange->match == MKV_ROUTE_FOUND &&
	    !http->options.routes[exchange->route].untraced)
		mkv_span_begin(&exchange->request.span, names[exchange->route],
			       MKV_SPAN_SERVER, &parent);
	return exchange;
}

/* Frees the body and its share of the limit, which a refused request no longer
 * needs. */
static void drop_body(struct exchange *exchange)
{
	atomic_fetch_sub(&exchange->http->held, exchange->held);
	exchange->held = 0;
	mkv_buf_done(&exchange->body);
}

static void receive_body(struct exchange *exchange, const char *data,
			 size_t size)
{
	struct mkv_http *http = exchange->http;
	if (exchange->too_large || exchange->too_busy)
		return;
	exchange->held += size;
	size_t held = atomic_fetch_add(&http->held, size) + size;
	exchange->too_large =
		size > http->options.body_max - exchange->body.size;
	exchange->too_busy =
		http->options.bodies_max && held > http->options.bodies_max;
	if (exchange->too_large || exchange->too_busy)
		drop_body(exchange);
	else
		mkv_buf_add(&exchange->body, data, size);
}

/* Answers requests that need no worker thread. True: answered. */
static bool answer_directly(struct exchange *exchange, const char *method,
			    const char *path)
{
	struct mkv_http *http = exchange->http;
	struct mkv_http_request *request = &exchange->request;
	if (exchange->too_large || exchange->body.failed) {
		mkv_http_error(request, MHD_HTTP_CONTENT_TOO_LARGE, "too-large",
			       "the body is larger than %zu bytes",
			       http->options.body_max);
	} else if (exchange->too_busy) {
		mkv_http_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
			       "too many bytes of request bodies in progress");
	} else if (is_metrics(method, path)) {
		request->status = MHD_HTTP_OK;
		request->content_type = "text/plain; version=0.0.4";
		mkv_http_metrics_print(&http->metrics, http->options.routes,
				       &request->reply);
		if (http->options.metrics)
			http->options.metrics(&request->reply,
					      http->options.context);
	} else if (exchange->match == MKV_ROUTE_NONE) {
		mkv_http_error(request, MHD_HTTP_NOT_FOUND, "not-found",
			       "no such resource");
	} else if (exchange->match == MKV_ROUTE_OTHER_METHOD) {
		mkv_http_error(request, MHD_HTTP_METHOD_NOT_ALLOWED,
			       "bad-method",
			       "method not allowed for this resource");
	} else {
		return false;
	}
	return true;
}

static void finish_exchange(struct exchange *exchange)
{
	struct mkv_http_request *request = &exchange->request;
	exchange->answered = true;
	if (exchange->match == MKV_ROUTE_FOUND)
		mkv_http_metrics_add(&exchange->http->metrics, exchange->route,
				     request->status,
				     mkv_monotonic_ns() - exchange->began_ns);
	if (!request->span.name)
		return;
	mkv_span_number(&request->span, "http.response.status_code",
			request->status);
	mkv_span_end(&request->span);
	request->span.name = NULL;
}

/* Runs on a worker thread. Resuming the connection gives the exchange back to
 * the server thread: it must not be used afterwards. */
static void run_handler(struct mkv_http_task *task)
{
	struct exchange *exchange =
		(struct exchange *)((char *)task -
				    offsetof(struct exchange, task));
	struct mkv_http *http = exchange->http;
	struct mkv_http_request *request = &exchange->request;
	int64_t waited_ns = mkv_monotonic_ns() - task->queued_ns;
	mkv_span_number(&request->span, "mkvbench.queue_us", waited_ns / 1000);
	request->body = exchange->body.data ? exchange->body.data : "";
	request->body_size = exchange->body.size;
	if (waited_ns > (int64_t)http->options.queue_ms * 1000000)
		mkv_http_error(request, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
			       "no thread was free within %u ms",
			       http->options.queue_ms);
	else
		http->options.routes[exchange->route].handler(
			request, http->options.context);
	finish_exchange(exchange);
	MHD_resume_connection(exchange->connection);
}

static struct MHD_Response *make_buffer_response(struct mkv_buf *reply)
{
	size_t size = reply->size;
	char *data = mkv_buf_take(reply);
	if (!data)
		return NULL;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		size, data, MHD_RESPMEM_MUST_FREE);
	if (!response)
		free(data);
	return response;
}

/* A range is sent only of a file that is answered 200. If-Range needs a
 * validator, and answers have none: the whole file is sent. */
static enum mkv_http_range_kind read_range(const struct exchange *exchange,
					   struct mkv_http_range *ret)
{
	const struct mkv_http_request *request = &exchange->request;
	struct MHD_Connection *connection = exchange->connection;
	bool ignores = request->status != MHD_HTTP_OK ||
		       MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
						   MHD_HTTP_HEADER_IF_RANGE);
	return mkv_http_range_read(
		ignores ? NULL
			: single_header_value(connection,
					      MHD_HTTP_HEADER_RANGE),
		request->file_size, ret);
}

static void add_content_range(struct MHD_Response *response,
			      enum mkv_http_range_kind kind,
			      const struct mkv_http_range *range,
			      uint64_t file_size)
{
	char value[96];
	if (kind == MKV_HTTP_RANGE_PART)
		(void)snprintf(
			value, sizeof(value), "bytes %llu-%llu/%llu",
			(unsigned long long)range->first,
			(unsigned long long)(range->first + range->size - 1),
			(unsigned long long)file_size);
	else
		(void)snprintf(value, sizeof(value), "bytes */%llu",
			       (unsigned long long)file_size);
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE,
				      value);
}

/* Moves the file, or the range that was asked for, into a response. On failure
 * the file stays open, and finish_request() closes it. */
static struct MHD_Response *make_file_response(struct exchange *exchange)
{
	struct mkv_http_request *request = &exchange->request;
	struct mkv_http_range range;
	struct MHD_Response *response;
	uint64_t file_size = request->file_size;
	enum mkv_http_range_kind kind = read_range(exchange, &range);
	if (kind == MKV_HTTP_RANGE_UNSATISFIABLE) {
		mkv_http_error(request, MHD_HTTP_RANGE_NOT_SATISFIABLE,
			       "bad-range", "the file has %llu bytes",
			       (unsigned long long)file_size);
		request->content_type = NULL;
		response = make_buffer_response(&request->reply);
	} else {
		response = MHD_create_response_from_fd_at_offset64(
			range.size, request->file_fd, range.first);
		if (response)
			request->file_size = 0;
	}
	if (!response)
		return NULL;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES,
				      "bytes");
	if (kind == MKV_HTTP_RANGE_PART)
		request->status = MHD_HTTP_PARTIAL_CONTENT;
	if (kind != MKV_HTTP_RANGE_WHOLE)
		add_content_range(response, kind, &range, file_size);
	return response;
}

static enum MHD_Result send_reply(struct exchange *exchange,
				  struct MHD_Connection *connection)
{
	struct mkv_http_request *request = &exchange->request;
	struct MHD_Response *response =
		request->file_size ? make_file_response(exchange)
				   : make_buffer_response(&request->reply);
	if (!response)
		return MHD_NO;
	(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
				      request->content_type
					      ? request->content_type
					      : "application/json");
	if (atomic_load(&exchange->http->stopping))
		(void)MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONNECTION, "close");
	enum MHD_Result rc =
		MHD_queue_response(connection, request->status, response);
	MHD_destroy_response(response);
	return rc;
}

/* Queues the exchange for the workers. Its connection is suspended until the
 * answer is complete. */
static void enqueue(struct exchange *exchange)
{
	MHD_suspend_connection(exchange->connection);
	if (mkv_http_workers_put(exchange->http->workers, &exchange->task))
		return;
	mkv_http_error(&exchange->request, MHD_HTTP_SERVICE_UNAVAILABLE,
		       "stopping", "the service is stopping");
	finish_exchange(exchange);
	MHD_resume_connection(exchange->connection);
}

static enum MHD_Result take_request(void *context,
				    struct MHD_Connection *connection,
				    const char *path, const char *method,
				    const char *version, const char *data,
				    size_t *size, void **state)
{
	(void)version;
	struct exchange *exchange = *state;
	if (!exchange) {
		*state = exchange =
			begin_exchange(context, connection, method, path);
		return exchange ? MHD_YES : MHD_NO;
	}
	if (*size) {
		receive_body(exchange, data, *size);
		*size = 0;
		return MHD_YES;
	}
	if (exchange->answered)
		return send_reply(exchange, connection);
	if (exchange->http->deadline)
		mkv_http_deadline_arrived(exchange->http->deadline, connection);
	if (!answer_directly(exchange, method, path)) {
		enqueue(exchange);
		return MHD_YES;
	}
	finish_exchange(exchange);
	return send_reply(exchange, connection);
}

static void finish_request(void *context, struct MHD_Connection *connection,
			   void **state, enum MHD_RequestTerminationCode code)
{
	(void)context, (void)code;
	struct exchange *exchange = *state;
	if (!exchange)
		return;
	*state = NULL;
	if (exchange->http->deadline)
		mkv_http_deadline_answered(exchange->http->deadline,
					   connection);
	atomic_fetch_sub(&exchange->http->in_progress, 1);
	drop_body(exchange);
	mkv_buf_done(&exchange->request.reply);
	if (exchange->request.file_size)
		(void)close(exchange->request.file_fd);
	free(exchange);
}

static int listen_on(struct mkv_http *http, struct mkv_error *err)
{
	const struct mkv_http_options *options = &http->options;
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(options->port),
		.sin_addr.s_addr = htonl(INADDR_ANY),
	};
	if (options->address &&
	    inet_pton(AF_INET, options->address, &address.sin_addr) != 1)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%s' is not an IPv4 address",
				options->address);
	struct MHD_OptionItem deadline[] = {
		{MHD_OPTION_NOTIFY_CONNECTION,
		 (intptr_t)mkv_http_deadline_notify, http->deadline},
		{MHD_OPTION_END, 0, NULL},
	};
	if (!http->deadline)
		deadline[0] = deadline[1];
	errno = 0;
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME,
		options->port, NULL, NULL, take_request, http,
		MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
		options->connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		options->address_connections, MHD_OPTION_CONNECTION_TIMEOUT,
		options->idle_s, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1U,
		MHD_OPTION_NOTIFY_COMPLETED, finish_request, NULL,
		MHD_OPTION_ARRAY, deadline, MHD_OPTION_END);
	if (!http->daemon)
		return mkv_fail(err, MKV_FAILED, errno, "listen on port %u: %m",
				options->port);
	return 0;
}

static void free_http(struct mkv_http *http)
{
	mkv_http_workers_free(http->workers);
	mkv_http_deadline_stop(http->deadline);
	free(http);
}
MKV_DEFINE_AUTO(http, struct mkv_http *, free_http)

static void name_spans(const struct mkv_http_route *routes)
{
	for (size_t i = 0; i < MKV_HTTP_ROUTES_MAX && routes[i].method; i++)
		(void)snprintf(names[i], sizeof(names[i]), "%s %s",
			       routes[i].method, routes[i].pattern);
}

int mkv_http_start(const struct mkv_http_options *options,
		   struct mkv_http **ret, struct mkv_error *err)
{
	mkv_auto(http) struct mkv_http *http = calloc(1, sizeof(*http));
	if (!http)
		return mkv_oom(err);
	http->options = *options;
	if (!http->options.body_max)
		http->options.body_max = MKV_HTTP_BODY_MAX;
	name_spans(options->routes);
	int rc = 0;
	if (options->receive_s)
		rc = mkv_http_deadline_start(options->receive_s,
					     &http->deadline, err);
	if (rc < 0)
		return rc;
	rc = mkv_http_workers_start(options->threads, run_handler,
				    &http->workers, err);
	if (rc < 0)
		return rc;
	rc = listen_on(http, err);
	if (rc < 0) {
		mkv_http_workers_stop(http->workers);
		return rc;
	}
	*ret = mkv_take(http);
	return 0;
}

uint16_t mkv_http_port(const struct mkv_http *http)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_BIND_PORT);
	return info ? info->port : 0;
}

void mkv_http_stop(struct mkv_http *http, unsigned limit_s)
{
	if (!http)
		return;
	int listening = MHD_quiesce_daemon(http->daemon);
	atomic_store(&http->stopping, true);
	for (unsigned i = 0;
	     i < limit_s * 100 && atomic_load(&http->in_progress) > 0; i++)
		(void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
	mkv_http_workers_stop(http->workers);
	MHD_stop_daemon(http->daemon);
	if (listening >= 0)
		(void)close(listening);
	free_http(http);
}
