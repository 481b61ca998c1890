/* SPDX-License-Identifier: MIT */
/* Makes a FAT image of a directory, for tests:
 *
 *   mkfat DIR IMAGE [MIB]       default: the smallest size that fits */
#include <fcntl.h>
#include <string.h>

#include "builder/format/disk/fat.h"
#include "builder/input/overlay/overlay.h"

enum { EPOCH_S = 1763856001, MIB = 1 << 20 };

static int write_image(const char *directory, const char *image,
		       const char *mib, struct mkv_error *err)
{
	auto_tree struct mkv_tree *tree = NULL;
	struct mkv_fat_options options = {
		.volume_id = 0x1234abcd,
		.epoch_s = EPOCH_S,
		.size_bytes = mib ? strtoull(mib, NULL, 10) * MIB : 0,
	};
	memcpy(options.label, "TEST LABEL ", 11);
	int rc = mkv_overlay_load(directory, EPOCH_S, &tree, err);
	if (rc == 0 && !mib)
		rc = mkv_fat_size(tree, &options.size_bytes, err);
	if (rc < 0)
		return rc;
	auto_fd int fd =
		open(image, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)options.size_bytes) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m", image);
	return mkv_fat_write(tree, fd, 0, &options, err);
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (argc != 3 && argc != 4)
		return 2;
	if (write_image(argv[1], argv[2], argc == 4 ? argv[3] : NULL, &err) ==
	    0)
		return 0;
	(void)fprintf(stderr, "mkfat: %s\n", err.message);
	return 1;
}
