/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/format/oci/deflate.h"

enum { SYMBOLS_MAX = 288 };

struct leaf {
	uint32_t frequency;
	uint16_t symbol;
};

static int compare_leaf(const void *a, const void *b)
{
	const struct leaf *left = a, *right = b;
	if (left->frequency != right->frequency)
		return left->frequency < right->frequency ? -1 : 1;
	return (int)left->symbol - (int)right->symbol;
}

/* The number of codes of each depth of Huffman's tree, by two queues in
 * ascending order: leaves and inner nodes. */
static void count_depths(const struct leaf *leaves, unsigned n,
			 unsigned depths[static SYMBOLS_MAX])
{
	uint64_t weight[2 * SYMBOLS_MAX];
	unsigned parent[2 * SYMBOLS_MAX], depth[2 * SYMBOLS_MAX];
	for (unsigned i = 0; i < n; i++)
		weight[i] = leaves[i].frequency;
	unsigned leaf = 0, inner = n, next = n;
	for (; next < 2 * n - 1; next++) {
		weight[next] = 0;
		for (unsigned child = 0; child < 2; child++) {
			bool from_leaf =
				leaf < n && (inner == next ||
					     weight[leaf] <= weight[inner]);
			unsigned taken = from_leaf ? leaf++ : inner++;
			weight[next] += weight[taken];
			parent[taken] = next;
		}
	}
	depth[next - 1] = 0;
	for (unsigned i = next - 1; i-- > 0;) {
		depth[i] = depth[parent[i]] + 1;
		if (i < n)
			depths[depth[i]]++;
	}
}

/* Shortens codes beyond the limit to the limit, then lengthens shorter codes
 * until the code is complete (Kraft's sum is 1). */
static void shorten(unsigned depths[static SYMBOLS_MAX], unsigned limit)
{
	for (unsigned i = limit + 1; i < SYMBOLS_MAX; i++) {
		depths[limit] += depths[i];
		depths[i] = 0;
	}
	uint64_t sum = 0;
	for (unsigned i = 1; i <= limit; i++)
		sum += (uint64_t)depths[i] << (limit - i);
	for (; sum > 1ULL << limit; sum--) {
		depths[limit]--;
		for (unsigned i = limit - 1; i > 0; i--) {
			if (depths[i] == 0)
				continue;
			depths[i]--;
			depths[i + 1] += 2;
			break;
		}
	}
}

void mkv_huffman_lengths(const uint32_t *frequencies, unsigned count,
			 unsigned limit, uint8_t *ret)
{
	struct leaf leaves[SYMBOLS_MAX];
	unsigned depths[SYMBOLS_MAX] = {0}, n = 0;
	memset(ret, 0, count);
	for (unsigned i = 0; i < count; i++)
		if (frequencies[i])
			leaves[n++] =
				(struct leaf){frequencies[i], (uint16_t)i};
	if (n == 0)
		return;
	if (n == 1) {
		ret[leaves[0].symbol] = 1;
		return;
	}
	qsort(leaves, n, sizeof(*leaves), compare_leaf);
	count_depths(leaves, n, depths);
	shorten(depths, limit);
	unsigned at = 0;
	for (unsigned length = limit; length > 0; length--)
		for (unsigned i = 0; i < depths[length]; i++)
			ret[leaves[at++].symbol] = (uint8_t)length;
}
