/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/gpt.h"

#include <libfdisk/libfdisk.h>
#include <string.h>
#include <strings.h>

#include "builder/evidence/audit/audit_internal.h"

/* Discoverable Partitions Specification (UAPI group). */
#define TYPE_ESP "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
#define TYPE_ROOT_X86_64 "4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709"

struct diagnostics {
	struct mkv_audit_report *report;
	const char *where;
};

static int on_ask(struct fdisk_context *context, struct fdisk_ask *ask,
		  void *data)
{
	struct diagnostics *to = data;
	(void)context;
	switch (fdisk_ask_get_type(ask)) {
	case FDISK_ASKTYPE_WARN:
	case FDISK_ASKTYPE_WARNX:
		mkv_audit_add(to->report, to->where, "partition table: %s",
			      fdisk_ask_print_get_mesg(ask));
		return 0;
	case FDISK_ASKTYPE_INFO:
		return 0;
	default:
		return -EINVAL;
	}
}

static void copy_partition(struct fdisk_partition *partition,
			   struct mkv_audit_partition *ret)
{
	struct fdisk_parttype *type = fdisk_partition_get_type(partition);
	const char *guid = type ? fdisk_parttype_get_string(type) : NULL;
	*ret = (struct mkv_audit_partition){
		.number = (unsigned)fdisk_partition_get_partno(partition) + 1,
		.first_sector = fdisk_partition_get_start(partition),
		.sectors = fdisk_partition_get_size(partition),
		.is_esp = guid && strcasecmp(guid, TYPE_ESP) == 0,
		.is_root = guid && strcasecmp(guid, TYPE_ROOT_X86_64) == 0,
	};
	(void)snprintf(ret->type, sizeof(ret->type), "%s", guid ? guid : "");
}

static int copy_partitions(struct fdisk_context *context,
			   struct mkv_audit_partition *partitions,
			   size_t *ret_count, struct mkv_error *err)
{
	struct fdisk_table *table = NULL;
	struct fdisk_iter *iter = fdisk_new_iter(FDISK_ITER_FORWARD);
	struct fdisk_partition *partition = NULL;
	size_t count = 0;
	int rc = iter ? fdisk_get_partitions(context, &table) : -ENOMEM;
	while (rc >= 0 && count < MKV_AUDIT_PARTITIONS_MAX &&
	       fdisk_table_next_partition(table, iter, &partition) == 0)
		if (fdisk_partition_is_used(partition))
			copy_partition(partition, &partitions[count++]);
	fdisk_unref_table(table);
	fdisk_free_iter(iter);
	if (rc < 0)
		return mkv_fail(err, MKV_FAILED, -rc,
				"libfdisk: list partitions: %m");
	*ret_count = count;
	return 0;
}

int mkv_audit_gpt(const char *path, const char *where,
		  struct mkv_audit_report *report,
		  struct mkv_audit_partition *partitions, size_t *ret_count,
		  struct mkv_error *err)
{
	struct diagnostics diagnostics = {report, where};
	struct fdisk_context *context = fdisk_new_context();
	if (!context)
		return mkv_oom(err);
	*ret_count = 0;
	(void)fdisk_set_ask(context, on_ask, &diagnostics);
	int rc = fdisk_assign_device(context, path, 1);
	if (rc < 0) {
		rc = mkv_fail(err, MKV_HOST_CANNOT, -rc, "libfdisk: open: %m");
	} else if (!fdisk_has_label(context) ||
		   !fdisk_is_labeltype(context, FDISK_DISKLABEL_GPT)) {
		mkv_audit_add(report, where, "has no GUID partition table");
	} else {
		(void)fdisk_verify_disklabel(context);
		rc = copy_partitions(context, partitions, ret_count, err);
	}
	fdisk_unref_context(context);
	return rc;
}
