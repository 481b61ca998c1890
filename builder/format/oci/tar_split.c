/* SPDX-License-Identifier: MIT */
#include "builder/format/oci/tar_split.h"

#include <string.h>

#include "lib/base64.h"
#include "lib/bytes.h"
#include "lib/io.h"
#include "lib/utf8.h"

enum {
	BLOCK = 512,
	CHUNK = 128 * 1024,
	NAME_LIMIT = 4096,
	EXTENSION_LIMIT = 1024 * 1024,
	/* Raw bytes of one line: headers with their extensions. */
	SEGMENT_LIMIT = 4 * 1024 * 1024,
};

struct splitter {
	int fd;
	uint64_t size, at; /* of the stream */
	uint64_t segment;  /* the first raw byte that is not written yet */
	uint64_t position; /* the number of the next line */
	uint64_t files_bytes;
	struct mkv_gzip *into;
	struct mkv_buf line, raw, name; /* `name`: from an extension header */
	uint8_t chunk[CHUNK];
};

static int reject(const struct splitter *s, const char *what,
		  struct mkv_error *err)
{
	return mkv_fail(err, MKV_FAILED, EINVAL, "tar stream at byte %llu: %s",
			(unsigned long long)s->at, what);
}

/* tar-split's Entry.SetNameBytes() chooses between `name` and `name_raw`
 * likewise. */
static void add_name(struct mkv_buf *line, const char *name, size_t size)
{
	if (!mkv_utf8_is_valid(name, size)) {
		mkv_buf_str(line, ",\"name_raw\":\"");
		mkv_base64_write(name, size, line);
		mkv_buf_char(line, '"');
		return;
	}
	mkv_buf_str(line, ",\"name\":\"");
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)name[i];
		if (c < 0x20 || c == 0x7f)
			mkv_buf_printf(line, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			mkv_buf_printf(line, "\\%c", c);
		else
			mkv_buf_char(line, (char)c);
	}
	mkv_buf_char(line, '"');
}

static int end_line(struct splitter *s, struct mkv_error *err)
{
	mkv_buf_printf(&s->line, ",\"position\":%llu}\n",
		       (unsigned long long)s->position++);
	int rc = mkv_buf_check(&s->line, err);
	if (rc < 0)
		return rc;
	rc = mkv_gzip_add(s->into, s->line.data, s->line.size, err);
	s->line.size = 0;
	return rc;
}

/* The raw bytes between the last file's data and s->at. */
static int put_segment(struct splitter *s, struct mkv_error *err)
{
	uint64_t size = s->at - s->segment;
	if (size > SEGMENT_LIMIT)
		return reject(s, "more than 4 MiB between two files' data",
			      err);
	s->raw.size = 0;
	void *raw = mkv_buf_extend(&s->raw, (size_t)size);
	if (!raw)
		return mkv_oom(err);
	int rc = mkv_pread_all(s->fd, raw, (size_t)size, s->segment, err);
	if (rc < 0)
		return rc;
	mkv_buf_str(&s->line, "{\"type\":2,\"payload\":\"");
	mkv_base64_write(raw, (size_t)size, &s->line);
	mkv_buf_char(&s->line, '"');
	s->segment = s->at;
	return end_line(s, err);
}

static int checksum_data(struct splitter *s, uint64_t size, uint64_t *ret,
			 struct mkv_error *err)
{
	uint64_t crc = 0;
	for (uint64_t done = 0; done < size;) {
		size_t part =
			size - done < CHUNK ? (size_t)(size - done) : CHUNK;
		int rc =
			mkv_pread_all(s->fd, s->chunk, part, s->at + done, err);
		if (rc < 0)
			return rc;
		crc = mkv_crc64(crc, s->chunk, part);
		done += part;
	}
	*ret = crc;
	return 0;
}

/* The line of an entry, with data or without. */
static int put_file(struct splitter *s, const char *name, size_t name_size,
		    uint64_t size, struct mkv_error *err)
{
	uint64_t crc = 0;
	int rc = checksum_data(s, size, &crc, err);
	if (rc < 0)
		return rc;
	mkv_buf_str(&s->line, "{\"type\":1");
	add_name(&s->line, name, name_size);
	if (size > 0) {
		uint8_t sum[8];
		mkv_be_put64(sum, crc);
		mkv_buf_printf(&s->line, ",\"size\":%llu,\"payload\":\"",
			       (unsigned long long)size);
		mkv_base64_write(sum, sizeof(sum), &s->line);
		mkv_buf_char(&s->line, '"');
	} else {
		mkv_buf_str(&s->line, ",\"payload\":null");
	}
	s->at += size;
	s->segment = s->at;
	s->files_bytes += size;
	return end_line(s, err);
}

/* A number in octal, or in GNU's base-256 form. */
static int parse_number(const struct splitter *s, const uint8_t *field,
			size_t size, uint64_t *ret, struct mkv_error *err)
{
	uint64_t value = 0;
	if (field[0] & 0x80) {
		for (size_t i = 0; i < size; i++) {
			if (value >> 55)
				return reject(s, "number too large", err);
			value = value << 8 |
				(i == 0 ? field[0] & 0x7f : field[i]);
		}
		*ret = value;
		return 0;
	}
	size_t i = 0;
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	if (i < size && field[i] != '\0' && field[i] != ' ')
		return reject(s, "number not octal", err);
	*ret = value;
	return 0;
}

/* Reads `path` and `size` of a PAX extended header (POSIX.1-2017, pax): lines
 * "LENGTH KEY=VALUE\n". */
