/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/results.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/io.h"
#include "programs/campaign/loadgen/stats.h"

enum { PATH_SIZE = 4400, RUN_MAX = 128, RING_MAX = 1 << 21 };

struct mkv_load_results {
	const struct mkv_load_options *options;
	char directory[PATH_SIZE];
	int csv;
	struct mkv_buf text; /* of load.csv, not written yet */
	struct mkv_load_sample *ring;
	size_t size;
	atomic_size_t written; /* earlier samples have left the ring */
	pthread_mutex_t lock;  /* of the following */
	struct mkv_load_stats *warm_up, *measured;
};

/* Samples wait for those before them, which take at most the timeout. Twice as
 * many, since requests after a stall are sent faster than the rate says. */
static size_t ring_size(const struct mkv_load_options *options)
{
	size_t total = mkv_load_total(options);
	size_t waiting =
		(size_t)(options->connections +
			 options->rate * (2 * options->timeout_ms / 1000 + 2));
	if (waiting > RING_MAX)
		waiting = RING_MAX;
	return waiting < total ? waiting : total;
}

static bool is_run_name(const char *name)
{
	size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyz"
				   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return size && size <= RUN_MAX && !name[size] && name[0] != '.';
}

static int make_named_directory(struct mkv_load_results *results,
				struct mkv_error *err)
{
	const struct mkv_load_options *options = results->options;
	if (!is_run_name(options->run))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_RUN is '%.150s', not a name of up to "
				"%d letters, digits, '.', '_' and '-'",
				options->run, (int)RUN_MAX);
	(void)snprintf(results->directory, PATH_SIZE, "%s/%s",
		       options->directory, options->run);
	if (mkdir(results->directory, 0755) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "create '%s': %m",
				results->directory);
	return 0;
}

/* A run without a name gets one from the time. */
static int make_directory(struct mkv_load_results *results,
			  struct mkv_error *err)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	if (results->options->run)
		return make_named_directory(results, err);
	(void)gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(results->directory, PATH_SIZE, "%s/run-%s",
		       results->options->directory, stamp);
	for (unsigned i = 2; mkdir(results->directory, 0755) < 0; i++) {
		if (errno != EEXIST)
			return mkv_fail(err, MKV_FAILED, errno,
					"create '%s': %m", results->directory);
		(void)snprintf(results->directory, PATH_SIZE, "%s/run-%s-%u",
			       results->options->directory, stamp, i);
	}
	return 0;
}

static void print_path(const struct mkv_load_results *results, const char *name,
		       char ret[static PATH_SIZE + 32])
{
	(void)snprintf(ret, PATH_SIZE + 32, "%s/%s", results->directory, name);
}

static int open_files(struct mkv_load_results *results, struct mkv_error *err)
{
	char path[PATH_SIZE + 32];
	int rc = make_directory(results, err);
	if (rc < 0)
		return rc;
	print_path(results, "load.csv", path);
	results->csv =
		open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (results->csv < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m", path);
	mkv_buf_str(&results->text,
		    "request,phase,intended_ns,sent_ns,late_ns,latency_ns,"
		    "service_ns,status,connection,blocked,trace_id,order\n");
	return 0;
}

int mkv_load_results_open(const struct mkv_load_options *options,
			  struct mkv_load_results **ret, struct mkv_error *err)
{
	struct mkv_load_results *results = calloc(1, sizeof(*results));
	if (!results)
		return mkv_oom(err);
	results->options = options;
	results->csv = -1;
	results->size = ring_size(options);
	results->ring = calloc(results->size, sizeof(*results->ring));
	results->warm_up = calloc(1, sizeof(*results->warm_up));
	results->measured = calloc(1, sizeof(*results->measured));
	(void)pthread_mutex_init(&results->lock, NULL);
	int rc = results->ring && results->warm_up && results->measured
			 ? open_files(results, err)
			 : mkv_oom(err);
	if (rc < 0) {
		mkv_load_results_close(results);
		return rc;
	}
	*ret = results;
	return 0;
}

static void remove_files(const struct mkv_load_results *results)
{
	static const char *const names[] = {"load.csv", "progress.json"};
	char path[PATH_SIZE + 32];
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		print_path(results, names[i], path);
		(void)unlink(path);
	}
	(void)rmdir(results->directory);
}

void mkv_load_results_close(struct mkv_load_results *results)
{
	if (!results)
		return;
	/* rmdir() fails where a summary is. */
	if (results->csv >= 0 && atomic_load(&results->written) == 0 &&
	    results->text.size)
		remove_files(results);
	mkv_auto_close_(&results->csv);
	mkv_buf_done(&results->text);
	(void)pthread_mutex_destroy(&results->lock);
	free(results->ring);
	free(results->warm_up);
	free(results->measured);
	free(results);
}

bool mkv_load_results_has_room(const struct mkv_load_results *results,
			       size_t index)
{
	return index - atomic_load(&results->written) < results->size;
}

