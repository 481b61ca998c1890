/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/rootfs/install/excluded.h"
#include "builder/rootfs/install/rootfs_internal.h"
#include "lib/clock.h"

/* Prevents the start of daemons while packages are installed, invoke-rc.d(8).
 */
static const char policy_path[] = "/usr/sbin/policy-rc.d";
static const char policy[] = "#!/bin/sh\nexit 101\n";

struct job {
	const struct mkv_rootfs_package *packages;
	size_t count;
	const struct mkv_rootfs_options *options;
	int pack_fd;
};

/* Reports the time since *from_ns (CLOCK_MONOTONIC) when MKVBENCH_DEBUG is set,
 * and restarts the measurement. */
static void report_duration(struct mkv_sandbox *sandbox, int64_t *from_ns,
			    const char *action, const char *object)
{
	int64_t now_ns = mkv_monotonic_ns();
	if (getenv("MKVBENCH_DEBUG"))
		mkv_sandbox_note(sandbox, "%s %s: %.2f s", action, object,
				 (double)(now_ns - *from_ns) / MKV_NS_PER_S);
	*from_ns = now_ns;
}

static int check_identity(const struct mkv_rootfs_package *given,
			  const struct mkv_control *control,
			  struct mkv_error *err)
{
	if (strcmp(given->name, control->package) == 0 &&
	    strcmp(given->version, control->version) == 0 &&
	    strcmp(given->architecture, control->architecture) == 0)
		return 0;
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
			"its control file states %s %s for %s",
			control->package, control->version,
			control->architecture);
}

static int read_package(struct mkv_rootfs *rootfs, size_t number,
			struct mkv_pathmap *names, struct mkv_error *err)
{
	const struct mkv_rootfs_package *given = &rootfs->given[number];
	struct mkv_package *package = &rootfs->packages[number];
	int rc = mkv_package_read(given->deb_fd, package, err);
	if (rc < 0)
		return rc;
	rc = check_identity(given, &package->control, err);
	if (rc < 0)
		return rc;
	size_t length = strlen(given->name);
	if (mkv_pathmap_get(names, given->name, length))
		return mkv_fail(err, MKV_FAILED, EEXIST,
				"duplicate package in the set");
	return mkv_pathmap_set(names, given->name, length, number, err);
}

static int read_packages(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	__attribute__((cleanup(mkv_pathmap_done))) struct mkv_pathmap names = {
		0};
	for (size_t i = 0; i < rootfs->count; i++) {
		int rc = read_package(rootfs, i, &names, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "%s %s", rootfs->given[i].name,
					rootfs->given[i].version);
	}
	return 0;
}

/* The links of a merged /usr. base-files contains them since trixie; in older
 * suites the program that sets up a system creates them. */
