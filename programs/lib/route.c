/* SPDX-License-Identifier: MIT */
#include "programs/lib/route.h"

#include <string.h>

enum { DIGITS_MAX = 18 };

static size_t read_number(const char *text, int64_t *ret)
{
	int64_t value = 0;
	size_t length = 0;
	for (; text[length] >= '0' && text[length] <= '9'; length++) {
		if (length == DIGITS_MAX)
			return 0;
		value = value * 10 + (text[length] - '0');
	}
	*ret = value;
	return length;
}

static bool matches_pattern(const char *pattern, const char *path,
			    int64_t *parameters)
{
	unsigned n = 0;
	while (*pattern) {
		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		size_t length = read_number(path, &parameters[n++]);
		if (length == 0)
			return false;
		path += length;
		pattern = strchr(pattern, '}') + 1;
	}
	return *path == '\0';
}

enum mkv_route_match
mkv_route_find(const struct mkv_http_route *routes, const char *method,
	       const char *path, size_t *ret_index,
	       int64_t ret_parameters[static MKV_HTTP_PARAMETERS_MAX])
{
	enum mkv_route_match match = MKV_ROUTE_NONE;
	for (size_t i = 0; routes[i].method; i++) {
		if (!matches_pattern(routes[i].pattern, path, ret_parameters))
			continue;
		if (strcmp(routes[i].method, method) == 0) {
			*ret_index = i;
			return MKV_ROUTE_FOUND;
		}
		match = MKV_ROUTE_OTHER_METHOD;
	}
	return match;
}
