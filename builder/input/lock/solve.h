/* SPDX-License-Identifier: MIT */
#pragma once
/* Chooses the packages of a set with libsolv, in process. Recommended packages
 * are not installed; equal indexes and requests give an equal result. */

#include "builder/input/lock/lock.h"
#include "builder/input/lock/requested.h"

struct mkv_solver;
int mkv_solver_new(struct mkv_solver **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2);
void mkv_solver_free(struct mkv_solver *solver);
MKV_DEFINE_AUTO(solver, struct mkv_solver *, mkv_solver_free)
#define auto_solver mkv_auto(solver)

/* Reads an unpacked index. The caller keeps ownership of `fd`. */
int mkv_solver_add(struct mkv_solver *solver, const char *suite, int fd,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4);
/* Call once, after the last index was added. */
void mkv_solver_ready(struct mkv_solver *solver) mkv_nonnull(1);

/* Resolves a set. *ret is in the order that lock.h defines for sets; the caller
 * owns the array and its strings. A package that does not exist, or a set that
 * cannot be installed, is MKV_BAD_RECIPE. */
int mkv_solver_solve(struct mkv_solver *solver,
		     const struct mkv_requested_set *requested,
		     struct mkv_lock_package **ret, size_t *ret_count,
		     struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5);
