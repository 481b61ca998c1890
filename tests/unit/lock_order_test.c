/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "builder/input/lock/order.h"

/* Graphs as text, a word per node: the letter of its number, then the letters
 * of its dependencies; capital letters are Pre-Depends. */
static const struct {
	const char *graph, *expected;
} graphs[] = {
	{"", ""},
	{"a", "a"},
	{"a b c", "abc"},
	{"ab bc c", "cba"},
	{"abc bd cd d", "dbca"},
	{"aa", "a"},
	{"ab ba", "ab"}, /* a cycle: by number */
	{"aB ba", "ba"}, /* Pre-Depends decide in a cycle */
	{"aB bA", "ba"}, /* unless they are a cycle too */
	{"ab bc ca", "abc"},
	{"ab bC ca", "acb"},
	{"ad bc cb d", "dabc"}, /* nodes of a cycle are adjacent */
	{"ac ba cb dc", "abcd"},
	{"aD ba cb d", "dabc"},
};

static size_t add_edges(const char *word, size_t length, bool all,
			size_t *edges)
{
	size_t count = 0;
	for (size_t i = 1; i < length; i++) {
		bool before = word[i] >= 'A' && word[i] <= 'Z';
		if (all || before)
			edges[count++] =
				(size_t)(word[i] - (before ? 'A' : 'a'));
	}
	return count;
}

static void dependencies_come_first(void **state mkv_unused)
{
	for (size_t g = 0; g < sizeof(graphs) / sizeof(graphs[0]); g++) {
		size_t edges[8][2][8];
		struct mkv_order_node nodes[8];
		size_t count = 0, order[8];
		for (const char *at = graphs[g].graph; *at;) {
			size_t length = strcspn(at, " ");
			struct mkv_order_node *node = &nodes[count];
			node->depends = edges[count][0];
			node->pre_depends = edges[count][1];
			node->n_depends =
				add_edges(at, length, true, node->depends);
			node->n_pre_depends =
				add_edges(at, length, false, node->pre_depends);
			count++;
			at += length + (at[length] == ' ');
		}
		struct mkv_error err;
		assert_int_equal(mkv_order(nodes, count, order, &err), 0);
		char text[9] = "";
		for (size_t i = 0; i < count; i++)
			text[i] = (char)('a' + order[i]);
		if (strcmp(text, graphs[g].expected) != 0)
			fail_msg("'%s': %s, not %s", graphs[g].graph, text,
				 graphs[g].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dependencies_come_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
