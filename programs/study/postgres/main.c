/* SPDX-License-Identifier: MIT */
/* mkvbench-postgres: entry point of a PostgreSQL container. Creates a cluster
 * in an empty volume, writes pg_hba.conf and executes the server.
 *
 * There is no password, since anyone who rebuilds the image would know it.
 * Access is limited by the network: pg_hba.conf trusts the loopback addresses
 * and the server's own subnets (samenet), and refuses all others.
 *
 * The cluster gets its final name only when it is complete: a container that is
 * killed before starts over. */

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "lib/process.h"
#include "programs/lib/log.h"
#include "programs/lib/program.h"

enum { INITDB_TIMEOUT_S = 900, OPTIONS_MAX = 48, PATH_LIMIT = 512 };

struct cluster {
	char bin[PATH_LIMIT]; /* directory of PostgreSQL's programs */
	const char *named, *data, *listen, *port, *database, *options;
	char fresh[PATH_LIMIT]; /* staging directory */
};

static struct cluster cluster_set;
static const struct mkv_service_setting own_settings[] = {
	{"PG_DATA", MKV_SETTING_TEXT, "/var/lib/postgresql/data",
	 .max = PATH_LIMIT - 32, .doc = "directory of the database cluster",
	 .text = &cluster_set.data},
	{"PG_LISTEN", MKV_SETTING_TEXT, "127.0.0.1", .max = 250,
	 .doc = "addresses to listen on; `*` on a bridge network",
	 .text = &cluster_set.listen},
	{"PG_PORT", MKV_SETTING_INTEGER, "5432", 1, 65535,
	 .doc = "TCP port to listen on", .text = &cluster_set.port},
	{"PG_DATABASE", MKV_SETTING_TEXT, "mkvbench", .max = 63,
	 .doc = "name of the role and of its database",
	 .text = &cluster_set.database},
	{"PG_OPTIONS", MKV_SETTING_TEXT, NULL, .max = 2000,
	 .doc = "further `-c NAME=VALUE` options, separated by spaces",
	 .text = &cluster_set.options},
	{"PG_BIN", MKV_SETTING_TEXT, NULL, .max = PATH_LIMIT - 32,
	 .doc = "directory of PostgreSQL's programs; default: the newest in "
		"/usr/lib/postgresql",
	 .text = &cluster_set.named},
	{0},
};

/* Finds the programs of the newest installed version. */
static int find_programs(struct cluster *cluster, struct mkv_error *err)
{
	if (cluster->named) {
		(void)snprintf(cluster->bin, sizeof(cluster->bin), "%s",
			       cluster->named);
		return 0;
	}
	glob_t found = {0};
	if (glob("/usr/lib/postgresql/*/bin", 0, NULL, &found) != 0) {
		globfree(&found);
		return mkv_fail(
			err, MKV_FAILED, ENOENT,
			"find PostgreSQL: no /usr/lib/postgresql/*/bin");
	}
	(void)snprintf(cluster->bin, sizeof(cluster->bin), "%s",
		       found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	return 0;
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);
	return length > 0 && length < 64 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

static int run_program(const char *const *argv, int input,
		       struct mkv_error *err)
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
				    "--no-sync", /* make_cluster() syncs */
				    NULL};
	return run_program(argv, 0, err);
}

/* Uses single-user mode: no client may connect to an incomplete cluster. */
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
	return rc < 0 ? rc : run_program(argv, input, err);
}

static int write_access_rules(const struct cluster *cluster,
			      struct mkv_error *err)
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
	if (rc < 0)
		return rc;
	rc = run_initdb(cluster, err);
	if (rc < 0)
		return rc;
	rc = create_database(cluster, err);
	if (rc < 0)
		return rc;
	rc = write_access_rules(cluster, err);
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
	mkv_log_info("creating a cluster in '%s'", cluster->data);
	return make_cluster(cluster, err);
}

/* Splits PG_OPTIONS in place and adds the arguments. */
static int add_options(char *options, const char **argv, size_t *n,
		       struct mkv_error *err)
{
	for (char *word; (word = strsep(&options, " "));) {
		if (!*word)
			continue;
		if (*n == OPTIONS_MAX)
			return mkv_fail(
				err, MKV_BAD_USAGE, E2BIG,
				"MKVBENCH_PG_OPTIONS has too many arguments");
		argv[(*n)++] = word;
	}
	return 0;
}

/* Executes the server in this process. */
static int exec_server(const struct cluster *cluster, struct mkv_error *err)
{
	char program[PATH_LIMIT + 32], listen[300], options[2048];
	(void)snprintf(program, sizeof(program), "%s/postgres", cluster->bin);
	(void)snprintf(listen, sizeof(listen), "listen_addresses=%s",
		       cluster->listen);
	(void)snprintf(options, sizeof(options), "%s",
		       cluster->options ? cluster->options : "");
	const char *argv[OPTIONS_MAX + 1] = {
		program, "-D",		cluster->data,
		"-p",	 cluster->port, "-c",
		listen,	 "-c",		"unix_socket_directories=/tmp"};
	size_t n = 9;
	int rc = add_options(options, argv, &n, err);
	if (rc < 0)
		return rc;
	argv[n] = NULL;
	(void)signal(SIGPIPE, SIG_DFL);
	(void)execv(program, (char *const *)(uintptr_t)argv);
	return mkv_fail(err, MKV_FAILED, errno, "execute '%s': %m", program);
}

static int run_as_server(const struct mkv_program *program,
			 struct mkv_error *err)
{
	(void)program;
	struct cluster *cluster = &cluster_set;
	if (!is_name(cluster->database))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_PG_DATABASE is '%s', not a name of "
				"a-z, 0-9 and _",
				cluster->database);
	(void)snprintf(cluster->fresh, sizeof(cluster->fresh), "%s.new",
		       cluster->data);
	int rc = find_programs(cluster, err);
	if (rc < 0)
		return rc;
	rc = ensure_cluster(cluster, err);
	return rc < 0 ? rc : exec_server(cluster, err);
}

int main(int argc, char **argv)
{
	static const struct mkv_service_setting *const settings[] = {
		own_settings, NULL};
	const struct mkv_program program = {
		.name = "postgres", .settings = settings, .run = run_as_server};
	return mkv_program_main(&program, argc, argv);
}
