/* SPDX-License-Identifier: MIT */
#include "builder/lock/solve.h"

#include <solv/chksum.h>
#include <solv/pool.h>
#include <solv/poolarch.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/solver.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "builder/lock/index.h"
#include "builder/lock/grow.h"
#include "builder/lock/order.h"
#include "builder/lock/stanza.h"
#include "builder/lock/valid.h"
#include "lib/text.h"

/* A package's size, by its digest. */
struct size {
	struct mkv_sha256 sha256;
	uint64_t bytes;
};

struct mkv_solver {
	Pool *pool;
	struct size *sizes; /* by digest once the solver is ready */
	size_t n_sizes;
	Queue essential, required; /* names */
	struct mkv_buf suites;	   /* "trixie, trixie-updates" */
};

int mkv_solver_new(struct mkv_solver **ret, struct mkv_error *err)
{
	auto_solver struct mkv_solver *solver = calloc(1, sizeof(*solver));
	if (!solver)
		return mkv_oom(err);
	queue_init(&solver->essential);
	queue_init(&solver->required);
	solver->pool = pool_create();
	if (!solver->pool)
		return mkv_oom(err);
	(void)pool_setdisttype(solver->pool, DISTTYPE_DEB);
	pool_setarch(solver->pool, "amd64");
	*ret = mkv_take(solver);
	return 0;
}

void mkv_solver_free(struct mkv_solver *solver)
{
	if (!solver)
		return;
	queue_free(&solver->essential);
	queue_free(&solver->required);
	mkv_buf_done(&solver->suites);
	free(solver->sizes);
	if (solver->pool)
		pool_free(solver->pool);
	free(solver);
}

static Id id_of(struct mkv_solver *solver, const struct mkv_stanza *stanza)
{
	return pool_strn2id(solver->pool, stanza->name,
			    (unsigned)stanza->name_length, 1);
}

/* libsolv keeps neither Essential nor Priority nor Size: a pass of our own. */
static int scan(struct mkv_solver *solver, const char *text, size_t size,
		struct mkv_error *err)
{
	const char *at = text;
	struct mkv_stanza stanza;
	while (mkv_stanza_next(&at, text + size, &stanza)) {
		if (!stanza.name || stanza.name_length > 128 ||
		    !stanza.has_sha256)
			continue;
		if (stanza.is_essential)
			queue_pushunique(&solver->essential,
					 id_of(solver, &stanza));
		if (stanza.is_required)
			queue_pushunique(&solver->required,
					 id_of(solver, &stanza));
		struct size *last = mkv_grow(&solver->sizes, &solver->n_sizes);
		if (!last)
			return mkv_oom(err);
		*last = (struct size){stanza.sha256, stanza.size_bytes};
	}
	return 0;
}

int mkv_solver_add(struct mkv_solver *solver, const char *suite, int fd,
		   struct mkv_error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat: %m");
	int copy = dup(fd);
	auto_file FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	if (!file) {
		mkv_auto_close_(&copy);
		return mkv_fail(err, MKV_FAILED, errno, "open: %m");
	}
	Repo *repo = repo_create(solver->pool, suite);
	if (!repo || repo_add_debpackages(repo, file, 0) != 0)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"libsolv, index of %s: %s", suite,
				pool_errstr(solver->pool));
	size_t size = (size_t)st.st_size;
	char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return mkv_fail(err, MKV_FAILED, errno, "map: %m");
	int rc = scan(solver, text, size, err);
	(void)munmap(text, size);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&solver->suites, "%s%s", solver->suites.size ? ", " : "",
		       suite);
	return mkv_buf_check(&solver->suites, err);
}

static int by_digest(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mkv_sha256));
}

void mkv_solver_ready(struct mkv_solver *solver)
{
	if (solver->n_sizes)
		qsort(solver->sizes, solver->n_sizes, sizeof(*solver->sizes),
		      by_digest);
	pool_addfileprovides(solver->pool);
	pool_createwhatprovides(solver->pool);
}

/* Whether any solvable has the name itself, not only provides it. */
static bool exists(Pool *pool, Id name)
{
	Id p, pp;
	FOR_PROVIDES(p, pp, name)
	if (pool->solvables[p].name == name)
		return true;
	return false;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Every name there is, or those that provide one, for a suggestion. Borrowed
 * from the pool. */
static const char **names_of(Pool *pool, Id provided, size_t *ret_count)
{
	const char **names = calloc((size_t)pool->nsolvables + 1, sizeof(char *));
	size_t count = 0;
	if (!names)
		return NULL;
	if (provided) {
		Id p, pp;
		FOR_PROVIDES(p, pp, provided)
		names[count++] = pool_id2str(pool, pool->solvables[p].name);
	} else {
		for (Id p = 2; p < pool->nsolvables; p++)
			names[count++] =
				pool_id2str(pool, pool->solvables[p].name);
	}
	qsort(names, count, sizeof(*names), by_text);
	*ret_count = count;
	return names;
}

static int complain_virtual(Pool *pool, Id id, const char *set,
			    const char *name, struct mkv_error *err)
{
	size_t count = 0;
	auto_free const char **providers = names_of(pool, id, &count);
	if (!providers)
		return mkv_oom(err);
	char list[400] = "";
	size_t used = 0, listed = 0;
	for (size_t i = 0; i < count && listed < 8; i++) {
		if (i && strcmp(providers[i], providers[i - 1]) == 0)
			continue;
		int more = snprintf(list + used, sizeof(list) - used, "%s%s",
				    listed++ ? ", " : "", providers[i]);
		if (more < 0 || (used += (size_t)more) >= sizeof(list))
			break;
	}
	return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			"%s: package '%s' is virtual: name one that provides "
			"it (%s)",
			set, name, list);
}

