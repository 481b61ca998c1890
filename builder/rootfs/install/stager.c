/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/thread.h"

enum { THREADS_MAX = 64 };
/* Limit of a package's files, far above any package of Debian. */
static const uint64_t package_bytes_max = (uint64_t)16 << 30;

enum state { WAITING, TAKEN, STAGED, FAILED };

struct mkv_stager {
	struct mkv_rootfs *rootfs;
	pthread_t threads[THREADS_MAX];
	size_t n_threads;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t *queue; /* package indexes, in the order of extraction */
	size_t next;   /* into `queue` */
	enum state *states;
	bool stop;
	struct mkv_error error; /* of the first failed package */
};

static int open_directory(const struct mkv_stager *stager, size_t package,
			  bool create, struct mkv_error *err)
{
	char name[24];
	(void)snprintf(name, sizeof(name), "%zu", package);
	int stage_fd = mkv_sandbox_stage_fd(stager->rootfs->sandbox);
	if (create && mkdirat(stage_fd, name, 0700) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"create a staging directory: %m");
	int fd = openat(stage_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? mkv_fail(err, MKV_FAILED, errno,
				 "open a staging directory: %m")
		      : fd;
}

static int stage_package(struct mkv_stager *stager, size_t package,
			 struct mkv_error *err)
{
	struct mkv_rootfs *rootfs = stager->rootfs;
	auto_fd int fd = open_directory(stager, package, true, err);
	int rc = fd < 0 ? fd
			: mkv_package_stage(&rootfs->packages[package],
					    rootfs->given[package].deb_fd, fd,
					    package_bytes_max, true, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s", rootfs->given[package].name);
	mkv_sandbox_advance(rootfs->sandbox,
			    rootfs->packages[package].deb.data.size);
	return 0;
}

static void *run_thread(void *context)
{
	struct mkv_stager *stager = context;
	(void)pthread_mutex_lock(&stager->lock);
	while (!stager->stop && stager->next < stager->rootfs->count) {
		size_t package = stager->queue[stager->next++];
		stager->states[package] = TAKEN;
		(void)pthread_mutex_unlock(&stager->lock);
		struct mkv_error err = {0};
		int rc = stage_package(stager, package, &err);
		(void)pthread_mutex_lock(&stager->lock);
		stager->states[package] = rc < 0 ? FAILED : STAGED;
		if (rc < 0 && !stager->stop) {
			stager->error = err;
			stager->stop = true;
		}
		(void)pthread_cond_broadcast(&stager->changed);
	}
	(void)pthread_mutex_unlock(&stager->lock);
	return NULL;
}

static bool is_before(const struct mkv_rootfs *rootfs, size_t left,
		      size_t right)
{
	uint64_t left_size = rootfs->packages[left].deb.data.size;
	uint64_t right_size = rootfs->packages[right].deb.data.size;
	if (rootfs->phases[left] != rootfs->phases[right])
		return rootfs->phases[left] < rootfs->phases[right];
	return left_size != right_size ? left_size > right_size : left < right;
}

static int compare_packages(const void *a, const void *b, void *context)
{
	return is_before(context, *(const size_t *)a, *(const size_t *)b) ? -1
									  : 1;
}

/* Orders by phase, in which the packages are needed, then by size, so that no
 * large package is left to one thread at the end. The largest of all starts
 * right after the essential packages: it takes one thread about as long as the
 * remaining packages take the others. */
static void order_queue(const struct mkv_rootfs *rootfs, size_t *queue)
{
	size_t essential = rootfs->options->n_base, large = 0;
	for (size_t i = 0; i < rootfs->count; i++) {
		queue[i] = i;
		essential += rootfs->phases[i] == MKV_PHASE_ESSENTIAL;
		large += rootfs->phases[i] == MKV_PHASE_LARGE;
	}
	qsort_r(queue, rootfs->count, sizeof(*queue), compare_packages,
		(void *)rootfs);
	if (large == 0)
		return;
	size_t from = rootfs->count - large, largest = queue[from];
	memmove(queue + essential + 1, queue + essential,
		(from - essential) * sizeof(*queue));
	queue[essential] = largest;
}

int mkv_stager_start(struct mkv_rootfs *rootfs, struct mkv_stager **ret,
		     struct mkv_error *err)
{
	auto_stager struct mkv_stager *stager = calloc(1, sizeof(*stager));
	if (!stager)
		return mkv_oom(err);
	(void)pthread_mutex_init(&stager->lock, NULL);
	(void)pthread_cond_init(&stager->changed, NULL);
	stager->rootfs = rootfs;
	stager->next = rootfs->options->n_base; /* sorted to the front */
	stager->queue = calloc(rootfs->count, sizeof(*stager->queue));
	stager->states = calloc(rootfs->count, sizeof(*stager->states));
	if (!stager->queue || !stager->states)
		return mkv_oom(err);
	order_queue(rootfs, stager->queue);
	long online = rootfs->options->threads ? (long)rootfs->options->threads
					       : sysconf(_SC_NPROCESSORS_ONLN);
	size_t wanted = online < 1	       ? 1
			: online > THREADS_MAX ? THREADS_MAX
					       : (size_t)online;
	while (stager->n_threads < wanted) {
		int rc = mkv_thread_start(&stager->threads[stager->n_threads],
					  run_thread, stager, err,
					  "unpacker %zu of %zu",
					  stager->n_threads + 1, wanted);
		if (rc < 0)
			return rc;
		stager->n_threads++;
	}
	*ret = mkv_take(stager);
	return 0;
}

int mkv_stager_wait(struct mkv_stager *stager, size_t package, int *ret_fd,
		    struct mkv_error *err)
{
	(void)pthread_mutex_lock(&stager->lock);
	while (stager->states[package] != STAGED && !stager->stop)
		(void)pthread_cond_wait(&stager->changed, &stager->lock);
	bool is_staged = stager->states[package] == STAGED;
	if (!is_staged)
		*err = stager->error;
	(void)pthread_mutex_unlock(&stager->lock);
	if (!is_staged)
		return -(err->code ? err->code : EIO);
	int fd = open_directory(stager, package, false, err);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

void mkv_stager_free(struct mkv_stager *stager)
{
	if (!stager)
		return;
	(void)pthread_mutex_lock(&stager->lock);
	stager->stop = true;
	(void)pthread_mutex_unlock(&stager->lock);
	for (size_t i = 0; i < stager->n_threads; i++)
		(void)pthread_join(stager->threads[i], NULL);
	(void)pthread_cond_destroy(&stager->changed);
	(void)pthread_mutex_destroy(&stager->lock);
	free(stager->queue);
	free(stager->states);
	free(stager);
}
