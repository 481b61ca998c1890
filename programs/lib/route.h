/* SPDX-License-Identifier: MIT */
#pragma once
/* Finds the route of a request. */

#include "programs/lib/http.h"

enum mkv_route_match {
	MKV_ROUTE_NONE,
	MKV_ROUTE_OTHER_METHOD, /* routes have the path, none the method */
	MKV_ROUTE_FOUND,
};

enum mkv_route_match
mkv_route_find(const struct mkv_http_route *routes, const char *method,
	       const char *path, size_t *ret_index,
	       int64_t ret_parameters[static MKV_HTTP_PARAMETERS_MAX])
	mkv_nonnull(1, 2, 3, 4, 5);
