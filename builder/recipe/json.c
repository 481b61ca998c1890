/* SPDX-License-Identifier: MIT */
#include "builder/recipe/json.h"

#include <inttypes.h>

static void quote(struct mkv_buf *to, const char *text)
{
	mkv_buf_char(to, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			mkv_buf_char(to, '\\');
		if (c < 0x20 || c == 0x7f)
			mkv_buf_printf(to, "\\u%04x", c);
		else
			mkv_buf_char(to, *text);
	}
	mkv_buf_char(to, '"');
}

static void line(struct mkv_json *json)
{
	if (json->compact)
		return;
	mkv_buf_char(json->to, '\n');
	mkv_buf_fill(json->to, ' ', json->depth);
}

static void begin(struct mkv_json *json, const char *key)
{
	if (json->begun)
		mkv_buf_char(json->to, ',');
	if (json->depth)
		line(json);
	json->begun = true;
	if (!key)
		return;
	quote(json->to, key);
	mkv_buf_str(json->to, json->compact ? ":" : ": ");
}

void mkv_json_open(struct mkv_json *json, const char *key, char bracket)
{
	begin(json, key);
	mkv_buf_char(json->to, bracket);
	json->depth++;
	json->begun = false;
}

void mkv_json_close(struct mkv_json *json, char bracket)
{
	json->depth--;
	if (json->begun)
		line(json);
	mkv_buf_char(json->to, bracket);
	json->begun = true;
	if (json->depth == 0)
		mkv_buf_char(json->to, '\n');
}

void mkv_json_text(struct mkv_json *json, const char *key, const char *text)
{
	begin(json, key);
	quote(json->to, text);
}

void mkv_json_number(struct mkv_json *json, const char *key, uint64_t number)
{
	begin(json, key);
	mkv_buf_printf(json->to, "%" PRIu64, number);
}

void mkv_json_bool(struct mkv_json *json, const char *key, bool value)
{
	begin(json, key);
	mkv_buf_str(json->to, value ? "true" : "false");
}

void mkv_json_null(struct mkv_json *json, const char *key)
{
	begin(json, key);
	mkv_buf_str(json->to, "null");
}
