/* SPDX-License-Identifier: MIT */
#include "programs/lib/db.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "programs/lib/db_connection.h"
#include "programs/lib/log.h"

enum { RETRY_NS = 250 * 1000 * 1000 };

struct mkv_db {
	struct mkv_db_options options;
	pthread_mutex_t lock;
	pthread_cond_t returned;
	struct mkv_db_connection *idle; /* the first `n_idle` are in the pool */
	unsigned n_idle;
	bool has_schema;
	/* After a failed connect, callers fail with `reason` until `retry_ns`
	 * instead of each waiting for a connect of its own. */
	int64_t retry_ns;
	char reason[512];
};

int mkv_db_new(const struct mkv_db_options *options, struct mkv_db **ret,
	       struct mkv_error *err)
{
	struct mkv_db *db = calloc(1, sizeof(*db));
	struct mkv_db_connection *idle =
		calloc(options->connections, sizeof(*idle));
	if (!db || !idle) {
		free(db);
		free(idle);
		return mkv_oom(err);
	}
	db->options = *options;
	db->idle = idle;
	db->n_idle = options->connections;
	for (unsigned i = 0; i < db->n_idle; i++)
		idle[i].timeout_ms = options->timeout_ms;
	pthread_condattr_t attributes;
	(void)pthread_condattr_init(&attributes);
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&db->lock, NULL);
	(void)pthread_cond_init(&db->returned, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	*ret = db;
	return 0;
}

void mkv_db_free(struct mkv_db *db)
{
	if (!db)
		return;
	for (unsigned i = 0; i < db->n_idle; i++)
		mkv_db_disconnect(&db->idle[i]);
	(void)pthread_cond_destroy(&db->returned);
	(void)pthread_mutex_destroy(&db->lock);
	free(db->idle);
	free(db);
}

static int take_connection(struct mkv_db *db, int64_t deadline_ns,
			   struct mkv_db_connection *ret, struct mkv_error *err)
{
	struct timespec until = mkv_timespec_of_ns(deadline_ns);
	int rc = 0;
	(void)pthread_mutex_lock(&db->lock);
	while (db->n_idle == 0 && rc == 0)
		rc = pthread_cond_timedwait(&db->returned, &db->lock, &until);
	bool got = db->n_idle > 0;
	if (got)
		*ret = db->idle[--db->n_idle];
	(void)pthread_mutex_unlock(&db->lock);
	return got ? 0
		   : mkv_fail(
			     err, MKV_FAILED, EHOSTDOWN,
			     "database: no free connection before the deadline");
}

static void return_connection(struct mkv_db *db,
			      struct mkv_db_connection connection)
{
	(void)pthread_mutex_lock(&db->lock);
	db->idle[db->n_idle++] = connection;
	(void)pthread_cond_signal(&db->returned);
	(void)pthread_mutex_unlock(&db->lock);
}

/* Fails while connecting is suspended after a failure. */
static int check_retry_pause(struct mkv_db *db, struct mkv_error *err)
{
	int rc = 0;
	(void)pthread_mutex_lock(&db->lock);
	if (db->reason[0] && mkv_monotonic_ns() < db->retry_ns)
		rc = mkv_fail(err, MKV_FAILED, EHOSTDOWN, "%s", db->reason);
	(void)pthread_mutex_unlock(&db->lock);
	return rc;
}

static void record_outcome(struct mkv_db *db, int rc,
			   const struct mkv_error *err)
{
	(void)pthread_mutex_lock(&db->lock);
	bool was_down = db->reason[0];
	db->reason[0] = '\0';
	if (rc < 0) {
		db->retry_ns = mkv_monotonic_ns() + RETRY_NS;
		(void)snprintf(db->reason, sizeof(db->reason), "%.500s",
			       err->message);
	}
	(void)pthread_mutex_unlock(&db->lock);
	if (rc < 0 && !was_down)
		mkv_log_error("%s", err->message);
	if (rc == 0 && was_down)
		mkv_log_info("database: connected again");
}

