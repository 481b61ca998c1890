/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/rootfs/install/excluded.h"
#include "builder/rootfs/install/rootfs_internal.h"
#include "lib/clock.h"

/* Daemons don't start while packages are installed, invoke-rc.d(8). */
#define POLICY "/usr/sbin/policy-rc.d"
static const char policy[] = "#!/bin/sh\nexit 101\n";

struct job {
	const struct mkv_rootfs_package *packages;
	size_t count;
	const struct mkv_rootfs_options *options;
	int pack_fd;
};

/* Where the time goes, told when MKVBENCH_DEBUG is set. */
struct stopwatch {
	int64_t last_ns; /* CLOCK_MONOTONIC */
};

static void lap(struct stopwatch *watch, struct mkv_sandbox *sandbox,
		const char *what, const char *which)
{
	int64_t now_ns = mkv_monotonic_ns();
	if (what && getenv("MKVBENCH_DEBUG"))
		mkv_sandbox_note(sandbox, "%s %s: %.2f s", which, what,
				 (double)(now_ns - watch->last_ns) / 1e9);
	watch->last_ns = now_ns;
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
			"it says that it is %s %s for %s", control->package,
			control->version, control->architecture);
}

static int read_packages(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	struct mkv_pathmap names = {0};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < rootfs->count; i++) {
		const struct mkv_rootfs_package *given = &rootfs->given[i];
		rc = mkv_package_read(given->deb_fd, &rootfs->packages[i], err);
		if (rc == 0)
			rc = check_identity(given, &rootfs->packages[i].control,
					    err);
		if (rc == 0 &&
		    mkv_pathmap_get(&names, given->name, strlen(given->name)))
			rc = mkv_fail(err, MKV_FAILED, EEXIST,
				      "it is there twice");
		if (rc == 0)
			rc = mkv_pathmap_set(&names, given->name,
					     strlen(given->name), i, err);
		if (rc < 0)
			(void)mkv_wrap(err, rc, "%s %s", given->name,
				       given->version);
	}
	mkv_pathmap_done(&names);
	return rc;
}

/* The links of a merged /usr. In trixie base-files brings them; before, they
 * came from whoever set the system up, and packages rely on them. */
