/* SPDX-License-Identifier: MIT */
#pragma once
/* Builds JSON documents. NULL, which means out of memory, propagates through
 * these functions, so that the caller checks only the final result. */

#include "lib/json.h"

/* Adds a member to an object and returns the object. Takes ownership of
 * `value`. If either argument is NULL or the addition fails, releases both and
 * returns NULL. */
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

/* Appends an item to an array, with the same ownership rules. */
static inline json_t *mkv_document_add(json_t *array, json_t *value)
{
	if (array && value && json_array_append_new(array, value) == 0)
		return array;
	if (!array)
		json_decref(value);
	json_decref(array);
	return NULL;
}
