/* SPDX-License-Identifier: MIT */
#pragma once
/* CPUID registers of every online CPU: read on this machine, or from a
 * recording of another one, so that tests can use any machine.
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
	unsigned cpu; /* its number in the kernel */
	struct mkv_cpuid_leaf *leaves;
	size_t count;
};

struct mkv_cpuid_dump {
	struct mkv_cpuid_cpu *cpus; /* ascending */
	size_t count;
};

/* Runs CPUID on each CPU of the set by CPU affinity, which is restored. Fails
 * if the process can't run on one of them. */
int mkv_cpuid_measure(const struct mkv_cpuset *online,
		      struct mkv_cpuid_dump **ret,
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);

/* Decodes a recording: for each CPU "[Logical CPU #N]" and then lines "CPUID
 * LEAF: EAX-EBX-ECX-EDX", all hexadecimal, followed by "[SL NN]" for a subleaf.
 * Other lines are ignored. At most MKV_CPUS_MAX CPUs with 512 leaves each. */
int mkv_cpuid_parse(const char *text, size_t size, struct mkv_cpuid_dump **ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
/* Appends a recording. */
void mkv_cpuid_write(const struct mkv_cpuid_dump *dump, struct mkv_buf *into)
	mkv_nonnull(1, 2);

void mkv_cpuid_free(struct mkv_cpuid_dump *dump);
MKV_DEFINE_AUTO(cpuid, struct mkv_cpuid_dump *, mkv_cpuid_free)
#define auto_cpuid mkv_auto(cpuid)

/* The registers of a leaf. NULL: missing, or above the maximum leaf of its
 * range, where CPUs return undefined data. */
const struct mkv_cpuid_regs *mkv_cpuid_get(const struct mkv_cpuid_cpu *cpu,
					   uint32_t leaf, uint32_t subleaf)
	mkv_nonnull(1);
