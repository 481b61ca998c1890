/* SPDX-License-Identifier: MIT */
#include "programs/boot/initramfs/modules.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>

#include "lib/auto.h"
#include "lib/clock.h"
#include "programs/boot/initramfs/log.h"

enum {
	LIST_MAX = 256 * 1024,
	LINES_MAX = 64,
	LOADED_MAX = 128,
	ALIAS_MAX = 256,
	DEVICES_MAX = 512
};

static struct {
	char text[LIST_MAX];
	char *lines[LINES_MAX]; /* NULL: already loaded */
	unsigned n_lines;
	bool is_read;
	const char *loaded[LOADED_MAX];
	unsigned n_loaded, n_failed;
	double spent_s;
} state;

/* Aliases of the machine's devices. */
static struct {
	char alias[DEVICES_MAX][ALIAS_MAX];
	unsigned count;
} devices;

static void read_list(void)
{
	auto_fd int fd = open("/modules", O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;
	while (fd >= 0 && used < LIST_MAX - 1 &&
	       (got = read(fd, state.text + used, LIST_MAX - 1 - used)) > 0)
		used += (size_t)got;
	char *save = NULL;
	for (char *line = strtok_r(state.text, "\n", &save);
	     line && state.n_lines < LINES_MAX;
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
	while (dir && (entry = readdir(dir)) && devices.count < DEVICES_MAX) {
		char file[300];
		(void)snprintf(file, sizeof(file), "%s/modalias",
			       entry->d_name);
		auto_fd int fd = openat(dirfd(dir), file, O_RDONLY | O_CLOEXEC);
		char *alias = devices.alias[devices.count];
		ssize_t got = fd < 0 ? -1 : read(fd, alias, ALIAS_MAX - 1);
		if (got <= 0)
			continue;
		alias[got] = '\0';
		alias[strcspn(alias, "\n")] = '\0';
		devices.count++;
	}
}

static bool matches_device(const char *aliases)
{
	char pattern[ALIAS_MAX];
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

static void load_module(const char *file, const struct cmdline *cmdline)
{
	char path[128], name[128], parameters[1024];
	if (is_loaded(file) || state.n_loaded == LOADED_MAX)
		return;
	(void)snprintf(path, sizeof(path), "/lib/%s", file);
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(file, "."),
		       file);
	cmdline_module(cmdline, name, parameters, sizeof(parameters));
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	state.loaded[state.n_loaded++] = file; /* never retried */
	if (fd >= 0 && (syscall(SYS_finit_module, fd, parameters, 0) == 0 ||
			errno == EEXIST))
		return;
	log_to_kernel("load module %s: %m", file);
	state.n_failed++;
}

/* Modifies the line, which is not read again. */
static void load_line(char *line, const struct cmdline *cmdline)
{
	char *save = NULL;
	for (char *word = strtok_r(line, " ", &save); word;
	     word = strtok_r(NULL, " ", &save))
		load_module(word, cmdline);
}

void modules_load(const struct cmdline *cmdline)
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
			if (!matches_device(aliases + sizeof(condition) - 1))
				continue;
			*aliases = '\0';
		}
		if (line)
			load_line(line, cmdline);
		state.lines[i] = NULL;
	}
	state.spent_s += mkv_monotonic_s() - start_s;
}

void modules_report(void)
{
	log_to_kernel("%u modules loaded, %u failed, in %.2f s",
		      state.n_loaded - state.n_failed, state.n_failed,
		      state.spent_s);
}
