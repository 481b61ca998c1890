/* SPDX-License-Identifier: MIT */
#pragma once
/* Constants that writer and reader of packs share; pack.h describes the format.
 */

#include "lib/bytes.h"

#define MKV_PACK_MAGIC "mkvpack\n"
#define MKV_PACK_END_MAGIC "mkvpend\n"

enum {
	MKV_PACK_HEADER_SIZE = 16,
	MKV_PACK_FOOTER_SIZE = 64,
	MKV_PACK_COUNT_MAX = 1 << 24, /* entries, contents */
	MKV_PACK_INDEX_MAX = 1 << 30, /* bytes */
	MKV_PACK_XATTR_MAX =
		1 << 16, /* bytes of one value; XATTR_SIZE_MAX of Linux */
	MKV_PACK_INODE = 0,
	MKV_PACK_LINK = 1,
};
