/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/headers.h"

#include <string.h>
#include <strings.h>

int mkv_load_add_header(struct curl_slist **list, const char *header,
			struct mkv_error *err)
{
	struct curl_slist *longer = curl_slist_append(*list, header);
	if (!longer)
		return mkv_oom(err);
	*list = longer;
	return 0;
}

static bool is_header(const char *line, size_t name_size)
{
	/* A token of RFC 9110, section 5.6.2. */
	static const char token[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789!#$%&'*+-.^_`|~";
	if (name_size == 0 || line[name_size] != ':' ||
	    strspn(line, token) != name_size)
		return false;
	for (; *line; line++)
		if (((unsigned char)*line < ' ' && *line != '\t') ||
		    *line == 0x7f)
			return false;
	return true;
}

static int check_header(const char *line, struct mkv_error *err)
{
	static const char *const own[] = {"traceparent", "tracestate",
					  "Content-Length",
					  "Transfer-Encoding"};
	size_t name_size = strcspn(line, ":");
	if (!is_header(line, name_size))
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"MKVBENCH_HEADERS: '%.100s' is not "
				"'Name: value'",
				line);
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (strlen(own[i]) == name_size &&
		    strncasecmp(line, own[i], name_size) == 0)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"MKVBENCH_HEADERS: the load generator "
					"sets '%s' itself",
					own[i]);
	return 0;
}

/* libcurl sends a header without a value where a ';' follows the name. */
static int add_line(struct curl_slist **list, char *line, bool *has_type,
		    struct mkv_error *err)
{
	int rc = check_header(line, err);
	if (rc < 0)
		return rc;
	char *colon = strchr(line, ':');
	*has_type |= strncasecmp(line, "content-type:", 13) == 0;
	if (colon[1 + strspn(colon + 1, " \t")] == '\0')
		memcpy(colon, ";", 2);
	return mkv_load_add_header(list, line, err);
}

int mkv_load_headers(const struct mkv_load_options *options, size_t number,
		     struct curl_slist **list, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	bool has_type = false;
	mkv_buf_str(&text, "");
	mkv_template_print(options->headers, &options->fields, number, &text);
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	char *rest = text.data;
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		rc = add_line(list, line, &has_type, err);
		if (rc < 0)
			return rc;
	}
	/* What libcurl would add to a request with a body. */
	rc = has_type ? 0 : mkv_load_add_header(list, "Content-Type:", err);
	return rc < 0 ? rc : mkv_load_add_header(list, "Expect:", err);
}
