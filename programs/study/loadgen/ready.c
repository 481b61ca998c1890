/* SPDX-License-Identifier: MIT */
#include "programs/study/loadgen/ready.h"

#include <time.h>

#include "lib/clock.h"
#include "programs/study/lib/peer.h"

static int wait_for(const char *role, int64_t end_s, struct mkv_error *err)
{
	static const struct mkv_peer_call call = {
		.method = "GET",
		.path = "/healthz",
	};
	struct mkv_peer *peer = NULL;
	int rc = mkv_peer_new(role, &peer, err);
	while (rc == 0) {
		unsigned status = 0;
		rc = mkv_peer_ask(peer, &call, &status, NULL, err);
		if (rc == 0 && status == 200)
			break;
		if (rc == 0)
			rc = mkv_fail(err, MKV_FAILED, EHOSTDOWN,
				      "it answers with status %u", status);
		if ((int64_t)mkv_monotonic_s() >= end_s)
			break;
		rc = 0;
		(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
	mkv_peer_free(peer);
	return rc < 0 ? mkv_wrap(err, rc, "'%s' isn't ready", role) : 0;
}

int mkv_load_wait_ready(unsigned limit_s, struct mkv_error *err)
{
	static const char *const roles[] = {"order", "payment", "user",
					    "collector"};
	int64_t end_s = (int64_t)mkv_monotonic_s() + limit_s;
	int rc = 0;
	for (size_t i = 0; limit_s && rc == 0 && i < 4; i++)
		rc = wait_for(roles[i], end_s, err);
	return rc;
}
