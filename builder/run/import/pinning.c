/* SPDX-License-Identifier: MIT */
#include "builder/run/import/import_internal.h"

/* The CPUs that are threads of `cpu`'s core, as libvirt reports them: "0,6" or
 * "0-1". Owned by the caller. */
static char *copy_siblings(const struct mkv_document *capabilities, int cpu)
{
	char xpath[128];
	(void)snprintf(xpath, sizeof(xpath),
		       "/capabilities/host/topology/cells/cell/cpus/"
		       "cpu[@id='%d']/@siblings",
		       cpu);
	return mkv_document_text(capabilities, xpath);
}

static bool is_in_list(const char *list, int cpu)
{
	while (list && *list) {
		char *end;
		long from = strtol(list, &end, 10), to = from;
		if (end == list)
			return false;
		if (*end == '-')
			to = strtol(end + 1, &end, 10);
		if (cpu >= from && cpu <= to)
			return true;
		list = *end == ',' ? end + 1 : NULL;
	}
	return false;
}

/* Threads of one guest core must be pinned to threads of one core of this
 * machine, and different guest cores to different cores. If not, `ret_a` and
 * `ret_b` are two CPUs for which that fails. */
static bool is_pinning_valid(const struct mkv_document *capabilities,
			     const struct mkv_domain_needs *needs, int *ret_a,
			     int *ret_b)
{
	for (unsigned a = 0; a < needs->cpus; a++) {
		auto_free char *list =
			copy_siblings(capabilities, needs->pins[a]);
		for (unsigned b = 0; list && b < needs->cpus; b++) {
			bool wanted = a / needs->threads == b / needs->threads;
			if (a == b ||
			    is_in_list(list, needs->pins[b]) == wanted)
				continue;
			*ret_a = needs->pins[a];
			*ret_b = needs->pins[b];
			return false;
		}
	}
	return true;
}

static bool is_one_core(const struct mkv_document *capabilities, int a, int b)
{
	auto_free char *list = copy_siblings(capabilities, a);
	return is_in_list(list, b);
}

static void check_overlap(struct mkv_import *import, size_t i)
{
	const struct mkv_domain_needs *a = &import->guests[i].needs;
	for (size_t j = 0; j < i; j++) {
		const struct mkv_domain_needs *b = &import->guests[j].needs;
		for (unsigned k = 0; k < a->cpus; k++)
			for (unsigned m = 0; m < b->cpus; m++) {
				if (a->pins[k] < 0 || a->pins[k] != b->pins[m])
					continue;
				mkv_import_add_reason(
					import,
					"pinning: %s and %s are both pinned to "
					"CPU %d: import only one of them with "
					"--host",
					b->name, a->name, a->pins[k]);
				return;
			}
	}
}

void mkv_import_check_pins(struct mkv_import *import,
			   const struct mkv_document *capabilities)
{
	for (size_t i = 0; i < import->n_guests; i++) {
		const struct mkv_domain_needs *needs = &import->guests[i].needs;
		int a = 0, b = 0, missing = -1;
		char xpath[128];
		for (unsigned k = 0; needs->pinned && k < needs->cpus; k++) {
			(void)snprintf(xpath, sizeof(xpath),
				       "/capabilities/host/topology/cells/"
				       "cell/cpus/cpu[@id='%d']",
				       needs->pins[k]);
			if (missing < 0 &&
			    !mkv_document_has(capabilities, xpath))
				missing = needs->pins[k];
		}
		if (missing >= 0)
			mkv_import_add_reason(
				import,
				"pinning: %s is pinned to CPU %d, "
				"which this machine lacks",
				needs->name, missing);
		else if (needs->pinned &&
			 !is_pinning_valid(capabilities, needs, &a, &b))
			mkv_import_add_reason(
				import,
				"pinning: %s: CPUs %d and %d are %s "
				"one core on this machine, unlike in "
				"the guest",
				needs->name, a, b,
				is_one_core(capabilities, a, b)
					? "threads of"
					: "not threads of");
		check_overlap(import, i);
	}
}
