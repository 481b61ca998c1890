/* SPDX-License-Identifier: MIT */
/* Section "FAT Long Directory Entries": long names, the short aliases made from
 * them ("The Basis-Name Generation Algorithm", "The Numeric-Tail Generation
 * Algorithm") and their checksum. */
#include <string.h>

#include "builder/format/disk/fat_internal.h"
#include "builder/format/disk/utf16.h"
#include "lib/bytes.h"

enum { UNITS_PER_SLOT = 13, ALIAS = 11, BASE = 8 };

/* The set of aliases in use in one directory: a hash table with open
 * addressing. */
struct aliases {
	uint8_t (*slots)[ALIAS]; /* first byte 0: free */
	size_t mask;
};

static size_t slot_of(const struct aliases *aliases, const uint8_t alias[ALIAS])
{
	uint64_t hash = 14695981039346656037U; /* FNV-1a */
	for (int i = 0; i < ALIAS; i++)
		hash = (hash ^ alias[i]) * 1099511628211U;
	size_t at = (size_t)(hash >> 20) & aliases->mask;
	while (aliases->slots[at][0] &&
	       memcmp(aliases->slots[at], alias, ALIAS))
		at = (at + 1) & aliases->mask;
	return at;
}

/* False when the alias is in use already. */
static bool add_alias(const struct aliases *aliases, const uint8_t alias[ALIAS])
{
	size_t at = slot_of(aliases, alias);
	if (aliases->slots[at][0])
		return false;
	memcpy(aliases->slots[at], alias, ALIAS);
	return true;
}

static bool is_short_char(uint16_t unit)
{
	return (unit >= 'A' && unit <= 'Z') || (unit >= '0' && unit <= '9') ||
	       (unit && unit < 0x80 && strchr("$%'-_@~`!(){}^#&", unit));
}

static uint16_t fold(uint16_t unit)
{
	return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 'a' + 'A') : unit;
}

static int check_long_name(const char *text, const struct mkv_fat_name *name,
			   struct mkv_error *err)
{
	uint16_t last = name->units[name->n_units - 1];
	bool bad = last == ' ' || last == '.';
	for (size_t i = 0; i < name->n_units; i++) {
		uint16_t unit = name->units[i];
		if (unit < 0x20 || (unit < 0x80 && strchr("\"*/:<>?\\|", unit)))
			bad = true;
	}
	if (bad)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is not a valid name in a FAT file system",
				text);
	return 0;
}

/* The name in 8.3 form. True when characters were lost or replaced: the alias
 * then needs a number. */
static bool basis_of(const struct mkv_fat_name *name, uint8_t alias[ALIAS])
{
	bool lossy = false;
	size_t n = name->n_units, dot = n;
	for (size_t i = 0; i < n; i++)
		if (name->units[i] == '.' && i > 0)
			dot = i;
	memset(alias, ' ', ALIAS);
	size_t used = 0, limit = BASE;
	for (size_t i = 0; i < n; i++) {
		uint16_t unit = fold(name->units[i]);
		if (i == dot) {
			used = BASE;
			limit = ALIAS;
		} else if (unit == ' ' || unit == '.') {
			lossy = true;
		} else if (used >= limit) {
			lossy = true;
		} else {
			bool fits = is_short_char(unit);
			alias[used++] = fits ? (uint8_t)unit : '_';
			lossy = lossy || !fits;
		}
	}
	if (alias[0] == ' ') {
		alias[0] = '_';
		lossy = true;
	}
	return lossy;
}

/* True when alias and name are equal, so that no long entry is needed. */
static bool alias_is_name(const struct mkv_fat_name *name,
			  const uint8_t alias[ALIAS])
{
	uint16_t text[ALIAS + 1];
	size_t n = 0;
	for (int i = 0; i < ALIAS; i++) {
		if (i == BASE && alias[i] != ' ')
			text[n++] = '.';
		if (alias[i] != ' ')
			text[n++] = alias[i];
	}
	return n == name->n_units &&
	       memcmp(text, name->units, n * sizeof(text[0])) == 0;
}

/* NAME~1.EXT, NAME~2.EXT, ...: the first that is not in use. */
static int number_alias(const struct aliases *aliases, uint8_t alias[ALIAS],
			struct mkv_error *err)
{
	size_t base = BASE;
	while (base > 0 && alias[base - 1] == ' ')
		base--;
	for (unsigned number = 1; number < 1000000; number++) {
		char tail[BASE + 1];
		int length = snprintf(tail, sizeof(tail), "~%u", number);
		size_t keep = (size_t)(BASE - length);
		uint8_t tried[ALIAS];
		memcpy(tried, alias, ALIAS);
		memset(tried, ' ', BASE);
		keep = base < keep ? base : keep;
		memcpy(tried, alias, keep);
		memcpy(tried + keep, tail, (size_t)length);
		if (add_alias(aliases, tried)) {
			memcpy(alias, tried, ALIAS);
			return 0;
		}
	}
	return mkv_fail(err, MKV_FAILED, EEXIST,
			"no unused short FAT name like '%.11s'", alias);
}

