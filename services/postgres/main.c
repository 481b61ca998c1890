/* SPDX-License-Identifier: MIT */
/* mkvbench-postgres: what a PostgreSQL container runs first. Makes a cluster in
 * an empty volume, writes who may connect, and becomes the server.
 *
 * There is no password: a secret in an image that anyone can rebuild is none.
 * Who can reach the port decides instead. Settings, by environment:
 *
 *     MKVBENCH_PG_DATA     the cluster (/var/lib/postgresql/data)
 *     MKVBENCH_PG_LISTEN   addresses (127.0.0.1; on a bridge network: *)
 *     MKVBENCH_PG_PORT     5432
 *     MKVBENCH_PG_DATABASE name of the role and its database (mkvbench)
 *     MKVBENCH_PG_OPTIONS  more "-c NAME=VALUE", separated by spaces
 *
 * pg_hba.conf trusts the loopback addresses and the server's own subnets
 * (samenet); all else is refused. The cluster appears under its name only when
 * complete: a container that is killed in between starts over. */

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "lib/process.h"

enum { INITDB_TIMEOUT_S = 900, OPTIONS_MAX = 32, PATH_LIMIT = 512 };

struct cluster {
	char bin[PATH_LIMIT]; /* of PostgreSQL's own programs */
	const char *data, *listen, *port, *database, *options;
	char fresh[PATH_LIMIT]; /* where a new one is made */
};

static const char *setting(const char *name, const char *absent)
{
	const char *value = getenv(name);
	return value && *value ? value : absent;
}

