/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/fetch.h"

#include <string.h>
#include <time.h>

#include "builder/input/fetch/job.h"
#include "lib/clock.h"

enum { PARALLEL = 8, ATTEMPTS = 4, BACKOFF_MS = 500, POLL_MS = 1000 };

/* Results of one mirror so far. */
struct health {
	unsigned good, gone;
	bool dead;
	char why[CURL_ERROR_SIZE + 64];
};

struct run {
	const struct mkv_fetch_options *options;
	struct mkv_store *store;
	CURLM *multi;
	struct health *mirrors;
	struct mkv_job **open; /* jobs that are waiting or running */
	size_t n_open, next;   /* `next`: index into `missing` */
	unsigned running;
	const struct mkv_fetch_item **missing; /* not in the store */
	size_t n_missing;
	struct mkv_job *first_failed; /* owned */
	size_t n_failed;
	struct mkv_progress *progress;
};

static void add_answer(const struct run *run, struct mkv_job *job,
		       const char *why)
{
	mkv_buf_printf(&job->answers, "%s%s: %s", job->answers.size ? "; " : "",
		       run->options->mirrors->items[job->mirror].uri, why);
}

/* Chooses the next mirror for a job, in configured order; mirrors that lacked
 * everything requested so far come last. False when none is left. */
static bool choose_mirror(struct run *run, struct mkv_job *job)
{
	const struct mkv_mirrors *mirrors = run->options->mirrors;
	size_t best = mirrors->count;
	bool best_is_poor = false;
	for (size_t i = 0; i < mirrors->count; i++) {
		const struct health *health = &run->mirrors[i];
		if (job->gave_up[i] ||
		    !mkv_mirrors_may_hold(mirrors, i, job->item->archive))
			continue;
		if (health->dead) {
			job->gave_up[i] = true;
			job->mirror = i;
			job->all_gone = false;
			add_answer(run, job, health->why);
			continue;
		}
		bool poor = health->gone > 1 && !health->good;
		if (best == mirrors->count || (best_is_poor && !poor)) {
			best = i;
			best_is_poor = poor;
		}
	}
	if (best == mirrors->count)
		return false;
	job->mirror = best;
	job->attempt = 0;
	job->on_other_path = false;
	return true;
}

static void free_job(struct mkv_job *job)
{
	if (job)
		mkv_job_done(job);
	free(job);
}

static void close_job(struct run *run, size_t at)
{
	struct mkv_job *job = run->open[at];
	if (job->state == MKV_JOB_FAILED) {
		run->n_failed++;
		if (!run->first_failed) {
			mkv_store_new_done(&job->object);
			run->first_failed = job;
			job = NULL;
		}
	}
	free_job(job);
	run->open[at] = run->open[--run->n_open];
}

static int open_next(struct run *run, struct mkv_error *err)
{
	struct mkv_job *job = calloc(1, sizeof(*job));
	if (!job)
		return mkv_oom(err);
	*job = (struct mkv_job){
		.item = run->missing[run->next++],
		.progress = run->progress,
		.object = MKV_STORE_NEW_INIT,
		.all_gone = true,
	};
	run->open[run->n_open++] = job;
	job->gave_up = calloc(run->options->mirrors->count + 1, sizeof(bool));
	if (!job->gave_up)
		return mkv_oom(err);
	bool whole = false;
	int rc = mkv_job_open(job, run->store, &whole, err);
	if (rc < 0)
		return rc;
	job->state = whole ? MKV_JOB_DONE : MKV_JOB_WAITING;
	if (!whole && !choose_mirror(run, job))
		job->state = MKV_JOB_FAILED;
	return 0;
}

static int start_job(struct run *run, struct mkv_job *job,
		     struct mkv_error *err)
{
	job->attempt++;
	int rc = mkv_job_start(job, run->options, err);
	if (rc < 0)
		return rc;
	CURLMcode code = curl_multi_add_handle(run->multi, job->easy);
	if (code != CURLM_OK)
		return mkv_fail(err, MKV_FAILED, EIO, "libcurl: %s",
				curl_multi_strerror(code));
	job->state = MKV_JOB_RUNNING;
	run->running++;
	return 0;
}

/* Moves a job to its next mirror, or fails it. */
static void give_up_mirror(struct run *run, struct mkv_job *job,
			   const char *why)
{
	add_answer(run, job, why);
	job->gave_up[job->mirror] = true;
	job->state = MKV_JOB_WAITING;
	job->start_ms = 0;
	if (!choose_mirror(run, job))
		job->state = MKV_JOB_FAILED;
}

