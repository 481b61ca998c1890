/* SPDX-License-Identifier: MIT */
#pragma once
/* Wire format of protocol buffers (protobuf.dev, "Encoding"): a message is a
 * sequence of fields, each a number with a wire type and a value. */

#include "lib/buf.h"

enum mkv_protobuf_wire {
	MKV_PROTOBUF_VARINT = 0,
	MKV_PROTOBUF_FIXED64 = 1,
	MKV_PROTOBUF_BYTES = 2,
	MKV_PROTOBUF_FIXED32 = 5,
};

struct mkv_protobuf_reader {
	const uint8_t *at, *end;
};

struct mkv_protobuf_field {
	unsigned number;
	enum mkv_protobuf_wire wire;
	uint64_t value;			  /* of a varint, else 0 */
	struct mkv_protobuf_reader bytes; /* of all other types */
};

/* Reads the next field; the reader must not be at the end of the message.
 * False: the message is truncated or malformed (groups are not supported). */
bool mkv_protobuf_next(struct mkv_protobuf_reader *reader,
		       struct mkv_protobuf_field *ret) mkv_must_check
	mkv_nonnull(1, 2);

void mkv_protobuf_put_varint(struct mkv_buf *into, uint64_t value)
	mkv_nonnull(1);