/* The newest version that is installed. */
static int find_programs(struct cluster *cluster, struct mkv_error *err)
{
	const char *named = getenv("MKVBENCH_PG_BIN");
	if (named && *named) {
		(void)snprintf(cluster->bin, sizeof(cluster->bin), "%s", named);
		return 0;
	}
	glob_t found = {0};
	int rc = glob("/usr/lib/postgresql/*/bin", 0, NULL, &found);
	if (rc == 0)
		(void)snprintf(cluster->bin, sizeof(cluster->bin), "%s",
			       found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return rc == 0 ? 0
		       : mkv_fail(err, MKV_FAILED, ENOENT,
				  "there is no /usr/lib/postgresql/*/bin");
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length < 64 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static int run(const char *const *argv, int input, struct mkv_error *err)
{
	const struct mkv_process process = {
		.argv = argv,
		.stdin_fd = input,
		.timeout_s = INITDB_TIMEOUT_S,
	};
	return mkv_process_run(&process, NULL, err);
}

static int run_initdb(const struct cluster *cluster, struct mkv_error *err)
{
	char program[PATH_LIMIT + 32];
	(void)snprintf(program, sizeof(program), "%s/initdb", cluster->bin);
	const char *const argv[] = {program,
				    "--pgdata",
				    cluster->fresh,
				    "--username",
				    cluster->database,
				    "--encoding=UTF8",
				    "--locale=C.UTF-8",
				    "--auth=trust",
				    "--data-checksums",
				    "--no-sync", /* make_cluster() does */
				    NULL};
	return run(argv, 0, err);
}

/* In single-user mode, since nobody else may see the cluster yet. */
static int create_database(const struct cluster *cluster, struct mkv_error *err)
{
	char program[PATH_LIMIT + 32], sql[256];
	(void)snprintf(program, sizeof(program), "%s/postgres", cluster->bin);
	int length = snprintf(sql, sizeof(sql), "CREATE DATABASE \"%s\";\n",
			      cluster->database);
	auto_fd int input = memfd_create("sql", MFD_CLOEXEC);
	if (input < 0)
		return mkv_fail(err, MKV_FAILED, errno, "memfd: %m");
	int rc = mkv_pwrite_all(input, sql, (size_t)length, 0, err);
	const char *const argv[] = {program,	    "--single", "-j", "-D",
				    cluster->fresh, "postgres", NULL};
	return rc < 0 ? rc : run(argv, input, err);
}

static int put_access(const struct cluster *cluster, struct mkv_error *err)
{
	static const char rules[] =
		"# TYPE  DATABASE  USER  ADDRESS       METHOD\n"
		"local   all       all                 trust\n"
		"host    all       all   127.0.0.1/32  trust\n"
		"host    all       all   ::1/128       trust\n"
		"host    all       all   samenet       trust\n";
	char path[PATH_LIMIT + 32];
	(void)snprintf(path, sizeof(path), "%s/pg_hba.conf", cluster->fresh);
	return mkv_write_file(path, 0600, rules, sizeof(rules) - 1, err);
}

static int make_cluster(const struct cluster *cluster, struct mkv_error *err)
{
	int rc = mkv_remove_tree(AT_FDCWD, cluster->fresh, err);
	if (rc == 0)
		rc = run_initdb(cluster, err);
	if (rc == 0)
		rc = create_database(cluster, err);
	if (rc == 0)
		rc = put_access(cluster, err);
	if (rc < 0)
		return rc;
	auto_fd int fd = open(cluster->fresh, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "sync '%s': %m",
				cluster->fresh);
	if (rename(cluster->fresh, cluster->data) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"rename '%s' to '%s': %m", cluster->fresh,
				cluster->data);
	return 0;
}

static int ensure_cluster(const struct cluster *cluster, struct mkv_error *err)
{
	char path[PATH_LIMIT + 32];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s/PG_VERSION", cluster->data);
	if (stat(path, &st) == 0)
		return 0;
	fprintf(stderr, "mkvbench-postgres: making a cluster in '%s'\n",
		cluster->data);
	return make_cluster(cluster, err);
}

/* Becomes the server. */
static int become_server(const struct cluster *cluster, struct mkv_error *err)
{
	char program[PATH_LIMIT + 32], listen[300], options[2048];
	const char *argv[OPTIONS_MAX + 16];
	size_t n = 0;
	(void)snprintf(program, sizeof(program), "%s/postgres", cluster->bin);
	(void)snprintf(listen, sizeof(listen), "listen_addresses=%s",
		       cluster->listen);
	argv[n++] = program;
	argv[n++] = "-D";
	argv[n++] = cluster->data;
	argv[n++] = "-p";
	argv[n++] = cluster->port;
	argv[n++] = "-c";
	argv[n++] = listen;
	argv[n++] = "-c";
	argv[n++] = "unix_socket_directories=/tmp";
	if (snprintf(options, sizeof(options), "%s", cluster->options) >=
	    (int)sizeof(options))
		return mkv_fail(err, MKV_BAD_USAGE, E2BIG,
				"MKVBENCH_PG_OPTIONS is too long");
	char *rest = options;
	for (char *word; (word = strsep(&rest, " "));) {
		if (!*word)
			continue;
		if (n == OPTIONS_MAX + 15)
			return mkv_fail(
				err, MKV_BAD_USAGE, E2BIG,
				"MKVBENCH_PG_OPTIONS has too many words");
		argv[n++] = word;
	}
	argv[n] = NULL;
	(void)execv(program, (char *const *)(uintptr_t)argv);
	return mkv_fail(err, MKV_FAILED, errno, "run '%s': %m", program);
}

int main(void)
{
	struct mkv_error err;
	struct cluster cluster = {
		.data = setting("MKVBENCH_PG_DATA", "/var/lib/postgresql/data"),
		.listen = setting("MKVBENCH_PG_LISTEN", "127.0.0.1"),
		.port = setting("MKVBENCH_PG_PORT", "5432"),
		.database = setting("MKVBENCH_PG_DATABASE", "mkvbench"),
		.options = setting("MKVBENCH_PG_OPTIONS", ""),
	};
	int rc = is_name(cluster.database) &&
				 snprintf(cluster.fresh, sizeof(cluster.fresh),
					  "%s.new", cluster.data) <
					 (int)sizeof(cluster.fresh)
			 ? find_programs(&cluster, &err)
			 : mkv_fail(&err, MKV_BAD_USAGE, EINVAL,
				    "MKVBENCH_PG_DATABASE or MKVBENCH_PG_DATA "
				    "is not a name that can be used");
	if (rc == 0)
		rc = ensure_cluster(&cluster, &err);
	if (rc == 0)
		rc = become_server(&cluster, &err);
	fprintf(stderr, "mkvbench-postgres: %s\n", err.message);
	return mkv_exit_status(err.kind);
}