static void retry_later(struct run *run, struct mkv_job *job,
			enum mkv_outcome outcome, const char *why)
{
	unsigned attempts =
		run->options->attempts ? run->options->attempts : ATTEMPTS;
	unsigned backoff_ms = run->options->backoff_ms
				      ? run->options->backoff_ms
				      : BACKOFF_MS;
	job->all_gone = false;
	if (job->attempt < attempts) {
		job->state = MKV_JOB_WAITING;
		job->start_ms = mkv_monotonic_ms() +
				((int64_t)backoff_ms << (job->attempt - 1));
		return;
	}
	struct health *health = &run->mirrors[job->mirror];
	char text[CURL_ERROR_SIZE + 128];
	(void)snprintf(text, sizeof(text), "%s (%u attempts)", why,
		       job->attempt);
	if (outcome == MKV_OUTCOME_DEAD) {
		health->dead = true;
		(void)snprintf(health->why, sizeof(health->why), "%s", why);
	}
	give_up_mirror(run, job, text);
}

static int finish_job(struct run *run, CURLMsg *message, struct mkv_error *err)
{
	struct mkv_job *job = NULL;
	char *private = NULL;
	(void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
				&private);
	job = (struct mkv_job *)(void *)private;
	CURLcode code = message->data.result;
	(void)curl_multi_remove_handle(run->multi, job->easy);
	run->running--;
	enum mkv_outcome outcome;
	char why[CURL_ERROR_SIZE + 64] = "";
	int rc = mkv_job_finish(job, code, &outcome, why, sizeof(why), err);
	if (rc < 0)
		return rc;
	switch (outcome) {
	case MKV_OUTCOME_OK:
		run->mirrors[job->mirror].good++;
		job->state = MKV_JOB_DONE;
		break;
	case MKV_OUTCOME_GONE:
		if (!job->on_other_path && job->item->other_path) {
			job->on_other_path = true;
			job->attempt = 0;
			job->state = MKV_JOB_WAITING;
			break;
		}
		run->mirrors[job->mirror].gone++;
		job->any_gone = true;
		give_up_mirror(run, job, why);
		break;
	case MKV_OUTCOME_AGAIN:
	case MKV_OUTCOME_DEAD:
		retry_later(run, job, outcome, why);
		break;
	}
	return 0;
}

/* Starts every job that is due; *ret_wait_ms is the time until the next one. */
static int start_due(struct run *run, int *ret_wait_ms, struct mkv_error *err)
{
	unsigned parallel =
		run->options->parallel ? run->options->parallel : PARALLEL;
	int64_t now = mkv_monotonic_ms(), wait_ms = POLL_MS;
	while (run->n_open < parallel && run->next < run->n_missing) {
		int rc = open_next(run, err);
		if (rc < 0)
			return rc;
		struct mkv_job *job = run->open[run->n_open - 1];
		if (job->state != MKV_JOB_WAITING)
			close_job(run, run->n_open - 1);
	}
	for (size_t i = 0; i < run->n_open; i++) {
		struct mkv_job *job = run->open[i];
		if (job->state != MKV_JOB_WAITING)
			continue;
		if (job->start_ms > now) {
			if (job->start_ms - now < wait_ms)
				wait_ms = job->start_ms - now;
			continue;
		}
		int rc = start_job(run, job, err);
		if (rc < 0)
			return rc;
	}
	*ret_wait_ms = (int)wait_ms;
	return 0;
}

static int poll_transfers(struct run *run, int wait_ms, struct mkv_error *err)
{
	int active = 0, left = 0;
	CURLMcode code = curl_multi_perform(run->multi, &active);
	for (CURLMsg *m; (m = curl_multi_info_read(run->multi, &left));) {
		int rc = finish_job(run, m, err);
		if (rc < 0)
			return rc;
		wait_ms = 0;
	}
	for (size_t i = run->n_open; i-- > 0;)
		if (run->open[i]->state == MKV_JOB_DONE ||
		    run->open[i]->state == MKV_JOB_FAILED)
			close_job(run, i);
	if (code == CURLM_OK && wait_ms > 0)
		code = curl_multi_poll(run->multi, NULL, 0, wait_ms, NULL);
	if (code != CURLM_OK)
		return mkv_fail(err, MKV_FAILED, EIO, "libcurl: %s",
				curl_multi_strerror(code));
	return 0;
}

