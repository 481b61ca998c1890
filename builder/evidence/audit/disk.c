/* SPDX-License-Identifier: MIT */
/* Compares the contents of a disk image with its contract. */
#include <inttypes.h>
#include <string.h>

#include "builder/evidence/audit/disk_internal.h"
#include "lib/dsse.h"

#define LIST_PATH "/usr/lib/mkvbench/files.list"

enum {
	LIST_MAX_BYTES = 512 * 1024 * 1024,
	CAPTURE_CONTRACT = 0,
	CAPTURE_BUNDLE,
	CAPTURE_LIST,
	CAPTURE_KEY,
	N_CAPTURES,
};

struct root {
	struct mkv_progress *progress;
	struct mkv_audit_capture captures[N_CAPTURES];
	struct mkv_audit_table table;
	struct mkv_contract *own; /* of the disk itself, without a manifest */
};

static void root_done(struct root *root)
{
	for (size_t i = 0; i < N_CAPTURES; i++)
		mkv_buf_done(&root->captures[i].data);
	mkv_audit_table_done(&root->table);
	mkv_contract_free(root->own);
}

void mkv_disk_add(const struct mkv_audit_of_disk *disk, const char *path,
		  const char *text)
{
	auto_free char *at = NULL;
	if (asprintf(&at, "%s%s%s", disk->name, path[0] ? ":" : "", path) < 0)
		disk->audit->report->failed = true;
	else
		mkv_audit_add(disk->audit->report, at, "%s", text);
}

int mkv_disk_unreadable(const struct mkv_audit_of_disk *disk, const char *path,
			int rc, const struct mkv_error *err)
{
	if (rc == -ENOMEM)
		return rc;
	mkv_disk_add(disk, path, err->message);
	return 1;
}

static int read_root_tar(int fd, void *context, struct mkv_error *err)
{
	struct root *root = context;
	return mkv_audit_table_from_tar(fd, &root->table, root->captures,
					N_CAPTURES, root->progress, err);
}

/* A tar stream can't hold sockets: names find them. */
static int check_names(const struct mkv_audit_of_disk *disk,
		       const struct root *root, struct mkv_error *err)
{
	auto_buf struct mkv_buf names = {0};
	int rc = mkv_guest_names(disk->guest, &names, err);
	if (rc < 0)
		return mkv_disk_unreadable(disk, "/", rc, err);
	const char *end = names.data + names.size;
	for (const char *at = names.data; at && at < end;
	     at += strlen(at) + 1) {
		auto_free char *path = NULL;
		if (asprintf(&path, "/%s", at) < 0)
			return mkv_oom(err);
		if (!mkv_audit_table_find(&root->table, path))
			mkv_disk_add(disk, path,
				     "extra: a socket or another type that "
				     "a tar stream can't hold");
	}
	return 0;
}

static int read_root(const struct mkv_audit_of_disk *disk, struct root *root,
		     struct mkv_error *err)
{
	root->captures[CAPTURE_CONTRACT] = (struct mkv_audit_capture){
		.path = MKV_CONTRACT_PATH,
		.limit_bytes = MKV_CONTRACT_LIMIT_BYTES};
	root->captures[CAPTURE_BUNDLE] = (struct mkv_audit_capture){
		.path = MKV_CONTRACT_BUNDLE_PATH,
		.limit_bytes = 4 * MKV_CONTRACT_LIMIT_BYTES};
	root->captures[CAPTURE_LIST] = (struct mkv_audit_capture){
		.path = LIST_PATH, .limit_bytes = LIST_MAX_BYTES};
	root->captures[CAPTURE_KEY] = (struct mkv_audit_capture){
		.path = MKV_CONTRACT_KEY_PATH,
		.limit_bytes = MKV_PUBLIC_KEY_PEM_MAX};
	int rc = mkv_guest_mount(disk->guest, disk->root->number, err);
	if (rc >= 0)
		rc = mkv_guest_tar(disk->guest, read_root_tar, root, err);
	if (rc < 0)
		return mkv_disk_unreadable(disk, "/", rc, err);
	return check_names(disk, root, err);
}

