/* SPDX-License-Identifier: MIT */
#include "programs/lib/db_connection.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"

void mkv_db_disconnect(struct mkv_db_connection *c)
{
	PQfinish(c->conn);
	c->conn = NULL;
}

/* Records libpq's error text as one line and closes the connection. */
static int fail_and_disconnect(struct mkv_db_connection *c, const char *what,
			       struct mkv_error *err)
{
	char text[512] = "";
	if (c->conn)
		(void)snprintf(text, sizeof(text), "%s",
			       PQerrorMessage(c->conn));
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = at[1] ? ';' : '\0';
	int rc = mkv_fail(err, MKV_FAILED, EHOSTDOWN, "database: %s%s%s", what,
			  *text ? ": " : "", text);
	mkv_db_disconnect(c);
	return rc;
}

static int wait_for_socket(struct mkv_db_connection *c, short events,
			   int64_t deadline_ns, struct mkv_error *err)
{
	for (;;) {
		int64_t left_ns = deadline_ns - mkv_monotonic_ns();
		struct pollfd fd = {.fd = PQsocket(c->conn), .events = events};
		if (left_ns <= 0)
			return fail_and_disconnect(
				c, "no answer before the deadline", err);
		int n = poll(&fd, 1, (int)(left_ns / 1000000) + 1);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return fail_and_disconnect(c, "poll", err);
	}
}

static int finish_connect(struct mkv_db_connection *c, int64_t deadline_ns,
			  struct mkv_error *err)
{
	PostgresPollingStatusType status = PGRES_POLLING_WRITING;
	while (status != PGRES_POLLING_OK) {
		if (status == PGRES_POLLING_FAILED)
			return fail_and_disconnect(c, "connect", err);
		int rc = wait_for_socket(
			c, status == PGRES_POLLING_READING ? POLLIN : POLLOUT,
			deadline_ns, err);
		if (rc < 0)
			return rc;
		status = PQconnectPoll(c->conn);
	}
	if (PQsetnonblocking(c->conn, 1) < 0)
		return fail_and_disconnect(c, "connect", err);
	return 0;
}

static void statement_name(size_t statement, char ret[static 16])
{
	(void)snprintf(ret, 16, "s%zu", statement % 1000);
}

/* Flushes libpq's send buffer and receives the result. */
static int collect_result(struct mkv_db_connection *c, int64_t deadline_ns,
			  PGresult **ret, struct mkv_error *err)
{
	auto_result PGresult *result = NULL;
	for (int pending = 1; pending;) {
		pending = PQflush(c->conn);
		if (pending < 0)
			return fail_and_disconnect(c, "send", err);
		int rc = pending ? wait_for_socket(c, POLLIN | POLLOUT,
						   deadline_ns, err)
				 : 0;
		if (rc < 0)
			return rc;
		if (pending && !PQconsumeInput(c->conn))
			return fail_and_disconnect(c, "receive", err);
	}
	for (;;) {
		while (PQisBusy(c->conn)) {
			int rc = wait_for_socket(c, POLLIN, deadline_ns, err);
			if (rc < 0)
				return rc;
			if (!PQconsumeInput(c->conn))
				return fail_and_disconnect(c, "receive", err);
		}
		PGresult *next = PQgetResult(c->conn);
		if (!next)
			break;
		PQclear(result);
		result = next;
	}
	if (!result || PQstatus(c->conn) != CONNECTION_OK)
		return fail_and_disconnect(c, "receive", err);
	*ret = mkv_take(result);
	return 0;
}

static int check_result(struct mkv_db_connection *c, const PGresult *result,
			struct mkv_error *err)
{
	ExecStatusType status = PQresultStatus(result);
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return 0;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	/* Class 57: the server is shutting down, or cancelled the statement. */
	if (state && strncmp(state, "57", 2) == 0)
		return fail_and_disconnect(
			c, "the server stopped the statement", err);
	/* Class 53: disk, memory or another resource is exhausted. */
	bool is_exhausted = state && strncmp(state, "53", 2) == 0;
	/* Class 22: a value, or a result computed from it, is out of range. */
	bool is_value = state && strncmp(state, "22", 2) == 0;
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	return mkv_fail(err, MKV_FAILED,
			is_exhausted ? ENOSPC
			: is_value   ? EINVAL
				     : EBADE,
			"database: %s (%s)",
			text ? text : "the statement was refused",
			state ? state : "?????");
}

