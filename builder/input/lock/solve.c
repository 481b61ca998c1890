/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/solve.h"

#include <solv/pool.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/solver.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "builder/input/lock/solve_internal.h"
#include "builder/input/lock/stanza.h"
#include "lib/grow.h"
#include "lib/text.h"

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

static Id find_name_id(struct mkv_solver *solver,
		       const struct mkv_stanza *stanza)
{
	return pool_strn2id(solver->pool, stanza->name,
			    (unsigned)stanza->name_length, 1);
}

/* Reads Essential, Priority and Size, which libsolv does not keep. */
static int scan_stanzas(struct mkv_solver *solver, const char *text,
			size_t size, struct mkv_error *err)
{
	const char *at = text;
	struct mkv_stanza stanza;
	while (mkv_stanza_next(&at, text + size, &stanza)) {
		if (!stanza.name || stanza.name_length > 128 ||
		    !stanza.has_sha256)
			continue;
		if (stanza.is_essential)
			queue_pushunique(&solver->essential,
					 find_name_id(solver, &stanza));
		if (stanza.is_required)
			queue_pushunique(&solver->required,
					 find_name_id(solver, &stanza));
		struct mkv_solver_size *last =
			mkv_grow(&solver->sizes, &solver->n_sizes);
		if (!last)
			return mkv_oom(err);
		*last = (struct mkv_solver_size){stanza.sha256,
						 stanza.size_bytes};
	}
	return 0;
}

int mkv_solver_add(struct mkv_solver *solver, const char *suite, int fd,
		   struct mkv_error *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "stat index: %m");
	int copy = dup(fd);
	auto_file FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
	if (!file) {
		mkv_auto_close_(&copy);
		return mkv_fail(err, MKV_FAILED, errno, "open index: %m");
	}
	Repo *repo = repo_create(solver->pool, suite);
	if (!repo || repo_add_debpackages(repo, file, 0) != 0)
		return mkv_fail(err, MKV_FAILED, EBADMSG,
				"libsolv: index of %s: %s", suite,
				pool_errstr(solver->pool));
	size_t size = (size_t)st.st_size;
	char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (text == MAP_FAILED)
		return mkv_fail(err, MKV_FAILED, errno, "map index: %m");
	int rc = scan_stanzas(solver, text, size, err);
	(void)munmap(text, size);
	if (rc < 0)
		return rc;
	mkv_buf_printf(&solver->suites, "%s%s", solver->suites.size ? ", " : "",
		       suite);
	return mkv_buf_check(&solver->suites, err);
}

void mkv_solver_ready(struct mkv_solver *solver)
{
	mkv_solver_sort_sizes(solver);
	pool_addfileprovides(solver->pool);
	pool_createwhatprovides(solver->pool);
}

/* Whether a package has this name; a virtual package that others provide does
 * not count. */
static bool has_package(Pool *pool, Id name)
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

/* The sorted names of the packages that provide `provided`, or of all packages
 * when it is 0. The caller frees the array; the strings belong to the pool. */
static const char **list_names(Pool *pool, Id provided, size_t *ret_count)
{
	const char **names =
		calloc((size_t)pool->nsolvables + 1, sizeof(char *));
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

static int fail_virtual(Pool *pool, Id id, const char *set, const char *name,
			struct mkv_error *err)
{
	size_t count = 0;
	auto_free const char **providers = list_names(pool, id, &count);
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
			"%s: package '%s' is virtual: request a package that "
			"provides it (%s)",
			set, name, list);
}

static int fail_unknown(const struct mkv_solver *solver, const char *set,
			const char *name, struct mkv_error *err)
{
	Pool *pool = solver->pool;
	Id id = pool_str2id(pool, name, 0);
	if (id && *pool_whatprovides_ptr(pool, id))
		return fail_virtual(pool, id, set, name, err);
	size_t count = 0;
	auto_free const char **names = list_names(pool, 0, &count);
	if (!names)
		return mkv_oom(err);
	const char *near = mkv_nearest(name, names, count);
	int rc = mkv_fail(err, MKV_BAD_RECIPE, ENOENT,
			  "%s: there is no package '%s' in %s%s%s%s", set, name,
			  solver->suites.data, near ? "; did you mean '" : "",
			  near ? near : "", near ? "'?" : "");
	return mkv_error_suggest(err, rc, near);
}

