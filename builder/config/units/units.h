/* SPDX-License-Identifier: MIT */
#pragma once
/* systemd units of an image, enabled and masked the way `systemctl --root` does
 * it, but in the file tree: links below /etc/systemd/system by what a unit's
 * [Install] section says (systemd.unit(5)). */

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
/* Which units a finished tree enables (a link in a folder NAME.wants or
 * NAME.requires of /etc/systemd/system) and which it masks; masked ones aren't
 * enabled. In byte order, the caller's. */
int mkv_units_list(const struct mkv_tree *tree, struct mkv_strings *ret_enabled,
		   struct mkv_strings *ret_masked,
		   struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);
