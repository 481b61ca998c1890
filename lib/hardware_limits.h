/* SPDX-License-Identifier: MIT */
#pragma once
/* Limits of the hardware that can be described. Recipes, contracts and captures
 * share them, so that a value accepted by one is not refused by another. */

#include <stdint.h>

enum {
	MKV_CPU_FAMILY_MAX = 0xf + 0xff, /* the base and the extended one */
	MKV_CPU_MODEL_MAX = 255,
	MKV_CPU_STEPPING_MAX = 15,
	MKV_CPU_COUNT_MAX = 4096, /* hardware threads of the machine */
	MKV_CPU_SOCKETS_MAX = 1024,
	MKV_CPU_CORES_MAX = 4096, /* of a socket */
	MKV_CPU_THREADS_MAX = 16, /* of a core */
	MKV_NUMA_NODES_MAX = 1024,
	MKV_CACHE_LEVEL_MAX = 4,
	MKV_CACHE_WAYS_MAX = 4096,
	MKV_CACHE_LINE_MIN = 16,
	MKV_CACHE_LINE_MAX = 1024,
	MKV_CACHE_SHARED_BY_MAX = 4096,
};
#define MKV_CACHE_SIZE_MIN (UINT64_C(1) << 10)
#define MKV_CACHE_SIZE_MAX (UINT64_C(16) << 30)
#define MKV_MEMORY_SIZE_MIN (UINT64_C(128) << 20)
#define MKV_MEMORY_SIZE_MAX (UINT64_C(64) << 40)
