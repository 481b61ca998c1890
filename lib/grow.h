/* SPDX-License-Identifier: MIT */
#pragma once
/* Arrays that grow by one element: mkv_grow(&items, &count) returns the new,
 * zeroed last element, or NULL when out of memory. The capacity is the next
 * power of two and not stored. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static inline void *mkv_grown(void *items, size_t count, size_t size)
{
	if (count && (count & (count - 1)))
		return items;
	return reallocarray(items, count ? count * 2 : 1, size);
}

#define mkv_grow(items, count)                                                 \
	({                                                                     \
		__auto_type grown_ = (__typeof__(*(items)))mkv_grown(          \
			*(items), *(count), sizeof(**(items)));                \
		if (grown_) {                                                  \
			*(items) = grown_;                                     \
			grown_ += (*(count))++;                                \
			memset(grown_, 0, sizeof(*grown_));                    \
		}                                                              \
		grown_;                                                        \
	})