static int parse_pax(struct splitter *s, const char *text, size_t size,
		     uint64_t *ret_size, struct mkv_error *err)
{
	while (size > 0) {
		char *key;
		unsigned long length = strtoul(text, &key, 10);
		if (*key != ' ' || length > size ||
		    length < (size_t)(key - text) + 3 ||
		    text[length - 1] != '\n')
			return reject(s, "malformed PAX header", err);
		key++;
		const char *end = text + length - 1;
		const char *value = memchr(key, '=', (size_t)(end - key));
		if (!value)
			return reject(s, "malformed PAX header", err);
		value++;
		if (strncmp(key, "path=", 5) == 0) {
			s->name.size = 0;
			mkv_buf_add(&s->name, value, (size_t)(end - value));
		} else if (strncmp(key, "size=", 5) == 0) {
			*ret_size = strtoull(value, NULL, 10);
		}
		text += length;
		size -= length;
	}
	return mkv_buf_check(&s->name, err);
}

/* An extension header's data is part of the raw bytes and may name the entry
 * behind it. */
static int read_extension(struct splitter *s, char type, uint64_t size,
			  uint64_t *ret_size, struct mkv_error *err)
{
	if (size > EXTENSION_LIMIT)
		return reject(s, "extension header larger than 1 MiB", err);
	s->raw.size = 0;
	char *text = mkv_buf_extend(&s->raw, (size_t)size);
	if (!text)
		return mkv_oom(err);
	int rc = mkv_pread_all(s->fd, text, (size_t)size, s->at, err);
	if (rc < 0)
		return rc;
	if (type == 'x') {
		rc = parse_pax(s, text, (size_t)size, ret_size, err);
	} else if (type == 'L') {
		s->name.size = 0;
		mkv_buf_add(&s->name, text, strnlen(text, (size_t)size));
		rc = mkv_buf_check(&s->name, err);
	}
	s->at += (size + BLOCK - 1) / BLOCK * BLOCK;
	return rc;
}

static size_t header_name(const uint8_t *header, char name[static NAME_LIMIT])
{
	const char *own = (const char *)header, *prefix = own + 345;
	size_t length = strnlen(own, 100);
	size_t before = memcmp(header + 257, "ustar\0", 6) == 0
				? strnlen(prefix, 155)
				: 0;
	memcpy(name, prefix, before);
	if (before)
		name[before++] = '/';
	memcpy(name + before, own, length);
	return before + length;
}

static bool is_zero(const uint8_t *block)
{
	static const uint8_t zeros[BLOCK];
	return memcmp(block, zeros, BLOCK) == 0;
}

/* Writes the lines of an entry, whose data begins at s->at. */
static int put_entry(struct splitter *s, const uint8_t *header, uint64_t size,
		     struct mkv_error *err)
{
	char own_name[NAME_LIMIT];
	size_t own_length = header_name(header, own_name);
	const char *name = s->name.size ? s->name.data : own_name;
	size_t length = s->name.size ? s->name.size : own_length;
	if (length >= NAME_LIMIT)
		return reject(s, "name too long", err);
	int rc = put_segment(s, err);
	if (rc < 0)
		return rc;
	rc = put_file(s, name, length, size, err);
	s->at += (BLOCK - size % BLOCK) % BLOCK;
	s->name.size = 0;
	return rc;
}

/* Reads one header with its data. `pax_size`: the size that a PAX header gave,
 * UINT64_MAX for none. *ret_end becomes true at the end-of-archive block. */
static int split_entry(struct splitter *s, uint64_t *pax_size, bool *ret_end,
		       struct mkv_error *err)
{
	uint8_t header[BLOCK];
	if (s->size - s->at < BLOCK)
		return reject(s, "truncated", err);
	int rc = mkv_pread_all(s->fd, header, BLOCK, s->at, err);
	if (rc < 0)
		return rc;
	if (is_zero(header)) {
		*ret_end = true;
		s->at = s->size;
		return put_segment(s, err);
	}
	uint64_t size = 0;
	rc = parse_number(s, header + 124, 12, &size, err);
	if (rc < 0)
		return rc;
	s->at += BLOCK;
	char type = (char)header[156];
	bool is_extension = type && strchr("xgLK", type);
	bool has_data = is_extension || type == '0' || type == '\0';
	if (!is_extension && *pax_size != UINT64_MAX)
		size = *pax_size;
	if (!has_data)
		size = 0;
	uint64_t left = s->size - s->at;
	if (size > left || (BLOCK - size % BLOCK) % BLOCK > left - size)
		return reject(s, "truncated", err);
	if (is_extension)
		return read_extension(s, type, size, pax_size, err);
	*pax_size = UINT64_MAX;
	return put_entry(s, header, size, err);
}

static void splitter_free(struct splitter *s)
{
	mkv_buf_done(&s->line);
	mkv_buf_done(&s->raw);
	mkv_buf_done(&s->name);
	free(s);
}
MKV_DEFINE_AUTO(splitter, struct splitter *, splitter_free)

int mkv_tar_split(int tar_fd, uint64_t size, struct mkv_gzip *into,
		  uint64_t *ret_files_bytes, struct mkv_error *err)
{
	mkv_auto(splitter) struct splitter *s = calloc(1, sizeof(*s));
	if (!s)
		return mkv_oom(err);
	s->fd = tar_fd;
	s->size = size;
	s->into = into;
	uint64_t pax_size = UINT64_MAX;
	for (bool end = false; !end;) {
		int rc = split_entry(s, &pax_size, &end, err);
		if (rc < 0)
			return rc;
	}
	*ret_files_bytes = s->files_bytes;
	return 0;
}
