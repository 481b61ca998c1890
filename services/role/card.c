/* SPDX-License-Identifier: MIT */
#include "services/role/card.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "lib/io.h"

enum { NAME_SIZE = 16 /* IFNAMSIZ */, CARDS_MAX = 64, WAIT_TENTHS = 100 };

struct card {
	char name[NAME_SIZE];
	char place[PATH_MAX];
};

static int by_place(const void *a, const void *b)
{
	return strcmp(((const struct card *)a)->place,
		      ((const struct card *)b)->place);
}

/* Virtual interfaces have no device. */
static bool look(const char *name, struct card *card)
{
	char link[300];
	if (name[0] == '.' || strlen(name) >= NAME_SIZE)
		return false;
	(void)snprintf(link, sizeof(link), "/sys/class/net/%s/device", name);
	(void)snprintf(card->name, sizeof(card->name), "%s", name);
	return realpath(link, card->place) != NULL;
}

static size_t list(struct card *cards)
{
	auto_dir DIR *dir = opendir("/sys/class/net");
	size_t count = 0;
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (count < CARDS_MAX && look(entry->d_name, &cards[count]))
			count++;
	if (count)
		qsort(cards, count, sizeof(*cards), by_place);
	return count;
}

static int read_mac(const char *name, char ret[static MKV_MAC_SIZE],
		    struct mkv_error *err)
{
	char path[300];
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	auto_buf struct mkv_buf text = {0};
	int rc = mkv_read_file(AT_FDCWD, path, 256, &text, err);
	if (rc < 0)
		return rc;
	if (text.size != MKV_MAC_SIZE)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"'%s' is no Ethernet card", name);
	memcpy(ret, text.data, MKV_MAC_SIZE - 1);
	ret[MKV_MAC_SIZE - 1] = '\0';
	return 0;
}

int mkv_card_find(unsigned n, char ret[static MKV_MAC_SIZE],
		  struct mkv_error *err)
{
	auto_free struct card *cards = calloc(CARDS_MAX, sizeof(*cards));
	if (!cards)
		return mkv_oom(err);
	for (int tenths = 0; n > 0 && tenths < WAIT_TENTHS; tenths++) {
		if (list(cards) >= n)
			return read_mac(cards[n - 1].name, ret, err);
		(void)nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
	}
	return mkv_fail(err, MKV_FAILED, ENODEV,
			"there is no network card number %u", n);
}