/* The first connection creates the tables that the statements need. */
static int apply_schema(struct mkv_db *db, struct mkv_db_connection *c,
			int64_t deadline_ns, struct mkv_error *err)
{
	static const struct mkv_db_statement none = {0};
	if (__atomic_load_n(&db->has_schema, __ATOMIC_ACQUIRE) ||
	    !db->options.schema)
		return 0;
	auto_result PGresult *result = NULL;
	int rc = mkv_db_connect(c, &none, deadline_ns, err);
	if (rc < 0)
		return rc;
	rc = mkv_db_query(c, 0, db->options.schema, 0, NULL, deadline_ns,
			  &result, err);
	if (rc < 0) {
		/* The connection may be inside a failed transaction. */
		mkv_db_disconnect(c);
		return rc;
	}
	__atomic_store_n(&db->has_schema, true, __ATOMIC_RELEASE);
	return 0;
}

static int apply_schema_and_connect(struct mkv_db *db,
				    struct mkv_db_connection *c,
				    int64_t deadline_ns, struct mkv_error *err)
{
	int rc = apply_schema(db, c, deadline_ns, err);
	return rc < 0 ? rc
		      : mkv_db_connect(c, db->options.statements, deadline_ns,
				       err);
}

static int ensure_connected(struct mkv_db *db, struct mkv_db_connection *c,
			    int64_t deadline_ns, struct mkv_error *err)
{
	if (!mkv_db_is_stale(c))
		return 0;
	int rc = check_retry_pause(db, err);
	if (rc < 0)
		return rc;
	rc = apply_schema_and_connect(db, c, deadline_ns, err);
	/* These two would say something about the caller's statement and its
	 * parameters, which have not been sent. */
	if (rc == -ENODATA)
		rc = -EHOSTDOWN;
	if (rc == -EINVAL)
		rc = -EBADE;
	record_outcome(db, rc, err);
	return rc;
}

static int query_when_connected(struct mkv_db *db, struct mkv_db_connection *c,
				size_t statement, const char *sql,
				const char *const *parameters,
				int64_t deadline_ns, PGresult **ret,
				struct mkv_error *err)
{
	int rc = ensure_connected(db, c, deadline_ns, err);
	if (rc < 0)
		return rc;
	int n_parameters =
		sql ? 0 : db->options.statements[statement].n_parameters;
	return mkv_db_query(c, statement, sql, n_parameters, parameters,
			    deadline_ns, ret, err);
}

/* Executes `sql`, or the prepared statement when it is NULL. */
static int run_statement(struct mkv_db *db, size_t statement, const char *sql,
			 const char *const *parameters, PGresult **ret,
			 struct mkv_error *err)
{
	int64_t deadline_ns =
		mkv_monotonic_ns() + (int64_t)db->options.timeout_ms * 1000000;
	struct mkv_db_connection connection;
	int rc = take_connection(db, deadline_ns, &connection, err);
	if (rc < 0)
		return rc;
	rc = query_when_connected(db, &connection, statement, sql, parameters,
				  deadline_ns, ret, err);
	return_connection(db, connection);
	return rc;
}

int mkv_db_run(struct mkv_db *db, size_t statement,
	       const char *const *parameters,
	       const struct mkv_trace_context *parent, PGresult **ret,
	       struct mkv_error *err)
{
	struct mkv_span span;
	mkv_span_begin(&span, db->options.statements[statement].name,
		       MKV_SPAN_CLIENT, parent);
	mkv_span_text(&span, "db.system.name", "postgresql");
	int rc = run_statement(db, statement, NULL, parameters, ret, err);
	span.is_error = rc < 0;
	mkv_span_end(&span);
	return rc;
}

int mkv_db_check(struct mkv_db *db, struct mkv_error *err)
{
	auto_result PGresult *result = NULL;
	return run_statement(db, 0, "SELECT 1", NULL, &result, err);
}