/* FAT compares names without regard to case. */
static bool is_same_name(const struct mkv_fat_name *a,
			 const struct mkv_fat_name *b)
{
	if (a->n_units != b->n_units)
		return false;
	for (size_t i = 0; i < a->n_units; i++)
		if (fold(a->units[i]) != fold(b->units[i]))
			return false;
	return true;
}

static int read_names(const struct mkv_tree_entry *entries, size_t count,
		      struct mkv_fat_name *names, struct mkv_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int units = mkv_utf16_from_utf8(entries[i].name, names[i].units,
						MKV_FAT_NAME_UNITS_MAX);
		if (units <= 0)
			return mkv_fail(err, MKV_FAILED, units ? units : EINVAL,
					"FAT name '%s': %m", entries[i].name);
		names[i].n_units = (uint8_t)units;
		int rc = check_long_name(entries[i].name, &names[i], err);
		if (rc < 0)
			return rc;
		for (size_t other = 0; other < i; other++)
			if (is_same_name(&names[i], &names[other]))
				return mkv_fail(err, MKV_FAILED, EEXIST,
						"'%s' and '%s' are equal names "
						"in a FAT file system",
						entries[other].name,
						entries[i].name);
	}
	return 0;
}

/* Names that are their own alias come first, so that no generated alias equals
 * one of them. */
static int make_aliases(struct mkv_fat_name *names, size_t count,
			const struct aliases *aliases, struct mkv_error *err)
{
	for (size_t i = 0; i < count; i++) {
		if (!basis_of(&names[i], names[i].alias) &&
		    alias_is_name(&names[i], names[i].alias)) {
			(void)add_alias(aliases, names[i].alias);
			names[i].n_units = 0;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (!names[i].n_units)
			continue;
		bool lossy = basis_of(&names[i], names[i].alias);
		if (!lossy && add_alias(aliases, names[i].alias))
			continue;
		int rc = number_alias(aliases, names[i].alias, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_fat_names(const struct mkv_tree_entry *entries, size_t count,
		  struct mkv_fat_name **ret, struct mkv_error *err)
{
	if (count > MKV_FAT_DIRECTORY_ENTRIES_MAX)
		return mkv_fail(err, MKV_FAILED, E2BIG,
				"%zu entries in one FAT directory: the maximum "
				"is %d",
				count, MKV_FAT_DIRECTORY_ENTRIES_MAX);
	size_t slots = 16;
	while (slots < 2 * count)
		slots *= 2;
	auto_free void *table = calloc(slots, ALIAS);
	auto_free struct mkv_fat_name *names =
		calloc(count ? count : 1, sizeof(*names));
	if (!table || !names)
		return mkv_oom(err);
	struct aliases aliases = {.slots = table, .mask = slots - 1};
	int rc = read_names(entries, count, names, err);
	if (rc < 0)
		return rc;
	rc = make_aliases(names, count, &aliases, err);
	if (rc < 0)
		return rc;
	*ret = mkv_take(names);
	return 0;
}

size_t mkv_fat_name_slots(const struct mkv_fat_name *name)
{
	return 1 + (name->n_units + UNITS_PER_SLOT - 1U) / UNITS_PER_SLOT;
}

static uint8_t checksum_of(const uint8_t alias[ALIAS])
{
	uint8_t sum = 0;
	for (int i = 0; i < ALIAS; i++)
		sum = (uint8_t)((sum << 7 | sum >> 1) + alias[i]);
	return sum;
}

void mkv_fat_name_put_long(const struct mkv_fat_name *name,
			   struct mkv_buf *into)
{
	static const uint8_t places[UNITS_PER_SLOT] = {
		1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
	size_t slots = mkv_fat_name_slots(name) - 1;
	for (size_t slot = slots; slot > 0; slot--) {
		uint8_t entry[32] = {0};
		entry[0] = (uint8_t)(slot | (slot == slots ? 0x40 : 0));
		entry[11] = 0x0f;
		entry[13] = checksum_of(name->alias);
		for (size_t i = 0; i < UNITS_PER_SLOT; i++) {
			size_t at = (slot - 1) * UNITS_PER_SLOT + i;
			uint16_t unit = at < name->n_units    ? name->units[at]
					: at == name->n_units ? 0
							      : 0xffff;
			mkv_le_put16(entry + places[i], unit);
		}
		mkv_buf_add(into, entry, sizeof(entry));
	}
}
