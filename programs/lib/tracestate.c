/* SPDX-License-Identifier: MIT */
#include "programs/lib/tracestate.h"

#include <string.h>

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e)
			return false;
	return true;
}

static void add_entry(struct mkv_tracestate *state, const char *entry,
		      size_t length)
{
	size_t used = strlen(state->text);
	size_t comma = used > 0;
	if (used + comma + length > MKV_TRACESTATE_MAX) {
		state->is_full = true;
		return;
	}
	if (comma)
		state->text[used++] = ',';
	memcpy(state->text + used, entry, length);
	state->text[used + length] = '\0';
}

void mkv_tracestate_add(struct mkv_tracestate *state, const char *header)
{
	if (!is_printable(header)) {
		state->is_bad = true;
		state->text[0] = '\0';
	}
	while (*header && !state->is_bad && !state->is_full) {
		size_t length = strcspn(header, ",");
		add_entry(state, header, length);
		header += length + (header[length] == ',');
	}
}
