/* SPDX-License-Identifier: MIT */
#include "builder/rootfs/install/rootfs_internal.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"

/* Environment lines, made for one program. */
struct environment {
	char lines[16][300];
	const char *list[17];
	size_t count;
};

static void mkv_printf(2, 3)
	add(struct environment *environment, const char *format, ...)
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
	add(environment, "DEBIAN_FRONTEND=noninteractive");
	add(environment, "DEBCONF_NONINTERACTIVE_SEEN=true");
	add(environment, "DEBCONF_NOWARNINGS=yes");
	add(environment, "SOURCE_DATE_EPOCH=%lld",
	    (long long)rootfs->options->epoch_s);
	/* The hooks that kernel packages call heed it: our images bring an
	 * initramfs of their own, and generating Debian's would take longer
	 * than all the rest. Whoever updates the kernel in a running system
	 * gets one by the same hooks. */
	add(environment, "INITRD=No");
}

/* Where dpkg keeps a package's control files while its preinst runs; debconf
 * looks for templates beside the script. */
#define CONTROL_FOLDER "/var/lib/dpkg/tmp.ci"

static int put_control_files(struct mkv_rootfs *rootfs,
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
	if (rc == 0)
		rc = mkv_rootfs_write(rootfs->root_fd,
				      CONTROL_FOLDER "/control", 0644,
				      control.data, control.size, err);
	for (size_t i = 0; rc == 0 && i < package->n_files; i++) {
		const struct mkv_control_file *file = &package->files[i];
		char path[300];
		(void)snprintf(path, sizeof(path), CONTROL_FOLDER "/%s",
			       file->name);
		rc = mkv_rootfs_write_control(rootfs->root_fd, path, file, err);
	}
	return rc;
}

int mkv_rootfs_run_preinst(struct mkv_rootfs *rootfs, size_t number,
			   struct mkv_error *err)
{
	const struct mkv_package *package = &rootfs->packages[number];
	const char *name = package->control.package;
	/* As with dpkg, overrides that are registered before; diversions, by
	 * contrast, those that the script itself registers as well. */
	int rc = mkv_overrides_read(rootfs, err);
	if (rc < 0 || !mkv_package_file(package, "preinst"))
		return rc;
	rc = put_control_files(rootfs, package, err);
	if (rc < 0)
		return rc;
	struct environment environment = {0};
	add_common(rootfs, &environment);
	add(&environment, "DPKG_MAINTSCRIPT_PACKAGE=%s", name);
	add(&environment, "DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1");
	add(&environment, "DPKG_MAINTSCRIPT_ARCH=%s",
	    package->control.architecture);
	add(&environment, "DPKG_MAINTSCRIPT_NAME=preinst");
	add(&environment, "DPKG_MAINTSCRIPT_DEBUG=0");
	add(&environment, "DPKG_RUNNING_VERSION=%s", rootfs->dpkg_version);
	add(&environment, "DPKG_ADMINDIR=/var/lib/dpkg");
	add(&environment, "DPKG_ROOT=");
	const char *argv[] = {CONTROL_FOLDER "/preinst", "install", NULL};
	struct mkv_sandbox_program program = {
		.argv = argv,
		.environment = environment.list,
		.timeout_s = 600,
	};
	rc = mkv_sandbox_exec(rootfs->sandbox, &program, NULL, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "%s: preinst", name);
	rc = mkv_remove_tree(rootfs->root_fd, CONTROL_FOLDER + 1, err);
	return rc < 0 ? rc : mkv_diversions_read(rootfs, err);
}

/* The package that dpkg's last words are about, for the head of the message. */
static void name_package(struct mkv_error *err)
{
	static const char key[] = "error processing package ";
	const char *at = strstr(err->message, key);
	char name[130];
	if (at && sscanf(at + sizeof(key) - 1, "%129s", name) == 1)
		(void)mkv_wrap(err, -1, "configure %s", name);
	else
		(void)mkv_wrap(err, -1, "configure packages");
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
	if (rc < 0)
		name_package(err);
	if (getenv("MKVBENCH_DEBUG") && output.data)
		mkv_sandbox_note(rootfs->sandbox, "%s", output.data);
	return rc;
}

static const char *const dpkg[] = {"/usr/bin/dpkg", "--force-unsafe-io",
				   "--log=/dev/null", "--configure"};
enum { DPKG_WORDS = sizeof(dpkg) / sizeof(*dpkg) };

int mkv_rootfs_configure(struct mkv_rootfs *rootfs, struct mkv_error *err)
{
	auto_free const char **argv =
		calloc(DPKG_WORDS + rootfs->count + 1, sizeof(*argv));
	if (!argv)
		return mkv_oom(err);
	memcpy(argv, dpkg, sizeof(dpkg));
	size_t at = DPKG_WORDS;
	for (size_t i = 0; i < rootfs->count; i++)
		if (rootfs->phases[i] == rootfs->phase)
			argv[at++] = rootfs->packages[i].control.package;
	return at > DPKG_WORDS ? run_dpkg(rootfs, argv, err) : 0;
}

int mkv_rootfs_configure_pending(struct mkv_rootfs *rootfs,
				 struct mkv_error *err)
{
	const char *argv[DPKG_WORDS + 2];
	memcpy(argv, dpkg, sizeof(dpkg));
	argv[DPKG_WORDS] = "--pending";
	argv[DPKG_WORDS + 1] = NULL;
	return run_dpkg(rootfs, argv, err);
}
