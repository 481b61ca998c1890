/* SPDX-License-Identifier: MIT */
#include "builder/input/fetch/job.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

static int restart_job(struct mkv_job *job, struct mkv_error *err)
{
	struct mkv_sha256 ignored;
	int rc = mkv_hasher_finish(job->hasher, &ignored, err);
	job->got_bytes = 0;
	if (rc < 0)
		return rc;
	if (ftruncate(job->object.fd, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"truncate partial file: %m");
	return 0;
}

static int commit_object(struct mkv_job *job, bool *ret_right,
			 struct mkv_error *err)
{
	struct mkv_sha256 found, committed;
	int rc = mkv_hasher_finish(job->hasher, &found, err);
	if (rc < 0)
		return rc;
	*ret_right = mkv_sha256_equal(&found, &job->item->sha256);
	if (!*ret_right)
		return restart_job(job, err);
	return mkv_store_new_commit(&job->object, &found, &committed, err);
}

/* Hashes the bytes of an earlier run, so that the transfer can continue. */
static int resume_partial(struct mkv_job *job, bool *ret_whole,
			  struct mkv_error *err)
{
	enum { CHUNK = 256 * 1024 };
	auto_free char *chunk = malloc(CHUNK);
	struct stat st;
	if (!chunk)
		return mkv_oom(err);
	if (fstat(job->object.fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"stat partial file: %m");
	if ((uint64_t)st.st_size > job->item->size_bytes)
		return restart_job(job, err);
	while (job->got_bytes < (uint64_t)st.st_size) {
		uint64_t left = (uint64_t)st.st_size - job->got_bytes;
		size_t want = left < CHUNK ? (size_t)left : CHUNK;
		int rc = mkv_pread_all(job->object.fd, chunk, want,
				       job->got_bytes, err);
		if (rc < 0)
			return rc;
		mkv_hasher_add(job->hasher, chunk, want);
		job->got_bytes += want;
	}
	mkv_progress_advance(job->progress, job->got_bytes);
	if (job->got_bytes == job->item->size_bytes)
		return commit_object(job, ret_whole, err);
	return 0;
}

int mkv_job_open(struct mkv_job *job, struct mkv_store *store, bool *ret_whole,
		 struct mkv_error *err)
{
	*ret_whole = false;
	job->hasher = mkv_hasher_new();
	if (!job->hasher)
		return mkv_oom(err);
	int rc = mkv_store_partial_open(store, &job->item->sha256, &job->object,
					err);
	if (rc == -EAGAIN) /* locked: another build is fetching this item */
		rc = mkv_store_new_open(store, &job->object, err);
	return rc < 0 ? rc : resume_partial(job, ret_whole, err);
}

void mkv_job_done(struct mkv_job *job)
{
	curl_easy_cleanup(job->easy);
	mkv_store_new_done(&job->object);
	mkv_hasher_free(job->hasher);
	mkv_buf_done(&job->answers);
	free(job->uri);
	free(job->gave_up);
}

/* A mirror may ignore the range and send the whole file (RFC 9110, section
 * 14.2): then the transfer starts over. */
static int handle_first_byte(struct mkv_job *job)
{
	long status = 0;
	(void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	job->first_byte = false;
	if (job->sent_range && status == 200)
		return restart_job(job, &job->write_error);
	return 0;
}

static size_t receive_data(char *data, size_t size, size_t count, void *context)
{
	struct mkv_job *job = context;
	size_t bytes = size * count;
	if (job->first_byte && handle_first_byte(job) < 0)
		return CURL_WRITEFUNC_ERROR;
	if (bytes > job->item->size_bytes - job->got_bytes) {
		(void)mkv_fail(&job->write_error, MKV_UNVERIFIED, EFBIG,
			       "the response is larger than %llu bytes",
			       (unsigned long long)job->item->size_bytes);
		return CURL_WRITEFUNC_ERROR;
	}
	if (mkv_pwrite_all(job->object.fd, data, bytes, job->got_bytes,
			   &job->write_error) < 0)
		return CURL_WRITEFUNC_ERROR;
	mkv_hasher_add(job->hasher, data, bytes);
	job->got_bytes += bytes;
	mkv_progress_advance(job->progress, bytes);
	return bytes;
}

int mkv_job_start(struct mkv_job *job, const struct mkv_fetch_options *options,
		  struct mkv_error *err)
{
	const char *path =
		job->on_other_path ? job->item->other_path : job->item->path;
	free(mkv_take(job->uri));
	int rc = mkv_transfer_new(options, job->mirror, path, job->message,
				  &job->easy, &job->uri, err);
	if (rc < 0)
		return rc;
	char range[32];
	(void)snprintf(range, sizeof(range), "%llu-",
		       (unsigned long long)job->got_bytes);
	job->sent_range = job->got_bytes > 0;
	job->first_byte = true;
	job->write_error.code = 0;
	(void)curl_easy_setopt(job->easy, CURLOPT_WRITEFUNCTION, receive_data);
	(void)curl_easy_setopt(job->easy, CURLOPT_WRITEDATA, job);
	(void)curl_easy_setopt(job->easy, CURLOPT_PRIVATE, job);
	if (job->sent_range &&
	    curl_easy_setopt(job->easy, CURLOPT_RANGE, range) != CURLE_OK)
		return mkv_oom(err);
	return 0;
}

/* Verifies the bytes of a transfer that libcurl reports as complete. */
static int verify_object(struct mkv_job *job, enum mkv_outcome *ret, char *why,
			 size_t why_size, struct mkv_error *err)
{
	bool right = false;
	*ret = MKV_OUTCOME_AGAIN;
	if (job->got_bytes < job->item->size_bytes) {
		(void)snprintf(why, why_size,
			       "the response ended after %llu of %llu bytes",
			       (unsigned long long)job->got_bytes,
			       (unsigned long long)job->item->size_bytes);
		return 0;
	}
	int rc = commit_object(job, &right, err);
	if (rc < 0)
		return rc;
	if (right)
		*ret = MKV_OUTCOME_OK;
	else
		(void)snprintf(why, why_size,
			       "the response does not match the pinned "
			       "SHA-256");
	return 0;
}

int mkv_job_finish(struct mkv_job *job, CURLcode code, enum mkv_outcome *ret,
		   char *why, size_t why_size, struct mkv_error *err)
{
	long status = 0;
	(void)curl_easy_getinfo(job->easy, CURLINFO_RESPONSE_CODE, &status);
	*ret = mkv_transfer_judge(job->easy, code, job->message, why, why_size);
	curl_easy_cleanup(mkv_take(job->easy));
	if (job->write_error.code == EFBIG) {
		*ret = MKV_OUTCOME_AGAIN;
		(void)snprintf(why, why_size, "%s", job->write_error.message);
		return restart_job(job, err);
	}
	if (job->write_error.code) {
		*err = job->write_error;
		return mkv_wrap(err, -err->code, "%s, writing to store '%s'",
				job->item->name,
				mkv_store_path(job->object.store));
	}
	if (status == 416 && job->sent_range) {
		*ret = MKV_OUTCOME_AGAIN;
		return restart_job(job, err);
	}
	if (*ret == MKV_OUTCOME_OK)
		return verify_object(job, ret, why, why_size, err);
	return 0;
}
