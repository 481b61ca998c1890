/* SPDX-License-Identifier: MIT */
#pragma once
/* Cross checks: rules that relate several keys of a recipe. Each check adds a
 * diagnostic per violated rule. */

#include "builder/input/recipe/load.h"

struct mkv_cross {
	struct mkv_recipe_loader *load;
	const struct mkv_node *root;
	const struct mkv_recipe *recipe;
};

/* The position of the value at `path`, such as "hosts.order.address", or of the
 * innermost enclosing mapping if that value is omitted. */
struct mkv_mark mkv_cross_mark(const struct mkv_cross *cross, const char *path,
			       ...) mkv_nonnull(1, 2) mkv_printf(2, 3);

/* The number of hosts that have a role; a diagnostic if there is none. */
size_t mkv_cross_role(const struct mkv_cross *cross, struct mkv_mark mark,
		      const char *role) mkv_nonnull(1, 3);
/* The request at `path` of the document, such as "experiment.request", against
 * the hosts and fields of the recipe. */
void mkv_cross_request(const struct mkv_cross *cross, const char *path,
		       const struct mkv_request *request) mkv_nonnull(1, 2, 3);
/* Whether a load of `rate` requests per second can wait `timeout_ns` for each
 * answer; a diagnostic at `path` if not. */
void mkv_cross_timeout(const struct mkv_cross *cross, const char *path,
		       unsigned rate, int64_t timeout_ns) mkv_nonnull(1, 2);

/* Hosts, networks, addresses (cross_network.c). */
void mkv_cross_network(const struct mkv_cross *cross) mkv_nonnull(1);
/* OCI images and containers (cross_container.c). */
void mkv_cross_container(const struct mkv_cross *cross) mkv_nonnull(1);
/* The machine, the hypervisor and its guests (cross_machine.c). */
void mkv_cross_machine(const struct mkv_cross *cross) mkv_nonnull(1);
/* Overlays and programs, which are outside the recipe's files
 * (cross_outside.c). */
void mkv_cross_outside(const struct mkv_cross *cross) mkv_nonnull(1);
/* The experiment (cross_experiment.c). */
void mkv_cross_experiment(const struct mkv_cross *cross) mkv_nonnull(1);
/* Disk images (cross_image.c). */
void mkv_cross_image(const struct mkv_cross *cross) mkv_nonnull(1);
