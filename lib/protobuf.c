/* SPDX-License-Identifier: MIT */
#include "lib/protobuf.h"

static bool read_varint(struct mkv_protobuf_reader *reader, uint64_t *ret)
{
	uint64_t value = 0;
	for (unsigned shift = 0; shift < 64 && reader->at < reader->end;
	     shift += 7) {
		uint8_t byte = *reader->at++;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (byte & 0x80)
			continue;
		*ret = value;
		return true;
	}
	return false;
}

static bool take_bytes(struct mkv_protobuf_reader *reader, uint64_t size,
		       struct mkv_protobuf_reader *ret)
{
	if (size > (uint64_t)(reader->end - reader->at))
		return false;
	*ret = (struct mkv_protobuf_reader){reader->at, reader->at + size};
	reader->at += size;
	return true;
}

bool mkv_protobuf_next(struct mkv_protobuf_reader *reader,
		       struct mkv_protobuf_field *ret)
{
	uint64_t tag, size;
	if (!read_varint(reader, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
		return false;
	*ret = (struct mkv_protobuf_field){
		.number = (unsigned)(tag >> 3),
		.wire = (enum mkv_protobuf_wire)(tag & 7),
	};
	switch (ret->wire) {
	case MKV_PROTOBUF_VARINT:
		return read_varint(reader, &ret->value);
	case MKV_PROTOBUF_FIXED64:
		return take_bytes(reader, 8, &ret->bytes);
	case MKV_PROTOBUF_BYTES:
		return read_varint(reader, &size) &&
		       take_bytes(reader, size, &ret->bytes);
	case MKV_PROTOBUF_FIXED32:
		return take_bytes(reader, 4, &ret->bytes);
	default:
		return false;
	}
}

void mkv_protobuf_put_varint(struct mkv_buf *into, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		mkv_buf_char(into, (char)(value | 0x80));
	mkv_buf_char(into, (char)value);
}
