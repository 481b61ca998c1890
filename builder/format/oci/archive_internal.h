/* SPDX-License-Identifier: MIT */
#pragma once
/* libarchive's readers, as those who unpack layers use them. */

#include <archive.h>

#include "lib/auto.h"
#include "lib/error.h"

/* What libarchive says is wrong with what it reads. */
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
