/* SPDX-License-Identifier: MIT */
#pragma once
/* Building one recipe, for the verbs that need its appliance. */

#include "builder/cmd/session.h"

struct mkv_build_request {
	const char *output; /* directory of the appliances */
	const struct mkv_private_key *key;
	bool force; /* write the appliance even if nothing changed */
};

/* Builds the appliance of a recipe unless it is up to date; *ret_fresh says
 * which. The caller frees *ret_path, the appliance's directory. The caller has
 * called mkv_staging_watch_signals() and mkv_key_check_place(). */
int mkv_cmd_build_recipe(const struct mkv_session *session,
			 const struct mkv_build_request *request,
			 const struct mkv_recipe *recipe, char **ret_path,
			 bool *ret_fresh, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4, 5, 6);
