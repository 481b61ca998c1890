/* SPDX-License-Identifier: MIT */
/* Copies of appliances without what is large: enough to verify a contract. */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/evidence/bundle/bundle_internal.h"
#include "lib/contract.h"
#include "lib/io.h"
#include "lib/sync.h"

enum { SUMS_MAX_BYTES = 64 * 1024 * 1024, MANIFEST_MAX = 64 * 1024 * 1024 };

struct copying {
	const struct mkv_bundle *bundle;
	const char *name;
	const char *to; /* the staging directory */
	int from;	/* the appliance */
	struct mkv_sums *sums;
	struct mkv_buf text, signature; /* SHA256SUMS */
};

static void copying_done(struct copying *copying)
{
	mkv_auto_close_(&copying->from);
	mkv_sums_free(copying->sums);
	mkv_buf_done(&copying->text);
	mkv_buf_done(&copying->signature);
}

static int read_sums(struct copying *at, struct mkv_error *err)
{
	int rc = mkv_read_file(at->from, "SHA256SUMS", SUMS_MAX_BYTES,
			       &at->text, err);
	if (rc < 0)
		return rc;
	rc = mkv_read_file(at->from, "SHA256SUMS.sig", 4096, &at->signature,
			   err);
	if (rc < 0)
		return rc;
	if (at->signature.size != MKV_SIGNATURE_SIZE)
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"SHA256SUMS.sig isn't an Ed25519 signature");
	rc = mkv_signature_verify(
		&at->bundle->key, at->text.data ? at->text.data : "",
		at->text.size, (const uint8_t *)at->signature.data, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "SHA256SUMS");
	rc = mkv_sums_parse(at->text.data ? at->text.data : "", at->text.size,
			    &at->sums, err);
	return rc < 0 ? mkv_wrap(err, rc, "SHA256SUMS") : 0;
}

/* The contract's digest must be the one that the plan has for this appliance.
 */
static int check_contract(const struct copying *at, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0}, bytes = {0};
	auto_manifest struct mkv_manifest *manifest = NULL;
	struct mkv_sha256 sha256;
	char hex[MKV_SHA256_HEX_SIZE];
	const struct mkv_plan *plan = at->bundle->plan;
	int rc = mkv_read_file(at->from, "manifest.json", MANIFEST_MAX, &text,
			       err);
	if (rc < 0)
		return rc;
	rc = mkv_manifest_parse(text.data ? text.data : "", text.size,
				&manifest, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "manifest.json");
	rc = mkv_json_dump(manifest->contract->document, &bytes, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(bytes.data, bytes.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, hex);
	bool is_planned = false;
	for (size_t i = 0; i < plan->n_arms; i++) {
		if (strcmp(plan->arms[i].appliance, at->name) != 0)
			continue;
		is_planned = true;
		if (strcmp(plan->arms[i].contract_sha256, hex) != 0)
			return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
					"the plan's arm '%s' has the contract "
					"%.64s, and the appliance %s",
					plan->arms[i].name,
					plan->arms[i].contract_sha256, hex);
	}
	return is_planned ? 0
			  : mkv_fail(err, MKV_FAILED, EINVAL,
				     "no arm of the plan uses it");
}

static bool is_disk(const char *path)
{
	const char *slash = strrchr(path, '/');
	return strncmp(slash ? slash + 1 : path, "disk.", 5) == 0;
}

/* Copies and hashes in one pass. */
static int copy_bytes(int from, int to, struct mkv_sha256 *ret,
		      struct mkv_error *err)
{
	enum { CHUNK = 64 * 1024 };
	auto_free char *chunk = malloc(CHUNK);
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	if (!chunk || !hasher)
		return mkv_oom(err);
	for (;;) {
		ssize_t got = read(from, chunk, CHUNK);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return mkv_fail(err, MKV_FAILED, errno, "read: %m");
		if (got == 0)
			return mkv_hasher_finish(hasher, ret, err);
		mkv_hasher_add(hasher, chunk, (size_t)got);
		int rc = mkv_write_all(to, chunk, (size_t)got, err);
		if (rc < 0)
			return rc;
	}
}

static int make_parent(char *path, struct mkv_error *err)
{
	char *slash = strrchr(path, '/');
	*slash = '\0';
	int rc = mkv_make_dirs(path, err);
	*slash = '/';
	return rc;
}

