/* SPDX-License-Identifier: MIT */
#include "services/lib/service.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "services/lib/log.h"
#include "services/lib/settings.h"

struct limits {
	int64_t port, threads, queue_ms, connections, idle_s, db_timeout_ms;
	int64_t stop_s;
};

static int read_limits(const struct mkv_service_options *options,
		       struct limits *ret, struct mkv_error *err)
{
	const struct {
		const char *name;
		int64_t absent, min, max;
		int64_t *into;
	} rows[] = {
		{"PORT", options->port, 0, 65535, &ret->port},
		{"THREADS", 4, 2, 256, &ret->threads},
		{"QUEUE_MS", 5000, 10, 60000, &ret->queue_ms},
		{"CONNECTIONS", 1024, 16, 65536, &ret->connections},
		{"IDLE_S", 60, 1, 3600, &ret->idle_s},
		{"DB_TIMEOUT_MS", 2000, 10, 60000, &ret->db_timeout_ms},
		{"STOP_S", 10, 0, 300, &ret->stop_s},
	};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < sizeof(rows) / sizeof(*rows); i++)
		rc = mkv_settings_integer(rows[i].name, rows[i].absent,
					  rows[i].min, rows[i].max,
					  rows[i].into, err);
	return rc;
}

/* Every connection is a descriptor, and each thread has some of its own. */
static int allow_descriptors(const struct limits *limits, struct mkv_error *err)
{
	enum { OWN = 32, OF_A_THREAD = 8 };
	struct rlimit allowed;
	rlim_t wanted = (rlim_t)(limits->connections +
				 limits->threads * OF_A_THREAD + OWN);
	if (getrlimit(RLIMIT_NOFILE, &allowed) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "getrlimit: %m");
	if (allowed.rlim_cur >= wanted)
		return 0;
	allowed.rlim_cur = wanted;
	if (wanted > allowed.rlim_max || setrlimit(RLIMIT_NOFILE, &allowed) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, EMFILE,
				"%lld connections and %lld threads need %llu "
				"descriptors, and %llu are allowed",
				(long long)limits->connections,
				(long long)limits->threads,
				(unsigned long long)wanted,
				(unsigned long long)allowed.rlim_max);
	return 0;
}

static int open_database(const struct mkv_service_options *options,
			 const struct limits *limits, struct mkv_error *err)
{
	if (!options->statements)
		return 0;
	const struct mkv_db_options db = {
		.connections = (unsigned)limits->threads,
		.timeout_ms = (unsigned)limits->db_timeout_ms,
		.schema = options->schema,
		.statements = options->statements,
	};
	return mkv_db_new(&db, options->db, err);
}

static int serve(const struct mkv_service_options *options,
		 const struct limits *limits, const sigset_t *signals,
		 struct mkv_error *err)
{
	const struct mkv_http_options http = {
		.address = mkv_settings_text("ADDRESS", NULL),
		.port = (uint16_t)limits->port,
		.threads = (unsigned)limits->threads,
		.queue_ms = (unsigned)limits->queue_ms,
		.connections = (unsigned)limits->connections,
		.idle_s = (unsigned)limits->idle_s,
		.body_max = options->body_max,
		.bodies_max = options->bodies_max,
		.routes = options->routes,
		.context = options->context,
		.metrics = options->metrics,
	};
	struct mkv_http *server;
	int rc = mkv_http_start(&http, &server, err);
	if (rc < 0)
		return rc;
	int signal = 0;
	mkv_log_info("listening on port %u", mkv_http_port(server));
	while (sigwait(signals, &signal) != 0)
		;
	mkv_log_info("stopping: %s", signal == SIGINT ? "SIGINT" : "SIGTERM");
	mkv_http_stop(server, (unsigned)limits->stop_s);
	return 0;
}

static int run(const struct mkv_service_options *options,
	       const sigset_t *signals, struct mkv_error *err)
{
	struct limits limits;
	int rc = mkv_settings_load(err);
	if (rc == 0)
		rc = read_limits(options, &limits, err);
	if (rc == 0)
		rc = allow_descriptors(&limits, err);
	if (rc == 0 && options->configure)
		rc = options->configure(options->context, err);
	if (rc == 0)
		rc = open_database(options, &limits, err);
	if (rc == 0 && !options->untraced)
		rc = mkv_trace_start(options->name, err);
	if (rc < 0)
		return rc;
	rc = serve(options, &limits, signals, err);
	mkv_trace_stop((unsigned)limits.stop_s);
	if (options->statements)
		mkv_db_free(*options->db);
	return rc;
}

int mkv_service_main(const struct mkv_service_options *options)
{
	struct mkv_error err;
	sigset_t signals;
	mkv_log_init(options->name);
	/* Blocked before any thread begins, so that only sigwait() sees them.
	 */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return 1;
	if (run(options, &signals, &err) == 0)
		return 0;
	mkv_log_error("%s", err.message);
	return mkv_exit_status(err.kind);
}

void mkv_service_db_error(struct mkv_http_request *request, int rc,
			  const struct mkv_error *err)
{
	if (rc == -EHOSTDOWN)
		mkv_http_error(request, 503, "database-away", "%s",
			       err->message);
	else
		mkv_http_error(request, 500, "database", "%s", err->message);
}

void mkv_service_health(struct mkv_http_request *request, void *context)
{
	struct mkv_error err;
	struct mkv_db *db = *(struct mkv_db **)context;
	int rc = db ? mkv_db_check(db, &err) : 0;
	if (rc < 0)
		mkv_http_error(request, 503, "database-away", "%s",
			       err.message);
	else
		mkv_http_json(request, 200, json_pack("{ss}", "status", "ok"));
}
