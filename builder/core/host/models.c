/* SPDX-License-Identifier: MIT */
#include "builder/core/host/models.h"

#include <stddef.h>
#include <string.h>

/* From QEMU 7.2's query-cpu-model-expansion. A versioned model ("EPYC-v2") may
 * have another brand. */
static const struct mkv_cpu_model models[] = {
	{"EPYC", "AuthenticAMD", 23, 1, 2, "AMD EPYC Processor"},
	{"EPYC-Rome", "AuthenticAMD", 23, 49, 0, "AMD EPYC-Rome Processor"},
	{"EPYC-Milan", "AuthenticAMD", 25, 1, 1, "AMD EPYC-Milan Processor"},
	{"Opteron_G5", "AuthenticAMD", 21, 2, 0, "AMD Opteron 63xx class CPU"},
	{"Skylake-Server", "GenuineIntel", 6, 85, 4,
	 "Intel Xeon Processor (Skylake)"},
	{"Skylake-Client", "GenuineIntel", 6, 94, 3,
	 "Intel Core Processor (Skylake)"},
	{"Cascadelake-Server", "GenuineIntel", 6, 85, 6,
	 "Intel Xeon Processor (Cascadelake)"},
	{"Cooperlake", "GenuineIntel", 6, 85, 10,
	 "Intel Xeon Processor (Cooperlake)"},
	{"Icelake-Server", "GenuineIntel", 6, 134, 0,
	 "Intel Xeon Processor (Icelake)"},
	{"Broadwell", "GenuineIntel", 6, 61, 2,
	 "Intel Core Processor (Broadwell)"},
	{"Haswell", "GenuineIntel", 6, 60, 4, "Intel Core Processor (Haswell)"},
	{"IvyBridge", "GenuineIntel", 6, 58, 9,
	 "Intel Xeon E3-12xx v2 (Ivy Bridge)"},
	{"SandyBridge", "GenuineIntel", 6, 42, 1,
	 "Intel Xeon E312xx (Sandy Bridge)"},
	{"Westmere", "GenuineIntel", 6, 44, 1,
	 "Westmere E56xx/L56xx/X56xx (Nehalem-C)"},
	{"Nehalem", "GenuineIntel", 6, 26, 3,
	 "Intel Core i7 9xx (Nehalem Class Core i7)"},
};
enum { MODELS = sizeof(models) / sizeof(*models) };

const struct mkv_cpu_model *mkv_cpu_model_find(const char *name)
{
	for (size_t i = 0; name && i < MODELS; i++)
		if (strcmp(models[i].name, name) == 0)
			return &models[i];
	return NULL;
}

const struct mkv_cpu_model *mkv_cpu_model_with_brand(const char *brand)
{
	for (size_t i = 0; brand && i < MODELS; i++)
		if (strcmp(models[i].brand, brand) == 0)
			return &models[i];
	return NULL;
}
