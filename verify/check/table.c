/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "verify/check/checks.h"

#define ROW(id, name, watched, setting, other, promised, of_guests, why)       \
	{name, why, watched, mkv_check_##id},
const struct mkv_check mkv_checks[] = {MKV_CHECK_CATALOGUE(ROW){0}};

const struct mkv_check *mkv_check_find(const char *name)
{
	for (const struct mkv_check *check = mkv_checks; check->name; check++)
		if (strcmp(check->name, name) == 0)
			return check;
	return NULL;
}
