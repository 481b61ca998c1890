/* SPDX-License-Identifier: MIT */
#pragma once
/* Building JSON where memory may run out: NULL goes through, and is looked at
 * once in the end. */

#include "lib/json.h"

/* The object with one more member, or NULL when anything was NULL; then what
 * there was is released. */
static inline json_t *mkv_document_with(json_t *object, const char *key,
					json_t *value)
{
	if (object && value && json_object_set_new(object, key, value) == 0)
		return object;
	if (!object)
		json_decref(value);
	json_decref(object);
	return NULL;
}

/* The same for a list's next item. */
static inline json_t *mkv_document_add(json_t *array, json_t *value)
{
	if (array && value && json_array_append_new(array, value) == 0)
		return array;
	if (!array)
		json_decref(value);
	json_decref(array);
	return NULL;
}
