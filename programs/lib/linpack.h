/* SPDX-License-Identifier: MIT */
#pragma once
/* LINPACK (Dongarra, Moler, Bunch, Stewart: LINPACK Users' Guide, 1979): factor
 * a dense matrix by Gaussian elimination with partial pivoting (dgefa), solve
 * with the factors (dgesl), and check the solution as the benchmark does. */

#include "lib/error.h"

enum { MKV_LINPACK_ORDER_MAX = 4000 };
/* The benchmark's own limit is about 10; the residual of a wrong solution is
 * larger by orders of magnitude. */
#define MKV_LINPACK_RESIDUAL_MAX 16.0

struct mkv_linpack_result {
	double residual; /* |b - Ax| / (n |A| |x| eps), all in the max norm */
	double sum;	 /* of the solution: n, up to rounding */
};

/* Solves one system of `order` equations whose solution is all ones. -EDOM when
 * the matrix is singular or the residual is too large. */
int mkv_linpack_run(unsigned order, struct mkv_linpack_result *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);

/* The two routines, on a column-major matrix with `lda` rows per column. dgefa
 * returns 0, or k + 1 when U[k][k] is zero. */
unsigned mkv_dgefa(double *a, unsigned lda, unsigned n, unsigned *pivots)
	mkv_nonnull(1, 4);
void mkv_dgesl(const double *a, unsigned lda, unsigned n,
	       const unsigned *pivots, double *b) mkv_nonnull(1, 4, 5);
