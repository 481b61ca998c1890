/* SPDX-License-Identifier: MIT */
#pragma once
/* The services of the experiment whose spans a run waits for. */

#include "programs/campaign/conductor/counts.h"
#include "programs/campaign/conductor/self.h"

struct mkv_conducted_service {
	const char *name;
	char url[96];
	bool answers; /* at the last poll */
	bool was_restarted;
	struct mkv_span_counts before, now;
};

struct mkv_services {
	struct mkv_conducted_service *items;
	size_t count;
	char detail[160]; /* what is not settled, or "" */
};

int mkv_services_init(struct mkv_services *services,
		      const struct mkv_self *self,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
void mkv_services_done(struct mkv_services *services) mkv_nonnull(1);
#define auto_services __attribute__((cleanup(mkv_services_done)))

/* Reads all counters. *ret_settled: all services answered, and no span waits
 * for its export. */
int mkv_services_poll(struct mkv_services *services, bool *ret_settled,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
/* The counters of the last poll are those before the run. */
void mkv_services_mark(struct mkv_services *services) mkv_nonnull(1);
/* The sum of what all services counted since. Returns the name of a service
 * that was restarted in between, or NULL. */
const char *mkv_services_sum(const struct mkv_services *services,
			     struct mkv_span_counts *ret) mkv_nonnull(1, 2);
