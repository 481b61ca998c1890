/* SPDX-License-Identifier: MIT */
#pragma once
/* How requests stand in the collector's files. */

#include "lib/buf.h"

/* A protobuf message behind its length as a varint. Not an empty one: zeros are
 * what a power failure may leave at a file's end. */
void mkv_record_put(struct mkv_buf *into, const void *message, size_t size)
	mkv_nonnull(1);

/* The bytes of the first record, with its length or newline; 0: it is cut. */
size_t mkv_record_delimited(const char *data, size_t size) mkv_nonnull(1);
size_t mkv_record_line(const char *data, size_t size) mkv_nonnull(1);

/* A google.rpc.Status: code 1, message 2. */
void mkv_record_status(struct mkv_buf *into, unsigned code, const char *message)
	mkv_nonnull(1, 3);
