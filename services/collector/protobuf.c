/* SPDX-License-Identifier: MIT */
#include "services/collector/protobuf.h"

struct reader {
	const uint8_t *at, *end;
};

void mkv_protobuf_varint(struct mkv_buf *into, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		mkv_buf_char(into, (char)(value | 0x80));
	mkv_buf_char(into, (char)value);
}

static bool read_varint(struct reader *reader, uint64_t *ret)
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

static bool skip(struct reader *reader, uint64_t size)
{
	if (size > (uint64_t)(reader->end - reader->at))
		return false;
	reader->at += size;
	return true;
}

/* The next field; a message's bytes in *ret_inner, empty for other types. */
static bool read_field(struct reader *reader, uint64_t *ret_number,
		       bool *ret_is_bytes, struct reader *ret_inner)
{
	uint64_t tag, value;
	if (!read_varint(reader, &tag) || tag >> 3 == 0)
		return false;
	*ret_number = tag >> 3;
	*ret_is_bytes = (tag & 7) == 2;
	*ret_inner = (struct reader){reader->at, reader->at};
	switch (tag & 7) {
	case 0:
		return read_varint(reader, &value);
	case 1:
		return skip(reader, 8);
	case 2:
		if (!read_varint(reader, &value))
			return false;
		ret_inner->at = reader->at;
		if (!skip(reader, value))
			return false;
		ret_inner->end = reader->at;
		return true;
	case 5:
		return skip(reader, 4);
	default:
		return false;
	}
}

/* Descends `path`, field numbers that end with 0, and counts its last. */
static bool count(struct reader reader, const unsigned *path, uint64_t *total)
{
	while (reader.at < reader.end) {
		uint64_t number;
		bool is_bytes;
		struct reader inner;
		if (!read_field(&reader, &number, &is_bytes, &inner))
			return false;
		if (number != path[0])
			continue;
		if (!is_bytes)
			return false;
		if (path[1] == 0)
			(*total)++;
		else if (!count(inner, path + 1, total))
			return false;
	}
	return true;
}

int mkv_protobuf_count_spans(const char *data, size_t size, uint64_t *ret)
{
	static const unsigned path[] = {1, 2, 2, 0};
	uint64_t total = 0;
	struct reader reader = {(const uint8_t *)data,
				(const uint8_t *)data + size};
	if (!count(reader, path, &total))
		return -EINVAL;
	*ret = total;
	return 0;
}
