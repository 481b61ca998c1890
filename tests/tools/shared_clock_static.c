/* SPDX-License-Identifier: MIT */
/* Measures the offset of a guest's clock from its host's without network or
 * daemon, over a shared page of memory (QEMU's ivshmem-plain device).
 *
 *     shared_clock_static serve FILE...   on the host: answers with its clock
 *     shared_clock_static ask             in the guest: prints one line,
 *         HOST-TIME OFFSET HALF-WIDTH     in nanoseconds
 *
 * Each measurement is a handshake, so the host reads its clock between two
 * readings of the guest: host minus guest is OFFSET +/- HALF-WIDTH, whatever
 * the delays. The measurement with the smallest HALF-WIDTH is printed. */
#include <fcntl.h>
#include <glob.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES_MAX = 8 };
static const int64_t enough_ns = 10000, patience_ns = 1500000000;

struct page {
	_Atomic uint64_t asked, answered;
	_Atomic int64_t host_ns;
};

static int64_t clock_ns(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct page *map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *at = fd < 0 ? MAP_FAILED
			  : mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
				 fd, 0);
	if (fd >= 0)
		close(fd);
	if (at == MAP_FAILED)
		perror(path);
	return at == MAP_FAILED ? NULL : at;
}

static int serve(char **paths, int count)
{
	struct page *pages[PAGES_MAX];
	uint64_t last[PAGES_MAX] = {0};
	if (count > PAGES_MAX)
		return 2;
	for (int i = 0; i < count; i++)
		if (!(pages[i] = map(paths[i])))
			return 1;
	for (int64_t busy_until = 0;;) {
		for (int i = 0; i < count; i++) {
			uint64_t asked = pages[i]->asked;
			if (asked == last[i])
				continue;
			pages[i]->host_ns = clock_ns(CLOCK_REALTIME);
			pages[i]->answered = last[i] = asked;
			busy_until = clock_ns(CLOCK_MONOTONIC) + 5000000;
		}
		if (clock_ns(CLOCK_MONOTONIC) > busy_until)
			nanosleep(&(struct timespec){.tv_nsec = 500000}, NULL);
	}
}

/* The device's memory, by vendor and device number. */
static struct page *find_device(void)
{
	glob_t found = {0};
	struct page *page = NULL;
	glob("/sys/bus/pci/devices/*", 0, NULL, &found);
	for (size_t i = 0; i < found.gl_pathc && !page; i++) {
		char path[300], id[8] = "";
		snprintf(path, sizeof(path), "%s/device", found.gl_pathv[i]);
		FILE *file = fopen(path, "re");
		if (!file || !fgets(id, sizeof(id), file))
			id[0] = '\0';
		if (file)
			fclose(file);
		if (strncmp(id, "0x1110", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/enable", found.gl_pathv[i]);
		file = fopen(path, "we");
		if (file) {
			fputs("1", file);
			fclose(file);
		}
		snprintf(path, sizeof(path), "%s/resource2", found.gl_pathv[i]);
		page = map(path);
	}
	globfree(&found);
	return page;
}

static int ask(void)
{
	struct page *page = find_device();
	int64_t best = INT64_MAX, offset = 0, host_ns = 0;
	int64_t give_up = clock_ns(CLOCK_MONOTONIC) + patience_ns;
	while (page && best > enough_ns &&
	       clock_ns(CLOCK_MONOTONIC) < give_up) {
		uint64_t question = page->asked + 1;
		int64_t before = clock_ns(CLOCK_REALTIME);
		page->asked = question;
		while (page->answered != question)
			if (clock_ns(CLOCK_MONOTONIC) > give_up + patience_ns)
				return 1;
		int64_t host = page->host_ns;
		int64_t after = clock_ns(CLOCK_REALTIME);
		if (after - before < best) {
			best = after - before;
			offset = host - before - best / 2;
			host_ns = host;
		}
	}
	if (best == INT64_MAX)
		return 1;
	printf("%lld %lld %lld\n", (long long)host_ns, (long long)offset,
	       (long long)(best / 2 + 1));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "serve") == 0)
		return serve(argv + 2, argc - 2);
	if (argc == 2 && strcmp(argv[1], "ask") == 0)
		return ask();
	fprintf(stderr, "usage: shared_clock_static serve FILE... | ask\n");
	return 2;
}
