/* SPDX-License-Identifier: MIT */
#pragma once
/* A pool of PostgreSQL connections (libpq) with prepared statements. Where the
 * server is stands in libpq's own environment variables (PGHOST 127.0.0.1,
 * PGUSER and PGDATABASE mkvbench unless set). Every wait has a deadline: a
 * server that is away, hangs or restarts costs a caller at most the pool's
 * timeout; the server gives a statement up after the same time. Looking up a
 * PGHOST that is a name comes on top (mkv_program_main() bounds it). */

#include <postgresql/libpq-fe.h>

#include "programs/study/lib/trace.h"

struct mkv_db_statement {
	const char *name; /* of the span: "SELECT users" */
	const char *sql;
	int n_parameters;
};

struct mkv_db_options {
	unsigned connections;
	unsigned timeout_ms; /* of one call, connecting included */
	const char *schema;  /* run once, before anything else */
	const struct mkv_db_statement *statements; /* ends with a NULL name */
};

struct mkv_db;
/* Doesn't connect yet. */
int mkv_db_new(const struct mkv_db_options *options, struct mkv_db **ret,
	       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
void mkv_db_free(struct mkv_db *db);

static inline mkv_unused void mkv_db_clear(PGresult *result)
{
	PQclear(result);
}
MKV_DEFINE_AUTO(result, PGresult *, mkv_db_clear)
#define auto_result mkv_auto(result)

/* Runs a statement of the table; `parameters` as text. Unavailable, and nothing
 * was done: -EHOSTDOWN; sent, but no answer came, so that it may have been
 * done: -ENODATA; a limit of the server's: -ENOSPC; a parameter that it can't
 * take: -EINVAL; another refusal: -EBADE; its message in err. One client span.
 */
int mkv_db_run(struct mkv_db *db, size_t statement,
	       const char *const *parameters,
	       const struct mkv_trace_context *parent, PGresult **ret,
	       struct mkv_error *err) mkv_must_check mkv_nonnull(1, 5, 6);
/* 0 when a server answers. */
int mkv_db_check(struct mkv_db *db, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2);
