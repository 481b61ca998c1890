/* SPDX-License-Identifier: MIT */
/* Packs with a correct digest of a wrong index. An accepted pack must be
 * writable again. */

#include <stddef.h>
#include <sys/mman.h>

#include "builder/core/tree/pack.h"
#include "builder/core/tree/pack_format.h"
#include "lib/io.h"

static const char *const fuzz_seeds[] = {"tests/fuzz/pack/*", NULL};
static const char *const fuzz_words[] = {
	"mkvpack\n",	    "mkvpend\n",	"/", "//", "/.", "/..",
	"\xff\xff\xff\xff", "\x01\x02\x03\x04", NULL};

#include "tests/fuzz/driver.h"

/* Writes a footer with the correct digest of the preceding bytes. */
static void mend_footer(uint8_t *data, size_t size)
{
	struct mkv_error err;
	struct mkv_sha256 sha256;
	uint8_t *footer = data + size - MKV_PACK_FOOTER_SIZE;
	uint64_t index;
	memcpy(&index, footer + 16, 8);
	uint64_t end = size - MKV_PACK_FOOTER_SIZE;
	if (index > end)
		index = MKV_PACK_HEADER_SIZE;
	memcpy(data, MKV_PACK_MAGIC, 8);
	memcpy(footer, MKV_PACK_END_MAGIC, 8);
	mkv_le_put32(footer + 8, MKV_PACK_VERSION);
	mkv_le_put32(footer + 12, 0);
	mkv_le_put64(footer + 16, index);
	mkv_le_put64(footer + 24, end - index);
	if (mkv_sha256_bytes(data + index, (size_t)(end - index), &sha256,
			     &err) == 0)
		memcpy(footer + 32, sha256.bytes, sizeof(sha256.bytes));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err = {0};
	uint8_t *mended = malloc(size + 1);
	if (!mended)
		return 0;
	memcpy(mended, data, size);
	if (size >= MKV_PACK_HEADER_SIZE + MKV_PACK_FOOTER_SIZE)
		mend_footer(mended, size);
	int fd = memfd_create("pack", MFD_CLOEXEC);
	auto_fd int again = memfd_create("again", MFD_CLOEXEC);
	if (fd < 0 || mkv_pwrite_all(fd, mended, size, 0, &err) < 0)
		abort();
	free(mended);
	auto_tree struct mkv_tree *tree = NULL;
	if (mkv_pack_open(fd, &tree, &err) < 0)
		return 0;
	/* The store checks the digests of contents, so equal digests may belong
	 * to different bytes here; the tree itself must be valid. */
	auto_tree struct mkv_tree *copy = NULL;
	if (mkv_tree_clone(tree, &copy, &err) < 0 ||
	    mkv_tree_count(copy) != mkv_tree_count(tree) ||
	    mkv_pack_write(copy, again, &err) < 0)
		abort();
	return 0;
}
