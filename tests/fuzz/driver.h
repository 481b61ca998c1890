/* SPDX-License-Identifier: MIT */
#pragma once
/* A small fuzzer around libFuzzer's entry point, for compilers without one:
 *
 *     NAME_fuzz [SECONDS [RANDOM-SEED]]
 *     NAME_fuzz inputs=COUNT [RANDOM-SEED]    the same inputs on every machine
 *     NAME_fuzz FILE                          only that input, once
 *
 * A target is a file that defines the lists fuzz_seeds (patterns of files,
 * relative to the source's root) and fuzz_words (tokens of the format), each
 * terminated by NULL, then includes this header and defines
 * LLVMFuzzerTestOneInput(). Inputs are the unchanged seeds, then mixed and
 * mutated seeds. The input of a crash is written to fuzz-crash-NAME in the
 * working directory. With -DMKV_LIBFUZZER this header defines no main and
 * libFuzzer runs the target. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef MKV_LIBFUZZER
enum { FUZZ_INPUT_MAX = 1 << 16, FUZZ_SEEDS_MAX = 512 };

struct fuzz_input {
	size_t size;
	uint8_t data[FUZZ_INPUT_MAX];
};

static struct fuzz_seed {
	size_t size;
	uint8_t *data;
} fuzz_pool[FUZZ_SEEDS_MAX];
static size_t fuzz_pool_size;
static struct fuzz_input fuzz_now;
static uint64_t fuzz_state;
static char fuzz_crash_path[256];

/* xorshift64*: the same seed gives the same inputs. */
static uint32_t fuzz_random(uint32_t below)
{
	fuzz_state ^= fuzz_state >> 12;
	fuzz_state ^= fuzz_state << 25;
	fuzz_state ^= fuzz_state >> 27;
	uint64_t value = fuzz_state * 0x2545F4914F6CDD1DULL;
	return below ? (uint32_t)(value >> 32) % below : 0;
}

static void fuzz_crashed(void)
{
	int fd = open(fuzz_crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd >= 0 && write(fd, fuzz_now.data, fuzz_now.size) >= 0)
		(void)close(fd);
}

static void fuzz_signalled(int number)
{
	fuzz_crashed();
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

/* Make reports of the sanitizers end in SIGABRT, too. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void fuzz_load(const char *path)
{
	if (fuzz_pool_size == FUZZ_SEEDS_MAX)
		return;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	struct fuzz_seed *seed = &fuzz_pool[fuzz_pool_size];
	seed->data = malloc(FUZZ_INPUT_MAX);
	ssize_t got = seed->data ? read(fd, seed->data, FUZZ_INPUT_MAX) : -1;
	(void)close(fd);
	if (got < 0)
		return;
	seed->size = (size_t)got;
	fuzz_pool_size++;
}

static void fuzz_remove(size_t at, size_t size)
{
	memmove(fuzz_now.data + at, fuzz_now.data + at + size,
		fuzz_now.size - at - size);
	fuzz_now.size -= size;
}

static void fuzz_insert(size_t at, const uint8_t *data, size_t size)
{
	if (size > FUZZ_INPUT_MAX - fuzz_now.size)
		size = FUZZ_INPUT_MAX - fuzz_now.size;
	memmove(fuzz_now.data + at + size, fuzz_now.data + at,
		fuzz_now.size - at);
	memmove(fuzz_now.data + at, data, size);
	fuzz_now.size += size;
}

static void fuzz_mutate(void)
{
	size_t at = fuzz_random((uint32_t)fuzz_now.size + 1);
	size_t rest = fuzz_now.size - at;
	size_t some =
		rest ? fuzz_random((uint32_t)(rest < 64 ? rest : 64)) + 1 : 0;
	uint8_t copy[64], byte = (uint8_t)fuzz_random(256);
	size_t words = 0;
	while (fuzz_words[words])
		words++;
	switch (fuzz_random(6)) {
	case 0: /* replace a byte */
		if (rest)
			fuzz_now.data[at] = byte;
		break;
	case 1: /* flip a bit */
		if (rest)
			fuzz_now.data[at] ^= (uint8_t)(1 << (byte & 7));
		break;
	case 2:
		fuzz_remove(at, some);
		break;
	case 3: /* duplicate a part */
		memcpy(copy, fuzz_now.data + at, some);
		fuzz_insert(fuzz_random((uint32_t)fuzz_now.size + 1), copy,
			    some);
		break;
	case 4:
		if (words) {
			const char *word =
				fuzz_words[fuzz_random((uint32_t)words)];
			fuzz_insert(at, (const uint8_t *)word, strlen(word));
		}
		break;
	default: { /* append the end of another seed */
		const struct fuzz_seed *other =
			&fuzz_pool[fuzz_random((uint32_t)fuzz_pool_size)];
		size_t from = fuzz_random((uint32_t)other->size + 1);
		fuzz_now.size = at;
		fuzz_insert(at, other->data + from, other->size - from);
	}
	}
}

static void fuzz_once(size_t seed, unsigned mutations)
{
	fuzz_now.size = fuzz_pool[seed].size;
	memcpy(fuzz_now.data, fuzz_pool[seed].data, fuzz_now.size);
	while (mutations--)
		fuzz_mutate();
	(void)LLVMFuzzerTestOneInput(fuzz_now.data, fuzz_now.size);
}

/* Stops after `inputs` inputs or, if that is 0, after `seconds`. */
static int fuzz_run(unsigned long inputs, long seconds)
{
	unsigned long count = 0;
	time_t end = time(NULL) + seconds;
	for (size_t i = 0; i < fuzz_pool_size; i++, count++)
		fuzz_once(i, 0);
	for (; inputs ? count < inputs : time(NULL) < end; count++)
		fuzz_once(fuzz_random((uint32_t)fuzz_pool_size),
			  1 + fuzz_random(8));
	(void)printf("%lu inputs from %zu seeds\n", count, fuzz_pool_size);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	(void)snprintf(fuzz_crash_path, sizeof(fuzz_crash_path),
		       "fuzz-crash-%.200s", name ? name + 1 : argv[0]);
	(void)signal(SIGABRT, fuzz_signalled);
	char *rest = NULL;
	bool is_count = argc > 1 && strncmp(argv[1], "inputs=", 7) == 0;
	unsigned long inputs = is_count ? strtoul(argv[1] + 7, &rest, 10) : 0;
	long seconds = 10;
	if (argc > 1 && !is_count)
		seconds = strtol(argv[1], &rest, 10);
	if (is_count && (inputs == 0 || *rest)) {
		(void)fprintf(stderr, "%s: not a number of inputs\n", argv[1]);
		return 2;
	}
	if (rest && *rest) {
		fuzz_load(argv[1]);
		if (fuzz_pool_size == 0)
			return 2;
		fuzz_once(0, 0);
		return 0;
	}
	fuzz_state = argc > 2 ? strtoull(argv[2], NULL, 10) | 1 : 1;
	for (size_t i = 0; fuzz_seeds[i]; i++) {
		glob_t found = {0};
		if (glob(fuzz_seeds[i], 0, NULL, &found) == 0)
			for (size_t j = 0; j < found.gl_pathc; j++)
				fuzz_load(found.gl_pathv[j]);
		globfree(&found);
	}
	if (fuzz_pool_size == 0) {
		(void)fprintf(stderr,
			      "no seeds: run it in the source's root\n");
		return 2;
	}
	return fuzz_run(inputs, seconds);
}
#endif
