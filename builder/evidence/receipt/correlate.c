/* SPDX-License-Identifier: MIT */
#include "builder/evidence/receipt/correlate.h"

#include <string.h>

#include "builder/evidence/receipt/review_internal.h"
#include "lib/checks.h"

/* While a machine starts, its clock is corrected by fractions of a second. */
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

/* The guest in the receipt of its hypervisor host; NULL when it isn't listed.
 */
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

/* Whether the check passed, or was accepted, and has a finding about the guest.
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

/* Checks of a guest that only its hypervisor host can run. NULL when all of
 * them passed, else the problem. */
static const char *find_failed_check(const struct mkv_contract_host *host,
				     const json_t *machine)
{
	static const char *const always[][2] = {
		{"guests", "check guests did not pass"},
		{"guest-cpu", "check guest-cpu did not pass"},
		{"guest-memory", "check guest-memory did not pass"},
		{"guest-devices", "check guest-devices did not pass"},
	};
	for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++)
		if (!has_passed(machine, always[i][0], host))
			return always[i][1];
	if (mkv_contract_is_pinned(host) &&
	    !has_passed(machine, "guest-pinning", host))
		return "check guest-pinning did not pass";
	return NULL;
}

/* NULL when both receipts describe the same boot of the guest, else the
 * problem.
 */
static const char *compare_receipts(const struct mkv_contract_host *host,
				    const json_t *guest, const json_t *machine)
{
	const json_t *entry = find_guest(machine, host->name);
	if (!entry)
		return "its receipt does not list the guest";
	const char *there = json_string_value(json_object_get(entry, "uuid"));
	const char *here = text_at(guest, "machine", "product_uuid");
	if (!there || strcasecmp(there, host->hypervisor.uuid) != 0)
		return "its receipt has a domain with another UUID";
	if (!here || strcasecmp(here, host->hypervisor.uuid) != 0)
		return "the guest's machine has another UUID";
	const char *state = json_string_value(json_object_get(entry, "state"));
	if (!state || strcmp(state, "running") != 0)
		return "the guest was not running during its checks";
	int64_t started = time_at(entry, "started");
	int64_t checked = time_at(machine, "started");
	int64_t booted = time_at(json_object_get(guest, "machine"), "booted");
	if (started < 0 || checked < 0 || booted < 0)
		return "one of the receipts lacks a time";
	if (booted + SLACK_S < started)
		return "the guest booted before its domain started";
	if (checked + SLACK_S < booted)
		return "its checks ran before the guest booted";
	return find_failed_check(host, machine);
}

int mkv_receipt_correlate(const struct mkv_contract *contract,
			  json_t *const *receipts, size_t count, size_t which,
			  struct mkv_receipt_review *review,
			  enum mkv_correlation *ret, size_t *ret_with,
			  struct mkv_error *err)
{
	const struct mkv_contract_host *host =
		mkv_contract_find_host(contract, review->host);
	const struct mkv_contract_host *hypervisor =
		host && host->hypervisor.promised
			? mkv_contract_find_hypervisor_host(contract,
							    host->name)
			: NULL;
	const char *why = NULL;
	*ret = MKV_CORRELATION_NONE;
	if (!hypervisor)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const char *name = text_at(receipts[i], "host", "name");
		if (!name || strcmp(name, hypervisor->name) != 0)
			continue;
		const char *problem =
			compare_receipts(host, receipts[which], receipts[i]);
		if (!problem) {
			*ret_with = i;
			*ret = MKV_CORRELATED;
			return 0;
		}
		why = why ? why : problem;
	}
	*ret = why ? MKV_CORRELATION_BROKEN : MKV_CORRELATION_ABSENT;
	if (why)
		mkv_receipt_add_problem(review, "hypervisor host '%s': %s",
					hypervisor->name, why);
	return review->failed ? mkv_oom(err) : 0;
}
