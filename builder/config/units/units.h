/* SPDX-License-Identifier: MIT */
#pragma once
/* Enables and masks systemd units of an image in its file tree, with the links
 * below /etc/systemd/system that `systemctl --root` makes from a unit's
 * [Install] section (systemd.unit(5)). */

#include "builder/core/tree/tree.h"
#include "lib/strings.h"

/* WantedBy=, RequiredBy=, Alias= and Also= are followed; a template needs an
 * instance ("serial-getty@ttyS0.service"). A unit that the image lacks, or that
 * has no [Install] section, is an error. */
int mkv_unit_enable(struct mkv_tree *tree, const char *unit,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Links the unit to /dev/null; the unit need not exist. */
int mkv_unit_mask(struct mkv_tree *tree, const char *unit,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Lists the units that a finished tree enables (links in directories NAME.wants
 * and NAME.requires of /etc/systemd/system) and masks. A masked unit does not
 * count as enabled. In byte order; the caller owns the lists. */
int mkv_units_list(const struct mkv_tree *tree, struct mkv_strings *ret_enabled,
		   struct mkv_strings *ret_masked,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
