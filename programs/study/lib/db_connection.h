/* SPDX-License-Identifier: MIT */
#pragma once
/* One connection whose every wait ends at a deadline (CLOCK_MONOTONIC, ns). */

#include "programs/study/lib/db.h"

struct mkv_db_connection {
	PGconn *conn;	     /* NULL: not connected */
	unsigned timeout_ms; /* after which the server gives a statement up */
};

/* Connects, if it isn't connected or no longer is; prepares the statements. */
int mkv_db_connect(struct mkv_db_connection *c,
		   const struct mkv_db_statement *statements,
		   int64_t deadline_ns, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
void mkv_db_disconnect(struct mkv_db_connection *c) mkv_nonnull(1);
/* True when a kept connection turned out to be dead, or is inside a
 * transaction: every statement is one of its own. */
bool mkv_db_is_stale(struct mkv_db_connection *c) mkv_nonnull(1);

/* A statement by its index, or with `sql` that text; errors as of mkv_db_run().
 * On -EHOSTDOWN and -ENODATA the connection is gone. */
int mkv_db_query(struct mkv_db_connection *c, size_t statement, const char *sql,
		 int n_parameters, const char *const *parameters,
		 int64_t deadline_ns, PGresult **ret,
		 struct mkv_error *err) mkv_must_check mkv_nonnull(1, 7, 8);
