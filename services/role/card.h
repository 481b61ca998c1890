/* SPDX-License-Identifier: MIT */
#pragma once
/* Network cards by number. */

#include "lib/error.h"

enum { MKV_MAC_SIZE = 18 }; /* "52:54:00:77:00:11" with its NUL */

/* The MAC address (not the name, which udev may still change) of the machine's n-th network card (from 1), counted in the order of
 * the devices' places in /sys/devices, which is that of buses and slots. Waits
 * up to ten seconds for its driver. */
int mkv_card_find(unsigned n, char ret[static MKV_MAC_SIZE],
		  struct mkv_error *err) mkv_must_check mkv_nonnull(2, 3);
