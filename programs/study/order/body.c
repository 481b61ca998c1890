/* SPDX-License-Identifier: MIT */
#include "programs/study/order/body.h"

#include "lib/json.h"

int mkv_order_read(const json_t *body, struct mkv_order *ret,
		   struct mkv_error *err)
{
	const json_t *product = json_object_get(body, "productName");
	const json_t *price = json_object_get(body, "price");
	size_t length = json_string_length(product);
	double value = json_number_value(price);
	if (!json_is_string(product) || length == 0 ||
	    length > MKV_ORDER_NAME_MAX || json_object_size(body) != 2)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"an order must have exactly a 'productName' of "
				"1 to %d bytes and a 'price'",
				(int)MKV_ORDER_NAME_MAX);
	/* The negation also refuses NaN. */
	if (!json_is_number(price) ||
	    !(value >= 0 && value <= MKV_ORDER_PRICE_MAX))
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'price' is not a number from 0 to %.0f",
				MKV_ORDER_PRICE_MAX);
	ret->cents = (int64_t)(value * 100 + 0.5);
	/* Exact: both sides are the double nearest to the same decimal. */
	if ((double)ret->cents / 100 != value)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'price' has more than two decimals");
	ret->product = json_string_value(product);
	return 0;
}

char *mkv_order_user_update(const char *answer, size_t size)
{
	auto_json json_t *user = NULL;
	struct mkv_error ignored;
	if (!size || mkv_json_load(answer, size, &user, &ignored) < 0)
		return NULL;
	const json_t *name = json_object_get(user, "name");
	const json_t *email = json_object_get(user, "email");
	if (!json_is_string(name) || !json_is_string(email))
		return NULL;
	auto_json json_t *update =
		json_pack("{sOsO}", "name", name, "email", email);
	return update ? json_dumps(update, JSON_COMPACT) : NULL;
}
