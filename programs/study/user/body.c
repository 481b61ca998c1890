/* SPDX-License-Identifier: MIT */
#include "programs/study/user/body.h"

#include <stdio.h>
#include <string.h>

static int read_number(const json_t *body, const char *key, char ret[static 24],
		       bool *ret_exists, struct mkv_error *err)
{
	const json_t *value = json_object_get(body, key);
	*ret_exists = value != NULL;
	if (!value)
		return 0;
	json_int_t number = json_integer_value(value);
	if (!json_is_integer(value) || number < -MKV_USER_BALANCE_MAX ||
	    number > MKV_USER_BALANCE_MAX)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not an integer from -10^15 to 10^15",
				key);
	(void)snprintf(ret, 24, "%lld", (long long)number);
	return 0;
}

static int read_text(const json_t *body, const char *key, const char **ret,
		     struct mkv_error *err)
{
	const json_t *value = json_object_get(body, key);
	size_t length = json_string_length(value);
	*ret = NULL;
	if (!value)
		return 0;
	if (!json_is_string(value) || length == 0 || length > MKV_USER_TEXT_MAX)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a text of 1 to %d bytes", key,
				(int)MKV_USER_TEXT_MAX);
	*ret = json_string_value(value);
	return 0;
}

static int check_keys(const json_t *body, struct mkv_error *err)
{
	static const char *const known[] = {"id", "name", "email", "balance",
					    "amount"};
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)body, key, value)
	{
		bool is_known = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			is_known |= strcmp(known[i], key) == 0;
		if (!is_known)
			return mkv_fail(err, MKV_FAILED, EINVAL,
					"unknown key '%.40s'", key);
	}
	return 0;
}

int mkv_user_read(const json_t *body, struct mkv_user_change *ret,
		  struct mkv_error *err)
{
	bool has_balance = false, has_amount = false;
	int rc = check_keys(body, err);
	if (rc < 0)
		return rc;
	rc = read_text(body, "name", &ret->name, err);
	if (rc < 0)
		return rc;
	rc = read_text(body, "email", &ret->email, err);
	if (rc < 0)
		return rc;
	rc = read_number(body, "balance", ret->balance_text, &has_balance, err);
	if (rc < 0)
		return rc;
	rc = read_number(body, "amount", ret->amount, &has_amount, err);
	if (rc < 0)
		return rc;
	ret->balance = has_balance ? ret->balance_text : NULL;
	if (!has_amount)
		memcpy(ret->amount, "0", 2);
	return 0;
}
