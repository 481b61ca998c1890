/* SPDX-License-Identifier: MIT */
#include "verify/check/checks.h"

#include <dirent.h>
#include <string.h>

#include "verify/probe/proc.h"

static bool is_one_of(const char *name, const char *const *names)
{
	for (size_t i = 0; names[i]; i++)
		if (strncmp(name, names[i], 15) == 0 &&
		    strlen(name) == strnlen(names[i], 15))
			return true;
	return false;
}

/* Programs that adjust the system's clock. */
static const char *const time_daemons[] = {
	"chronyd",  "ntpd",	    "systemd-timesyncd",
	"openntpd", "ntpsec",	    "ntp-daemon",
	"phc2sys",  "timemaster",   "ptpd",
	"ptpd2",    "sntpd",	    "VBoxService",
	"vmtoolsd", "busybox-ntpd", NULL,
};

struct daemons {
	struct mkv_buf names;
	unsigned chronyd, others;
	int64_t pids[2]; /* of the first two chronyd */
};

static void note_time_daemon(const struct mkv_proc *process, void *context)
{
	struct daemons *found = context;
	const char *name = process->name;
	if (!is_one_of(name, time_daemons))
		return;
	mkv_buf_printf(&found->names, "%s%s", found->names.size ? ", " : "",
		       name);
	if (strcmp(name, "chronyd") != 0)
		found->others++;
	else if (found->chronyd++ < 2)
		found->pids[found->chronyd - 1] = process->pid;
}

/* chronyd may have one privileged helper, which is its child. Two unrelated
 * processes are two daemons that adjust the same clock. */
static bool is_one_chronyd(const struct mkv_env *env,
			   const struct daemons *found)
{
	const int64_t *pids = found->pids;
	return found->chronyd == 1 ||
	       (found->chronyd == 2 &&
		(mkv_proc_parent(env, pids[0]) == pids[1] ||
		 mkv_proc_parent(env, pids[1]) == pids[0]));
}

void mkv_check_time_daemons(const struct mkv_env *env,
			    struct mkv_answer *answer)
{
	static const char source[] = "/proc/*/comm";
	struct daemons found = {0};
	if (!env->contract->has_clock)
		return;
	if (!mkv_proc_each(env, note_time_daemon, &found)) {
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "time daemons",
			       source, "chronyd", NULL);
	} else {
		bool right = found.others == 0 && is_one_chronyd(env, &found);
		mkv_answer_add(answer, right ? MKV_PASS : MKV_FAIL,
			       "time daemons", source, "only chronyd",
			       found.names.size ? found.names.data : "none");
	}
	mkv_buf_done(&found.names);
}

/* Programs that wake up by themselves and disturb a measurement. */
static const char *const disturbers[] = {
	"unattended-upgr",
	"apt-get",
	"apt.systemd.daily",
	"packagekitd",
	"snapd",
	"fwupd",
	"updatedb.mlocate",
	"updatedb.plocate",
	"man-db",
	"mandb",
	"atd",
	"anacron",
	"tuned",
	"irqbalance",
	"thermald",
	"power-profiles-daemon",
	"ksmtuned",
	"ksmd-tuned",
	"tracker-miner-f",
	"multipathd",
	"udisksd",
	"ModemManager",
	"e2scrub_all",
	"fstrim",
	"apport",
	"whoopsie",
	"cupsd",
	"avahi-daemon",
	NULL,
};

static void note_disturber(const struct mkv_proc *process, void *context)
{
	struct mkv_buf *names = context;
	const char *name = process->name;
	if (is_one_of(name, disturbers) && names->size < 512)
		mkv_buf_printf(names, "%s%s", names->size ? ", " : "", name);
}

/* True when the contract enables a unit for each of the programs. */
static bool are_promised(const struct mkv_env *env, const char *names)
{
	const struct mkv_contract_strings *units = &env->image->units_enabled;
	auto_free char *list = strdup(names);
	char *rest = list;
	for (char *name; list && (name = strsep(&rest, ","));) {
		bool found = false;
		name += *name == ' ';
		for (size_t i = 0; i < units->count; i++)
			found = found || strncmp(units->items[i], name,
						 strlen(name)) == 0;
		if (!found)
			return false;
	}
	return list != NULL;
}