/* The four files must exist, belong to root and be writable by root only. */
static bool check_captures(const struct mkv_audit_of_disk *disk,
			   const struct root *root)
{
	bool all = true;
	for (size_t i = 0; i < N_CAPTURES; i++) {
		const struct mkv_audit_capture *c = &root->captures[i];
		const struct mkv_audit_entry *e =
			mkv_audit_table_find(&root->table, c->path);
		if (!e || !c->seen) {
			mkv_disk_add(disk, c->path,
				     e ? "isn't a regular file, or is too large"
				       : "missing");
			all = false;
		} else if (e->mode & 022 || e->uid != 0) {
			mkv_disk_add(disk, c->path,
				     "writable by users other than root");
		}
	}
	return all;
}

/* The key inside must be the verification key. Without another key, a disk's
 * own key is the verification key. */
static int check_key(struct mkv_audit_of_disk *disk, const struct root *root,
		     struct mkv_error *err)
{
	const struct mkv_buf *pem = &root->captures[CAPTURE_KEY].data;
	struct mkv_audit_report *report = disk->audit->report;
	struct mkv_public_key key;
	int rc = mkv_public_key_parse(pem->data ? pem->data : "", pem->size,
				      &key, err);
	if (rc < 0)
		return mkv_disk_unreadable(disk, MKV_CONTRACT_KEY_PATH, rc,
					   err);
	if (disk->audit->dirfd < 0 && report->key_origin == MKV_KEY_INSIDE)
		report->key = key;
	else if (!mkv_public_key_equal(&key, &report->key))
		mkv_disk_add(disk, MKV_CONTRACT_KEY_PATH,
			     "differs from the verification key");
	return 0;
}

static int check_bundle(const struct mkv_audit_of_disk *disk,
			const struct root *root, struct mkv_error *err)
{
	const struct mkv_buf *bundle = &root->captures[CAPTURE_BUNDLE].data;
	const struct mkv_buf *text = &root->captures[CAPTURE_CONTRACT].data;
	auto_buf struct mkv_buf payload = {0};
	struct mkv_sha256 sha256;
	int rc = mkv_sha256_bytes(text->data, text->size, &sha256, err);
	if (rc < 0)
		return rc;
	rc = mkv_dsse_verify(bundle->data ? bundle->data : "", bundle->size,
			     &disk->audit->report->key, MKV_DSSE_IN_TOTO,
			     &payload, err);
	if (rc < 0)
		return mkv_disk_unreadable(disk, MKV_CONTRACT_BUNDLE_PATH, rc,
					   err);
	disk->audit->report->signatures++;
	rc = mkv_statement_subject_check(payload.data, payload.size,
					 MKV_PREDICATE_CONTRACT,
					 "contract.json", &sha256, err);
	return rc < 0 ? mkv_disk_unreadable(disk, MKV_CONTRACT_BUNDLE_PATH, rc,
					    err)
		      : 0;
}

/* The contract inside equals the appliance's, byte for byte; without an
 * appliance the disk is compared with its own contract. Positive when that
 * contract is unreadable. */
static int check_contract(struct mkv_audit_of_disk *disk, struct root *root,
			  struct mkv_error *err)
{
	const struct mkv_buf *text = &root->captures[CAPTURE_CONTRACT].data;
	auto_buf struct mkv_buf want = {0};
	if (disk->contract) {
		int rc = mkv_json_dump(disk->contract->document, &want, err);
		if (rc < 0)
			return rc;
		if (want.size != text->size ||
		    memcmp(want.data, text->data, want.size) != 0)
			mkv_disk_add(
				disk, MKV_CONTRACT_PATH,
				"differs from the contract in manifest.json");
		return 0;
	}
	int rc = mkv_contract_parse(text->data ? text->data : "", text->size,
				    &root->own, err);
	if (rc < 0)
		return mkv_disk_unreadable(disk, MKV_CONTRACT_PATH, rc, err);
	disk->contract = root->own;
	return 0;
}

/* The contract's image of this disk: by name, else by its list of files. */
static const struct mkv_contract_image *
find_image(const struct mkv_audit_of_disk *disk, const struct mkv_sha256 *list)
{
	const struct mkv_contract *contract = disk->contract;
	if (disk->image_name)
		return mkv_contract_find_image(contract, disk->image_name);
	for (size_t i = 0; i < contract->n_images; i++)
		if (contract->images[i].files.list &&
		    mkv_sha256_equal(&contract->images[i].files.sha256, list))
			return &contract->images[i];
	return contract->n_images == 1 ? &contract->images[0] : NULL;
}

