/* SPDX-License-Identifier: MIT */
#include "builder/evidence/attest/statement.h"

#include <ctype.h>
#include <string.h>

#include "lib/dsse.h"

json_t *mkv_statement_subject(const char *name, const struct mkv_sha256 *sha256)
{
	char hex[MKV_SHA256_HEX_SIZE];
	mkv_sha256_hex(sha256, hex);
	return json_pack("{s:s, s:{s:s}}", "name", name, "digest", "sha256",
			 hex);
}

bool mkv_statement_append(json_t *list, json_t *value)
{
	return value && json_array_append_new(list, value) == 0;
}

int mkv_statement_print(json_t *subjects, const char *predicate_type,
			json_t *predicate, struct mkv_buf *ret,
			struct mkv_error *err)
{
	auto_json json_t *own_subjects = subjects;
	auto_json json_t *own_predicate = predicate;
	auto_json json_t *statement = NULL;
	if (own_subjects && own_predicate)
		statement = json_pack(
			"{s:s, s:O, s:s, s:O}", "_type", MKV_STATEMENT_TYPE,
			"subject", own_subjects, "predicateType",
			predicate_type, "predicate", own_predicate);
	if (!statement)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"jansson: can't build a statement");
	return mkv_json_dump_compact(statement, ret, err);
}

static void add_encoded(struct mkv_buf *url, const char *text)
{
	for (const char *c = text; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr("-._~:", *c))
			mkv_buf_char(url, *c);
		else
			mkv_buf_printf(url, "%%%02X", (unsigned char)*c);
	}
}

char *mkv_package_url(const struct mkv_lock_package *package, const char *suite)
{
	auto_buf struct mkv_buf url = {0};
	mkv_buf_str(&url, "pkg:deb/debian/");
	add_encoded(&url, package->name);
	mkv_buf_char(&url, '@');
	add_encoded(&url, package->version);
	mkv_buf_str(&url, "?arch=");
	add_encoded(&url, package->architecture);
	mkv_buf_str(&url, "&distro=");
	add_encoded(&url, suite);
	return mkv_buf_take(&url);
}
