/* SPDX-License-Identifier: MIT */
#pragma once
/* Headers of requests. */

#include <curl/curl.h>

#include "lib/error.h"
#include "programs/campaign/loadgen/load.h"

MKV_DEFINE_AUTO(headers, struct curl_slist *, curl_slist_free_all)
#define auto_headers mkv_auto(headers)

int mkv_load_add_header(struct curl_slist **list, const char *header,
			struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* Appends the headers of request `number`; libcurl adds none by itself but Host
 * and Accept. MKV_BAD_USAGE: a line is not "Name: value". */
int mkv_load_headers(const struct mkv_load_options *options, size_t number,
		     struct curl_slist **list,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