static int complain_unknown(const struct mkv_solver *solver, const char *set,
			    const char *name, struct mkv_error *err)
{
	Pool *pool = solver->pool;
	Id id = pool_str2id(pool, name, 0);
	if (id && *pool_whatprovides_ptr(pool, id))
		return complain_virtual(pool, id, set, name, err);
	size_t count = 0;
	auto_free const char **names = names_of(pool, 0, &count);
	if (!names)
		return mkv_oom(err);
	const char *near = mkv_nearest(name, names, count);
	return mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			"%s: there is no package '%s' in %s%s%s%s", set, name,
			solver->suites.data, near ? "; did you mean '" : "",
			near ? near : "", near ? "'?" : "");
}

static int make_job(struct mkv_solver *solver, const struct mkv_want *want,
		    const char *set, Queue *job, struct mkv_error *err)
{
	const int how = SOLVER_INSTALL | SOLVER_SOLVABLE_NAME;
	for (int i = 0; i < solver->essential.count; i++)
		queue_push2(job, how, solver->essential.elements[i]);
	/* The required packages, or else, where several could serve, they. */
	for (int i = 0; i < solver->required.count; i++)
		queue_push2(job,
			    want->is_whole ? how
					   : SOLVER_FAVOR | SOLVER_SOLVABLE_NAME,
			    solver->required.elements[i]);
	for (size_t i = 0; i < want->names.count; i++) {
		const char *name = want->names.items[i];
		Id id = pool_str2id(solver->pool, name, 0);
		if (!id || !exists(solver->pool, id))
			return complain_unknown(solver, set, name, err);
		queue_push2(job, how, id);
	}
	return 0;
}

/* libsolv's own words about the first problem: every rule of it. */
static int complain_unsolvable(Solver *solver, const char *set,
			       struct mkv_error *err)
{
	Queue rules;
	queue_init(&rules);
	solver_findallproblemrules(solver, 1, &rules);
	char text[1200] = "";
	size_t used = 0;
	for (int i = 0; i < rules.count && used < sizeof(text); i++) {
		Id source, target, dep;
		SolverRuleinfo type = solver_ruleinfo(
			solver, rules.elements[i], &source, &target, &dep);
		int more = snprintf(text + used, sizeof(text) - used, "%s%s",
				    used ? "; " : "",
				    solver_problemruleinfo2str(
					    solver, type, source, target, dep));
		used += more < 0 ? 0 : (size_t)more;
	}
	queue_free(&rules);
	return mkv_fail(err, MKV_BAD_RECIPE, ENOTEMPTY,
			"%s: its packages can't be installed together: %s", set,
			text);
}

void mkv_lock_package_done(struct mkv_lock_package *package)
{
	free(package->name);
	free(package->version);
	free(package->architecture);
	free(package->pool_path);
	free(package->archive);
	*package = (struct mkv_lock_package){0};
}

static uint64_t size_of(const struct mkv_solver *solver,
			const unsigned char *sha256)
{
	const struct size *found =
		sha256 && solver->n_sizes
			? bsearch(sha256, solver->sizes, solver->n_sizes,
				  sizeof(*solver->sizes), by_digest)
			: NULL;
	return found ? found->bytes : 0;
}

static int fill(const struct mkv_solver *solver, Id id,
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
	package->size_bytes = type == REPOKEY_TYPE_SHA256 ? size_of(solver, sha256) : 0;
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
				"lacks a sane name, path, size or SHA-256",
				s->repo->name, package->name, package->version,
				package->pool_path);
	memcpy(package->sha256.bytes, sha256, MKV_SHA256_SIZE);
	return 0;
}

/* The chosen solvables as a graph. Essential ones have the lowest numbers, then
 * names decide. */
