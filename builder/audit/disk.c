/* SPDX-License-Identifier: MIT */
#include "builder/audit/audit_internal.h"

int mkv_audit_disk(struct mkv_audit *audit, const char *image, int fd,
		   const char *name, struct mkv_error *err)
{
	(void)audit, (void)image, (void)fd, (void)name;
	return mkv_fail(err, MKV_HOST_CANNOT, ENOSYS, "not yet");
}
