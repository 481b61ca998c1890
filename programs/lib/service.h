/* SPDX-License-Identifier: MIT */
#pragma once
/* Common main function of the services: settings, signals, start and stop of
 * the server, the database pool and the exporter. */

#include "programs/lib/db.h"
#include "programs/lib/http.h"
#include "programs/lib/program.h"

enum { MKV_SERVICE_TABLES_MAX = 4 };

struct mkv_service_options {
	const char *name; /* "user" */
	const char *port; /* default of PORT: "8080" */
	/* As in struct mkv_http_options. */
	size_t body_max, bodies_max;
	unsigned address_connections, receive_s;
	const struct mkv_http_route *routes;
	const char *schema; /* SQL that creates the tables */
	const struct mkv_db_statement *statements;
	/* Tables of its own settings, at most MKV_SERVICE_TABLES_MAX; may be
	 * NULL. */
	const struct mkv_service_setting *const *settings;
	/* Called after the settings were read, before the server starts; may be
	 * NULL. */
	int (*configure)(void *context, struct mkv_error *err);
	void (*metrics)(struct mkv_buf *into, void *context);
	/* Called on SIGHUP, which otherwise ends the program; may be NULL. */
	void (*hang_up)(void *context);
	/* Called by `--clean-up` after `configure` and `clean_up_sql`; may be
	 * NULL. */
	int (*clean_up)(void *context, struct mkv_error *err);
	bool cleans_unconfigured; /* without `configure` */
	/* Executed by `--clean-up` as `schema` is at a start; may be NULL. */
	const char *clean_up_sql;
	void *context;	    /* of the functions above and the handlers */
	bool untraced;	    /* produces no spans: the collector */
	struct mkv_db **db; /* receives the pool, for the handlers */
};

/* Serves until SIGTERM or SIGINT, or cleans up, which programs do that have
 * `clean_up` or `clean_up_sql`. Returns the program's exit status. */
int mkv_service_main(const struct mkv_service_options *options, int argc,
		     char **argv) mkv_must_check mkv_nonnull(1, 3);

/* GET /healthz: 200 when the database answers, else 503. `context` points
 * to a struct mkv_db *; NULL there: no database, always 200. */
void mkv_service_health(struct mkv_http_request *request, void *context);
/* Answers an error of mkv_db_run() with status 503, 400 or 500. */
void mkv_service_db_error(struct mkv_http_request *request, int rc,
			  const struct mkv_error *err) mkv_nonnull(1, 3);
