/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/evidence/audit/audit_internal.h"
#include "builder/evidence/audit/table.h"

/* "WHERE:PATH", by which findings name an entry. */
struct at {
	struct mkv_audit_report *report;
	char *path;
};

static struct at at_entry(struct mkv_audit_report *report, const char *where,
			  const char *path)
{
	struct at at = {report, NULL};
	if (asprintf(&at.path, "%s:%s", where, path) < 0) {
		at.path = NULL;
		report->failed = true;
	}
	return at;
}

#define add_finding(at, ...)                                                   \
	((at)->path ? mkv_audit_add((at)->report, (at)->path, __VA_ARGS__)     \
		    : (void)0)

static const char *type_name(char type)
{
	switch (type) {
	case 'd':
		return "directory";
	case 'f':
		return "regular file";
	case 'l':
		return "symbolic link";
	case 'c':
		return "character device";
	case 'b':
		return "block device";
	case 'p':
		return "FIFO";
	default:
		return "unknown type";
	}
}

static void compare_content(const struct mkv_audit_entry *want,
			    const struct mkv_audit_entry *got,
			    const struct at *at)
{
	if (want->type == 'f' && want->size_bytes != got->size_bytes)
		add_finding(at, "size differs: expected %ju got %ju",
			    (uintmax_t)want->size_bytes,
			    (uintmax_t)got->size_bytes);
	if (want->type == 'f' &&
	    !mkv_sha256_equal(&want->sha256, &got->sha256)) {
		char want_hex[MKV_SHA256_HEX_SIZE],
			got_hex[MKV_SHA256_HEX_SIZE];
		mkv_sha256_hex(&want->sha256, want_hex);
		mkv_sha256_hex(&got->sha256, got_hex);
		add_finding(at, "sha256 differs: expected %s got %s", want_hex,
			    got_hex);
	}
	if (want->type == 'l' && strcmp(want->target ? want->target : "",
					got->target ? got->target : "") != 0)
		add_finding(at, "target differs: expected %s got %s",
			    want->target ? want->target : "",
			    got->target ? got->target : "");
	if ((want->type == 'c' || want->type == 'b') &&
	    (want->major != got->major || want->minor != got->minor))
		add_finding(at, "device differs: expected %u:%u got %u:%u",
			    want->major, want->minor, got->major, got->minor);
}

static void compare_metadata(const struct mkv_audit_entry *want,
			     const struct mkv_audit_entry *got,
			     const struct at *at)
{
	if (want->mode != got->mode)
		add_finding(at, "mode differs: expected %04o got %04o",
			    want->mode, got->mode);
	if (want->uid != got->uid || want->gid != got->gid)
		add_finding(at, "owner differs: expected %u:%u got %u:%u",
			    want->uid, want->gid, got->uid, got->gid);
	if (want->mtime_s != got->mtime_s || got->has_fraction)
		add_finding(at, "mtime differs: expected %jd got %jd%s",
			    (intmax_t)want->mtime_s, (intmax_t)got->mtime_s,
			    got->has_fraction ? " and a fraction of a second"
					      : "");
	if (strcmp(want->xattrs, got->xattrs) != 0)
		add_finding(at, "xattrs differ: expected%s got%s",
			    want->xattrs[0] ? want->xattrs : " none",
			    got->xattrs[0] ? got->xattrs : " none");
}

static void compare_entry(const struct mkv_audit_table *wants,
			  const struct mkv_audit_entry *want,
			  const struct mkv_audit_table *gots,
			  const struct mkv_audit_entry *got,
			  const struct at *at)
{
	if (want->type != got->type) {
		add_finding(at, "type differs: expected %s got %s",
			    type_name(want->type), type_name(got->type));
		return;
	}
	const char *want_first = wants->items[want->inode].path;
	const char *got_first = gots->items[got->inode].path;
	if (strcmp(want_first, got_first) != 0)
		add_finding(
			at,
			"hard links differ: expected the inode of %s got the "
			"inode of %s",
			want_first, got_first);
	compare_metadata(want, got, at);
	compare_content(want, got, at);
}

/* The directory that the ext4 writer always adds, for fsck. */
static bool is_lost_found(const struct mkv_audit_table *table,
			  const struct mkv_audit_entry *entry)
{
	const struct mkv_audit_entry *next = entry + 1;
	return strcmp(entry->path, "/lost+found") == 0 && entry->type == 'd' &&
	       entry->mode == 0700 && entry->uid == 0 && entry->gid == 0 &&
	       (next == table->items + table->count ||
		strncmp(next->path, "/lost+found/", 12) != 0);
}

static bool is_excepted(const char *const *except, const char *path)
{
	for (; *except; except++)
		if (strcmp(*except, path) == 0)
			return true;
	return false;
}

void mkv_audit_table_compare(const struct mkv_audit_table *want,
			     const struct mkv_audit_table *got,
			     const char *const *except, const char *where,
			     struct mkv_audit_report *report)
{
	for (size_t i = 0; i < want->count; i++) {
		const struct mkv_audit_entry *w = &want->items[i];
		struct at at = at_entry(report, where, w->path);
		const struct mkv_audit_entry *g =
			mkv_audit_table_find(got, w->path);
		if (g)
			compare_entry(want, w, got, g, &at);
		else
			add_finding(&at, "missing: expected a %s",
				    type_name(w->type));
		free(at.path);
		report->entries++;
	}
	for (size_t i = 0; i < got->count; i++) {
		const struct mkv_audit_entry *g = &got->items[i];
		if (mkv_audit_table_find(want, g->path) ||
		    is_excepted(except, g->path) || is_lost_found(got, g))
			continue;
		struct at at = at_entry(report, where, g->path);
		add_finding(&at, "extra: a %s that the list of files lacks",
			    type_name(g->type));
		free(at.path);
	}
}