int mkv_db_query(struct mkv_db_connection *c, size_t statement, const char *sql,
		 int n_parameters, const char *const *parameters,
		 int64_t deadline_ns, PGresult **ret, struct mkv_error *err)
{
	auto_result PGresult *result = NULL;
	char name[16];
	statement_name(statement, name);
	int sent = sql ? PQsendQuery(c->conn, sql)
		       : PQsendQueryPrepared(c->conn, name, n_parameters,
					     parameters, NULL, NULL, 0);
	if (!sent)
		return fail_and_disconnect(c, "send", err);
	/* From here on the server may execute the statement, even if no answer
	 * arrives. */
	int rc = collect_result(c, deadline_ns, &result, err);
	if (rc == -EHOSTDOWN) {
		err->code = ENODATA;
		return -ENODATA;
	}
	if (rc < 0)
		return rc;
	rc = check_result(c, result, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(result);
	return 0;
}

static int prepare_statements(struct mkv_db_connection *c,
			      const struct mkv_db_statement *statements,
			      int64_t deadline_ns, struct mkv_error *err)
{
	for (size_t i = 0; statements[i].name; i++) {
		auto_result PGresult *result = NULL;
		char name[16];
		statement_name(i, name);
		if (!PQsendPrepare(c->conn, name, statements[i].sql,
				   statements[i].n_parameters, NULL))
			return fail_and_disconnect(c, "prepare", err);
		int rc = collect_result(c, deadline_ns, &result, err);
		if (rc < 0)
			return rc;
		rc = check_result(c, result, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* libpq prints notices such as "relation exists, skipping" as plain text to
 * stderr, where the log is JSON. */
static void ignore_notice(void *context, const PGresult *notice)
{
	(void)context, (void)notice;
}

/* statement_timeout: the server must not execute a statement after its caller
 * gave up. The `options` keyword replaces PGOPTIONS, which is therefore
 * appended and takes precedence. */
static int connection_options(const struct mkv_db_connection *c,
			      struct mkv_buf *into, struct mkv_error *err)
{
	const char *more = getenv("PGOPTIONS");
	mkv_buf_printf(into, "-c statement_timeout=%u %s", c->timeout_ms,
		       more ? more : "");
	return mkv_buf_check(into, err);
}

int mkv_db_connect(struct mkv_db_connection *c,
		   const struct mkv_db_statement *statements,
		   int64_t deadline_ns, struct mkv_error *err)
{
	const char *user = getenv("PGUSER"), *name = getenv("PGDATABASE");
	const char *host = getenv("PGHOST");
	auto_buf struct mkv_buf options = {0};
	int rc = connection_options(c, &options, err);
	if (rc < 0)
		return rc;
	static const char *const keys[] = {"fallback_application_name",
					   "client_encoding",
					   "keepalives_idle",
					   "tcp_user_timeout",
					   "user",
					   "dbname",
					   "host",
					   "options",
					   NULL};
	const char *const values[] = {"mkvbench",
				      "UTF8",
				      "10",
				      "10000",
				      user ? user : "mkvbench",
				      name ? name : "mkvbench",
				      host ? host : "127.0.0.1",
				      options.data,
				      NULL};
	mkv_db_disconnect(c);
	c->conn = PQconnectStartParams(keys, values, 0);
	if (!c->conn)
		return mkv_oom(err);
	if (PQstatus(c->conn) == CONNECTION_BAD)
		return fail_and_disconnect(c, "connect", err);
	(void)PQsetNoticeReceiver(c->conn, ignore_notice, NULL);
	rc = finish_connect(c, deadline_ns, err);
	if (rc < 0)
		return rc; /* already disconnected */
	rc = prepare_statements(c, statements, deadline_ns, err);
	if (rc < 0)
		mkv_db_disconnect(c);
	return rc;
}

bool mkv_db_is_stale(struct mkv_db_connection *c)
{
	enum { READS_MAX = 16 };
	if (!c->conn || PQtransactionStatus(c->conn) != PQTRANS_IDLE)
		return true;
	struct pollfd fd = {.fd = PQsocket(c->conn), .events = POLLIN};
	/* On an idle connection only a notice or the server's last message can
	 * be pending. The end of the stream follows it. */
	for (int i = 0; i < READS_MAX; i++) {
		if (poll(&fd, 1, 0) == 0)
			return false;
		if (!PQconsumeInput(c->conn) ||
		    PQstatus(c->conn) != CONNECTION_OK)
			return true;
	}
	return true;
}
