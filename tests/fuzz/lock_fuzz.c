/* SPDX-License-Identifier: MIT */
/* Locks: refused with a position, or printed as exactly the same bytes. */

#include <stddef.h>

#include "builder/input/lock/lock.h"

static const char *const fuzz_seeds[] = {"tests/golden/lock/*.lock",
					 "recipes/*.lock", NULL};
static const char *const fuzz_words[] = {"mkvbench-lock 1\n",
					 "recipe ",
					 "epoch ",
					 "index ",
					 "package ",
					 "want ",
					 "in ",
					 "local ",
					 "external ",
					 "image/",
					 "oci/",
					 "overlay/",
					 "sha256:",
					 "debian",
					 "pool/",
					 "../",
					 ".deb\n",
					 " ",
					 "\n",
					 "=",
					 "0",
					 "4294967297",
					 "18446744073709551616",
					 NULL};

#include "tests/fuzz/driver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mkv_error err = {0};
	auto_lock struct mkv_lock *lock = NULL;
	auto_buf struct mkv_buf text = {0};
	if (mkv_lock_parse("x", (const char *)data, size, &lock, &err) < 0) {
		if (!err.message[0] || lock)
			abort();
		return 0;
	}
	if (mkv_lock_print(lock, &text, &err) < 0 || text.size != size ||
	    memcmp(text.data, data, size) != 0)
		abort();
	return 0;
}
