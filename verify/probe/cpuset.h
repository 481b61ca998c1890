/* SPDX-License-Identifier: MIT */
#pragma once
/* A set of logical CPUs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MKV_CPUS_MAX = 4096 };

struct mkv_cpuset {
	uint64_t words[MKV_CPUS_MAX / 64];
};

/* Ignores a CPU that is not below MKV_CPUS_MAX. */
void mkv_cpuset_add(struct mkv_cpuset *set, unsigned cpu);
bool mkv_cpuset_has(const struct mkv_cpuset *set, unsigned cpu);
unsigned mkv_cpuset_count(const struct mkv_cpuset *set);
/* The lowest member, or MKV_CPUS_MAX. */
unsigned mkv_cpuset_first(const struct mkv_cpuset *set);
/* Removes the members of `other`. */
void mkv_cpuset_subtract(struct mkv_cpuset *set,
			 const struct mkv_cpuset *other);
/* True when every member of `inner` is one of `outer`. */
bool mkv_cpuset_is_within(const struct mkv_cpuset *inner,
			  const struct mkv_cpuset *outer);
/* Orders by the lowest member, then by all; 0 when equal. */
int mkv_cpuset_compare(const struct mkv_cpuset *a, const struct mkv_cpuset *b);

/* Decodes the kernel's list form, "0-3,8" (Documentation/admin-guide/
 * cputopology). False: not such a list, or a CPU is out of range. */
bool mkv_cpuset_parse(const char *text, struct mkv_cpuset *ret);
/* Writes the list form into `ret`, cut with "..." if it doesn't fit. */
void mkv_cpuset_text(const struct mkv_cpuset *set, char *ret, size_t size);
