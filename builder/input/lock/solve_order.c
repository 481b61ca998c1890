/* SPDX-License-Identifier: MIT */
#include <solv/chksum.h>
#include <solv/pool.h>
#include <solv/repo.h>
#include <string.h>

#include "builder/input/lock/index.h"
#include "builder/input/lock/order.h"
#include "builder/input/lock/solve_internal.h"
#include "builder/input/lock/valid.h"
#include "lib/grow.h"

static int by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mkv_sha256));
}

void mkv_solver_sort_sizes(struct mkv_solver *solver)
{
	if (solver->n_sizes)
		qsort(solver->sizes, solver->n_sizes, sizeof(*solver->sizes),
		      by_digest);
}

static uint64_t find_size(const struct mkv_solver *solver,
			  const unsigned char *sha256)
{
	const struct mkv_solver_size *found =
		sha256 && solver->n_sizes
			? bsearch(sha256, solver->sizes, solver->n_sizes,
				  sizeof(*solver->sizes), by_digest)
			: NULL;
	return found ? found->bytes : 0;
}

static int read_package(const struct mkv_solver *solver, Id id,
			struct mkv_lock_package *package, struct mkv_error *err)
{
	Pool *pool = solver->pool;
	Solvable *s = pool_id2solvable(pool, id);
	const char *path = solvable_get_location(s, NULL);
	Id type = 0;
	const unsigned char *sha256 =
		solvable_lookup_bin_checksum(s, SOLVABLE_CHECKSUM, &type);
	package->name = strdup(pool_id2str(pool, s->name));
	package->version = strdup(pool_id2str(pool, s->evr));
	package->architecture = strdup(pool_id2str(pool, s->arch));
	package->archive = strdup(mkv_archive_of(s->repo->name));
	package->pool_path = strdup(path ? path : "");
	package->size_bytes =
		type == REPOKEY_TYPE_SHA256 ? find_size(solver, sha256) : 0;
	if (!package->name || !package->version || !package->architecture ||
	    !package->archive || !package->pool_path)
		return mkv_oom(err);
	if (!mkv_valid_package_name(package->name) ||
	    !mkv_valid_version(package->version) ||
	    !mkv_valid_architecture(package->architecture) ||
	    !mkv_valid_pool_path(package->pool_path) ||
	    package->size_bytes == 0 ||
	    package->size_bytes > MKV_LOCK_PACKAGE_BYTES_MAX || !sha256 ||
	    type != REPOKEY_TYPE_SHA256)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"index of %s: package '%.100s' %.100s (%.200s) "
				"has no valid name, version, architecture, "
				"path, size or SHA-256",
				s->repo->name, package->name, package->version,
				package->pool_path);
	memcpy(package->sha256.bytes, sha256, MKV_SHA256_SIZE);
	return 0;
}

/* The dependencies between the chosen solvables. Nodes are numbered by
 * Essential first, then by name. */
struct graph {
	Id *ids;
	size_t count;
	size_t *number_of; /* by solvable; SIZE_MAX: not chosen */
	struct mkv_order_node *nodes;
};

static void graph_done(struct graph *graph)
{
	for (size_t i = 0; graph->nodes && i < graph->count; i++) {
		free(graph->nodes[i].depends);
		free(graph->nodes[i].pre_depends);
	}
	free(graph->nodes);
	free(graph->ids);
	free(graph->number_of);
}

static bool queue_has(const Queue *queue, Id id)
{
	for (int i = 0; i < queue->count; i++)
		if (queue->elements[i] == id)
			return true;
	return false;
}

static int by_rank(const void *a, const void *b, void *context)
{
	struct mkv_solver *solver = context;
	Pool *pool = solver->pool;
	const Solvable *x = &pool->solvables[*(const Id *)a];
	const Solvable *y = &pool->solvables[*(const Id *)b];
	bool x_first = queue_has(&solver->essential, x->name);
	bool y_first = queue_has(&solver->essential, y->name);
	if (x_first != y_first)
		return x_first ? -1 : 1;
	return strcmp(pool_id2str(pool, x->name), pool_id2str(pool, y->name));
}

