/* SPDX-License-Identifier: MIT */
/* The partitions of a disk other than the root: the ESP, with the unified
 * kernel image that boots the disk, and partitions that must be empty. */
#include <string.h>

#include "builder/evidence/audit/disk_internal.h"
#include "builder/evidence/audit/uki.h"

#define UKI_PATH "/EFI/BOOT/BOOTX64.EFI"

enum { UKI_MAX_BYTES = 512 * 1024 * 1024 };

struct esp {
	struct mkv_audit_capture uki;
	struct mkv_audit_table table;
};

static void esp_done(struct esp *esp)
{
	mkv_buf_done(&esp->uki.data);
	mkv_audit_table_done(&esp->table);
}

static int read_esp_tar(int fd, void *context, struct mkv_error *err)
{
	struct esp *esp = context;
	return mkv_audit_table_from_tar(fd, &esp->table, &esp->uki, 1, NULL,
					err);
}

static char *join_words(const struct mkv_contract_strings *words)
{
	auto_buf struct mkv_buf text = {0};
	for (size_t i = 0; i < words->count; i++)
		mkv_buf_printf(&text, "%s%s", i ? " " : "", words->items[i]);
	return mkv_buf_take(&text);
}

/* The size of a text in a section, without padding and trailing newlines. */
static size_t text_size(const struct mkv_audit_section *section)
{
	size_t size = strnlen(section->data, section->size);
	while (size && section->data[size - 1] == '\n')
		size--;
	return size;
}

static void compare_text(const struct mkv_audit_of_disk *disk, const char *what,
			 const struct mkv_audit_section *section,
			 const char *want)
{
	size_t size = section->data ? text_size(section) : 0;
	auto_free char *text = NULL;
	if (section->data && size == strlen(want) &&
	    memcmp(section->data, want, size) == 0)
		return;
	if (asprintf(&text, "%s differs: expected '%s' got '%.*s'", what, want,
		     (int)(size < 4096 ? size : 4096),
		     section->data ? section->data : "") < 0)
		disk->audit->report->failed = true;
	else
		mkv_disk_add(disk, "esp:" UKI_PATH, text);
}

static int hash_section(const struct mkv_audit_section *section,
			struct mkv_sha256 *ret, struct mkv_error *err)
{
	return mkv_sha256_bytes(section->data, section->size, ret, err);
}

/* A section must equal the appliance's boot file `file`, if there is one. */
static int compare_artifact(const struct mkv_audit_of_disk *disk,
			    const char *what,
			    const struct mkv_audit_section *section,
			    const char *file, struct mkv_error *err)
{
	char path[512], text[1024];
	struct mkv_sha256 sha256;
	if (!disk->audit->sums || !disk->image_name)
		return 0;
	(void)snprintf(path, sizeof(path), "%s/boot/%s", disk->image_name,
		       file);
	const struct mkv_sum *sum = mkv_sums_find(disk->audit->sums, path);
	int rc = sum ? hash_section(section, &sha256, err) : 0;
	if (rc < 0 || !sum || mkv_sha256_equal(&sum->sha256, &sha256))
		return rc;
	(void)snprintf(text, sizeof(text), "%s differs from %s", what, path);
	mkv_disk_add(disk, "esp:" UKI_PATH, text);
	return 0;
}

/* The contract's digest is the only evidence for a disk without its appliance.
 */
static int compare_initramfs(const struct mkv_audit_of_disk *disk,
			     const struct mkv_audit_section *section,
			     struct mkv_error *err)
{
	const char *want = disk->image->kernel.initramfs_sha256;
	char got[MKV_SHA256_HEX_SIZE], text[256];
	struct mkv_sha256 sha256;
	int rc = want ? hash_section(section, &sha256, err) : 0;
	if (rc < 0 || !want)
		return rc;
	mkv_sha256_hex(&sha256, got);
	if (strcmp(got, want) == 0)
		return 0;
	(void)snprintf(text, sizeof(text),
		       "initramfs differs: expected %s got %s", want, got);
	mkv_disk_add(disk, "esp:" UKI_PATH, text);
	return 0;
}

/* The kernel must be the file of its package in the root file system. */
static int compare_kernel(const struct mkv_audit_of_disk *disk,
			  const struct mkv_audit_section *section,
			  const struct mkv_audit_table *root,
			  struct mkv_error *err)
{
	char path[512], text[1024];
	struct mkv_sha256 sha256;
	(void)snprintf(path, sizeof(path), "/boot/vmlinuz-%s",
		       disk->image->kernel.release);
	const struct mkv_audit_entry *entry = mkv_audit_table_find(root, path);
	int rc = entry ? hash_section(section, &sha256, err) : 0;
	if (rc < 0 || !entry || mkv_sha256_equal(&entry->sha256, &sha256))
		return rc;
	(void)snprintf(text, sizeof(text), "kernel differs from the root's %s",
		       path);
	mkv_disk_add(disk, "esp:" UKI_PATH, text);
	return 0;
}

/* The sections of a unified kernel image that the contract speaks of. */
struct sections {
	struct mkv_audit_section command_line, kernel, initramfs, release;
};

