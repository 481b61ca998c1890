/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by solve.c, which chooses packages, and solve_order.c, which puts them
 * in order. */

#include <solv/pooltypes.h>
#include <solv/queue.h>

#include "builder/input/lock/solve.h"

/* A package's size, by its digest. */
struct mkv_solver_size {
	struct mkv_sha256 sha256;
	uint64_t bytes;
};

struct mkv_solver {
	Pool *pool;
	struct mkv_solver_size *sizes; /* by digest once the solver is ready */
	size_t n_sizes;
	Queue essential, required; /* names */
	struct mkv_buf suites;	   /* "trixie, trixie-updates" */
};

/* Once all sizes are known. */
void mkv_solver_sort_sizes(struct mkv_solver *solver) mkv_nonnull(1);
/* The chosen solvables, filled in and in order; see mkv_solver_solve(). */
int mkv_solver_order(struct mkv_solver *solver, const Queue *decisions,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
