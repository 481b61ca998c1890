/* SPDX-License-Identifier: MIT */
#include "builder/receipt/tie.h"

#include <string.h>

#include "builder/receipt/review_internal.h"

/* The kernel's clock is set back and forth by a little while a machine starts.
 */
enum { SLACK_S = 2 };

static const char *text_at(const json_t *receipt, const char *part,
			   const char *key)
{
	return json_string_value(
		json_object_get(json_object_get(receipt, part), key));
}

static int64_t time_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_integer(value) ? json_integer_value(value) : -1;
}

/* The guest in a machine's receipt; NULL: it didn't run there then. */
static const json_t *find_guest(const json_t *receipt, const char *name)
{
	const json_t *guests = json_object_get(receipt, "guests");
	for (size_t i = 0; i < json_array_size(guests); i++) {
		const json_t *guest = json_array_get(guests, i);
		const char *host =
			json_string_value(json_object_get(guest, "host"));
		if (host && strcmp(host, name) == 0)
			return guest;
	}
	return NULL;
}

/* NULL when they tie, else why they don't. */
static const char *compare(const struct mkv_contract_host *host,
			   const json_t *guest, const json_t *machine)
{
	const json_t *entry = find_guest(machine, host->name);
	if (!entry)
		return "the guest didn't run when its machine looked";
	const char *there = json_string_value(json_object_get(entry, "uuid"));
	const char *here = text_at(guest, "machine", "product_uuid");
	if (!there || strcasecmp(there, host->hypervisor.uuid) != 0)
		return "its machine saw a domain of another UUID";
	if (!here || strcasecmp(here, host->hypervisor.uuid) != 0)
		return "it ran in a machine of another UUID";
	int64_t started = time_at(entry, "started");
	int64_t looked = time_at(machine, "started");
	int64_t booted = time_at(json_object_get(guest, "machine"), "booted");
	if (started < 0 || looked < 0 || booted < 0)
		return "a receipt doesn't say when it was";
	if (booted + SLACK_S < started)
		return "it booted before the domain that its machine saw";
	if (looked + SLACK_S < booted)
		return "its machine looked before it booted";
	return NULL;
}

enum mkv_tie mkv_receipt_tie(const struct mkv_contract *contract,
			     json_t *const *receipts, size_t count,
			     size_t which, struct mkv_receipt_review *review,
			     size_t *ret_with)
{
	const struct mkv_contract_host *host =
		mkv_contract_find_host(contract, review->host);
	const struct mkv_contract_host *carrier =
		host && host->hypervisor.promised
			? mkv_contract_find_carrier(contract, host->name)
			: NULL;
	const char *why = NULL;
	if (!carrier)
		return MKV_TIE_NONE;
	for (size_t i = 0; i < count; i++) {
		const char *name = text_at(receipts[i], "host", "name");
		if (!name || strcmp(name, carrier->name) != 0)
			continue;
		const char *here = compare(host, receipts[which], receipts[i]);
		if (!here) {
			*ret_with = i;
			return MKV_TIED;
		}
		why = why ? why : here;
	}
	if (!why)
		return MKV_TIE_ABSENT;
	mkv_receipt_complain(review, "machine '%s': %s", carrier->name, why);
	return MKV_TIE_BROKEN;
}