static int find_sections(const struct mkv_buf *uki, struct sections *ret,
			 struct mkv_error *err)
{
	const struct {
		const char *name;
		struct mkv_audit_section *section;
	} rows[] = {
		{".cmdline", &ret->command_line},
		{".linux", &ret->kernel},
		{".initrd", &ret->initramfs},
		{".uname", &ret->release},
	};
	const char *data = uki->data ? uki->data : "";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int rc = mkv_audit_uki_section(data, uki->size, rows[i].name,
					       rows[i].section, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_uki(const struct mkv_audit_of_disk *disk,
		     const struct mkv_buf *uki,
		     const struct mkv_audit_table *root, struct mkv_error *err)
{
	struct sections s;
	const struct mkv_contract_kernel *want = &disk->image->kernel;
	int rc = find_sections(uki, &s, err);
	if (rc < 0) {
		mkv_disk_add(disk, "esp:" UKI_PATH, err->message);
		return 0;
	}
	if (want->has_command_line) {
		auto_free char *words = join_words(&want->command_line);
		if (!words)
			return mkv_oom(err);
		compare_text(disk, "command line", &s.command_line, words);
	}
	if (want->release)
		compare_text(disk, "kernel release", &s.release, want->release);
	rc = compare_artifact(disk, "kernel", &s.kernel, "vmlinuz", err);
	if (rc < 0)
		return rc;
	rc = compare_artifact(disk, "initramfs", &s.initramfs, "initrd.img",
			      err);
	if (rc < 0)
		return rc;
	rc = compare_initramfs(disk, &s.initramfs, err);
	return rc < 0 || !want->release
		       ? rc
		       : compare_kernel(disk, &s.kernel, root, err);
}

/* The unified kernel image is the only file of the ESP. */
static void check_esp_files(const struct mkv_audit_of_disk *disk,
			    const struct mkv_audit_table *table)
{
	static const char *const known[] = {"/", "/EFI", "/EFI/BOOT", UKI_PATH};
	for (size_t i = 0; i < table->count; i++) {
		bool is_known = false;
		auto_free char *path = NULL;
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
			is_known |= strcmp(known[k], table->items[i].path) == 0;
		if (is_known)
			continue;
		if (asprintf(&path, "esp:%s", table->items[i].path) < 0)
			disk->audit->report->failed = true;
		else
			mkv_disk_add(disk, path, "extra");
	}
}

static int check_esp(const struct mkv_audit_of_disk *disk,
		     const struct mkv_audit_partition *partition,
		     const struct mkv_audit_table *root, struct mkv_error *err)
{
	__attribute__((cleanup(esp_done))) struct esp esp = {
		.uki = {.path = UKI_PATH, .limit_bytes = UKI_MAX_BYTES}};
	if (!mkv_guest_knows(disk->guest, "vfat"))
		return mkv_fail(
			err, MKV_HOST_CANNOT, ENOTSUP,
			"libguestfs: the host's kernel has no vfat driver");
	int rc = mkv_guest_mount(disk->guest, partition->number, err);
	if (rc >= 0)
		rc = mkv_guest_tar(disk->guest, read_esp_tar, &esp, err);
	if (rc < 0) {
		rc = mkv_disk_unreadable(disk, "esp:/", rc, err);
		return rc < 0 ? rc : 0;
	}
	check_esp_files(disk, &esp.table);
	if (!esp.uki.seen) {
		mkv_disk_add(disk, "esp:" UKI_PATH, "missing");
		return 0;
	}
	return check_uki(disk, &esp.uki.data, root, err);
}

/* root=UUID=... must name the root file system of this disk. */
static int check_root_uuid(const struct mkv_audit_of_disk *disk,
			   struct mkv_error *err)
{
	static const char prefix[] = "root=UUID=";
	const struct mkv_contract_strings *words =
		&disk->image->kernel.command_line;
	char uuid[64], text[256];
	int rc = mkv_guest_uuid(disk->guest, disk->root->number, uuid, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < words->count; i++) {
		const char *word = words->items[i];
		if (strncmp(word, prefix, strlen(prefix)) != 0 ||
		    strcmp(word + strlen(prefix), uuid) == 0)
			continue;
		(void)snprintf(text, sizeof(text),
			       "UUID of the root file system differs: expected "
			       "%.64s got %s",
			       word + strlen(prefix), uuid);
		mkv_disk_add(disk, "", text);
	}
	return 0;
}

int mkv_disk_check_boot(struct mkv_audit_of_disk *disk,
			const struct mkv_audit_table *root,
			struct mkv_error *err)
{
	if (!disk->image)
		return 0;
	int rc = check_root_uuid(disk, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < disk->n_partitions; i++) {
		if (!disk->partitions[i].is_esp)
			continue;
		rc = check_esp(disk, &disk->partitions[i], root, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_empty(const struct mkv_audit_of_disk *disk,
		       const struct mkv_audit_partition *partition,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf names = {0};
	char where[32];
	(void)snprintf(where, sizeof(where), "partition %u:/",
		       partition->number);
	int rc = mkv_guest_mount(disk->guest, partition->number, err);
	if (rc >= 0)
		rc = mkv_guest_names(disk->guest, &names, err);
	if (rc < 0) {
		rc = mkv_disk_unreadable(disk, where, rc, err);
		return rc < 0 ? rc : 0;
	}
	if (names.size && (names.size != sizeof("lost+found") ||
			   strcmp(names.data, "lost+found") != 0))
		mkv_disk_add(disk, where, "isn't empty");
	return 0;
}

int mkv_disk_check_partitions(struct mkv_audit_of_disk *disk,
			      struct mkv_error *err)
{
	for (size_t i = 0; i < disk->n_partitions; i++) {
		const struct mkv_audit_partition *p = &disk->partitions[i];
		int rc =
			p->is_esp || p->is_root ? 0 : check_empty(disk, p, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
