/* SPDX-License-Identifier: MIT */
#pragma once
/* A pool of PostgreSQL connections (libpq) with prepared statements. The
 * address of the server comes from libpq's environment variables: PGHOST
 * (default 127.0.0.1), PGUSER and PGDATABASE (default mkvbench). Every wait has
 * a deadline: a server that is unreachable, hangs or restarts delays a caller
 * by at most the pool's timeout, and the server cancels a statement after the
 * same time. Resolving a host name in PGHOST takes additional time, which
 * mkv_program_main() bounds. */

#include <postgresql/libpq-fe.h>

#include "programs/lib/trace.h"

struct mkv_db_statement {
	const char *name; /* of the span: "SELECT users" */
	const char *sql;
	int n_parameters;
};

struct mkv_db_options {
	unsigned connections;
	unsigned timeout_ms; /* of one call, including the connect */
	const char *schema;  /* executed once, before any statement */
	const struct mkv_db_statement *statements; /* ends with a NULL name */
};

struct mkv_db;
/* Connects on first use. */
int mkv_db_new(const struct mkv_db_options *options, struct mkv_db **ret,
	       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_db_free(struct mkv_db *db);

static inline mkv_unused void mkv_db_clear(PGresult *result)
{
	PQclear(result);
}
MKV_DEFINE_AUTO(result, PGresult *, mkv_db_clear)
#define auto_result mkv_auto(result)

/* Executes a statement of the table within one client span; `parameters` are
 * texts. Errors, with the server's message in err:
 *   -EHOSTDOWN  no connection: the statement was not executed
 *   -ENODATA    sent, but not answered: it may have been executed
 *   -ENOSPC     the server reached a limit, such as a full disk
 *   -EINVAL     the server rejected a parameter
 *   -EBADE      any other refusal */
int mkv_db_run(struct mkv_db *db, size_t statement,
	       const char *const *parameters,
	       const struct mkv_trace_context *parent, PGresult **ret,
	       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5, 6);
/* 0 when the server answers a query. */
int mkv_db_check(struct mkv_db *db, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
