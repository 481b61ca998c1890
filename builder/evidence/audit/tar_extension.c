/* SPDX-License-Identifier: MIT */
#include "builder/evidence/audit/tar_extension.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

void mkv_tar_extension_done(struct mkv_tar_extension *x)
{
	free(x->path);
	free(x->target);
	for (size_t i = 0; i < x->n_xattrs; i++) {
		free(x->xattrs[i].name);
		free(x->xattrs[i].value);
	}
	*x = (struct mkv_tar_extension){0};
}

bool mkv_tar_number(const char *field, size_t size, int64_t *ret)
{
	const uint8_t *f = (const uint8_t *)field;
	if (f[0] & 0x80) {
		bool negative = f[0] & 0x40;
		uint64_t value = negative ? UINT64_MAX : 0;
		for (size_t i = 0; i < size; i++) {
			uint8_t byte = i == 0 && !negative ? f[0] & 0x7f : f[i];
			if (value >> 55 != (negative ? 0x1ff : 0))
				return false;
			value = value << 8 | byte;
		}
		*ret = (int64_t)value;
		return true;
	}
	int64_t value = 0;
	size_t i = 0;
	while (i < size && f[i] == ' ')
		i++;
	for (; i < size && f[i] >= '0' && f[i] <= '7'; i++) {
		if (value > INT64_MAX >> 3)
			return false;
		value = value << 3 | (f[i] - '0');
	}
	if (i < size && f[i] != ' ' && f[i] != '\0')
		return false;
	*ret = value;
	return true;
}

static bool decimal(const char *text, uint64_t *ret)
{
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 10);
	return *end == '\0' && errno == 0;
}

/* "SECONDS[.FRACTION]", which may be negative. */
static bool pax_time(const char *text, struct mkv_tar_extension *x)
{
	char *end;
	errno = 0;
	long long seconds = strtoll(text, &end, 10);
	if (end == text || errno)
		return false;
	x->has_mtime = true;
	x->mtime_s = seconds;
	x->has_fraction = false;
	if (*end == '.') {
		end++;
		x->has_fraction = end[strspn(end, "0")] != '\0';
		end += strspn(end, "0123456789");
	}
	return *end == '\0';
}

static bool add_xattr(struct mkv_tar_extension *x, const char *name,
		      const char *value, size_t size)
{
	if (x->n_xattrs == MKV_TAR_XATTRS_MAX)
		return false;
	struct mkv_tar_xattr *a = &x->xattrs[x->n_xattrs];
	a->name = strdup(name);
	a->value = malloc(size + 1);
	if (!a->name || !a->value) {
		free(a->name);
		free(a->value);
		return false;
	}
	memcpy(a->value, value, size);
	a->size = size;
	x->n_xattrs++;
	return true;
}

/* One record's keyword and value; the value is NUL-terminated behind `size`. */
static bool pax_record(struct mkv_tar_extension *x, const char *key,
		       const char *value, size_t size)
{
	static const char xattr_prefix[] = "SCHILY.xattr.";
	if (strncmp(key, xattr_prefix, strlen(xattr_prefix)) == 0)
		return add_xattr(x, key + strlen(xattr_prefix), value, size);
	if (strlen(value) != size)
		return false;
	if (strcmp(key, "path") == 0) {
		free(x->path);
		return (x->path = strdup(value));
	}
	if (strcmp(key, "linkpath") == 0) {
		free(x->target);
		return (x->target = strdup(value));
	}
	if (strcmp(key, "size") == 0)
		return x->has_size = decimal(value, &x->size);
	if (strcmp(key, "uid") == 0)
		return x->has_uid = decimal(value, &x->uid);
	if (strcmp(key, "gid") == 0)
		return x->has_gid = decimal(value, &x->gid);
	if (strcmp(key, "mtime") == 0)
		return pax_time(value, x);
	return strncmp(key, "GNU.sparse.", 11) != 0;
}

/* Records "LENGTH KEY=VALUE\n". */
bool mkv_tar_extension_read(struct mkv_tar_extension *x, char *data,
			    size_t size)
{
	for (size_t at = 0; at < size;) {
		char *end;
		unsigned long length = strtoul(data + at, &end, 10);
		size_t digits = (size_t)(end - (data + at));
		if (digits == 0 || digits > 9 || *end != ' ' ||
		    length <= digits + 1 || length > size - at ||
		    data[at + length - 1] != '\n')
			return false;
		char *key = end + 1, *last = data + at + length - 1;
		char *equals = memchr(key, '=', (size_t)(last - key));
		if (!equals || memchr(key, '\0', (size_t)(equals - key)))
			return false;
		*equals = *last = '\0';
		if (!pax_record(x, key, equals + 1,
				(size_t)(last - equals - 1)))
			return false;
		at += length;
	}
	return true;
}

static int compare_xattrs(const void *a, const void *b)
{
	return strcmp(((const struct mkv_tar_xattr *)a)->name,
		      ((const struct mkv_tar_xattr *)b)->name);
}

char *mkv_tar_extension_xattrs(struct mkv_tar_extension *x)
{
	auto_buf struct mkv_buf text = {0};
	if (x->n_xattrs)
		qsort(x->xattrs, x->n_xattrs, sizeof(x->xattrs[0]),
		      compare_xattrs);
	for (size_t i = 0; i < x->n_xattrs; i++) {
		mkv_buf_printf(&text, " %s=", x->xattrs[i].name);
		for (size_t k = 0; k < x->xattrs[i].size; k++)
			mkv_buf_printf(&text, "%02x", x->xattrs[i].value[k]);
	}
	return mkv_buf_take(&text);
}
