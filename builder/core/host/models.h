/* SPDX-License-Identifier: MIT */
#pragma once
/* QEMU's named CPU models, as a guest sees them in CPUID. */

struct mkv_cpu_model {
	const char *name, *vendor;
	unsigned family, model, stepping; /* as displayed */
	const char *brand;
};
/* By QEMU's name ("EPYC-Rome"); NULL when unknown. */
const struct mkv_cpu_model *mkv_cpu_model_find(const char *name);
/* By the brand string (CPUID 0x80000002); NULL when unknown. */
const struct mkv_cpu_model *mkv_cpu_model_with_brand(const char *brand);
