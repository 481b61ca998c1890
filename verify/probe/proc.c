/* SPDX-License-Identifier: MIT */
#include "verify/probe/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "lib/io.h"

enum {
	PROCESSES_MAX = 100000,
	THREADS_MAX = 1000,
	ARGUMENTS_MAX = 1 << 20,
};

bool mkv_proc_each(const struct mkv_env *env,
		   void (*visit)(const struct mkv_proc *process, void *context),
		   void *context)
{
	auto_free char *path = mkv_env_path(env, "/proc");
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	unsigned seen = 0;
	if (!dir)
		return false;
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (++seen > PROCESSES_MAX)
			return false;
		auto_free char *name =
			mkv_env_read(env, "/proc/%s/comm", entry->d_name);
		const struct mkv_proc process = {
			strtoll(entry->d_name, NULL, 10), name};
		if (name) /* else the process has exited meanwhile */
			visit(&process, context);
	}
	return seen > 0;
}

bool mkv_proc_has_argument(const struct mkv_env *env, int64_t pid,
			   const char *option, const char *value)
{
	auto_free char *path =
		mkv_env_path(env, "/proc/%lld/cmdline", (long long)pid);
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err;
	size_t length = strlen(value);
	if (!path ||
	    mkv_read_file(AT_FDCWD, path, ARGUMENTS_MAX, &text, &err) < 0 ||
	    !text.size)
		return false;
	const char *end = text.data + text.size;
	for (const char *at = text.data; at < end; at += strlen(at) + 1) {
		const char *next = at + strlen(at) + 1;
		if (strcmp(at, option) == 0 && next < end &&
		    strncmp(next, value, length) == 0 &&
		    (next[length] == '\0' || next[length] == ','))
			return true;
	}
	return false;
}

/* A field of /proc/PID/stat (proc(5)), counted from 0, the state: the fields
 * after the name, which is in parentheses and may have any bytes. -1: none. */
static int64_t read_stat_field(const struct mkv_env *env, int64_t pid,
			       unsigned number)
{
	auto_free char *text =
		mkv_env_read(env, "/proc/%lld/stat", (long long)pid);
	const char *at = text ? strrchr(text, ')') : NULL;
	for (unsigned field = 0; at && field <= number; field++)
		at = strchr(at + 1, ' ');
	unsigned long long value;
	return at && sscanf(at, " %19llu", &value) == 1 ? (int64_t)value : -1;
}

int64_t mkv_proc_parent(const struct mkv_env *env, int64_t pid)
{
	enum { PPID = 1 };
	return read_stat_field(env, pid, PPID);
}

static bool read_thread(const struct mkv_env *env, int64_t pid,
			const char *number, struct mkv_thread *ret)
{
	static const char field[] = "\nCpus_allowed_list:";
	auto_free char *status = mkv_env_read(env, "/proc/%lld/task/%s/status",
					      (long long)pid, number);
	auto_free char *name = mkv_env_read(env, "/proc/%lld/task/%s/comm",
					    (long long)pid, number);
	char *list = status ? strstr(status, field) : NULL;
	if (!list || !name)
		return false;
	list += sizeof(field) - 1;
	list += strspn(list, " \t");
	list[strcspn(list, "\n")] = '\0';
	ret->id = strtoll(number, NULL, 10);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", name);
	return mkv_cpuset_parse(list, &ret->allowed);
}

static int compare_ids(const void *a, const void *b)
{
	const struct mkv_thread *x = a, *y = b;
	return (x->id > y->id) - (x->id < y->id);
}

bool mkv_proc_threads(const struct mkv_env *env, int64_t pid,
		      struct mkv_threads *ret)
{
	auto_free char *path =
		mkv_env_path(env, "/proc/%lld/task", (long long)pid);
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	auto_free struct mkv_thread *list = calloc(THREADS_MAX, sizeof(*list));
	size_t count = 0;
	for (struct dirent *entry; dir && list && (entry = readdir(dir));) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		if (count == THREADS_MAX)
			return false;
		/* A thread that can't be read has exited: workers come and go.
		 */
		count += read_thread(env, pid, entry->d_name, &list[count]);
	}
	if (count == 0)
		return false;
	qsort(list, count, sizeof(*list), compare_ids);
	*ret = (struct mkv_threads){mkv_take(list), count};
	return true;
}

bool mkv_proc_more_threads(const struct mkv_env *env, int64_t pid,
			   struct mkv_threads *into)
{
	struct mkv_threads own = {0};
	if (!mkv_proc_threads(env, pid, &own))
		return false;
	struct mkv_thread *all = reallocarray(
		into->items, into->count + own.count, sizeof(*all));
	if (all) {
		memcpy(all + into->count, own.items, own.count * sizeof(*all));
		into->items = all;
		into->count += own.count;
	}
	free(own.items);
	return all != NULL;
}

int64_t mkv_proc_kib(const char *text, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = text; at && *at;) {
		unsigned long long kib;
		int end = 0; /* 0: the line is cut short */
		if (strncmp(at, name, length) == 0 && at[length] == ':' &&
		    sscanf(at + length + 1, "%16llu kB%n", &kib, &end) == 1 &&
		    end > 0)
			return (int64_t)(kib << 10);
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return -1;
}

int64_t mkv_proc_booted_s(const struct mkv_env *env)
{
	auto_free char *text = mkv_env_read(env, "/proc/stat");
	const char *line = text ? strstr(text, "\nbtime ") : NULL;
	long long booted;
	return line && sscanf(line, "\nbtime %18lld", &booted) == 1 ? booted
								    : -1;
}

/* Firmware and kernel reserve up to an eighth plus 192 MiB (crash kernel,
 * framebuffer, page structures). */
bool mkv_proc_memory_fits(int64_t installed_bytes, int64_t total_bytes)
{
	return total_bytes <= installed_bytes &&
	       total_bytes >= installed_bytes - installed_bytes / 8 -
				      (INT64_C(192) << 20);
}

int64_t mkv_proc_started_s(const struct mkv_env *env, int64_t pid)
{
	enum { STARTTIME = 19 };
	int64_t since = read_stat_field(env, pid, STARTTIME);
	int64_t booted = mkv_proc_booted_s(env);
	long ticks = sysconf(_SC_CLK_TCK);
	return since < 0 || booted < 0 || ticks <= 0 ? -1
						     : booted + since / ticks;
}
