/* SPDX-License-Identifier: MIT */
#include "programs/lib/linpack.h"

#include <float.h>
#include <math.h>
#include <stdint.h>

static void daxpy(unsigned n, double factor, const double *x, double *y)
{
	for (unsigned i = 0; i < n; i++)
		y[i] += factor * x[i];
}

static unsigned idamax(unsigned n, const double *x)
{
	unsigned at = 0;
	for (unsigned i = 1; i < n; i++)
		if (fabs(x[i]) > fabs(x[at]))
			at = i;
	return at;
}

static void swap_doubles(double *a, double *b)
{
	double t = *a;
	*a = *b;
	*b = t;
}

unsigned mkv_dgefa(double *a, unsigned lda, unsigned n, unsigned *pivots)
{
	unsigned info = 0;
	for (unsigned k = 0; k + 1 < n; k++) {
		double *column = a + (size_t)k * lda;
		unsigned pivot = k + idamax(n - k, column + k);
		pivots[k] = pivot;
		if (column[pivot] == 0.0) {
			info = k + 1;
			continue;
		}
		swap_doubles(&column[pivot], &column[k]);
		double factor = -1.0 / column[k];
		for (unsigned i = k + 1; i < n; i++)
			column[i] *= factor;
		for (unsigned j = k + 1; j < n; j++) {
			double *other = a + (size_t)j * lda;
			swap_doubles(&other[pivot], &other[k]);
			daxpy(n - k - 1, other[k], column + k + 1,
			      other + k + 1);
		}
	}
	pivots[n - 1] = n - 1;
	return a[(size_t)(n - 1) * lda + n - 1] == 0.0 ? n : info;
}

void mkv_dgesl(const double *a, unsigned lda, unsigned n,
	       const unsigned *pivots, double *b)
{
	for (unsigned k = 0; k + 1 < n; k++) {
		swap_doubles(&b[pivots[k]], &b[k]);
		daxpy(n - k - 1, b[k], a + (size_t)k * lda + k + 1, b + k + 1);
	}
	for (unsigned k = n; k-- > 0;) {
		b[k] /= a[(size_t)k * lda + k];
		daxpy(k, -b[k], a + (size_t)k * lda, b);
	}
}

/* The benchmark's matrix: a linear congruential generator, values from -2 to 2.
 * The right-hand side holds the sums of the rows, so that the solution is all
 * ones. Returns the max norm of the matrix. */
static double generate_system(double *a, unsigned n, double *b)
{
	uint32_t state = 1325;
	double norm = 0.0;
	for (unsigned i = 0; i < n; i++)
		b[i] = 0.0;
	for (unsigned j = 0; j < n; j++) {
		for (unsigned i = 0; i < n; i++) {
			state = 3125 * state % 65536;
			double value = ((double)state - 32768.0) / 16384.0;
			a[(size_t)j * n + i] = value;
			b[i] += value;
			norm = fabs(value) > norm ? fabs(value) : norm;
		}
	}
	return norm;
}

static double max_norm(unsigned n, const double *x)
{
	return fabs(x[idamax(n, x)]);
}

static int solve_and_check(unsigned n, double *a, double *b, double *x,
			   unsigned *pivots, struct mkv_linpack_result *ret,
			   struct mkv_error *err)
{
	double norm_a = generate_system(a, n, x);
	unsigned info = mkv_dgefa(a, n, n, pivots);
	if (info)
		return mkv_fail(err, MKV_FAILED, EDOM,
				"LINPACK: the matrix is singular in column %u",
				info);
	mkv_dgesl(a, n, n, pivots, x);
	(void)generate_system(a, n, b);
	for (unsigned j = 0; j < n; j++)
		daxpy(n, -x[j], a + (size_t)j * n, b);
	struct mkv_linpack_result result = {
		.residual = max_norm(n, b) /
			    ((double)n * norm_a * max_norm(n, x) * DBL_EPSILON),
	};
	for (unsigned i = 0; i < n; i++)
		result.sum += x[i];
	if (!(result.residual < MKV_LINPACK_RESIDUAL_MAX))
		return mkv_fail(err, MKV_FAILED, EDOM,
				"LINPACK: the residual %g is not below %g",
				result.residual, MKV_LINPACK_RESIDUAL_MAX);
	*ret = result;
	return 0;
}

int mkv_linpack_run(unsigned order, struct mkv_linpack_result *ret,
		    struct mkv_error *err)
{
	if (order == 0 || order > MKV_LINPACK_ORDER_MAX)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"LINPACK: order %u is not from 1 to %d", order,
				MKV_LINPACK_ORDER_MAX);
	size_t n = order;
	auto_free double *a = malloc(n * n * sizeof(*a));
	auto_free double *b = malloc(n * sizeof(*b));
	auto_free double *x = malloc(n * sizeof(*x));
	auto_free unsigned *pivots = malloc(n * sizeof(*pivots));
	if (!a || !b || !x || !pivots)
		return mkv_oom(err);
	return solve_and_check(order, a, b, x, pivots, ret, err);
}