static int make_job(struct mkv_solver *solver,
		    const struct mkv_requested_set *requested, const char *set,
		    Queue *job, struct mkv_error *err)
{
	const int how = SOLVER_INSTALL | SOLVER_SOLVABLE_NAME;
	for (int i = 0; i < solver->essential.count; i++)
		queue_push2(job, how, solver->essential.elements[i]);
	/* Outside a bootable image, packages of Priority required are only
	 * preferred among alternatives. */
	for (int i = 0; i < solver->required.count; i++)
		queue_push2(job,
			    requested->is_whole
				    ? how
				    : SOLVER_FAVOR | SOLVER_SOLVABLE_NAME,
			    solver->required.elements[i]);
	for (size_t i = 0; i < requested->names.count; i++) {
		const char *name = requested->names.items[i];
		Id id = pool_str2id(solver->pool, name, 0);
		if (!id || !has_package(solver->pool, id))
			return fail_unknown(solver, set, name, err);
		queue_push2(job, how, id);
	}
	return 0;
}

/* Reports every rule of libsolv's first problem. */
static int fail_unsolvable(Solver *solver, const char *set,
			   struct mkv_error *err)
{
	Queue rules;
	queue_init(&rules);
	solver_findallproblemrules(solver, 1, &rules);
	char text[1200] = "";
	size_t used = 0;
	for (int i = 0; i < rules.count && used < sizeof(text); i++) {
		Id source, target, dep;
		SolverRuleinfo type = solver_ruleinfo(solver, rules.elements[i],
						      &source, &target, &dep);
		int more = snprintf(text + used, sizeof(text) - used, "%s%s",
				    used ? "; " : "",
				    solver_problemruleinfo2str(
					    solver, type, source, target, dep));
		used += more < 0 ? 0 : (size_t)more;
	}
	queue_free(&rules);
	return mkv_fail(err, MKV_BAD_RECIPE, ENOTEMPTY,
			"%s: the packages cannot be installed together: %s",
			set, text);
}

/* Debian's tools prefer A for a dependency "A | B"; libsolv does not. Favours
 * the first alternative of every dependency of the chosen packages. True when
 * that added a favourite, so that the set must be solved again. */
static bool favour_first_alternatives(Pool *pool, const Queue *decisions,
				      Queue *job)
{
	const int how = SOLVER_FAVOR | SOLVER_SOLVABLE_PROVIDES;
	int before = job->count;
	Queue needed;
	queue_init(&needed);
	for (int i = 0; i < decisions->count; i++) {
		Id id = decisions->elements[i];
		if (id <= SYSTEMSOLVABLE)
			continue;
		(void)solvable_lookup_deparray(&pool->solvables[id],
					       SOLVABLE_REQUIRES, &needed, 0);
		for (int k = 0; k < needed.count; k++) {
			unsigned dependency = (unsigned)needed.elements[k];
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
	queue_free(&needed);
	return job->count > before;
}

static int solve_once(struct mkv_solver *solver, const char *set,
		      const Queue *job, Queue *decisions, struct mkv_error *err)
{
	Solver *solv = solver_create(solver->pool);
	int rc = 0;
	(void)solver_set_flag(solv, SOLVER_FLAG_IGNORE_RECOMMENDED, 1);
	if (solver_solve(solv, (Queue *)job) != 0)
		rc = fail_unsolvable(solv, set, err);
	else
		solver_get_decisionqueue(solv, decisions);
	solver_free(solv);
	return rc;
}

/* Solves until no new favourite appears. */
static int solve_set(struct mkv_solver *solver,
		     const struct mkv_requested_set *requested, Queue *job,
		     Queue *decisions, struct mkv_error *err)
{
	enum { ROUNDS_MAX = 32 };
	char label[96];
	mkv_set_label(requested->set, label);
	int rc = make_job(solver, requested, label, job, err);
	if (rc < 0)
		return rc;
	for (int round = 0; round < ROUNDS_MAX; round++) {
		rc = solve_once(solver, label, job, decisions, err);
		if (rc < 0)
			return rc;
		if (!favour_first_alternatives(solver->pool, decisions, job))
			break;
	}
	return 0;
}

int mkv_solver_solve(struct mkv_solver *solver,
		     const struct mkv_requested_set *requested,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err)
{
	__attribute__((cleanup(queue_free))) Queue job, decisions;
	queue_init(&job);
	queue_init(&decisions);
	int rc = solve_set(solver, requested, &job, &decisions, err);
	return rc < 0 ? rc
		      : mkv_solver_order(solver, &decisions, ret, ret_count,
					 err);
}
