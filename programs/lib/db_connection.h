/* SPDX-License-Identifier: MIT */
#pragma once
/* One connection to PostgreSQL. Every wait ends at a deadline (CLOCK_MONOTONIC,
 * nanoseconds). */

#include "programs/lib/db.h"

struct mkv_db_connection {
	PGconn *conn;	     /* NULL: not connected */
	unsigned timeout_ms; /* after which the server cancels a statement */
};

/* Closes the connection if it is open, connects anew and prepares the
 * statements.
 */
int mkv_db_connect(struct mkv_db_connection *c,
		   const struct mkv_db_statement *statements,
		   int64_t deadline_ns, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
void mkv_db_disconnect(struct mkv_db_connection *c) mkv_nonnull(1);
/* Whether a kept connection is closed, or inside a transaction: each statement
 * is its own transaction, so an open one is left over from a failure. */
bool mkv_db_is_stale(struct mkv_db_connection *c) mkv_nonnull(1);

/* Executes the prepared statement with that index, or the text `sql` unless
 * NULL. Errors are those of mkv_db_run(); -EHOSTDOWN and -ENODATA close the
 * connection. */
int mkv_db_query(struct mkv_db_connection *c, size_t statement, const char *sql,
		 int n_parameters, const char *const *parameters,
		 int64_t deadline_ns, PGresult **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 7, 8);
