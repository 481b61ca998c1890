/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/modules.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/auto.h"
#include "lib/clock.h"
#include "programs/boot/initramfs/say.h"

enum {
	LIST_MOST = 256 * 1024,
	LINES_MOST = 64,
	LOADED_MOST = 128,
	ALIAS_MOST = 256,
	DEVICES_MOST = 512
};

static struct {
	char text[LIST_MOST];
	char *lines[LINES_MOST]; /* NULL: done with */
	unsigned n_lines;
	bool is_read;
	const char *loaded[LOADED_MOST];
	unsigned n_loaded, n_failed;
	double spent_s;
} state;

/* What the machine's devices ask for. */
static struct {
	char alias[DEVICES_MOST][ALIAS_MOST];
	unsigned count;
} devices;

static void read_list(void)
{
	auto_fd int fd = open("/modules", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;
	while (fd >= 0 && used < LIST_MOST - 1 &&
	       (got = read(fd, state.text + used, LIST_MOST - 1 - used)) > 0)
		used += (size_t)got;
	char *save = NULL;
	for (char *line = strtok_r(state.text, "\n", &save);
	     line && state.n_lines < LINES_MOST;
	     line = strtok_r(NULL, "\n", &save))
		state.lines[state.n_lines++] = line;
	state.is_read = true;
}

static void read_devices(const char *bus)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/sys/bus/%s/devices", bus);
	auto_dir DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir && (entry = readdir(dir)) && devices.count < DEVICES_MOST) {
		char file[300];
		(void)snprintf(file, sizeof(file), "%s/modalias",
			       entry->d_name);
		auto_fd int fd = openat(dirfd(dir), file, O_RDONLY | O_CLOEXEC);
		char *alias = devices.alias[devices.count];
		ssize_t got = fd < 0 ? -1 : read(fd, alias, ALIAS_MOST - 1);
		if (got <= 0)
			continue;
		alias[got] = '\0';
		alias[strcspn(alias, "\n")] = '\0';
		devices.count++;
	}
}

static bool is_asked_for(const char *aliases)
{
	char pattern[ALIAS_MOST];
	while (*(aliases += strspn(aliases, " "))) {
		size_t length = strcspn(aliases, " ");
		if (length < sizeof(pattern)) {
			memcpy(pattern, aliases, length);
			pattern[length] = '\0';
			for (unsigned i = 0; i < devices.count; i++)
				if (fnmatch(pattern, devices.alias[i], 0) == 0)
					return true;
		}
		aliases += length;
	}
	return false;
}

static bool is_loaded(const char *file)
{
	for (unsigned i = 0; i < state.n_loaded; i++)
		if (strcmp(state.loaded[i], file) == 0)
			return true;
	return false;
}

static void load_one(const char *file, const struct words *words)
{
	char path[128], name[128], parameters[1024];
	if (is_loaded(file) || state.n_loaded == LOADED_MOST)
		return;
	(void)snprintf(path, sizeof(path), "/lib/%s", file);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "."),
		       file);
	words_module(words, name, parameters, sizeof(parameters));
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	state.loaded[state.n_loaded++] = file; /* tried once, at any rate */
	if (fd >= 0 && (syscall(SYS_finit_module, fd, parameters, 0) == 0 ||
			errno == EEXIST))
		return;
	say_log("module %s: %m", file);
	state.n_failed++;
}

/* Cuts the line up: it isn't looked at again. */
static void load_line(char *line, const struct words *words)
{
	char *save = NULL;
	for (char *word = strtok_r(line, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		load_one(word, words);
}

void modules_load(const struct words *words)
{
	static const char condition[] = " for ";
	double start_s = mkv_monotonic_s();
	if (!state.is_read)
		read_list();
	for (unsigned i = 0; i < state.n_lines; i++) {
		char *line = state.lines[i];
		char *aliases = line ? strstr(line, condition) : NULL;
		if (aliases) {
			devices.count = 0;
			read_devices("pci");
			read_devices("virtio");
			if (!is_asked_for(aliases + sizeof(condition) - 1))
				continue;
			*aliases = '\0';
		}
		if (line)
			load_line(line, words);
		state.lines[i] = NULL;
	}
	state.spent_s += mkv_monotonic_s() - start_s;
}

void modules_report(void)
{
	say_log("%u modules loaded, %u failed, in %.2f s",
		state.n_loaded - state.n_failed, state.n_failed, state.spent_s);
}
