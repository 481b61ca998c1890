/* SPDX-License-Identifier: MIT */
/* One file of a machine that meets its contract has other content. An input is
 * "CHECK PATH\n" and the bytes of the file; no input may crash the check, and
 * the check passes only with a promised content. */
#include "tests/unit/machine.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/machine/*", NULL};
static const char *const fuzz_words[] = {"\n",
					 "\t",
					 " ",
					 "0",
					 "-1",
					 "4294967296",
					 "99999999999999999999",
					 "0-4095",
					 "4096",
					 "none",
					 "[",
					 "]",
					 "(null)",
					 "Package: chrony",
					 "Version: ",
					 "MemTotal:",
					 " kB",
					 "mitigations=off",
					 "\"",
					 "/32 host LOCAL",
					 "Vulnerable",
					 "..",
					 NULL};

#include "tests/fuzz/driver.h"

/* Replaces white space by single spaces and removes it at the end. */
static char *squeeze_spaces(const char *text, size_t size)
{
	char *copy = strndup(text, size), *to = copy;
	require(copy);
	for (const char *at = copy; *at; at++) {
		bool space = strchr(" \t\n\v\f\r", *at);
		if (!space || to == copy || to[-1] != ' ')
			*to++ = space ? ' ' : *at;
	}
	while (to > copy && to[-1] == ' ')
		to--;
	*to = '\0';
	return copy;
}

/* Numbers whose value does not matter: bits of past warnings, variants of "not
 * running" and of "on", another number of the only node. */
static bool is_number(const char *now)
{
	return *now && strspn(now, "0123456789") == strlen(now);
}

/* The kernel reserves a part of the installed memory. */
static bool is_near_32_gib(const char *now)
{
	const char *at = strstr(now, "MemTotal:");
	long long kib = at ? strtoll(at + strlen("MemTotal:"), NULL, 10) : 0;
	return kib > 30 << 20 && kib <= 32 << 20;
}

/* A disk without a request queue has no choice of schedulers, so no brackets.
 */
static bool is_none(const char *now)
{
	return strcmp(now, "none") == 0;
}

/* Files that may also have another content than the machine's own file. */
static const struct alternative {
	const char *file;
	bool (*is_right)(const char *now);
} alternatives[] = {
	{"/proc/sys/kernel/tainted", is_number},
	{"/sys/kernel/mm/ksm/run", is_number},
	{"/sys/devices/system/node/online", is_number},
	{CPU "/smt/active", is_number},
	{"/proc/meminfo", is_near_32_gib},
	{"/sys/block/nvme0n1/queue/scheduler", is_none},
};

static bool is_alternative(const char *file, const char *now)
{
	for (size_t i = 0; i < sizeof(alternatives) / sizeof(alternatives[0]);
	     i++)
		if (strcmp(alternatives[i].file, file) == 0)
			return alternatives[i].is_right(now);
	return false;
}

/* The same number, or the same CPUs, in another notation. */
static bool is_equal(const char *a, const char *b)
{
	struct mkv_cpuset x = {0}, y = {0};
	return strcmp(a, b) == 0 ||
	       (mkv_cpuset_parse(a, &x) && mkv_cpuset_parse(b, &y) &&
		mkv_cpuset_compare(&x, &y) == 0) ||
	       (*a >= '0' && *a <= '9' &&
		strtoll(a, NULL, 10) == strtoll(b, NULL, 10));
}

static const struct need_of *find_need(const char *line, size_t size)
{
	for (size_t i = 0; i < NEEDS; i++) {
		char text[256];
		int used = snprintf(text, sizeof(text), "%s %s", needs[i].check,
				    needs[i].file);
		if ((size_t)used == size && memcmp(text, line, size) == 0)
			return &needs[i];
	}
	/* A mutated first line selects an arbitrary row. */
	return &needs[size % NEEDS];
}

static void write_bytes(const char *name, const uint8_t *data, size_t size)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	auto_fd int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool is_made;
	if (!is_made) {
		make_machine();
		(void)atexit((void (*)(void))remove_machine);
		is_made = true;
	}
	const uint8_t *end = memchr(data, '\n', size);
	if (!end)
		return 0;
	const struct need_of *n =
		find_need((const char *)data, (size_t)(end - data));
	const uint8_t *bytes = end + 1;
	size_t count = size - (size_t)(bytes - data);
	auto_free char *before = take_file(n->file);
	auto_answer struct mkv_answer answer = {0};
	struct mkv_env env = make_env();
	require(before);
	write_bytes(n->file, bytes, count);
	mkv_check_find(n->check)->run(&env, &answer);
	put_file(n->file, before);
	if (mkv_answer_result(&answer) != MKV_PASS)
		return 0;
	auto_free char *right = squeeze_spaces(before, strlen(before));
	auto_free char *now = squeeze_spaces((const char *)bytes, count);
	auto_free char *wanted =
		n->text ? squeeze_spaces(n->text, strlen(n->text)) : NULL;
	/* The promised content must be there; additional content is checked by
	 * other checks, or ignored. */
	bool is_right =
		wanted ? strstr(now, wanted) != NULL : is_equal(now, right);
	if (!is_right && !is_alternative(n->file, now)) {
		(void)fprintf(stderr, "%s passes on %s: '%s'\n", n->check,
			      n->file, now);
		abort();
	}
	return 0;
}
