/* SPDX-License-Identifier: MIT */
#pragma once
/* CPUID registers of every online CPU: measured here, or read from a recording,
 * so that what interprets them can be tested on machines that aren't here.
 *
 * Sources: AMD64 Architecture Programmer's Manual, volume 3 (24594), appendix
 * E; Intel 64 and IA-32 SDM, volume 2A, CPUID; KVM's and Microsoft's hypervisor
 * leaves 0x40000000. */

#include "lib/buf.h"
#include "verify/probe/cpuset.h"

struct mkv_cpuid_regs {
	uint32_t eax, ebx, ecx, edx;
};

struct mkv_cpuid_leaf {
	uint32_t leaf, subleaf;
	struct mkv_cpuid_regs regs;
};

struct mkv_cpuid_cpu {
	unsigned cpu; /* the kernel's number */
	struct mkv_cpuid_leaf *leaves;
	size_t count;
};

struct mkv_cpuid_dump {
	struct mkv_cpuid_cpu *cpus; /* ascending */
	size_t count;
};

/* Runs CPUID pinned on each CPU of the set. A CPU that the process can't be
 * pinned on is an error: nothing is claimed for CPUs that weren't asked. */
int mkv_cpuid_measure(const struct mkv_cpuset *online,
		      struct mkv_cpuid_dump **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* A recording: "[Logical CPU #N]" and then lines "CPUID LEAF: EAX-EBX-ECX-EDX",
 * all hexadecimal, with "[SL NN]" behind where there are subleaves; other lines
 * are passed over. At most MKV_CPUS_MAX CPUs and 512 leaves each. */
int mkv_cpuid_parse(const char *text, size_t size, struct mkv_cpuid_dump **ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Appends a recording. */
void mkv_cpuid_write(const struct mkv_cpuid_dump *dump, struct mkv_buf *into)
	mkv_nonnull(1, 2);

void mkv_cpuid_free(struct mkv_cpuid_dump *dump);
MKV_DEFINE_AUTO(cpuid, struct mkv_cpuid_dump *, mkv_cpuid_free)
#define auto_cpuid mkv_auto(cpuid)

/* The registers of a leaf, or NULL when it isn't there or lies over the maximum
 * leaf that its range announces: what CPUs answer there is garbage. */
const struct mkv_cpuid_regs *mkv_cpuid_get(const struct mkv_cpuid_cpu *cpu,
					   uint32_t leaf, uint32_t subleaf)
	mkv_nonnull(1);
