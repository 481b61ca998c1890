/* SPDX-License-Identifier: MIT */
#include "lib/protobuf.h"
#include "programs/lib/trace_queue.h"

/* The last field with that number. False: no such field, or the message is
 * malformed. */
static bool find_last_field(struct mkv_protobuf_reader message, unsigned number,
			    enum mkv_protobuf_wire wire,
			    struct mkv_protobuf_field *ret)
{
	struct mkv_protobuf_field field;
	bool found = false;
	while (message.at < message.end) {
		if (!mkv_protobuf_next(&message, &field))
			return false;
		if (field.number != number || field.wire != wire)
			continue;
		*ret = field;
		found = true;
	}
	return found;
}

uint64_t mkv_otlp_rejected(const void *data, size_t size)
{
	struct mkv_protobuf_reader response = {data,
					       (const uint8_t *)data + size};
	struct mkv_protobuf_field field;
	return find_last_field(response, 1, MKV_PROTOBUF_BYTES, &field) &&
			       find_last_field(field.bytes, 1,
					       MKV_PROTOBUF_VARINT, &field)
		       ? field.value
		       : 0;
}
