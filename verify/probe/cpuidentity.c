/* SPDX-License-Identifier: MIT */
#include "verify/probe/cpufacts.h"

#include <string.h>

bool mkv_cpu_identify(const struct mkv_cpuid_cpu *cpu,
		      struct mkv_cpu_identity *ret)
{
	const struct mkv_cpuid_regs *zero = mkv_cpuid_get(cpu, 0, 0);
	const struct mkv_cpuid_regs *one = mkv_cpuid_get(cpu, 1, 0);
	if (!zero || !one)
		return false;
	struct mkv_cpu_identity id = {0};
	const uint32_t vendor[] = {zero->ebx, zero->edx, zero->ecx};
	mkv_cputext_write(vendor, sizeof(vendor), id.vendor);
	unsigned base = one->eax >> 8 & 15;
	id.stepping = one->eax & 15;
	id.model = one->eax >> 4 & 15;
	id.family = base;
	if (base == 15)
		id.family += one->eax >> 20 & 255;
	if (base == 15 || base == 6)
		id.model |= (one->eax >> 16 & 15) << 4;
	id.hypervisor = one->ecx >> 31;

	char brand[49] = {0};
	for (uint32_t i = 0; i < 3; i++) {
		const struct mkv_cpuid_regs *part =
			mkv_cpuid_get(cpu, 0x80000002 + i, 0);
		if (part)
			memcpy(brand + (size_t)16 * i, part, 16);
	}
	const char *start = brand + strspn(brand, " ");
	size_t length = strlen(start);
	while (length && start[length - 1] == ' ')
		length--;
	mkv_cputext_write(start, length, id.brand);

	const struct mkv_cpuid_regs *hv = mkv_cpuid_get(cpu, 0x40000000, 0);
	if (hv)
		mkv_cputext_write(&hv->ebx, 12, id.hypervisor_signature);
	*ret = id;
	return true;
}

struct feature {
	const char *name;
	uint32_t leaf, subleaf;
	char reg; /* 'a', 'b', 'c', 'd' */
	unsigned bit;
};

static const struct feature features[] = {
	{"fpu", 1, 0, 'd', 0},
	{"tsc", 1, 0, 'd', 4},
	{"cx8", 1, 0, 'd', 8},
	{"cmov", 1, 0, 'd', 15},
	{"clflush", 1, 0, 'd', 19},
	{"mmx", 1, 0, 'd', 23},
	{"fxsr", 1, 0, 'd', 24},
	{"sse", 1, 0, 'd', 25},
	{"sse2", 1, 0, 'd', 26},
	{"ht", 1, 0, 'd', 28},
	{"pni", 1, 0, 'c', 0},
	{"pclmulqdq", 1, 0, 'c', 1},
	{"monitor", 1, 0, 'c', 3},
	{"vmx", 1, 0, 'c', 5},
	{"ssse3", 1, 0, 'c', 9},
	{"fma", 1, 0, 'c', 12},
	{"cx16", 1, 0, 'c', 13},
	{"pcid", 1, 0, 'c', 17},
	{"sse4_1", 1, 0, 'c', 19},
	{"sse4_2", 1, 0, 'c', 20},
	{"x2apic", 1, 0, 'c', 21},
	{"movbe", 1, 0, 'c', 22},
	{"popcnt", 1, 0, 'c', 23},
	{"tsc_deadline_timer", 1, 0, 'c', 24},
	{"aes", 1, 0, 'c', 25},
	{"xsave", 1, 0, 'c', 26},
	{"avx", 1, 0, 'c', 28},
	{"f16c", 1, 0, 'c', 29},
	{"rdrand", 1, 0, 'c', 30},
	{"hypervisor", 1, 0, 'c', 31},
	{"fsgsbase", 7, 0, 'b', 0},
	{"bmi1", 7, 0, 'b', 3},
	{"hle", 7, 0, 'b', 4},
	{"avx2", 7, 0, 'b', 5},
	{"smep", 7, 0, 'b', 7},
	{"bmi2", 7, 0, 'b', 8},
	{"erms", 7, 0, 'b', 9},
	{"invpcid", 7, 0, 'b', 10},
	{"rtm", 7, 0, 'b', 11},
	{"avx512f", 7, 0, 'b', 16},
	{"avx512dq", 7, 0, 'b', 17},
	{"rdseed", 7, 0, 'b', 18},
	{"adx", 7, 0, 'b', 19},
	{"smap", 7, 0, 'b', 20},
	{"avx512ifma", 7, 0, 'b', 21},
	{"clflushopt", 7, 0, 'b', 23},
	{"clwb", 7, 0, 'b', 24},
	{"avx512cd", 7, 0, 'b', 28},
	{"sha_ni", 7, 0, 'b', 29},
	{"avx512bw", 7, 0, 'b', 30},
	{"avx512vl", 7, 0, 'b', 31},
	{"avx512vbmi", 7, 0, 'c', 1},
	{"umip", 7, 0, 'c', 2},
	{"gfni", 7, 0, 'c', 8},
	{"vaes", 7, 0, 'c', 9},
	{"vpclmulqdq", 7, 0, 'c', 10},
	{"avx512_vnni", 7, 0, 'c', 11},
	{"rdpid", 7, 0, 'c', 22},
	{"avx512_bf16", 7, 1, 'a', 5},
	{"lahf_lm", 0x80000001, 0, 'c', 0},
	{"svm", 0x80000001, 0, 'c', 2},
	{"abm", 0x80000001, 0, 'c', 5},
	{"sse4a", 0x80000001, 0, 'c', 6},
	{"misalignsse", 0x80000001, 0, 'c', 7},
	{"3dnowprefetch", 0x80000001, 0, 'c', 8},
	{"topoext", 0x80000001, 0, 'c', 22},
	{"perfctr_core", 0x80000001, 0, 'c', 23},
	{"syscall", 0x80000001, 0, 'd', 11},
	{"nx", 0x80000001, 0, 'd', 20},
	{"mmxext", 0x80000001, 0, 'd', 22},
	{"fxsr_opt", 0x80000001, 0, 'd', 25},
	{"pdpe1gb", 0x80000001, 0, 'd', 26},
	{"rdtscp", 0x80000001, 0, 'd', 27},
	{"lm", 0x80000001, 0, 'd', 29},
	{"constant_tsc", 0x80000007, 0, 'd', 8},
	{"nonstop_tsc", 0x80000007, 0, 'd', 8},
	{"cpb", 0x80000007, 0, 'd', 9},
	{"clzero", 0x80000008, 0, 'b', 0},
};

int mkv_cpu_feature(const struct mkv_cpuid_cpu *cpu, const char *name)
{
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const struct feature *f = &features[i];
		if (strcmp(f->name, name) != 0)
			continue;
		const struct mkv_cpuid_regs *r =
			mkv_cpuid_get(cpu, f->leaf, f->subleaf);
		if (!r)
			return 0;
		uint32_t value = f->reg == 'a'	 ? r->eax
				 : f->reg == 'b' ? r->ebx
				 : f->reg == 'c' ? r->ecx
						 : r->edx;
		return (int)(value >> f->bit & 1);
	}
	return -1;
}
