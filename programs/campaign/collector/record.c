/* SPDX-License-Identifier: MIT */
#include "programs/campaign/collector/record.h"

#include <string.h>

#include "lib/protobuf.h"

void mkv_record_put(struct mkv_buf *into, const void *message, size_t size)
{
	mkv_protobuf_put_varint(into, size);
	if (size)
		mkv_buf_add(into, message, size);
}

size_t mkv_record_delimited(const char *data, size_t size)
{
	uint64_t length = 0;
	for (size_t i = 0; i < size && i < 5; i++) {
		length |= (uint64_t)(data[i] & 0x7f) << (7 * i);
		if (!(data[i] & 0x80))
			return length && length <= size - i - 1
				       ? i + 1 + (size_t)length
				       : 0;
	}
	return 0;
}

size_t mkv_record_line(const char *data, size_t size)
{
	const char *end = memchr(data, '\n', size);
	return end ? (size_t)(end - data) + 1 : 0;
}

void mkv_record_status(struct mkv_buf *into, unsigned code, const char *message)
{
	mkv_buf_char(into, 1 << 3);
	mkv_protobuf_put_varint(into, code);
	mkv_buf_char(into, 2 << 3 | 2);
	mkv_record_put(into, message, strlen(message));
}
