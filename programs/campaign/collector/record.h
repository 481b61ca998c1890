/* SPDX-License-Identifier: MIT */
#pragma once
/* Format of requests in the collector's files. */

#include "lib/buf.h"

/* Appends a protobuf message, prefixed with its length as a varint. The message
 * must not be empty: zeros at the end of a file may be left by a power failure.
 */
void mkv_record_put(struct mkv_buf *into, const void *message, size_t size)
	mkv_nonnull(1);

/* Size of the first record in bytes, including its length prefix or newline; 0:
 * the record is incomplete. */
size_t mkv_record_delimited(const char *data, size_t size) mkv_nonnull(1);
size_t mkv_record_line(const char *data, size_t size) mkv_nonnull(1);

/* Appends a google.rpc.Status in protobuf: field 1 is the code, 2 the message.
 */
void mkv_record_status(struct mkv_buf *into, unsigned code, const char *message)
	mkv_nonnull(1, 3);