static int copy_file(const struct copying *at, const struct mkv_sum *sum,
		     struct mkv_error *err)
{
	struct stat st;
	struct mkv_sha256 sha256;
	auto_free char *path = NULL;
	auto_fd int from =
		openat(at->from, sum->path,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (from < 0 || fstat(from, &st) < 0)
		return mkv_fail(err, MKV_UNVERIFIED, errno, "%m");
	if (!S_ISREG(st.st_mode))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"isn't a regular file");
	if (st.st_size > MKV_BUNDLE_COPY_LIMIT_BYTES || is_disk(sum->path))
		return 0;
	if (asprintf(&path, "%s/%s", at->to, sum->path) < 0) {
		path = NULL;
		return mkv_oom(err);
	}
	int rc = make_parent(path, err);
	if (rc < 0)
		return rc;
	auto_newfile struct mkv_newfile file = MKV_NEWFILE_INIT;
	rc = mkv_newfile_open(path, 0644, &file, err);
	if (rc < 0)
		return rc;
	rc = copy_bytes(from, file.fd, &sha256, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&sha256, &sum->sha256))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"its SHA-256 differs from SHA256SUMS");
	return mkv_newfile_place(&file, err);
}

static int place_text(const struct copying *at, const char *name,
		      const struct mkv_buf *text, struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/%s", at->to, name) < 0) {
		path = NULL;
		return mkv_oom(err);
	}
	return mkv_place_file(path, 0644, text->data ? text->data : "",
			      text->size, err);
}

static int copy_all(const struct copying *at, struct mkv_error *err)
{
	int rc = mkv_remove_tree(AT_FDCWD, at->to, err);
	if (rc < 0)
		return rc;
	rc = mkv_make_dirs(at->to, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < at->sums->count; i++) {
		rc = copy_file(at, &at->sums->items[i], err);
		if (rc < 0)
			return mkv_wrap(err, rc, "'%s'",
					at->sums->items[i].path);
	}
	rc = place_text(at, "SHA256SUMS", &at->text, err);
	if (rc < 0)
		return rc;
	rc = place_text(at, "SHA256SUMS.sig", &at->signature, err);
	return rc < 0 ? rc : mkv_sync_tree(at->to, err);
}

/* 1 when the bundle holds a copy of the same SHA256SUMS. */
static int find_copy(const struct copying *at, const char *final,
		     struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	auto_free char *path = NULL;
	if (asprintf(&path, "%s/SHA256SUMS", final) < 0) {
		path = NULL;
		return mkv_oom(err);
	}
	int rc = mkv_read_file(AT_FDCWD, path, SUMS_MAX_BYTES, &text, err);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	if (text.size != at->text.size ||
	    memcmp(text.data, at->text.data, text.size) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EEXIST,
				"it was built again since the campaign began");
	return 1;
}

static int add_appliance(struct copying *at, const char *appliance,
			 struct mkv_error *err)
{
	auto_free char *staging = NULL, *final = NULL, *parent = NULL;
	at->from = open(appliance, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (at->from < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				appliance);
	if (asprintf(&staging, "%s/%s/%s", at->bundle->path, MKV_BUNDLE_SCRATCH,
		     at->name) < 0 ||
	    asprintf(&final, "%s/appliances/%s", at->bundle->path, at->name) <
		    0 ||
	    asprintf(&parent, "%s/appliances", at->bundle->path) < 0)
		return mkv_oom(err);
	at->to = staging;
	int rc = read_sums(at, err);
	if (rc < 0)
		return rc;
	rc = check_contract(at, err);
	if (rc < 0)
		return rc;
	rc = find_copy(at, final, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = mkv_bundle_check_open(at->bundle, err);
	if (rc < 0)
		return rc;
	rc = copy_all(at, err);
	if (rc < 0)
		return rc;
	if (rename(staging, final) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "rename to '%s': %m",
				final);
	auto_fd int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fsync(fd) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "fsync '%s': %m",
				parent);
	return 0;
}

int mkv_bundle_add_appliance(struct mkv_bundle *bundle, const char *name,
			     const char *appliance, struct mkv_error *err)
{
	__attribute__((cleanup(copying_done))) struct copying copying = {
		.bundle = bundle, .name = name, .from = -1};
	/* The names of a plan's arms are checked: none leads elsewhere. */
	int rc = add_appliance(&copying, appliance, err);
	return rc < 0 ? mkv_wrap(err, rc, "appliance '%s'", name) : 0;
}