static void compare_list_digest(const struct mkv_audit_of_disk *disk,
				const struct mkv_sha256 *got)
{
	const struct mkv_sha256 *want = &disk->image->files.sha256;
	char want_hex[MKV_SHA256_HEX_SIZE], got_hex[MKV_SHA256_HEX_SIZE];
	char text[256];
	if (mkv_sha256_equal(got, want))
		return;
	mkv_sha256_hex(want, want_hex);
	mkv_sha256_hex(got, got_hex);
	(void)snprintf(text, sizeof(text), "sha256 differs: expected %s got %s",
		       want_hex, got_hex);
	mkv_disk_add(disk, LIST_PATH, text);
}

static int check_list(struct mkv_audit_of_disk *disk, const struct root *root,
		      struct mkv_error *err)
{
	static const char *const except[] = {
		MKV_CONTRACT_PATH, MKV_CONTRACT_BUNDLE_PATH, LIST_PATH, NULL};
	const struct mkv_buf *list = &root->captures[CAPTURE_LIST].data;
	auto_audit_table struct mkv_audit_table want = {0};
	struct mkv_sha256 sha256;
	char text[256];
	int rc = mkv_sha256_bytes(list->data, list->size, &sha256, err);
	if (rc < 0)
		return rc;
	disk->image = find_image(disk, &sha256);
	if (!disk->image || !disk->image->files.list) {
		mkv_disk_add(disk, LIST_PATH,
			     "the contract promises no such list of files");
	} else {
		compare_list_digest(disk, &sha256);
	}
	rc = mkv_audit_table_from_list(list->data ? list->data : "", list->size,
				       &want, err);
	if (rc < 0)
		return mkv_disk_unreadable(disk, LIST_PATH, rc, err);
	if (disk->image && disk->image->files.list &&
	    disk->image->files.count != want.count) {
		(void)snprintf(text, sizeof(text),
			       "number of entries differs: expected %" PRIu64
			       " got %zu",
			       disk->image->files.count, want.count);
		mkv_disk_add(disk, LIST_PATH, text);
	}
	mkv_audit_table_compare(&want, &root->table, except, disk->name,
				disk->audit->report);
	return mkv_disk_check_copies(disk, &want, except, err);
}

static int check_root(struct mkv_audit_of_disk *disk, struct mkv_error *err)
{
	__attribute__((cleanup(root_done))) struct root root = {
		.progress = disk->audit->options->progress};
	int rc = read_root(disk, &root, err);
	if (rc != 0 || !check_captures(disk, &root))
		return rc < 0 ? rc : 0;
	rc = check_key(disk, &root, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	/* A finding about the bundle doesn't end the comparison. */
	rc = check_bundle(disk, &root, err);
	if (rc < 0)
		return rc;
	rc = check_contract(disk, &root, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = check_list(disk, &root, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	return mkv_disk_check_boot(disk, &root.table, err);
}

static bool choose_root(struct mkv_audit_of_disk *disk)
{
	for (size_t i = 0; i < disk->n_partitions; i++) {
		if (!disk->partitions[i].is_root)
			continue;
		if (disk->root) {
			mkv_disk_add(disk, "", "has two root partitions");
			return false;
		}
		disk->root = &disk->partitions[i];
	}
	if (!disk->root)
		mkv_disk_add(disk, "", "has no root partition");
	return disk->root;
}

int mkv_audit_disk(struct mkv_audit *audit, const char *image, int fd,
		   const char *name, struct mkv_error *err)
{
	auto_guest struct mkv_audit_guest *guest = NULL;
	char path[64];
	struct mkv_audit_of_disk disk = {
		.audit = audit,
		.name = name,
		.path = path,
		.image_name = image,
		.contract = image && audit->manifest ? audit->manifest->contract
						     : NULL,
	};
	/* libguestfs' own processes open this path too. */
	(void)snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(),
		       fd);
	int rc = mkv_audit_gpt(path, name, audit->report, disk.partitions,
			       &disk.n_partitions, err);
	if (rc < 0)
		return rc;
	if (disk.n_partitions == 0 || !choose_root(&disk))
		return 0;
	rc = mkv_guest_open(path, audit->emulate, &guest, err);
	if (rc < 0)
		return rc;
	disk.guest = guest;
	rc = check_root(&disk, err);
	return rc < 0 ? rc : mkv_disk_check_partitions(&disk, err);
}
