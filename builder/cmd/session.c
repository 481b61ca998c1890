/* SPDX-License-Identifier: MIT */
#include "builder/cmd/session.h"

void mkv_session_done(struct mkv_session *session)
{
	mkv_store_free(session->store);
	mkv_progress_free(session->progress);
	session->store = NULL;
	session->progress = NULL;
}

int mkv_session_open(struct mkv_session *session, struct mkv_error *err)
{
	session->progress = mkv_progress_new(
		mkv_progress_mode(session->json, session->quiet));
	if (!session->progress)
		return mkv_oom(err);
	return (session->reads_only ? mkv_store_open_for_reading
				    : mkv_store_open)(session->store_path,
						      &session->store, err);
}

struct mkv_lock_options mkv_session_lock_options(const struct mkv_session *s)
{
	return (struct mkv_lock_options){
		.lock_path = s->lock_path,
		.mirrors = s->mirrors,
		.keyring = s->keyring,
		.locked = s->locked,
		.offline = s->offline,
	};
}

int mkv_session_build_with(const struct mkv_session *session,
			   const struct mkv_recipe *recipe,
			   const struct mkv_private_key *key,
			   const struct mkv_lock *lock, struct mkv_build *ret,
			   struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	*ret = (struct mkv_build){
		.recipe = recipe,
		.lock = lock,
		.store = session->store,
		.progress = session->progress,
		.key = key,
	};
	int rc = mkv_lock_print(lock, &text, err);
	if (rc < 0)
		return rc;
	return mkv_sha256_bytes(text.data, text.size, &ret->lock_sha256, err);
}

int mkv_session_build(const struct mkv_session *session,
		      const struct mkv_recipe *recipe,
		      const struct mkv_lock_options *options,
		      const struct mkv_private_key *key, struct mkv_lock **lock,
		      struct mkv_build *ret, struct mkv_error *err)
{
	int rc = mkv_lock_ensure(recipe, session->store, options,
				 session->progress, lock, NULL, NULL, err);
	if (rc < 0)
		return rc;
	return mkv_session_build_with(session, recipe, key, *lock, ret, err);
}
