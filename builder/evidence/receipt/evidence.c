/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/receipt/review_internal.h"

enum { NAMES_MOST = 64 };

/* A file beside the receipt and nowhere else. */
static bool is_plain(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') &&
	       strlen(name) < 128;
}

static int review_file(int dirfd, const char *name, const char *digest,
		       struct mkv_receipt_review *review, struct mkv_error *err)
{
	struct mkv_sha256 said, is;
	if (!is_plain(name) || mkv_sha256_parse(digest, &said) < 0) {
		mkv_receipt_complain(review,
				     "evidence: '%.64s' isn't a file's "
				     "name and digest",
				     name);
		return 0;
	}
	auto_fd int fd = openat(dirfd, name,
				O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return mkv_fail(err, MKV_FAILED, errno, "evidence '%s': %m",
				name);
	int rc = mkv_sha256_fd(fd, &is, NULL, err);
	if (rc == 0 && !mkv_sha256_equal(&said, &is))
		mkv_receipt_complain(
			review,
			"evidence: %s beside it isn't the one that "
			"the receipt names",
			name);
	return rc;
}

int mkv_receipt_review_evidence(const json_t *receipt, int dirfd,
				struct mkv_receipt_review *review,
				struct mkv_error *err)
{
	struct mkv_json_reader reader;
	mkv_json_reader_init(&reader, err);
	json_t *evidence = mkv_json_member(&reader, receipt, "evidence",
					   JSON_OBJECT, false);
	if (json_object_size(evidence) > NAMES_MOST)
		mkv_json_mistake(&reader, "evidence", "too many files");
	const char *name;
	json_t *value;
	json_object_foreach(evidence, name, value)
	{
		const char *digest = mkv_json_value_text(&reader, value);
		if (reader.rc == 0)
			reader.rc =
				review_file(dirfd, name, digest, review, err);
		if (reader.rc < 0)
			break;
	}
	return reader.rc < 0 ? reader.rc : review->failed ? mkv_oom(err) : 0;
}
