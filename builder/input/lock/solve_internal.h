/* SPDX-License-Identifier: MIT */
#pragma once
/* Shared by solve.c, which chooses packages, and solve_order.c, which orders
 * them. */

#include <solv/pooltypes.h>
#include <solv/queue.h>

#include "builder/input/lock/solve.h"

/* The Size field of a package, which libsolv does not keep. */
struct mkv_solver_size {
	struct mkv_sha256 sha256;
	uint64_t bytes;
};

struct mkv_solver {
	Pool *pool;
	struct mkv_solver_size *sizes; /* by digest after mkv_solver_ready() */
	size_t n_sizes;
	Queue essential, required; /* package names */
	struct mkv_buf suites;	   /* "trixie, trixie-updates" */
};

/* Call once, after the last index was added. */
void mkv_solver_sort_sizes(struct mkv_solver *solver) mkv_nonnull(1);
/* Converts the decided solvables to packages, in the order and with the
 * ownership of mkv_solver_solve(). */
int mkv_solver_order(struct mkv_solver *solver, const Queue *decisions,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
