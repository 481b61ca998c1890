/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "builder/run/import/import_internal.h"
#include "lib/io.h"

enum { CHUNK = 1 << 20, PIECE = 1 << 16 };

struct copy {
	struct mkv_import *import;
	int from, to;
	struct mkv_hasher *hasher;
	char *chunk; /* CHUNK bytes */
	char *zeros; /* PIECE bytes */
};

static int check_interrupt(const struct copy *copy, struct mkv_error *err)
{
	const volatile sig_atomic_t *stop = copy->import->options->stop;
	return stop && *stop ? mkv_fail(err, MKV_FAILED, EINTR, "interrupted")
			     : 0;
}

/* Pieces of zeros are not written and become holes. */
static int write_chunk(const struct copy *copy, size_t size, uint64_t at,
		       struct mkv_error *err)
{
	for (size_t i = 0; i < size; i += PIECE) {
		size_t part = size - i < PIECE ? size - i : PIECE;
		if (memcmp(copy->chunk + i, copy->zeros, part) == 0)
			continue;
		int rc = mkv_pwrite_all(copy->to, copy->chunk + i, part, at + i,
					err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int copy_data(const struct copy *copy, uint64_t at, uint64_t end,
		     struct mkv_error *err)
{
	while (at < end) {
		size_t size = end - at < CHUNK ? (size_t)(end - at) : CHUNK;
		int rc = check_interrupt(copy, err);
		if (rc < 0)
			return rc;
		rc = mkv_pread_all(copy->from, copy->chunk, size, at, err);
		if (rc < 0)
			return rc;
		mkv_hasher_add(copy->hasher, copy->chunk, size);
		rc = write_chunk(copy, size, at, err);
		if (rc < 0)
			return rc;
		mkv_progress_advance(copy->import->options->progress, size);
		at += size;
	}
	return 0;
}

static int copy_hole(const struct copy *copy, uint64_t at, uint64_t end,
		     struct mkv_error *err)
{
	for (; at < end; at += PIECE) {
		size_t part = end - at < PIECE ? (size_t)(end - at) : PIECE;
		mkv_hasher_add(copy->hasher, copy->zeros, part);
		int rc = check_interrupt(copy, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int copy_all(const struct copy *copy, uint64_t size,
		    struct mkv_error *err)
{
	uint64_t at = 0;
	while (at < size) {
		off_t data = lseek(copy->from, (off_t)at, SEEK_DATA);
		if (data < 0 && errno != ENXIO)
			return mkv_fail(err, MKV_FAILED, errno, "lseek: %m");
		uint64_t from = data < 0 ? size : (uint64_t)data;
		off_t hole = data < 0 ? -1 : lseek(copy->from, data, SEEK_HOLE);
		uint64_t end = hole < 0 ? size : (uint64_t)hole;
		from = from < size ? from : size;
		end = end < size ? end : size;
		int rc = copy_hole(copy, at, from, err);
		if (rc < 0)
			return rc;
		rc = copy_data(copy, from, end, err);
		if (rc < 0)
			return rc;
		at = end;
	}
	return 0;
}

int mkv_import_copy(struct mkv_import *import, struct mkv_import_guest *guest,
		    int to, struct mkv_error *err)
{
	auto_fd int from = -1;
	auto_hasher struct mkv_hasher *hasher = mkv_hasher_new();
	auto_free char *chunk = malloc(CHUNK), *zeros = calloc(1, PIECE);
	struct mkv_sha256 expected, got;
	struct stat st;
	if (!hasher || !chunk || !zeros)
		return mkv_oom(err);
	int rc = mkv_trusted_file(import->trusted, guest->artifact, &from,
				  &expected, err);
	if (rc < 0)
		return rc;
	if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
				guest->disk);
	struct copy copy = {import, from, to, hasher, chunk, zeros};
	rc = copy_all(&copy, (uint64_t)st.st_size, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "copy '%s'", guest->artifact);
	rc = mkv_hasher_finish(hasher, &got, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "copy '%s'", guest->artifact);
	if (!mkv_sha256_equal(&expected, &got))
		return mkv_fail(err, MKV_UNVERIFIED, EBADMSG,
				"copy '%s': its SHA-256 differs from the "
				"signed one",
				guest->artifact);
	return 0;
}
