/* SPDX-License-Identifier: MIT */
/* For LD_PRELOAD: makes a service leak. Each PQclear() and
 * curl_slist_free_all() leaks LEAK_BYTES of memory, or a descriptor if
 * LEAK_DESCRIPTORS is set. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *volatile lost;

static void leak(void)
{
	const char *bytes = getenv("LEAK_BYTES");
	if (bytes) {
		size_t size = strtoul(bytes, NULL, 10);
		lost = malloc(size);
		if (lost)
			memset(lost, 1, size);
	}
	if (getenv("LEAK_DESCRIPTORS"))
		(void)!dup(STDERR_FILENO);
}

static void leak_and_call(const char *name, void *argument)
{
	void (*real)(void *) = (void (*)(void *))dlsym(RTLD_NEXT, name);
	leak();
	real(argument);
}

void PQclear(void *result);
void PQclear(void *result)
{
	leak_and_call("PQclear", result);
}

void curl_slist_free_all(void *list);
void curl_slist_free_all(void *list)
{
	leak_and_call("curl_slist_free_all", list);
}
