/* SPDX-License-Identifier: MIT */
#include "builder/input/lock/lock.h"

#include <fcntl.h>
#include <string.h>

#include "lib/io.h"
#include "lib/strings.h"

enum { LOCK_BYTES_MAX = 16 * 1024 * 1024 };

void mkv_lock_package_done(struct mkv_lock_package *package)
{
	free(package->name);
	free(package->version);
	free(package->architecture);
	free(package->pool_path);
	free(package->archive);
	*package = (struct mkv_lock_package){0};
}

static void free_sets(struct mkv_lock *lock)
{
	for (size_t i = 0; i < lock->n_sets; i++) {
		struct mkv_lock_set *set = &lock->sets[i];
		mkv_strings_done(&set->requested);
		free(set->packages);
		free(set->name);
	}
	free(lock->sets);
}

void mkv_lock_free(struct mkv_lock *lock)
{
	if (!lock)
		return;
	for (size_t i = 0; i < lock->n_indexes; i++) {
		free(lock->indexes[i].suite);
		free(lock->indexes[i].component);
	}
	for (size_t i = 0; i < lock->n_packages; i++)
		mkv_lock_package_done(&lock->packages[i]);
	free_sets(lock);
	for (size_t i = 0; i < lock->n_locals; i++)
		free(lock->locals[i].name);
	for (size_t i = 0; i < lock->n_externals; i++) {
		free(lock->externals[i].reference);
		free(lock->externals[i].digest);
	}
	free(lock->indexes);
	free(lock->packages);
	free(lock->locals);
	free(lock->externals);
	free(lock);
}

int mkv_lock_load(const char *path, struct mkv_lock **ret,
		  struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(AT_FDCWD, path, LOCK_BYTES_MAX, &text, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "lock");
	return mkv_lock_parse(path, text.data ? text.data : "", text.size, ret,
			      err);
}

const struct mkv_lock_set *mkv_lock_find_set(const struct mkv_lock *lock,
					     const char *name)
{
	for (size_t i = 0; i < lock->n_sets; i++)
		if (strcmp(lock->sets[i].name, name) == 0)
			return &lock->sets[i];
	return NULL;
}

static bool has_other_version(const struct mkv_lock *lock, size_t at)
{
	const char *name = lock->packages[at].name;
	return (at > 0 && strcmp(lock->packages[at - 1].name, name) == 0) ||
	       (at + 1 < lock->n_packages &&
		strcmp(lock->packages[at + 1].name, name) == 0);
}

static void print_set(const struct mkv_lock *lock,
		      const struct mkv_lock_set *set, struct mkv_buf *text)
{
	for (size_t i = 0; i < set->requested.count; i++)
		mkv_buf_printf(text, "want %s %s\n", set->name,
			       set->requested.items[i]);
	for (size_t i = 0; i < set->count; i++) {
		const struct mkv_lock_package *package =
			&lock->packages[set->packages[i]];
		bool is_versioned = has_other_version(lock, set->packages[i]);
		mkv_buf_printf(text, "in %s %s%s%s\n", set->name, package->name,
			       is_versioned ? "=" : "",
			       is_versioned ? package->version : "");
	}
}

int mkv_lock_print(const struct mkv_lock *lock, struct mkv_buf *ret,
		   struct mkv_error *err)
{
	char hex[MKV_SHA256_HEX_SIZE], other[MKV_SHA256_HEX_SIZE];
	auto_buf struct mkv_buf text = {0};
	mkv_sha256_hex(&lock->recipe_sha256, hex);
	mkv_buf_printf(&text, "mkvbench-lock %d\nrecipe %s\nepoch %lld\n",
		       MKV_LOCK_SCHEMA, hex, (long long)lock->epoch_s);
	for (size_t i = 0; i < lock->n_indexes; i++) {
		const struct mkv_lock_index *index = &lock->indexes[i];
		mkv_sha256_hex(&index->release_sha256, hex);
		mkv_sha256_hex(&index->packages_sha256, other);
		mkv_buf_printf(
			&text, "index %s %s %lld %s %llu %s\n", index->suite,
			index->component, (long long)index->date_s, hex,
			(unsigned long long)index->packages_size_bytes, other);
	}
	for (size_t i = 0; i < lock->n_packages; i++) {
		const struct mkv_lock_package *package = &lock->packages[i];
		mkv_sha256_hex(&package->sha256, hex);
		mkv_buf_printf(&text, "package %s %s %s %llu %s %s %s\n",
			       package->name, package->version,
			       package->architecture,
			       (unsigned long long)package->size_bytes, hex,
			       package->archive, package->pool_path);
	}
	for (size_t i = 0; i < lock->n_sets; i++)
		print_set(lock, &lock->sets[i], &text);
	for (size_t i = 0; i < lock->n_locals; i++) {
		mkv_sha256_hex(&lock->locals[i].sha256, hex);
		mkv_buf_printf(&text, "local %s %s\n", lock->locals[i].name,
			       hex);
	}
	for (size_t i = 0; i < lock->n_externals; i++)
		mkv_buf_printf(&text, "external %s %s\n",
			       lock->externals[i].reference,
			       lock->externals[i].digest);
	int rc = mkv_buf_check(&text, err);
	if (rc < 0)
		return rc;
	mkv_buf_done(ret);
	*ret = text;
	text = (struct mkv_buf){0};
	return 0;
}

int mkv_lock_copy(const struct mkv_lock *lock, struct mkv_lock **ret,
		  struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_lock_print(lock, &text, err);
	return rc < 0 ? rc
		      : mkv_lock_parse("lock", text.data, text.size, ret, err);
}