struct graph {
	Id *ids;
	size_t count;
	size_t *number_of; /* by solvable; SIZE_MAX: not chosen */
	struct mkv_node *nodes;
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

static bool holds(const Queue *queue, Id id)
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
	bool x_first = holds(&solver->essential, x->name);
	bool y_first = holds(&solver->essential, y->name);
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
	struct mkv_node *node = &graph->nodes[at];
	Queue requires;
	queue_init(&requires);
	/* Pre-Depends stand behind the marker. */
	(void)solvable_lookup_deparray(&pool->solvables[graph->ids[at]],
				       SOLVABLE_REQUIRES, &requires, 0);
	bool before = false;
	int rc = 0;
	for (int i = 0; rc == 0 && i < requires.count; i++) {
		Id dependency = requires.elements[i];
		if (dependency == SOLVABLE_PREREQMARKER) {
			before = true;
			continue;
		}
		rc = add_edges(graph, pool, dependency, &node->depends,
			       &node->n_depends, err);
		if (rc == 0 && before)
			rc = add_edges(graph, pool, dependency,
				       &node->pre_depends, &node->n_pre_depends,
				       err);
	}
	queue_free(&requires);
	if (node->n_depends)
		qsort(node->depends, node->n_depends, sizeof(size_t),
		      by_number);
	if (node->n_pre_depends)
		qsort(node->pre_depends, node->n_pre_depends, sizeof(size_t),
		      by_number);
	return rc;
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
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < graph->count; i++)
		rc = link_node(graph, pool, i, err);
	return rc;
}

static int put_in_order(struct mkv_solver *solver, const Queue *decisions,
			struct mkv_lock_package **ret, size_t *ret_count,
			struct mkv_error *err)
{
	__attribute__((cleanup(graph_done))) struct graph graph = {0};
	int rc = make_graph(solver, decisions, &graph, err);
	if (rc < 0)
		return rc;
	auto_free size_t *order = calloc(graph.count + 1, sizeof(*order));
	struct mkv_lock_package *packages =
		calloc(graph.count + 1, sizeof(*packages));
	rc = order && packages ? 0 : mkv_oom(err);
	if (rc == 0)
		rc = mkv_order(graph.nodes, graph.count, order, err);
	for (size_t i = 0; rc == 0 && i < graph.count; i++)
		rc = fill(solver, graph.ids[order[i]], &packages[i], err);
	if (rc < 0) {
		for (size_t i = 0; packages && i < graph.count; i++)
			mkv_lock_package_done(&packages[i]);
		free(packages);
		return rc;
	}
	*ret = packages;
	*ret_count = graph.count;
	return 0;
}

/* "A | B" prefers A to Debian's own tools, and libsolv has no such order: the
 * first alternative of every dependency of what was chosen becomes a favourite.
 * True when there was a new one. */
static bool favour_first_alternatives(Pool *pool, const Queue *decisions,
				      Queue *job)
{
	const int how = SOLVER_FAVOR | SOLVER_SOLVABLE_PROVIDES;
	int before = job->count;
	Queue requires;
	queue_init(&requires);
	for (int i = 0; i < decisions->count; i++) {
		Id id = decisions->elements[i];
		if (id <= SYSTEMSOLVABLE)
			continue;
		(void)solvable_lookup_deparray(&pool->solvables[id],
					       SOLVABLE_REQUIRES, &requires, 0);
		for (int k = 0; k < requires.count; k++) {
			unsigned dependency =
				(unsigned)requires.elements[k];
			if (!ISRELDEP(dependency))
				continue;
			const Reldep *rel = GETRELDEP(pool, dependency);
			bool known = rel->flags != REL_OR;
			for (int j = 0; !known && j < job->count; j += 2)
				known = job->elements[j] == how &&
					job->elements[j + 1] == rel->name;
			if (!known)
				queue_push2(job, how, rel->name);
		}
	}
	queue_free(&requires);
	return job->count > before;
}

static int solve(struct mkv_solver *solver, const char *set, const Queue *job,
		 Queue *decisions, struct mkv_error *err)
{
	Solver *solv = solver_create(solver->pool);
	int rc = 0;
	(void)solver_set_flag(solv, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	if (solver_solve(solv, (Queue *)job) != 0)
		rc = complain_unsolvable(solv, set, err);
	else
		solver_get_decisionqueue(solv, decisions);
	solver_free(solv);
	return rc;
}

int mkv_solver_solve(struct mkv_solver *solver, const struct mkv_want *want,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err)
{
	enum { ROUNDS_MAX = 32 };
	char set[96];
	mkv_set_text(want->set, set);
	Queue job, decisions;
	queue_init(&job);
	queue_init(&decisions);
	int rc = make_job(solver, want, set, &job, err);
	for (int round = 0; rc == 0 && round < ROUNDS_MAX; round++) {
		rc = solve(solver, set, &job, &decisions, err);
		if (rc == 0 && !favour_first_alternatives(solver->pool,
							  &decisions, &job))
			break;
	}
	if (rc == 0)
		rc = put_in_order(solver, &decisions, ret, ret_count, err);
	queue_free(&job);
	queue_free(&decisions);
	return rc;
}
