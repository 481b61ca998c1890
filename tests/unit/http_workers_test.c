/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "programs/lib/http_workers.h"

enum { TASKS = 1000 };

static struct numbered {
	struct mkv_http_task task;
	unsigned number;
} tasks[TASKS];
static unsigned order[TASKS];
static atomic_uint ran;

static void record_order(struct mkv_http_task *task)
{
	const struct numbered *one =
		(const struct numbered *)((const char *)task -
					  offsetof(struct numbered, task));
	order[atomic_fetch_add(&ran, 1)] = one->number;
}

static struct mkv_http_workers *start_and_queue(unsigned threads)
{
	struct mkv_http_workers *workers = NULL;
	struct mkv_error err;
	atomic_store(&ran, 0);
	assert_int_equal(
		mkv_http_workers_start(threads, record_order, &workers, &err),
		0);
	for (unsigned i = 0; i < TASKS; i++) {
		tasks[i].number = i;
		assert_true(mkv_http_workers_put(workers, &tasks[i].task));
	}
	return workers;
}

static void one_thread_runs_tasks_in_order(void **state)
{
	(void)state;
	struct mkv_http_workers *workers = start_and_queue(1);
	mkv_http_workers_stop(workers);
	mkv_http_workers_free(workers);
	assert_int_equal(atomic_load(&ran), TASKS);
	for (unsigned i = 0; i < TASKS; i++)
		assert_int_equal(order[i], i);
}

static void a_stop_runs_queued_tasks_and_refuses_new_ones(void **state)
{
	(void)state;
	struct mkv_http_workers *workers = start_and_queue(8);
	mkv_http_workers_stop(workers);
	assert_int_equal(atomic_load(&ran), TASKS);
	assert_false(mkv_http_workers_put(workers, &tasks[0].task));
	mkv_http_workers_free(workers);
	bool seen[TASKS] = {false};
	for (unsigned i = 0; i < TASKS; i++) {
		assert_false(seen[order[i]]);
		seen[order[i]] = true;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_thread_runs_tasks_in_order),
		cmocka_unit_test(a_stop_runs_queued_tasks_and_refuses_new_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
