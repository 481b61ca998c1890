/* SPDX-License-Identifier: MIT */
#pragma once
/* Functions shared by the parts of the contract's reader. Each reads one
 * member. After a mistake, which the JSON reader keeps, they return empty
 * values. */

#include "lib/contract.h"

/* Whether a name is valid for hosts, images, containers, volumes and units. */
bool mkv_contract_is_name(const char *name) mkv_nonnull(1);
/* Whether a path has no empty, "." or ".." component, so that it cannot leave
 * the directory that it is relative to. */
bool mkv_contract_is_plain_path(const char *path) mkv_nonnull(1);

const char *mkv_contract_read_name(struct mkv_json_reader *r,
				   const json_t *object, const char *key,
				   bool required) mkv_nonnull(1, 3);
/* One of `words`, which end with NULL. */
const char *mkv_contract_read_word(struct mkv_json_reader *r,
				   const json_t *object, const char *key,
				   const char *const *words)
	mkv_nonnull(1, 3, 4);
/* 64 hexadecimal digits; `ret` may be NULL. */
const char *mkv_contract_read_hex(struct mkv_json_reader *r,
				  const json_t *object, const char *key,
				  bool required, struct mkv_sha256 *ret)
	mkv_nonnull(1, 3);
/* "sha256:" and 64 hexadecimal digits. */
const char *mkv_contract_read_digest(struct mkv_json_reader *r,
				     const json_t *object, const char *key)
	mkv_nonnull(1, 3);
unsigned mkv_contract_read_unsigned(struct mkv_json_reader *r,
				    const json_t *object, const char *key,
				    int64_t max, bool required)
	mkv_nonnull(1, 3);
struct mkv_contract_strings mkv_contract_read_strings(struct mkv_json_reader *r,
						      const json_t *object,
						      const char *key)
	mkv_nonnull(1, 3);
/* A list of numbers from 0 to `max`. */
struct mkv_contract_numbers
mkv_contract_read_numbers(struct mkv_json_reader *r, const json_t *object,
			  const char *key, int64_t max) mkv_nonnull(1, 3);
/* A map of strings, sorted by key. */
struct mkv_contract_pairs mkv_contract_read_pairs(struct mkv_json_reader *r,
						  const json_t *object,
						  const char *key)
	mkv_nonnull(1, 3);

/* Allocates `count` zeroed elements of `size` bytes; NULL if `count` is 0. */
void *mkv_contract_room(struct mkv_json_reader *r, size_t count, size_t size)
	mkv_nonnull(1);
/* Comparison function for qsort(): by the first field, a string. */
int mkv_contract_by_key(const void *a, const void *b) mkv_nonnull(1, 2);

void mkv_contract_read_image(struct mkv_json_reader *r, const json_t *object,
			     struct mkv_contract_image *image)
	mkv_nonnull(1, 2, 3);
void mkv_contract_free_image(struct mkv_contract_image *image) mkv_nonnull(1);

/* The member `hypervisor` of a host. */
void mkv_contract_read_hypervisor(struct mkv_json_reader *r, const json_t *host,
				  struct mkv_contract_hypervisor *into)
	mkv_nonnull(1, 2, 3);
void mkv_contract_free_hypervisor(struct mkv_contract_hypervisor *hypervisor)
	mkv_nonnull(1);

/* The path of a URL, with its query. */
const char *mkv_contract_read_path(struct mkv_json_reader *r,
				   const json_t *object, const char *key)
	mkv_nonnull(1, 3);
/* The member `experiment` of the contract. */
void mkv_contract_read_experiment(struct mkv_json_reader *r, const json_t *root,
				  struct mkv_contract_experiment *into)
	mkv_nonnull(1, 2, 3);
/* Records a mistake if the experiment names a role or field that is missing. */
void mkv_contract_check_experiment(struct mkv_json_reader *r,
				   const struct mkv_contract *contract)
	mkv_nonnull(1, 2);
void mkv_contract_free_experiment(struct mkv_contract_experiment *experiment)
	mkv_nonnull(1);

/* Calls `read` for each object of the array `key` and returns the rows. */
#define MKV_READ_ROWS(r, object, key, read, items, count)                      \
	do {                                                                   \
		json_t *rows_ =                                                \
			mkv_json_member(r, object, key, JSON_ARRAY, false);    \
		(items) = mkv_contract_room(r, json_array_size(rows_),         \
					    sizeof(*(items)));                 \
		for (size_t i_ = 0; (items) && i_ < json_array_size(rows_);    \
		     i_++) {                                                   \
			char where_[64];                                       \
			(void)snprintf(where_, sizeof(where_), "%s[%zu]", key, \
				       i_);                                    \
			size_t mark_ = mkv_json_enter(r, where_);              \
			const json_t *row_ = json_array_get(rows_, i_);        \
			if (!json_is_object(row_))                             \
				mkv_json_mistake(r, NULL,                      \
						 "must be an object");         \
			else                                                   \
				read(r, row_, &(items)[i_]);                   \
			(count) = i_ + 1;                                      \
			mkv_json_leave(r, mark_);                              \
		}                                                              \
	} while (0)

/* Calls `read` for each member of the map `key`. The item's field `name`, which
 * must be the first, is set to the member's name, and items are sorted by it.
 */
#define MKV_READ_MAP(r, object, key, required, read, items, count)             \
	do {                                                                   \
		json_t *map_ = mkv_json_member(r, object, key, JSON_OBJECT,    \
					       required);                      \
		size_t mark_ = mkv_json_enter(r, key);                         \
		(items) = mkv_contract_room(r, json_object_size(map_),         \
					    sizeof(*(items)));                 \
		const char *name_;                                             \
		json_t *value_;                                                \
		if (items)                                                     \
			json_object_foreach(map_, name_, value_)               \
			{                                                      \
				size_t inner_ = mkv_json_enter(r, name_);      \
				(items)[count].name = name_;                   \
				if (!mkv_contract_is_name(name_))              \
					mkv_json_mistake(r, NULL,              \
							 "not a valid name");  \
				else if (!json_is_object(value_))              \
					mkv_json_mistake(r, NULL,              \
							 "must be an object"); \
				else                                           \
					read(r, value_, &(items)[count]);      \
				(count)++;                                     \
				mkv_json_leave(r, inner_);                     \
			}                                                      \
		if (count)                                                     \
			qsort(items, count, sizeof(*(items)),                  \
			      mkv_contract_by_key);                            \
		mkv_json_leave(r, mark_);                                      \
	} while (0)
