/* SPDX-License-Identifier: MIT */
#include "programs/campaign/conductor/services.h"

#include "programs/campaign/conductor/ask.h"

enum { METRICS_MS = 4000 };

int mkv_services_init(struct mkv_services *services,
		      const struct mkv_self *self, struct mkv_error *err)
{
	const struct mkv_contract_experiment *experiment =
		&self->contract->experiment;
	*services = (struct mkv_services){
		.items = calloc(experiment->n_services + 1,
				sizeof(*services->items))};
	if (!services->items)
		return mkv_oom(err);
	for (size_t i = 0; i < experiment->n_services; i++) {
		const struct mkv_contract_experiment_service *service =
			&experiment->services[i];
		const struct mkv_contract_host *host =
			mkv_contract_find_role(self->contract, service->role);
		if (!service->has_spans)
			continue;
		if (!host || !host->address)
			return mkv_fail(err, MKV_FAILED, ENOENT,
					"no host with an address has the role "
					"of service '%s'",
					service->name);
		struct mkv_conducted_service *item =
			&services->items[services->count++];
		item->name = service->name;
		(void)snprintf(item->url, sizeof(item->url),
			       "http://%s:%u/metrics", host->address,
			       service->port);
	}
	return 0;
}

void mkv_services_done(struct mkv_services *services)
{
	free(services->items);
	*services = (struct mkv_services){0};
}

static void take_counts(struct mkv_services *services, size_t i,
			const struct mkv_ask *ask)
{
	struct mkv_conducted_service *service = &services->items[i];
	struct mkv_span_counts counts, ignored;
	service->answers =
		ask->status == 200 &&
		mkv_span_counts_read(ask->reply.data ? ask->reply.data : "",
				     ask->reply.size, &counts);
	if (!service->answers) {
		(void)snprintf(services->detail, sizeof(services->detail),
			       "service '%s' does not report its spans",
			       service->name);
		return;
	}
	/* Also a service that was restarted and has caught up since. */
	if (!mkv_span_counts_since(&counts, &service->now, &ignored))
		service->was_restarted = true;
	service->now = counts;
	if (!mkv_span_counts_settled(&counts))
		(void)snprintf(
			services->detail, sizeof(services->detail),
			"service '%s' has %llu spans to export", service->name,
			(unsigned long long)(counts.ended - counts.exported -
					     counts.dropped));
}

int mkv_services_poll(struct mkv_services *services, bool *ret_settled,
		      struct mkv_error *err)
{
	auto_free struct mkv_ask *asks =
		calloc(services->count + 1, sizeof(*asks));
	if (!asks)
		return mkv_oom(err);
	for (size_t i = 0; i < services->count; i++)
		asks[i].url = services->items[i].url;
	int rc = mkv_ask_all(asks, services->count, METRICS_MS, err);
	*services->detail = '\0';
	for (size_t i = 0; rc == 0 && i < services->count; i++)
		take_counts(services, i, &asks[i]);
	for (size_t i = 0; i < services->count; i++)
		mkv_ask_done(&asks[i]);
	*ret_settled = rc == 0 && !*services->detail;
	return rc;
}

void mkv_services_mark(struct mkv_services *services)
{
	for (size_t i = 0; i < services->count; i++) {
		services->items[i].before = services->items[i].now;
		services->items[i].was_restarted = false;
	}
}

const char *mkv_services_sum(const struct mkv_services *services,
			     struct mkv_span_counts *ret)
{
	const char *restarted = NULL;
	*ret = (struct mkv_span_counts){0};
	for (size_t i = 0; i < services->count; i++) {
		const struct mkv_conducted_service *service =
			&services->items[i];
		struct mkv_span_counts since;
		if (service->was_restarted ||
		    !mkv_span_counts_since(&service->now, &service->before,
					   &since)) {
			restarted = service->name;
			continue;
		}
		ret->ended += since.ended;
		ret->exported += since.exported;
		ret->dropped += since.dropped;
	}
	return restarted;
}
