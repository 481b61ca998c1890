/* SPDX-License-Identifier: MIT */
/* The base of a set: packages that most sets share, installed once. */
#include "builder/rootfs/install/rootfs_internal.h"

#include <string.h>
#include <strings.h>

#include "builder/rootfs/install/graph.h"

struct base {
	const struct mkv_package *packages;
	size_t count;
	struct mkv_graph graph;
	bool *is_in;
	size_t *names; /* all packages, by name */
	size_t *order; /* the result */
	size_t n_order;
	bool *is_visited;
};

static void base_done(struct base *base)
{
	mkv_graph_done(&base->graph);
	free(base->is_in);
	free(base->names);
	free(base->is_visited);
}

static bool has_value(const struct mkv_control *control, const char *field,
		      const char *value)
{
	const char *actual = mkv_control_get(control, field);
	return actual && strcasecmp(actual, value) == 0;
}

static bool is_kernel(const struct mkv_control *control)
{
	static const char prefix[] = "linux-image-";
	return strncmp(control->package, prefix, sizeof(prefix) - 1) == 0;
}

/* True for packages of nearly every machine; the base of a container has only
 * essential packages. */
static bool is_of_machines(const struct mkv_control *control)
{
	static const char *const names[] = {"systemd-sysv", "udev", "dbus",
					    "iproute2"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(control->package, names[i]) == 0)
			return true;
	return is_kernel(control) || has_value(control, "Priority", "required");
}

static void choose_packages(struct base *base)
{
	bool is_machine = false, changed = true;
	for (size_t i = 0; i < base->count; i++)
		is_machine |= is_kernel(&base->packages[i].control);
	for (size_t i = 0; i < base->count; i++) {
		const struct mkv_control *control = &base->packages[i].control;
		base->is_in[i] = has_value(control, "Essential", "yes") ||
				 (is_machine && is_of_machines(control));
	}
	while (changed) {
		changed = false;
		for (size_t i = 0; i < base->graph.n_edges; i++) {
			const struct mkv_edge *edge = &base->graph.edges[i];
			if (!base->is_in[edge->from] || base->is_in[edge->to])
				continue;
			base->is_in[edge->to] = changed = true;
		}
	}
}

static int by_name(const void *a, const void *b, void *context)
{
	const struct base *base = context;
	return strcmp(base->packages[*(const size_t *)a].control.package,
		      base->packages[*(const size_t *)b].control.package);
}

static int by_from(const void *a, const void *b, void *context)
{
	const struct mkv_edge *left = a, *right = b;
	if (left->from != right->from)
		return left->from < right->from ? -1 : 1;
	return by_name(&left->to, &right->to, context);
}

/* Appends a package after everything that it depends on. */
static void append_with_dependencies(struct base *base, size_t package)
{
	if (base->is_visited[package])
		return;
	base->is_visited[package] = true;
	size_t low = 0, high = base->graph.n_edges;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (base->graph.edges[middle].from < package)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < base->graph.n_edges &&
	       base->graph.edges[low].from == package;
	     low++)
		append_with_dependencies(base, base->graph.edges[low].to);
	base->order[base->n_order++] = package;
}

/* Orders by names only, so that a base has the same order in every set. */
static void order_packages(struct base *base)
{
	for (size_t i = 0; i < base->count; i++)
		base->names[i] = i;
	qsort_r(base->names, base->count, sizeof(*base->names), by_name, base);
	if (base->graph.n_edges)
		qsort_r(base->graph.edges, base->graph.n_edges,
			sizeof(*base->graph.edges), by_from, base);
	for (size_t i = 0; i < base->count; i++)
		if (base->is_in[base->names[i]])
			append_with_dependencies(base, base->names[i]);
}

int mkv_rootfs_choose_base(const struct mkv_package *packages, size_t count,
			   size_t *ret_order, size_t *ret_count,
			   struct mkv_error *err)
{
	__attribute__((cleanup(base_done))) struct base base = {
		.packages = packages, .count = count, .order = ret_order};
	base.is_in = calloc(count + 1, sizeof(*base.is_in));
	base.names = calloc(count + 1, sizeof(*base.names));
	base.is_visited = calloc(count + 1, sizeof(*base.is_visited));
	if (!base.is_in || !base.names || !base.is_visited)
		return mkv_oom(err);
	int rc = mkv_graph_read(&base.graph, packages, count, err);
	if (rc < 0)
		return rc;
	choose_packages(&base);
	order_packages(&base);
	*ret_count = base.n_order;
	for (size_t i = 0; i < count; i++)
		if (!base.is_in[i])
			ret_order[base.n_order++] = i;
	return 0;
}

static void release_packages(struct mkv_package *packages, size_t count)
{
	for (size_t i = 0; i < count; i++)
		mkv_package_done(&packages[i]);
}

static int read_packages(const struct mkv_rootfs_package *given, size_t count,
			 struct mkv_package *packages, struct mkv_error *err)
{
	for (size_t i = 0; i < count; i++) {
		int rc = mkv_package_read(given[i].deb_fd, &packages[i], err);
		if (rc < 0)
			return mkv_wrap(err, rc, "%s %s", given[i].name,
					given[i].version);
	}
	return 0;
}

int mkv_rootfs_base(const struct mkv_rootfs_package *given, size_t count,
		    size_t *ret_order, size_t *ret_count, struct mkv_error *err)
{
	auto_free struct mkv_package *packages =
		calloc(count + 1, sizeof(*packages));
	if (!packages)
		return mkv_oom(err);
	int rc = read_packages(given, count, packages, err);
	rc = rc < 0 ? rc
		    : mkv_rootfs_choose_base(packages, count, ret_order,
					     ret_count, err);
	release_packages(packages, count);
	return rc;
}