static int merge_usr(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	static const char *const names[] = {"bin", "lib", "lib64", "sbin"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char target[16];
		struct stat there;
		if (fstatat(rootfs->root_fd, names[i], &there,
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

static int unpack(struct mkv_rootfs *rootfs, struct mkv_stager *stager,
		  size_t package, struct mkv_error *err)
{
	auto_fd int fd = -1;
	int rc = mkv_stager_wait(stager, package, &fd, err);
	if (rc == 0)
		rc = mkv_rootfs_unpack(rootfs, package, fd, err);
	return rc < 0 ? rc : mkv_database_add(rootfs, package, err);
}

/* The essential packages' scripts need each other's files: first all files,
 * then every preinst, as debootstrap does. Everybody else's preinst comes
 * before the files, as with dpkg. */
static int unpack_phase(struct mkv_rootfs *rootfs, struct mkv_stager *stager,
			struct mkv_error *err)
{
	bool essential = rootfs->phase == MKV_PHASE_ESSENTIAL;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < rootfs->count; i++) {
		size_t package = rootfs->order[i];
		if (rootfs->phases[package] != rootfs->phase)
			continue;
		if (!essential)
			rc = mkv_rootfs_run_preinst(rootfs, package, err);
		if (rc == 0)
			rc = unpack(rootfs, stager, package, err);
		if (rc == 0 && i == 0)
			rc = merge_usr(rootfs, err);
	}
	if (rc == 0)
		rc = mkv_database_add_status(rootfs, err);
	for (size_t i = 0; rc == 0 && essential && i < rootfs->count; i++)
		if (rootfs->phases[rootfs->order[i]] == rootfs->phase)
			rc = mkv_rootfs_run_preinst(rootfs, rootfs->order[i],
						    err);
	return rc;
}

static int prepare_configuration(struct mkv_rootfs *rootfs,
				 struct mkv_error *err)
{
	int rc = mkv_rootfs_write(rootfs->root_fd, POLICY, 0755, policy,
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
	struct stopwatch watch;
	lap(&watch, rootfs->sandbox, NULL, NULL);
	int rc = 0;
	for (; rc == 0 && rootfs->phase < MKV_PHASES; rootfs->phase++) {
		char name[16];
		(void)snprintf(name, sizeof(name), "phase %d",
			       (int)rootfs->phase);
		rc = unpack_phase(rootfs, stager, err);
		lap(&watch, rootfs->sandbox, name, "unpack");
		if (rc == 0 && rootfs->phase == MKV_PHASE_ESSENTIAL)
			rc = prepare_configuration(rootfs, err);
		if (rc == 0)
			rc = mkv_rootfs_configure(rootfs, err);
		lap(&watch, rootfs->sandbox, name, "configure");
	}
	return rc;
}

/* An empty root, or the base's. */
static int begin(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	const struct mkv_rootfs_options *options = rootfs->options;
	rootfs->phase = MKV_PHASE_ESSENTIAL;
	if (!options->n_base)
		return mkv_database_init(rootfs, err);
	int rc = mkv_rootfs_restore(rootfs, options->base_fd, err);
	return rc < 0 ? rc : mkv_database_load(rootfs, err);
}

static int install(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	int rc = read_packages(rootfs, err);
	if (rc == 0)
		rc = mkv_rootfs_select(rootfs, err);
	if (rc < 0)
		return rc;
	mkv_sandbox_begin(rootfs->sandbox, count_bytes(rootfs),
			  "install %zu packages%s",
			  rootfs->count - rootfs->options->n_base,
			  rootfs->options->n_base ? " into a base" : "");
	auto_stager struct mkv_stager *stager = NULL;
	rc = mkv_stager_start(rootfs, &stager, err);
	if (rc == 0)
		rc = begin(rootfs, err);
	if (rc == 0)
		rc = install_phases(rootfs, stager, err);
	if (rc == 0)
		rc = mkv_rootfs_configure_pending(rootfs, err);
	return rc < 0 ? rc : mkv_database_check(rootfs, err);
}

static int finish(struct mkv_rootfs *rootfs, int pack_fd, struct mkv_error *err)
{
	struct stopwatch watch;
	lap(&watch, rootfs->sandbox, NULL, NULL);
	mkv_sandbox_begin(rootfs->sandbox, 0, "read the file tree");
	if (unlinkat(rootfs->root_fd, POLICY + 1, 0) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "remove %s: %m",
				POLICY);
	int rc = mkv_sandbox_close_root(rootfs->sandbox, err);
	if (rc == 0)
		rc = mkv_rootfs_harvest(rootfs, pack_fd, err);
	lap(&watch, rootfs->sandbox, "tree", "read");
	mkv_sandbox_end(rootfs->sandbox);
	return rc;
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
	mkv_database_done(rootfs);
	mkv_known_times_done(&rootfs->base_times);
}

static int work(struct mkv_sandbox *sandbox, void *context,
		struct mkv_error *err)
{
	const struct job *job = context;
	struct mkv_rootfs rootfs = {
		.sandbox = sandbox,
		.given = job->packages,
		.options = job->options,
		.count = job->count,
		.root_fd = mkv_sandbox_root_fd(sandbox),
	};
	rootfs.packages = calloc(job->count, sizeof(*rootfs.packages));
	rootfs.phases = calloc(job->count, sizeof(*rootfs.phases));
	rootfs.order = calloc(job->count, sizeof(*rootfs.order));
	bool ready = rootfs.packages && rootfs.phases && rootfs.order;
	int rc = ready ? install(&rootfs, err) : mkv_oom(err);
	if (rc == -ENOSPC)
		(void)mkv_wrap(err, rc,
			       "four fifths of this host's memory "
			       "don't hold the packages' files");
	if (rc == 0)
		rc = finish(&rootfs, job->pack_fd, err);
	rootfs_done(&rootfs);
	return rc;
}

int mkv_rootfs_build(const struct mkv_rootfs_package *packages, size_t count,
		     const struct mkv_rootfs_options *options, int pack_fd,
		     struct mkv_progress *progress, struct mkv_error *err)
{
	if (count <= options->n_base || count > UINT16_MAX)
		return mkv_fail(err, MKV_BAD_RECIPE, EINVAL,
				"%zu packages can't make a root file system",
				count);
	struct job job = {packages, count, options, pack_fd};
	struct mkv_sandbox_options sandbox = {.timeout_s = options->timeout_s};
	int rc = mkv_sandbox_run(&sandbox, work, &job, progress, err);
	return rc < 0 ? mkv_wrap(err, rc, "root file system") : 0;
}
