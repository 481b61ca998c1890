/* SPDX-License-Identifier: MIT */
#pragma once
/* The boots that a campaign has used, by its journal's events `boot`: a run
 * that needs a boot of its own must not use one of them. */

#include "builder/evidence/bundle/bundle.h"
#include "builder/run/campaign/state.h"
#include "lib/strings.h"

struct mkv_boots {
	struct mkv_strings ids; /* sorted */
};
void mkv_boots_done(struct mkv_boots *boots) mkv_nonnull(1);
#define auto_boots __attribute__((cleanup(mkv_boots_done)))

/* Reads DIRECTORY/journal.jsonl. */
int mkv_boots_read(const char *directory, struct mkv_boots *ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);
/* Journals the boots of the hosts and adds them. */
int mkv_boots_use(struct mkv_boots *boots, struct mkv_bundle *bundle,
		  int64_t time_ns, const struct mkv_state *state,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 4, 5);