static int by_number(const void *a, const void *b)
{
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

static int add_edges(const struct graph *graph, Pool *pool, Id dependency,
		     size_t **edges, size_t *count, struct mkv_error *err)
{
	Id p, pp;
	FOR_PROVIDES(p, pp, dependency)
	{
		if (graph->number_of[p] == SIZE_MAX)
			continue;
		size_t *edge = mkv_grow(edges, count);
		if (!edge)
			return mkv_oom(err);
		*edge = graph->number_of[p];
	}
	return 0;
}

static int link_node(struct graph *graph, Pool *pool, size_t at,
		     struct mkv_error *err)
{
	struct mkv_order_node *node = &graph->nodes[at];
	__attribute__((cleanup(queue_free))) Queue needed;
	queue_init(&needed);
	(void)solvable_lookup_deparray(&pool->solvables[graph->ids[at]],
				       SOLVABLE_REQUIRES, &needed, 0);
	/* libsolv lists Pre-Depends after a marker. */
	bool is_pre_depends = false;
	for (int i = 0; i < needed.count; i++) {
		Id dependency = needed.elements[i];
		if (dependency == SOLVABLE_PREREQMARKER) {
			is_pre_depends = true;
			continue;
		}
		int rc = add_edges(graph, pool, dependency, &node->depends,
				   &node->n_depends, err);
		if (rc < 0)
			return rc;
		if (!is_pre_depends)
			continue;
		rc = add_edges(graph, pool, dependency, &node->pre_depends,
			       &node->n_pre_depends, err);
		if (rc < 0)
			return rc;
	}
	if (node->n_depends)
		qsort(node->depends, node->n_depends, sizeof(size_t),
		      by_number);
	if (node->n_pre_depends)
		qsort(node->pre_depends, node->n_pre_depends, sizeof(size_t),
		      by_number);
	return 0;
}

static int make_graph(struct mkv_solver *solver, const Queue *decisions,
		      struct graph *graph, struct mkv_error *err)
{
	Pool *pool = solver->pool;
	size_t solvables = (size_t)pool->nsolvables;
	graph->ids = calloc((size_t)decisions->count + 1, sizeof(Id));
	graph->number_of = malloc((solvables + 1) * sizeof(size_t));
	if (!graph->ids || !graph->number_of)
		return mkv_oom(err);
	memset(graph->number_of, 0xff, (solvables + 1) * sizeof(size_t));
	for (int i = 0; i < decisions->count; i++)
		if (decisions->elements[i] > SYSTEMSOLVABLE)
			graph->ids[graph->count++] = decisions->elements[i];
	qsort_r(graph->ids, graph->count, sizeof(Id), by_rank, solver);
	for (size_t i = 0; i < graph->count; i++)
		graph->number_of[graph->ids[i]] = i;
	graph->nodes = calloc(graph->count + 1, sizeof(*graph->nodes));
	if (!graph->nodes)
		return mkv_oom(err);
	for (size_t i = 0; i < graph->count; i++) {
		int rc = link_node(graph, pool, i, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Writes the packages of all nodes in configuration order to `packages`, which
 * has an element per node. */
static int read_packages(const struct mkv_solver *solver,
			 const struct graph *graph,
			 struct mkv_lock_package *packages,
			 struct mkv_error *err)
{
	auto_free size_t *order = calloc(graph->count + 1, sizeof(*order));
	if (!order)
		return mkv_oom(err);
	int rc = mkv_order(graph->nodes, graph->count, order, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < graph->count; i++) {
		rc = read_package(solver, graph->ids[order[i]], &packages[i],
				  err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_solver_order(struct mkv_solver *solver, const Queue *decisions,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err)
{
	__attribute__((cleanup(graph_done))) struct graph graph = {0};
	int rc = make_graph(solver, decisions, &graph, err);
	if (rc < 0)
		return rc;
	auto_free struct mkv_lock_package *packages =
		calloc(graph.count + 1, sizeof(*packages));
	if (!packages)
		return mkv_oom(err);
	rc = read_packages(solver, &graph, packages, err);
	if (rc < 0) {
		for (size_t i = 0; i < graph.count; i++)
			mkv_lock_package_done(&packages[i]);
		return rc;
	}
	*ret = mkv_take(packages);
	*ret_count = graph.count;
	return 0;
}
