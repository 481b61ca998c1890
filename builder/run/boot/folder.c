/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/folder.h"

#include <fcntl.h>
#include <sys/file.h>

int mkv_boot_lock_folder(const char *folder, const char *what, int *ret,
			 struct mkv_error *err)
{
	auto_fd int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", folder);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? mkv_fail(err, MKV_HOST_CANNOT, EBUSY,
					  "%s '%s' is in use by another boot",
					  what, folder)
			       : mkv_fail(err, MKV_FAILED, errno,
					  "lock '%s': %m", folder);
	*ret = mkv_take_fd(&fd);
	return 0;
}