/* The advice precedes the answers, which may be truncated. */
static int fail_missing(const struct run *run, struct mkv_error *err)
{
	const struct mkv_job *job = run->first_failed;
	bool all_gone = job->all_gone && job->answers.size;
	bool may_be_gone = job->any_gone || !job->answers.size;
	const char *advice = may_be_gone ? run->options->advice : NULL;
	char more[64] = "", nobody[128];
	if (run->n_failed > 1)
		(void)snprintf(more, sizeof(more), " (and %zu more)",
			       run->n_failed - 1);
	(void)snprintf(nobody, sizeof(nobody),
		       "no configured mirror holds '%.64s'",
		       job->item->archive);
	return mkv_fail(err, MKV_FAILED, all_gone ? ENOENT : EIO,
			"%s%s %s (%s)%s%s%s: %s", job->item->name, more,
			all_gone ? "is on no mirror" : "could not be fetched",
			job->item->path, advice ? "; " : "",
			advice ? advice : "", advice ? "; mirrors" : "",
			job->answers.size ? job->answers.data : nobody);
}

/* Items that no mirror has do not stop the run, so that the error counts all of
 * them. Any other failure does: further items would fail likewise. */
static int run_jobs(struct run *run, struct mkv_error *err)
{
	int wait_ms = 0;
	for (;;) {
		int rc = start_due(run, &wait_ms, err);
		if (rc < 0)
			return rc;
		if (run->n_open == 0 && run->next == run->n_missing)
			break;
		rc = poll_transfers(run, wait_ms, err);
		if (rc < 0)
			return rc;
		if (run->first_failed && !run->first_failed->all_gone)
			break;
	}
	return run->first_failed ? fail_missing(run, err) : 0;
}

static bool is_missing(const struct run *run, const struct mkv_sha256 *sha256)
{
	for (size_t i = 0; i < run->n_missing; i++)
		if (mkv_sha256_equal(&run->missing[i]->sha256, sha256))
			return true;
	return false;
}

static void run_done(struct run *run)
{
	for (size_t i = 0; i < run->n_open; i++) {
		if (run->open[i]->easy)
			(void)curl_multi_remove_handle(run->multi,
						       run->open[i]->easy);
		free_job(run->open[i]);
	}
	free_job(run->first_failed);
	if (run->multi)
		(void)curl_multi_cleanup(run->multi);
	free(run->mirrors);
	free(run->open);
	free(run->missing);
}

/* Collects the items that the store lacks, each digest once. */
static int find_missing(struct run *run, const struct mkv_fetch_item *items,
			size_t count, uint64_t *ret_bytes,
			struct mkv_error *err)
{
	run->missing = calloc(count + 1, sizeof(*run->missing));
	if (!run->missing)
		return mkv_oom(err);
	*ret_bytes = 0;
	for (size_t i = 0; i < count; i++) {
		auto_fd int fd = -1;
		int rc = mkv_store_get(run->store, &items[i].sha256, &fd, err);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		if (rc >= 0 || is_missing(run, &items[i].sha256))
			continue;
		run->missing[run->n_missing++] = &items[i];
		*ret_bytes += items[i].size_bytes;
	}
	return 0;
}

static int fetch_missing(struct run *run, uint64_t bytes, struct mkv_error *err)
{
	size_t mirrors = run->options->mirrors->count;
	int rc = mkv_transfer_global(err);
	if (rc < 0)
		return rc;
	run->multi = curl_multi_init();
	run->mirrors = calloc(mirrors + 1, sizeof(*run->mirrors));
	run->open = calloc(
		(run->options->parallel ? run->options->parallel : PARALLEL) +
			1U,
		sizeof(struct mkv_job *));
	if (!run->multi || !run->mirrors || !run->open)
		return mkv_oom(err);
	auto_progress_step struct mkv_progress_step step =
		run->n_missing == 1
			? mkv_progress_begin(run->progress, bytes, "fetch %s",
					     run->missing[0]->name)
			: mkv_progress_begin(run->progress, bytes,
					     "fetch %zu files", run->n_missing);
	rc = run_jobs(run, err);
	mkv_progress_end(&step, rc, NULL);
	return rc;
}

int mkv_fetch_all(struct mkv_store *store, const struct mkv_fetch_item *items,
		  size_t count, const struct mkv_fetch_options *options,
		  struct mkv_progress *progress, struct mkv_error *err)
{
	__attribute__((cleanup(run_done))) struct run run = {
		.options = options, .store = store, .progress = progress};
	uint64_t bytes = 0;
	int rc = find_missing(&run, items, count, &bytes, err);
	if (rc < 0 || run.n_missing == 0)
		return rc;
	if (!options->offline)
		return fetch_missing(&run, bytes, err);
	char more[64] = "";
	if (run.n_missing > 1)
		(void)snprintf(more, sizeof(more), " and %zu more",
			       run.n_missing - 1);
	return mkv_fail(err, MKV_FAILED, ENOENT,
			"offline: the store '%s' lacks %s%s",
			mkv_store_path(store), run.missing[0]->name, more);
}