static int merge_usr(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	static const char *const names[] = {"bin", "lib", "lib64", "sbin"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char target[16];
		struct stat existing;
		if (fstatat(rootfs->root_fd, names[i], &existing,
			    AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		(void)snprintf(target, sizeof(target), "usr/%s", names[i]);
		if ((mkdirat(rootfs->root_fd, "usr", 0755) < 0 &&
		     errno != EEXIST) ||
		    (mkdirat(rootfs->root_fd, target, 0755) < 0 &&
		     errno != EEXIST) ||
		    symlinkat(target, rootfs->root_fd, names[i]) < 0)
			return mkv_fail(err, MKV_FAILED, errno, "merge /%s: %m",
					names[i]);
	}
	return 0;
}

static int unpack_package(struct mkv_rootfs *rootfs, struct mkv_stager *stager,
			  size_t package, struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = mkv_stager_wait(stager, package, &fd, err);
	if (rc < 0)
		return rc;
	rc = mkv_rootfs_unpack(rootfs, package, fd, err);
	return rc < 0 ? rc : mkv_database_add(rootfs, package, err);
}

static int run_preinsts(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	for (size_t i = 0; i < rootfs->count; i++) {
		size_t package = rootfs->order[i];
		if (rootfs->phases[package] != rootfs->phase)
			continue;
		int rc = mkv_rootfs_run_preinst(rootfs, package, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The scripts of essential packages need each other's files: all files are
 * unpacked first, then every preinst runs, as debootstrap does. The preinst of
 * any other package runs before its files are unpacked, as dpkg does. */
static int unpack_phase(struct mkv_rootfs *rootfs, struct mkv_stager *stager,
			struct mkv_error *err)
{
	bool essential = rootfs->phase == MKV_PHASE_ESSENTIAL;
	for (size_t i = 0; i < rootfs->count; i++) {
		size_t package = rootfs->order[i];
		if (rootfs->phases[package] != rootfs->phase)
			continue;
		int rc = essential
				 ? 0
				 : mkv_rootfs_run_preinst(rootfs, package, err);
		if (rc < 0)
			return rc;
		rc = unpack_package(rootfs, stager, package, err);
		if (rc < 0)
			return rc;
		rc = i == 0 ? merge_usr(rootfs, err) : 0;
		if (rc < 0)
			return rc;
	}
	int rc = mkv_status_add(rootfs, err);
	if (rc < 0)
		return rc;
	rc = mkv_triggers_write(rootfs, err);
	if (rc < 0)
		return rc;
	return essential ? run_preinsts(rootfs, err) : 0;
}

static int prepare_configuration(struct mkv_rootfs *rootfs,
				 struct mkv_error *err)
{
	int rc = mkv_rootfs_write(rootfs->root_fd, policy_path, 0755, policy,
				  sizeof(policy) - 1, err);
	if (rc < 0 || !rootfs->options->container)
		return rc;
	return mkv_rootfs_write(rootfs->root_fd,
				"/etc/dpkg/dpkg.cfg.d/mkvbench", 0644,
				mkv_excluded_configuration,
				strlen(mkv_excluded_configuration), err);
}

static uint64_t count_bytes(const struct mkv_rootfs *rootfs)
{
	uint64_t bytes = 0;
	for (size_t i = rootfs->options->n_base; i < rootfs->count; i++)
		bytes += rootfs->packages[i].deb.data.size;
	return bytes;
}

static int install_phases(struct mkv_rootfs *rootfs, struct mkv_stager *stager,
			  struct mkv_error *err)
{
	int64_t from_ns = mkv_monotonic_ns();
	for (; rootfs->phase < MKV_PHASES; rootfs->phase++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "phase %d",
			       (int)rootfs->phase);
		int rc = unpack_phase(rootfs, stager, err);
		if (rc < 0)
			return rc;
		report_duration(rootfs->sandbox, &from_ns, "unpack", name);
		rc = rootfs->phase == MKV_PHASE_ESSENTIAL
			     ? prepare_configuration(rootfs, err)
			     : 0;
		if (rc < 0)
			return rc;
		rc = mkv_rootfs_configure(rootfs, err);
		if (rc < 0)
			return rc;
		report_duration(rootfs->sandbox, &from_ns, "configure", name);
	}
	return 0;
}

/* Begins with an empty root, or with the base's. */
static int prepare_root(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	const struct mkv_rootfs_options *options = rootfs->options;
	rootfs->phase = MKV_PHASE_ESSENTIAL;
	if (!options->n_base)
		return mkv_database_init(rootfs, err);
	int rc = mkv_rootfs_restore(rootfs, options->base_fd, err);
	return rc < 0 ? rc : mkv_database_load(rootfs, err);
}

/* The steps that this file begins stay open after an error: the sandbox reports
 * them as failed. */
static int install_packages(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	int rc = read_packages(rootfs, err);
	if (rc < 0)
		return rc;
	rc = mkv_rootfs_select(rootfs, err);
	if (rc < 0)
		return rc;
	mkv_sandbox_begin(rootfs->sandbox, count_bytes(rootfs),
			  "install %zu packages%s",
			  rootfs->count - rootfs->options->n_base,
			  rootfs->options->n_base ? " into a base" : "");
	auto_stager struct mkv_stager *stager = NULL;
	rc = mkv_stager_start(rootfs, &stager, err);
	if (rc < 0)
		return rc;
	rc = prepare_root(rootfs, err);
	if (rc < 0)
		return rc;
	rc = install_phases(rootfs, stager, err);
	if (rc < 0)
		return rc;
	rc = mkv_rootfs_configure_pending(rootfs, err);
	if (rc < 0)
		return rc;
	rc = mkv_status_check(rootfs, err);
	if (rc < 0)
		return rc;
	mkv_sandbox_end(rootfs->sandbox, 0);
	return 0;
}

static int write_pack(struct mkv_rootfs *rootfs, int pack_fd,
		      struct mkv_error *err)
{
	int64_t from_ns = mkv_monotonic_ns();
	mkv_sandbox_begin(rootfs->sandbox, 0, "read the file tree");
	if (unlinkat(rootfs->root_fd, policy_path + 1, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "remove '%s': %m",
				policy_path);
	int rc = mkv_sandbox_close_root(rootfs->sandbox, err);
	if (rc < 0)
		return rc;
	rc = mkv_rootfs_harvest(rootfs, pack_fd, err);
	if (rc < 0)
		return rc;
	report_duration(rootfs->sandbox, &from_ns, "read", "tree");
	mkv_sandbox_end(rootfs->sandbox, 0);
	return 0;
}

static void rootfs_done(struct mkv_rootfs *rootfs)
{
	for (size_t i = 0; rootfs->packages && i < rootfs->count; i++)
		mkv_package_done(&rootfs->packages[i]);
	free(rootfs->packages);
	free(rootfs->phases);
	free(rootfs->order);
	mkv_pathmap_done(&rootfs->owners);
	mkv_diversions_done(rootfs);
	mkv_overrides_done(rootfs);
	mkv_triggers_done(rootfs);
	mkv_known_times_done(&rootfs->base_times);
}

static int build_in_sandbox(struct mkv_sandbox *sandbox, void *context,
			    struct mkv_error *err)
{
	const struct job *job = context;
	__attribute__((cleanup(rootfs_done))) struct mkv_rootfs rootfs = {
		.sandbox = sandbox,
		.given = job->packages,
		.options = job->options,
		.count = job->count,
		.root_fd = mkv_sandbox_root_fd(sandbox),
	};
	rootfs.packages = calloc(job->count, sizeof(*rootfs.packages));
	rootfs.phases = calloc(job->count, sizeof(*rootfs.phases));
	rootfs.order = calloc(job->count, sizeof(*rootfs.order));
	if (!rootfs.packages || !rootfs.phases || !rootfs.order)
		return mkv_oom(err);
	int rc = install_packages(&rootfs, err);
	if (rc == -ENOSPC)
		return mkv_wrap(err, rc,
				"the packages' files need more than 80 %% of "
				"this host's memory");
	return rc < 0 ? rc : write_pack(&rootfs, job->pack_fd, err);
}

int mkv_rootfs_build(const struct mkv_rootfs_package *packages, size_t count,
		     const struct mkv_rootfs_options *options, int pack_fd,
		     struct mkv_progress *progress, struct mkv_error *err)
{
	if (count <= options->n_base || count > UINT16_MAX)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"%zu packages, %zu of them in the base: "
				"at least one more and at most 65535 in all",
				count, options->n_base);
	struct job job = {packages, count, options, pack_fd};
	struct mkv_sandbox_options sandbox = {.timeout_s = options->timeout_s};
	int rc = mkv_sandbox_run(&sandbox, build_in_sandbox, &job, progress,
				 err);
	return rc < 0 ? mkv_wrap(err, rc, "root file system") : 0;
}
