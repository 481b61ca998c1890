/* SPDX-License-Identifier: MIT */
#include "programs/campaign/loadgen/ready.h"

#include <time.h>

#include "lib/clock.h"
#include "programs/lib/peer.h"

static int check_health(struct mkv_peer *peer, struct mkv_error *err)
{
	static const struct mkv_peer_call call = {
		.method = "GET",
		.path = "/healthz",
	};
	unsigned status = 0;
	int rc = mkv_peer_ask(peer, &call, &status, NULL, err);
	if (rc < 0)
		return rc;
	return status == 200 ? 0
			     : mkv_fail(err, MKV_FAILED, EHOSTDOWN,
					"answered with status %u", status);
}

static int wait_for_service(const char *role, int64_t end_s,
			    struct mkv_error *err)
{
	struct mkv_peer *peer = NULL;
	int rc = mkv_peer_new(role, &peer, err);
	if (rc < 0)
		return rc;
	for (;;) {
		rc = check_health(peer, err);
		if (rc == 0 || (int64_t)mkv_monotonic_s() >= end_s)
			break;
		(void)nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
	}
	mkv_peer_free(peer);
	return rc < 0 ? mkv_wrap(err, rc, "'%s' is not ready", role) : 0;
}

int mkv_load_wait_ready(unsigned limit_s, struct mkv_error *err)
{
	static const char *const roles[] = {"order", "payment", "user",
					    "collector"};
	int64_t end_s = (int64_t)mkv_monotonic_s() + limit_s;
	if (limit_s == 0)
		return 0;
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
		int rc = wait_for_service(roles[i], end_s, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
