/* SPDX-License-Identifier: MIT */
#pragma once
/* Protocol buffers' encoding (protobuf.dev, "Encoding"): fields of a message,
 * each a number and wire type, then a value. */

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
	struct mkv_protobuf_reader bytes; /* of the others */
};

/* The next field of a message that isn't read to its end; false: it is cut or
 * not well-formed (groups aren't). */
bool mkv_protobuf_next(struct mkv_protobuf_reader *reader,
		       struct mkv_protobuf_field *ret) mkv_must_check
	mkv_nonnull(1, 2);

void mkv_protobuf_put_varint(struct mkv_buf *into, uint64_t value)
	mkv_nonnull(1);
