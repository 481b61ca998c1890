/* SPDX-License-Identifier: MIT */
#include "builder/evidence/receipt/tie.h"

#include <string.h>

#include "builder/evidence/receipt/review_internal.h"
#include "lib/checks.h"

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

/* Whether the check passed, or was accepted, and says something of the guest.
 */
static bool has_passed(const json_t *machine, const char *name,
		       const struct mkv_contract_host *guest)
{
	const json_t *check = mkv_receipt_find_check(machine, name);
	const json_t *findings = json_object_get(check, "findings");
	const char *result =
		json_string_value(json_object_get(check, "result"));
	bool accepted = json_object_get(check, "accepted") != NULL;
	char about[64];
	int length = snprintf(about, sizeof(about), "%.40s: ", guest->name);
	if (!result || (strcmp(result, "pass") != 0 &&
			!(accepted && strcmp(result, "not-established") == 0)))
		return false;
	for (size_t i = 0; i < json_array_size(findings); i++) {
		const json_t *one = json_array_get(findings, i);
		const char *what =
			json_string_value(json_object_get(one, "what"));
		const char *seen =
			json_string_value(json_object_get(one, "result"));
		if (what && seen && strcmp(seen, "not-promised") != 0 &&
		    strncmp(what, about, (size_t)length) == 0)
			return true;
	}
	return false;
}

/* What only the machine can say of its guest. NULL when it says it all. */
static const char *miss_check(const struct mkv_contract_host *host,
			      const json_t *machine)
{
	static const char *const always[][2] = {
		{"guests", "its machine's guests didn't pass"},
		{"guest-cpu", "its machine's guest-cpu didn't pass"},
		{"guest-memory", "its machine's guest-memory didn't pass"},
		{"guest-devices", "its machine's guest-devices didn't pass"},
	};
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!has_passed(machine, always[i][0], host))
			return always[i][1];
	if (mkv_contract_is_pinned(host) &&
	    !has_passed(machine, "guest-pinning", host))
		return "its machine's guest-pinning didn't pass";
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
	const char *state = json_string_value(json_object_get(entry, "state"));
	if (!state || strcmp(state, "running") != 0)
		return "the guest wasn't running when its machine looked";
	int64_t started = time_at(entry, "started");
	int64_t looked = time_at(machine, "started");
	int64_t booted = time_at(json_object_get(guest, "machine"), "booted");
	if (started < 0 || looked < 0 || booted < 0)
		return "a receipt doesn't say when it was";
	if (booted + SLACK_S < started)
		return "it booted before the domain that its machine saw";
	if (looked + SLACK_S < booted)
		return "its machine looked before it booted";
	return miss_check(host, machine);
}

int mkv_receipt_tie(const struct mkv_contract *contract,
		    json_t *const *receipts, size_t count, size_t which,
		    struct mkv_receipt_review *review, enum mkv_tie *ret,
		    size_t *ret_with, struct mkv_error *err)
{
	const struct mkv_contract_host *host =
		mkv_contract_find_host(contract, review->host);
	const struct mkv_contract_host *carrier =
		host && host->hypervisor.promised
			? mkv_contract_find_hypervisor_host(contract,
							    host->name)
			: NULL;
	const char *why = NULL;
	*ret = MKV_TIE_NONE;
	if (!carrier)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = text_at(receipts[i], "host", "name");
		if (!name || strcmp(name, carrier->name) != 0)
			continue;
		const char *here = compare(host, receipts[which], receipts[i]);
		if (!here) {
			*ret_with = i;
			*ret = MKV_TIED;
			return 0;
		}
		why = why ? why : here;
	}
	*ret = why ? MKV_TIE_BROKEN : MKV_TIE_ABSENT;
	if (why)
		mkv_receipt_complain(review, "machine '%s': %s", carrier->name,
				     why);
	return review->failed ? mkv_oom(err) : 0;
}
