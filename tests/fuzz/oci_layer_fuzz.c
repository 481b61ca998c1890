/* SPDX-License-Identifier: MIT */
/* An external layer: its tar stream is read into a tree and into tar-split. No
 * accepted path may leave the root. */
#include <sys/mman.h>

#include "builder/format/oci/docker_layer.h"
#include "builder/format/oci/layer_read.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/tar/*", NULL};
static const char *const fuzz_words[] = {"ustar",
					 "../",
					 "/",
					 ".wh.",
					 ".wh..wh..opq",
					 "00000000000",
					 "path=",
					 "linkpath=",
					 "size=",
					 "SCHILY.xattr.security.capability=",
					 NULL};

#include "tests/fuzz/driver.h"

static int require_inside(const char *path, struct mkv_inode *inode,
			  void *context, struct mkv_error *err)
{
	(void)inode, (void)context, (void)err;
	if (path[0] != '/' || strstr(path, "/../"))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mkv_sha256 sha256;
	struct mkv_oci_read_layer read = {0};
	int fd = memfd_create("layer", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    mkv_sha256_bytes(data, size, &sha256, &err) < 0) {
		mkv_auto_close_(&fd);
		return 0;
	}
	if (mkv_oci_layer_read(fd, &sha256, &sha256,
			       "application/vnd.oci.image.layer.v1.tar", "/tmp",
			       &read, &err) < 0)
		return 0;
	auto_tree struct mkv_tree *root = NULL;
	if (mkv_tree_walk(read.tree, require_inside, NULL, &err) == 0 &&
	    mkv_tree_new(0, &root, &err) == 0)
		(void)!mkv_docker_layer_put(root, "/diff", read.tree, &err);
	if (root && mkv_tree_walk(root, require_inside, NULL, &err) < 0)
		abort();
	mkv_oci_read_layer_done(&read);
	return 0;
}
