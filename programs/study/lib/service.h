/* SPDX-License-Identifier: MIT */
#pragma once
/* What the services' main functions share: settings, signals, the server and
 * the end of it all. */

#include "programs/study/lib/db.h"
#include "programs/study/lib/http.h"
#include "programs/study/lib/program.h"

enum { MKV_SERVICE_TABLES_MAX = 4 };

struct mkv_service_options {
	const char *name;	     /* "user" */
	const char *port;	     /* unless PORT says otherwise: "8080" */
	size_t body_max, bodies_max; /* as in struct mkv_http_options */
	const struct mkv_http_route *routes;
	const char *schema; /* of the database */
	const struct mkv_db_statement *statements;
	/* The service's own, up to MKV_SERVICE_TABLES_MAX of them. */
	const struct mkv_service_setting *const *settings;
	/* With the settings read, before anything is served; may be NULL. */
	int (*configure)(void *context, struct mkv_error *err);
	void (*metrics)(struct mkv_buf *into, void *context);
	void *context;	    /* of handlers, configure and metrics */
	bool untraced;	    /* it takes spans and gives none */
	struct mkv_db **db; /* where handlers find the database */
};

/* Serves until SIGTERM or SIGINT; the program's exit status. */
int mkv_service_main(const struct mkv_service_options *options, int argc,
		     char **argv) mkv_must_check mkv_nonnull(1, 3);

/* GET /healthz: 200 when the database answers, else 503. `context` begins with
 * a struct mkv_db *; NULL there: no database, always 200. */
void mkv_service_health(struct mkv_http_request *request, void *context);
/* Answers 503, 400 or 500 for what mkv_db_run() returned. */
void mkv_service_db_error(struct mkv_http_request *request, int rc,
			  const struct mkv_error *err) mkv_nonnull(1, 3);
