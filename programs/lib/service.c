/* SPDX-License-Identifier: MIT */
#include "programs/lib/service.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>

#include "programs/lib/log.h"

static struct {
	const char *address;
	int64_t port, threads, queue_ms, connections, idle_s, stop_s;
	int64_t db_timeout_ms;
} limits;

enum { PORT_ROW };
static struct mkv_service_setting server_settings[] = {
	[PORT_ROW] = {"PORT", MKV_SETTING_INTEGER, NULL, 0, 65535,
		      .doc = "TCP port to listen on; 0: any free port",
		      .number = &limits.port},
	{"ADDRESS", MKV_SETTING_TEXT, "0.0.0.0",
	 .doc = "IPv4 address to listen on", .text = &limits.address},
	{"THREADS", MKV_SETTING_INTEGER, "4", 1, 256,
	 .doc = "threads that serve requests, each with its own database "
		"connection",
	 .number = &limits.threads},
	{"QUEUE_MS", MKV_SETTING_INTEGER, "1000", 10, 60000,
	 .doc = "milliseconds that a request may wait for a thread before it is "
		"answered 503",
	 .number = &limits.queue_ms},
	{"CONNECTIONS", MKV_SETTING_INTEGER, "1024", 16, 65536,
	 .doc = "maximum number of open connections",
	 .number = &limits.connections},
	{"IDLE_S", MKV_SETTING_INTEGER, "60", 1, 3600,
	 .doc = "seconds until an idle connection is closed",
	 .number = &limits.idle_s},
	{"STOP_S", MKV_SETTING_INTEGER, "10", 0, 300,
	 .doc = "seconds that a stop waits for requests, then for spans",
	 .number = &limits.stop_s},
	{0},
};
static const struct mkv_service_setting db_settings[] = {
	{"DB_TIMEOUT_MS", MKV_SETTING_INTEGER, "2000", 10, 60000,
	 .doc = "milliseconds for a statement, including the connect",
	 .number = &limits.db_timeout_ms},
	{0},
};

/* Each connection needs a descriptor, each thread several: for the database,
 * peers and files. */
static int allow_descriptors(struct mkv_error *err)
{
	enum { PER_PROCESS = 32, PER_THREAD = 8 };
	char what[80];
	uint64_t needed = (uint64_t)(limits.connections +
				     limits.threads * PER_THREAD + PER_PROCESS);
	(void)snprintf(what, sizeof(what), "%lld connections and %lld threads",
		       (long long)limits.connections,
		       (long long)limits.threads);
	return mkv_program_allow_descriptors(needed, what, err);
}

static int open_database(const struct mkv_service_options *options,
			 struct mkv_error *err)
{
	if (!options->statements)
		return 0;
	const struct mkv_db_options db = {
		.connections = (unsigned)limits.threads,
		.timeout_ms = (unsigned)limits.db_timeout_ms,
		.schema = options->schema,
		.statements = options->statements,
	};
	return mkv_db_new(&db, options->db, err);
}

static int serve_until_signal(const struct mkv_service_options *options,
			      const sigset_t *signals, struct mkv_error *err)
{
	const struct mkv_http_options http = {
		.address = limits.address,
		.port = (uint16_t)limits.port,
		.threads = (unsigned)limits.threads,
		.queue_ms = (unsigned)limits.queue_ms,
		.connections = (unsigned)limits.connections,
		.idle_s = (unsigned)limits.idle_s,
		.body_max = options->body_max,
		.bodies_max = options->bodies_max,
		.address_connections = options->address_connections,
		.receive_s = options->receive_s,
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
	for (;;) {
		if (sigwait(signals, &signal) != 0)
			continue;
		if (signal != SIGHUP)
			break;
		options->hang_up(options->context);
	}
	mkv_log_info("stopping: %s", signal == SIGINT ? "SIGINT" : "SIGTERM");
	mkv_http_stop(server, (unsigned)limits.stop_s);
	return 0;
}

static int start_and_serve(const struct mkv_service_options *options,
			   const sigset_t *signals, struct mkv_error *err)
{
	int rc = allow_descriptors(err);
	if (rc < 0)
		return rc;
	rc = options->configure ? options->configure(options->context, err) : 0;
	if (rc < 0)
		return rc;
	rc = open_database(options, err);
	if (rc < 0)
		return rc;
	rc = options->untraced ? 0 : mkv_trace_start(options->name, err);
	if (rc < 0)
		return rc;
	rc = serve_until_signal(options, signals, err);
	mkv_trace_stop((unsigned)limits.stop_s);
	if (options->statements)
		mkv_db_free(*options->db);
	return rc;
}

static int run_service(const struct mkv_program *program, struct mkv_error *err)
{
	const struct mkv_service_options *options = program->context;
	sigset_t signals;
	/* Blocked before any thread starts, so that only sigwait() receives
	 * them. */
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGTERM);
	(void)sigaddset(&signals, SIGINT);
	if (options->hang_up)
		(void)sigaddset(&signals, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return mkv_fail(err, MKV_FAILED, EIO,
				"initialise libcurl: it failed");
	return start_and_serve(options, &signals, err);
}

/* The first connection executes the schema. */
static int clean_database(const char *sql, struct mkv_error *err)
{
	static const struct mkv_db_statement none = {0};
	const struct mkv_db_options options = {
		.connections = 1,
		.timeout_ms = (unsigned)limits.db_timeout_ms,
		.schema = sql,
		.statements = &none,
	};
	struct mkv_db *db;
	int rc = mkv_db_new(&options, &db, err);
	if (rc < 0)
		return rc;
	rc = mkv_db_check(db, err);
	mkv_db_free(db);
	return rc;
}

static int clean_up(const struct mkv_program *program, struct mkv_error *err)
{
	const struct mkv_service_options *options = program->context;
	int rc = options->configure && !options->cleans_unconfigured
			 ? options->configure(options->context, err)
			 : 0;
	if (rc < 0)
		return rc;
	rc = options->clean_up_sql ? clean_database(options->clean_up_sql, err)
				   : 0;
	if (rc < 0)
		return rc;
	return options->clean_up ? options->clean_up(options->context, err) : 0;
}

int mkv_service_main(const struct mkv_service_options *options, int argc,
		     char **argv)
{
	const struct mkv_service_setting *tables[MKV_SERVICE_TABLES_MAX + 4];
	size_t n = 0;
	server_settings[PORT_ROW].default_value = options->port;
	tables[n++] = server_settings;
	if (options->statements)
		tables[n++] = db_settings;
	if (!options->untraced)
		tables[n++] = mkv_trace_settings;
	for (size_t i = 0; options->settings && options->settings[i] &&
			   i < MKV_SERVICE_TABLES_MAX;
	     i++)
		tables[n++] = options->settings[i];
	tables[n] = NULL;
	const struct mkv_program program = {
		.name = options->name,
		.settings = tables,
		.run = run_service,
		.clean_up = options->clean_up || options->clean_up_sql
				    ? clean_up
				    : NULL,
		.context = options,
	};
	return mkv_program_main(&program, argc, argv);
}

void mkv_service_db_error(struct mkv_http_request *request, int rc,
			  const struct mkv_error *err)
{
	if (rc == -EHOSTDOWN || rc == -ENODATA)
		mkv_http_error(request, 503, "database-away", "%s",
			       err->message);
	else if (rc == -ENOSPC)
		mkv_http_error(request, 503, "database-full", "%s",
			       err->message);
	else if (rc == -EINVAL)
		mkv_http_error(request, 400, "bad-value", "%s", err->message);
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
