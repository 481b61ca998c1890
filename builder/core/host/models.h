/* SPDX-License-Identifier: MIT */
#pragma once
/* QEMU's named processors, as a guest sees them. */

struct mkv_cpu_model {
	const char *name, *vendor;
	unsigned family, model, stepping; /* as displayed */
	const char *brand;
};
/* By its whole name; NULL: not known here. */
const struct mkv_cpu_model *mkv_cpu_model_find(const char *name);
/* By the brand that it shows. */
const struct mkv_cpu_model *mkv_cpu_model_with_brand(const char *brand);