struct mkv_load_sample *
mkv_load_results_sample(struct mkv_load_results *results, size_t index)
{
	return &results->ring[index % results->size];
}

static bool is_measured(const struct mkv_load_results *results, size_t index)
{
	return index >= (size_t)results->options->warm_up;
}

void mkv_load_results_count_sent(struct mkv_load_results *results, size_t index)
{
	(void)pthread_mutex_lock(&results->lock);
	if (is_measured(results, index))
		results->measured->sent++;
	else
		results->warm_up->sent++;
	(void)pthread_mutex_unlock(&results->lock);
}

void mkv_load_results_complete(struct mkv_load_results *results, size_t index)
{
	struct mkv_load_sample *sample =
		mkv_load_results_sample(results, index);
	bool is_good = sample->status == (unsigned)results->options->status;
	(void)pthread_mutex_lock(&results->lock);
	mkv_load_stats_add(is_measured(results, index) ? results->measured
						       : results->warm_up,
			   sample, is_good);
	(void)pthread_mutex_unlock(&results->lock);
	atomic_store(&sample->is_complete, true);
}

static void print_sample(const struct mkv_load_results *results, size_t index,
			 const struct mkv_load_sample *sample,
			 struct mkv_buf *into)
{
	static const char digits[] = "0123456789abcdef";
	char trace[2 * sizeof(sample->trace_id) + 1] = "";
	for (size_t i = 0; i < sizeof(sample->trace_id); i++) {
		trace[2 * i] = digits[sample->trace_id[i] >> 4];
		trace[2 * i + 1] = digits[sample->trace_id[i] & 15];
	}
	mkv_buf_printf(into,
		       "%zu,%s,%" PRId64 ",%" PRId64 ",%" PRId64 ",%" PRId64
		       ",%" PRId64 ",%u,%u,%d,%s,%" PRId64 "\n",
		       index,
		       is_measured(results, index) ? "measured" : "warm-up",
		       sample->intended_ns, sample->sent_ns, sample->late_ns,
		       sample->latency_ns, sample->latency_ns - sample->late_ns,
		       sample->status, sample->connection, sample->is_blocked,
		       trace, sample->order);
}

int mkv_load_results_write(struct mkv_load_results *results,
			   struct mkv_error *err)
{
	size_t index = atomic_load(&results->written);
	for (;; index++) {
		struct mkv_load_sample *sample =
			mkv_load_results_sample(results, index);
		if (!atomic_load(&sample->is_complete))
			break;
		print_sample(results, index, sample, &results->text);
		atomic_store(&sample->is_complete, false);
		atomic_store(&results->written, index + 1);
	}
	int rc = mkv_buf_check(&results->text, err);
	if (rc < 0 || index == 0)
		return rc;
	rc = mkv_write_all(results->csv, results->text.data, results->text.size,
			   err);
	results->text.size = 0;
	return rc < 0 ? mkv_wrap(err, rc, "'%s/load.csv'", results->directory)
		      : 0;
}

static int place_file(const struct mkv_load_results *results, const char *name,
		      const struct mkv_buf *text, bool is_synced,
		      struct mkv_error *err)
{
	char path[PATH_SIZE + 32];
	print_path(results, name, path);
	return is_synced
		       ? mkv_write_file(path, 0644, text->data, text->size, err)
		       : mkv_place_file(path, 0644, text->data, text->size,
					err);
}

int mkv_load_results_progress(struct mkv_load_results *results,
			      unsigned connections, bool is_done,
			      struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	(void)pthread_mutex_lock(&results->lock);
	bool measures = results->measured->sent > 0;
	int rc = mkv_load_progress(
		results->options,
		is_done	   ? "done"
		: measures ? "measured"
			   : "warm-up",
		measures ? results->measured : results->warm_up,
		results->warm_up, results->measured, connections, &text, err);
	(void)pthread_mutex_unlock(&results->lock);
	return rc < 0 ? rc
		      : place_file(results, "progress.json", &text, false, err);
}

int mkv_load_results_summary(struct mkv_load_results *results,
			     const struct mkv_load_outcome *outcome,
			     struct mkv_buf *summary, struct mkv_error *err)
{
	if (fdatasync(results->csv) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"sync '%s/load.csv': %m", results->directory);
	return mkv_load_summary(results->options, outcome, results->measured,
				summary, err);
}

int mkv_load_results_finish(struct mkv_load_results *results,
			    const struct mkv_load_outcome *outcome,
			    const struct mkv_buf *summary,
			    struct mkv_error *err)
{
	int rc = place_file(results, "summary.json", summary, true, err);
	return rc < 0 ? rc
		      : mkv_load_results_progress(
				results, outcome->connections_used, true, err);
}

bool mkv_load_results_are_good(const struct mkv_load_results *results)
{
	const struct mkv_load_stats *measured = results->measured;
	return measured->answered > 0 &&
	       measured->answered == measured->lateness.total;
}