void mkv_check_daemons(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] = "/proc/*/comm";
	auto_buf struct mkv_buf names = {0};
	if (!mkv_proc_each(env, note_disturber, &names))
		mkv_answer_add(answer, MKV_NOT_ESTABLISHED, "disturbers",
			       source, "none", NULL);
	else if (names.size && are_promised(env, names.data))
		mkv_answer_add(answer, MKV_PASS, "disturbers", source,
			       "only those that the contract enables",
			       names.data);
	else
		mkv_answer_compare(answer, "disturbers", source, "none",
				   names.size ? names.data : "none");
}

/* Directories of systemd with the links that enable units. */
static const char *const unit_directories[] = {
	"/etc/systemd/system",
	"/run/systemd/system",
	"/usr/lib/systemd/system",
	"/lib/systemd/system",
	NULL,
};

static bool is_enabled_in(const struct mkv_env *env, const char *directory,
			  const char *unit)
{
	auto_free char *path = mkv_env_path(env, "%s", directory);
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (!dot || (strcmp(dot, ".wants") != 0 &&
			     strcmp(dot, ".requires") != 0))
			continue;
		auto_free char *link = mkv_env_path(env, "%s/%s/%s", directory,
						    entry->d_name, unit);
		char target[4096];
		if (link && readlink(link, target, sizeof(target)) > 0)
			return true;
	}
	return false;
}

static const char *read_unit_state(const struct mkv_env *env, const char *unit)
{
	bool exists = false;
	for (size_t i = 0; unit_directories[i]; i++) {
		char target[16] = {0};
		auto_free char *path =
			mkv_env_path(env, "%s/%s", unit_directories[i], unit);
		if (!path)
			return NULL;
		ssize_t size = readlink(path, target, sizeof(target) - 1);
		if (size > 0 && strcmp(target, "/dev/null") == 0)
			return "masked";
		exists = exists || size > 0 || access(path, F_OK) == 0;
		if (is_enabled_in(env, unit_directories[i], unit))
			return "enabled";
	}
	/* The file of NAME@INSTANCE.service is NAME@.service, so only its link
	 * is found. */
	return exists ? "disabled" : "missing";
}

/* Appends findings for units that are enabled by a link but not promised. */
static void check_links(const struct mkv_env *env, struct mkv_answer *answer,
			const char *wants)
{
	const struct mkv_contract_strings *known = &env->image->units_enabled;
	auto_free char *path = mkv_env_path(env, "%s", wants);
	auto_dir DIR *dir = path ? opendir(path) : NULL;
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (entry->d_name[0] == '.' ||
		    mkv_contract_strings_have(known, entry->d_name))
			continue;
		const char *state = read_unit_state(env, entry->d_name);
		if (!state || strcmp(state, "masked") != 0)
			mkv_answer_add(answer, MKV_FAIL, entry->d_name, wants,
				       "not enabled", state);
	}
}

/* Checks the links of an administrator, permanent or until the next boot. Links
 * of packages below /usr/lib are left to the checks `packages` and `files`. */
static void check_other_units(const struct mkv_env *env,
			      struct mkv_answer *answer)
{
	for (size_t i = 0; i < 2; i++) {
		auto_free char *path =
			mkv_env_path(env, "%s", unit_directories[i]);
		auto_dir DIR *dir = path ? opendir(path) : NULL;
		for (struct dirent *entry; dir && (entry = readdir(dir));) {
			const char *dot = strrchr(entry->d_name, '.');
			char wants[512];
			if (!dot || (strcmp(dot, ".wants") != 0 &&
				     strcmp(dot, ".requires") != 0))
				continue;
			(void)snprintf(wants, sizeof(wants), "%s/%s",
				       unit_directories[i], entry->d_name);
			check_links(env, answer, wants);
		}
	}
}

void mkv_check_units(const struct mkv_env *env, struct mkv_answer *answer)
{
	static const char source[] = "/etc, /run and /usr/lib/systemd/system";
	const struct mkv_contract_image *image = env->image;
	for (size_t i = 0; i < image->units_enabled.count; i++)
		mkv_answer_compare(
			answer, image->units_enabled.items[i], source,
			"enabled",
			read_unit_state(env, image->units_enabled.items[i]));
	for (size_t i = 0; i < image->units_masked.count; i++)
		mkv_answer_compare(
			answer, image->units_masked.items[i], source, "masked",
			read_unit_state(env, image->units_masked.items[i]));
	if (image->units_enabled.count)
		check_other_units(env, answer);
}
