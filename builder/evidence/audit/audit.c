/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/audit.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/attest/key.h"
#include "builder/evidence/audit/audit_internal.h"
#include "builder/evidence/audit/guest.h"
#include "lib/io.h"

static void audit_done(struct mkv_audit *audit)
{
	if (audit->dirfd >= 0)
		(void)close(audit->dirfd);
	mkv_sums_free(audit->sums);
	mkv_manifest_free(audit->manifest);
}

/* The caller's key, else the user's own. Positive when neither exists. */
static int choose_key(struct mkv_audit *audit, struct mkv_error *err)
{
	auto_free char *private = NULL, *public = NULL;
	struct mkv_audit_report *report = audit->report;
	if (audit->options->key) {
		report->key_origin = MKV_KEY_GIVEN;
		int rc = mkv_public_key_load(AT_FDCWD, audit->options->key,
					     &report->key, err);
		if (rc < 0)
			err->kind = MKV_HOST_CANNOT;
		return rc;
	}
	if (mkv_key_default_path(&private, err) < 0)
		return 1;
	int rc = mkv_key_public_path(private, &public, err);
	if (rc < 0)
		return rc;
	if (access(public, F_OK) < 0)
		return 1;
	report->key_origin = MKV_KEY_OWN;
	rc = mkv_public_key_load(AT_FDCWD, public, &report->key, err);
	if (rc < 0)
		err->kind = MKV_HOST_CANNOT;
	return rc;
}

static int load_key(int fd, struct mkv_public_key *ret, struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0};
	int rc = mkv_read_fd(fd, MKV_PUBLIC_KEY_PEM_MAX, &pem, err);
	if (rc < 0)
		return rc;
	return mkv_public_key_parse(pem.data ? pem.data : "", pem.size, ret,
				    err);
}

static const char *key_path(const struct mkv_audit *audit)
{
	return audit->key_path ? audit->key_path : "attestations/key.pub";
}

/* The key that the directory itself holds. */
static int load_key_inside(struct mkv_audit *audit, struct mkv_error *err)
{
	auto_fd int fd = -1;
	audit->report->key_origin = MKV_KEY_INSIDE;
	int rc = mkv_audit_open(audit, key_path(audit), &fd);
	if (rc < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOKEY,
				"no verification key: the %s holds no %s and "
				"the user has no key of their own; name one "
				"with --key",
				audit->key_path ? "bundle" : "appliance",
				key_path(audit));
	rc = load_key(fd, &audit->report->key, err);
	if (rc < 0) {
		err->kind = MKV_HOST_CANNOT;
		return mkv_wrap(err, rc, "%s", key_path(audit));
	}
	return 0;
}

int mkv_audit_choose_key(struct mkv_audit *audit, struct mkv_error *err)
{
	int rc = choose_key(audit, err);
	return rc > 0 ? load_key_inside(audit, err) : rc;
}

int mkv_audit_check_key_file(struct mkv_audit *audit, struct mkv_error *err)
{
	auto_buf struct mkv_buf pem = {0};
	struct mkv_public_key key;
	int rc = mkv_audit_read(audit, key_path(audit), MKV_PUBLIC_KEY_PEM_MAX,
				&pem, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_public_key_parse(pem.data ? pem.data : "", pem.size, &key,
				  err);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		mkv_audit_add(audit->report, key_path(audit), "%s",
			      err->message);
	else if (!mkv_public_key_equal(&key, &audit->report->key))
		mkv_audit_add(audit->report, key_path(audit),
			      "differs from the verification key");
	return 0;
}

static int audit_appliance(struct mkv_audit *audit, struct mkv_error *err)
{
	struct stat st;
	if (fstatat(audit->dirfd, "SHA256SUMS", &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    fstatat(audit->dirfd, "manifest.json", &st, AT_SYMLINK_NOFOLLOW) <
		    0)
		return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
				"'%s' is not an appliance: it holds neither "
				"SHA256SUMS nor manifest.json",
				audit->options->path);
	int rc = mkv_audit_choose_key(audit, err);
	if (rc < 0)
		return rc;
	uint64_t before = mkv_audit_count(audit->report);
	struct mkv_progress_step step = mkv_progress_begin(
		audit->options->progress, 0, "check digests");
	rc = mkv_audit_files(audit, err);
	mkv_audit_end_step(&step, audit->report, before, rc);
	if (rc < 0)
		return rc;
	rc = mkv_audit_check_key_file(audit, err);
	if (rc < 0)
		return rc;
	rc = mkv_audit_bundles(audit, err);
	if (rc < 0)
		return rc;
	rc = mkv_audit_oci(audit, err);
	if (rc < 0)
		return rc;
	rc = mkv_audit_libvirt(audit, err);
	return rc < 0 || !audit->options->deep ? rc
					       : mkv_audit_disks(audit, err);
}

static int audit_image(struct mkv_audit *audit, int fd, struct mkv_error *err)
{
	const char *slash = strrchr(audit->options->path, '/');
	int rc = choose_key(audit, err);
	if (rc < 0)
		return rc;
	if (rc > 0)
		audit->report->key_origin = MKV_KEY_INSIDE;
	const char *name = slash ? slash + 1 : audit->options->path;
	struct mkv_progress_step step = mkv_progress_begin(
		audit->options->progress, 0, "compare %s", name);
	rc = mkv_audit_disk(audit, NULL, fd, name, err);
	mkv_audit_end_step(&step, audit->report, 0, rc);
	return rc;
}

int mkv_audit_run(const struct mkv_audit_options *options,
		  struct mkv_audit_report *ret, struct mkv_error *err)
{
	auto_audit_report struct mkv_audit_report report = {0};
	__attribute__((cleanup(audit_done))) struct mkv_audit audit = {
		.options = options, .report = &report, .dirfd = -1};
	struct stat st;
	auto_fd int fd = open(options->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno, "'%s': %m",
				options->path);
	bool is_image = S_ISREG(st.st_mode);
	if (!is_image && !S_ISDIR(st.st_mode))
		return mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				"audit: '%s' is neither a directory nor a disk "
				"image",
				options->path);
	if (options->deep || is_image)
		audit.emulate = mkv_guest_needs_emulation();
	if (!is_image)
		audit.dirfd = mkv_take_fd(&fd);
	int rc = is_image ? audit_image(&audit, fd, err)
			  : audit_appliance(&audit, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "audit");
	if (report.failed)
		return mkv_wrap(err, mkv_oom(err), "audit");
	mkv_audit_sort(&report);
	*ret = report;
	report = (struct mkv_audit_report){0};
	return 0;
}
