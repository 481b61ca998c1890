/* SPDX-License-Identifier: MIT */
#pragma once
/* Errors and ownership of libarchive's readers, for the files that unpack
 * layers. */

#include <archive.h>

#include "lib/auto.h"
#include "lib/error.h"

/* Records libarchive's own error text as MKV_UNVERIFIED. */
static inline int mkv_archive_fail(struct archive *archive,
				   struct mkv_error *err)
{
	const char *text = archive_error_string(archive);
	return mkv_fail(err, MKV_UNVERIFIED, EBADMSG, "%s",
			text ? text : "not an archive");
}

static inline mkv_unused void mkv_archive_free(struct archive **archive)
{
	if (*archive)
		(void)archive_read_free(*archive);
}
#define auto_archive __attribute__((cleanup(mkv_archive_free)))
