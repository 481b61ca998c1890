/* SPDX-License-Identifier: MIT */
/* correlate CONTRACT.json RECEIPT.json OTHER.json ...: prints whether the first
 * receipt correlates with one of the others, and the problems if not. The other
 * checks of `mkvbench receipt verify` need a whole appliance. */
#include <fcntl.h>
#include <stdio.h>

#include "builder/evidence/receipt/correlate.h"
#include "lib/io.h"

enum { RECEIPTS_MAX = 8, FILE_MAX = 8 << 20 };

static json_t *load(const char *path)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_error err;
	json_t *json = NULL;
	if (mkv_read_file(AT_FDCWD, path, FILE_MAX, &text, &err) < 0 ||
	    mkv_json_load(text.data ? text.data : "", text.size, &json, &err) <
		    0)
		(void)fprintf(stderr, "%s: %s\n", path, err.message);
	return json;
}

int main(int argc, char **argv)
{
	static const char *const words[] = {"none", "absent", "broken",
					    "correlated"};
	json_t *receipts[RECEIPTS_MAX] = {0};
	struct mkv_error err;
	auto_contract struct mkv_contract *contract = NULL;
	auto_receipt_review struct mkv_receipt_review review = {0};
	auto_json json_t *document = argc > 2 ? load(argv[1]) : NULL;
	if (!document || argc - 2 > RECEIPTS_MAX ||
	    mkv_contract_from_json(document, &contract, &err) < 0)
		return 2;
	for (int i = 2; i < argc; i++)
		if (!(receipts[i - 2] = load(argv[i])))
			return 2;
	const json_t *host = json_object_get(receipts[0], "host");
	const char *name = json_string_value(json_object_get(host, "name"));
	(void)snprintf(review.host, sizeof(review.host), "%s",
		       name ? name : "");
	size_t with = 0;
	enum mkv_correlation correlation = MKV_CORRELATION_NONE;
	int rc = mkv_receipt_correlate(contract, receipts, (size_t)argc - 2, 0,
				       &review, &correlation, &with, &err);
	(void)printf("%s%s%s\n", words[correlation],
		     review.n_problems ? ": " : "",
		     review.n_problems ? review.problems[0] : "");
	for (int i = 2; i < argc; i++)
		json_decref(receipts[i - 2]);
	return rc < 0 ? 2 : correlation == MKV_CORRELATED ? 0 : 1;
}
