/* SPDX-License-Identifier: MIT */
#pragma once
/* Which packages a set comes to: libsolv, in process, over the indexes. Nothing
 * recommended is taken; the same indexes give the same answer. */

#include "builder/input/lock/lock.h"
#include "builder/input/lock/wants.h"

struct mkv_solver;
int mkv_solver_new(struct mkv_solver **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_solver_free(struct mkv_solver *solver);
MKV_DEFINE_AUTO(solver, struct mkv_solver *, mkv_solver_free)
#define auto_solver mkv_auto(solver)

/* Reads an unpacked index; the descriptor stays the caller's. */
int mkv_solver_add(struct mkv_solver *solver, const char *suite, int fd,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);
/* Once after the last index. */
void mkv_solver_ready(struct mkv_solver *solver) mkv_nonnull(1);

/* The packages of a set, in the order that lock.h describes for sets. The array
 * and its strings are the caller's. */
int mkv_solver_solve(struct mkv_solver *solver, const struct mkv_want *want,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
void mkv_lock_package_done(struct mkv_lock_package *package) mkv_nonnull(1);
