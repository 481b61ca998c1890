/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>

#include "builder/evidence/receipt/review_internal.h"

enum { NAMES_MAX = 64 };

/* A file in the receipt's directory, never elsewhere. */
static bool is_plain_name(const char *name)
{
	return *name && *name != '.' && !strchr(name, '/') &&
	       strlen(name) < 128;
}

static int review_file(int dirfd, const char *name, const char *digest,
		       struct mkv_receipt_review *review, struct mkv_error *err)
{
	struct mkv_sha256 promised, actual;
	if (!is_plain_name(name) || mkv_sha256_parse(digest, &promised) < 0) {
		mkv_receipt_add_problem(
			review,
			"evidence: '%.64s' isn't a valid file name "
			"with a sha256",
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
	int rc = mkv_sha256_fd(fd, &actual, NULL, err);
	if (rc < 0)
		return rc;
	if (!mkv_sha256_equal(&promised, &actual))
		mkv_receipt_add_problem(
			review,
			"evidence: sha256 of %s differs from the receipt",
			name);
	return 0;
}

int mkv_receipt_review_evidence(const json_t *receipt, int dirfd,
				struct mkv_receipt_review *review,
				struct mkv_error *err)
{
	struct mkv_json_reader reader;
	mkv_json_reader_init(&reader, err);
	json_t *evidence = mkv_json_member(&reader, receipt, "evidence",
					   JSON_OBJECT, false);
	if (json_object_size(evidence) > NAMES_MAX)
		mkv_json_mistake(&reader, "evidence", "too many files");
	const char *name;
	json_t *value;
	json_object_foreach(evidence, name, value)
	{
		const char *digest = mkv_json_value_text(&reader, value);
		if (reader.rc >= 0)
			reader.rc =
				review_file(dirfd, name, digest, review, err);
		if (reader.rc < 0)
			break;
	}
	return reader.rc < 0 ? reader.rc : review->failed ? mkv_oom(err) : 0;
}
