/* SPDX-License-Identifier: MIT */
/* depmod's lists: any content gives an initramfs or an error. */

#include <stddef.h>
#include <stdint.h>

#include "builder/format/initramfs/initramfs.h"

static const char *const fuzz_seeds[] = {"tests/unit/initramfs_test.c", NULL};
static const char *const fuzz_words[] = {"kernel/fs/ext4.ko: ",
					 "kernel/jbd2.ko",
					 "kernel/nvme.ko.xz:\n",
					 "softdep ext4 pre: ",
					 "softdep nvme pre: ext4\n",
					 "alias a jbd2\n",
					 "alias pci:v* nvme\n",
					 "alias ",
					 "\x01",
					 ".ko",
					 "/",
					 " ",
					 ":",
					 "\n",
					 "post:",
					 NULL};

#include "tests/fuzz/driver.h"

/* The lists are concatenated, separated by a byte 1. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"modules.dep",	    "modules.softdep",	 "modules.alias",
		"modules.builtin",  "kernel/fs/ext4.ko", "kernel/jbd2.ko",
		"kernel/nvme.ko.xz"};
	struct mkv_error err = {0};
	auto_tree struct mkv_tree *root = NULL;
	auto_tree struct mkv_tree *tree = NULL;
	auto_content struct mkv_content *init = mkv_content_bytes("", 0);
	if (!init || mkv_tree_new(1, &root, &err) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const uint8_t *end = memchr(data, 1, size);
		size_t part = end ? (size_t)(end - data) : size;
		char path[64];
		(void)snprintf(path, sizeof(path), "/lib/modules/1/%s",
			       names[i]);
		if (mkv_tree_put_file(root, path, 0644, data, part, &err) < 0)
			return 0;
		data += part + (end != NULL);
		size -= part + (end != NULL);
	}
	(void)!mkv_initramfs_build(root, "1", init, 1, &tree, &err);
	return 0;
}
