/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <stdarg.h>
#include <string.h>

#include "lib/io.h"

/* The environment of one program. */
struct environment {
	char lines[16][300];
	const char *list[17];
	size_t count;
};

static void mkv_printf(2, 3)
	add_line(struct environment *environment, const char *format, ...)
{
	char *line = environment->lines[environment->count];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(environment->lines[0]), format, arguments);
	va_end(arguments);
	environment->list[environment->count++] = line;
}

static void add_common(const struct mkv_rootfs *rootfs,
		       struct environment *environment)
{
	add_line(environment, "DEBIAN_FRONTEND=noninteractive");
	add_line(environment, "DEBCONF_NONINTERACTIVE_SEEN=true");
	add_line(environment, "DEBCONF_NOWARNINGS=yes");
	add_line(environment, "SOURCE_DATE_EPOCH=%lld",
		 (long long)rootfs->options->epoch_s);
	/* Read by the hooks of kernel packages: images have their own
	 * initramfs, and generating Debian's would take longer than the rest of
	 * the installation. A kernel update in the running system generates one
	 * through the same hooks. */
	add_line(environment, "INITRD=No");
}

/* dpkg's directory of a package's control files while its preinst runs; debconf
 * reads templates from the directory of the script. */
#define CONTROL_DIRECTORY "/var/lib/dpkg/tmp.ci"

static int write_control_files(struct mkv_rootfs *rootfs,
			       const struct mkv_package *package,
			       struct mkv_error *err)
{
	auto_buf struct mkv_buf control = {0};
	for (size_t i = 0; i < package->control.count; i++) {
		mkv_buf_str(&control, package->control.fields[i].name);
		mkv_buf_str(&control, ": ");
		mkv_buf_str(&control, package->control.fields[i].value);
		mkv_buf_char(&control, '\n');
	}
	int rc = mkv_buf_check(&control, err);
	if (rc < 0)
		return rc;
	rc = mkv_rootfs_write(rootfs->root_fd, CONTROL_DIRECTORY "/control",
			      0644, control.data, control.size, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < package->n_files; i++) {
		const struct mkv_control_file *file = &package->files[i];
		char path[300];
		(void)snprintf(path, sizeof(path), CONTROL_DIRECTORY "/%s",
			       file->name);
		rc = mkv_rootfs_write_control(rootfs->root_fd, path, file, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int exec_preinst(struct mkv_rootfs *rootfs,
			const struct mkv_control *control,
			struct mkv_error *err)
{
	struct environment environment = {0};
	add_common(rootfs, &environment);
	add_line(&environment, "DPKG_MAINTSCRIPT_PACKAGE=%s", control->package);
	add_line(&environment, "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1");
	add_line(&environment, "DPKG_MAINTSCRIPT_ARCH=%s",
		 control->architecture);
	add_line(&environment, "DPKG_MAINTSCRIPT_NAME=preinst");
	add_line(&environment, "DPKG_MAINTSCRIPT_DEBUG=0");
	add_line(&environment, "DPKG_RUNNING_VERSION=%s", rootfs->dpkg_version);
	add_line(&environment, "DPKG_ADMINDIR=/var/lib/dpkg");
	add_line(&environment, "DPKG_ROOT=");
	const char *argv[] = {CONTROL_DIRECTORY "/preinst", "install", NULL};
	struct mkv_sandbox_program program = {
		.argv = argv,
		.environment = environment.list,
		.timeout_s = 600,
	};
	int rc = mkv_sandbox_exec(rootfs->sandbox, &program, NULL, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s: preinst", control->package) : 0;
}

int mkv_rootfs_run_preinst(struct mkv_rootfs *rootfs, size_t number,
			   struct mkv_error *err)
{
	const struct mkv_package *package = &rootfs->packages[number];
	/* As in dpkg: overrides that the script itself registers don't apply
	 * to its package, diversions do. */
	int rc = mkv_overrides_read(rootfs, err);
	if (rc < 0 || !mkv_package_file(package, "preinst"))
		return rc;
	rc = write_control_files(rootfs, package, err);
	if (rc < 0)
		return rc;
	rc = exec_preinst(rootfs, &package->control, err);
	if (rc < 0)
		return rc;
	static const char directory[] = CONTROL_DIRECTORY;
	rc = mkv_remove_tree(rootfs->root_fd, directory + 1, err);
	return rc < 0 ? rc : mkv_diversions_read(rootfs, err);
}

static int wrap_failed_package(const struct mkv_rootfs *rootfs, int rc,
			       struct mkv_error *err)
{
	char name[MKV_STATUS_NAME_SIZE];
	if (mkv_status_find_half_configured(rootfs, name))
		return mkv_wrap(err, rc, "configure %s", name);
	return mkv_wrap(err, rc, "configure packages");
}

static int run_dpkg(struct mkv_rootfs *rootfs, const char *const *argv,
		    struct mkv_error *err)
{
	struct environment environment = {0};
	add_common(rootfs, &environment);
	auto_buf struct mkv_buf output = {0};
	struct mkv_sandbox_program program = {
		.argv = argv,
		.environment = environment.list,
	};
	int rc = mkv_sandbox_exec(rootfs->sandbox, &program, &output, err);
	if (getenv("MKVBENCH_DEBUG") && output.data)
		mkv_sandbox_note(rootfs->sandbox, "%s", output.data);
	return rc < 0 ? wrap_failed_package(rootfs, rc, err) : 0;
}

static const char *const dpkg[] = {"/usr/bin/dpkg", "--force-unsafe-io",
				   "--log=/dev/null", "--configure"};
enum { DPKG_ARGUMENTS = sizeof(dpkg) / sizeof(*dpkg) };

int mkv_rootfs_configure(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_free const char **argv =
		calloc(DPKG_ARGUMENTS + rootfs->count + 1, sizeof(*argv));
	if (!argv)
		return mkv_oom(err);
	memcpy(argv, dpkg, sizeof(dpkg));
	size_t at = DPKG_ARGUMENTS;
	for (size_t i = 0; i < rootfs->count; i++)
		if (rootfs->phases[i] == rootfs->phase)
			argv[at++] = rootfs->packages[i].control.package;
	return at > DPKG_ARGUMENTS ? run_dpkg(rootfs, argv, err) : 0;
}

int mkv_rootfs_configure_pending(struct mkv_rootfs *rootfs,
				 struct mkv_error *err)
{
	const char *argv[DPKG_ARGUMENTS + 2];
	memcpy(argv, dpkg, sizeof(dpkg));
	argv[DPKG_ARGUMENTS] = "--pending";
	argv[DPKG_ARGUMENTS + 1] = NULL;
	return run_dpkg(rootfs, argv, err);
}
