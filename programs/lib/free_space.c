/* SPDX-License-Identifier: MIT */
#include "programs/lib/free_space.h"

#include <sys/statvfs.h>

int mkv_free_space_check(int fd, uint64_t size, uint64_t spare_bytes,
			 struct mkv_error *err)
{
	struct statvfs now;
	if (fstatvfs(fd, &now) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "statvfs: %m");
	uint64_t free_bytes = (uint64_t)now.f_bavail * now.f_frsize;
	if (free_bytes < size || free_bytes - size < spare_bytes)
		return mkv_fail(err, MKV_FAILED, ENOSPC,
				"the disk is full: %llu bytes are free, %llu "
				"are reserved",
				(unsigned long long)free_bytes,
				(unsigned long long)spare_bytes);
	return 0;
}
