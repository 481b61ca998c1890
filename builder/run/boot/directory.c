/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/directory.h"

#include <fcntl.h>
#include <sys/file.h>

int mkv_boot_lock_directory(const char *directory, const char *what, int *ret,
			    struct mkv_error *err)
{
	auto_fd int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "open '%s': %m",
				directory);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? mkv_fail(err, MKV_HOST_CANNOT, EBUSY,
					  "%s '%s' is in use by another boot",
					  what, directory)
			       : mkv_fail(err, MKV_FAILED, errno,
					  "lock '%s': %m", directory);
	*ret = mkv_take_fd(&fd);
	return 0;
}
