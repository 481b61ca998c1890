/* SPDX-License-Identifier: MIT */
#include "programs/study/lib/room.h"

#include <sys/statvfs.h>

int mkv_room_check(int fd, uint64_t size, uint64_t spare_bytes,
		   struct mkv_error *err)
{
	struct statvfs now;
	if (fstatvfs(fd, &now) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "statvfs: %m");
	uint64_t room = (uint64_t)now.f_bavail * now.f_frsize;
	if (room < size || room - size < spare_bytes)
		return mkv_fail(err, MKV_FAILED, ENOSPC,
				"the disk is full: %llu bytes are free, %llu "
				"stay so",
				(unsigned long long)room,
				(unsigned long long)spare_bytes);
	return 0;
}
