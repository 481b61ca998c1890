/* SPDX-License-Identifier: MIT */
#include "verify/probe/cpuid.h"

#include <cpuid.h>
#include <sched.h>
#include <string.h>

enum { LEAVES_MAX = 512 };

static int append_leaf(struct mkv_cpuid_cpu *cpu, uint32_t leaf,
		       uint32_t subleaf, const struct mkv_cpuid_regs *regs,
		       struct mkv_error *err)
{
	if (cpu->count >= LEAVES_MAX)
		return mkv_fail(err, MKV_FAILED, E2BIG,
				"CPU %u has more than %d CPUID leaves",
				cpu->cpu, LEAVES_MAX);
	if (cpu->count % 32 == 0) {
		void *more = reallocarray(cpu->leaves, cpu->count + 32,
					  sizeof(*cpu->leaves));
		if (!more)
			return mkv_oom(err);
		cpu->leaves = more;
	}
	cpu->leaves[cpu->count++] =
		(struct mkv_cpuid_leaf){leaf, subleaf, *regs};
	return 0;
}

static int append_cpu(struct mkv_cpuid_dump *dump, unsigned number,
		      struct mkv_error *err)
{
	if (number >= MKV_CPUS_MAX || dump->count >= MKV_CPUS_MAX)
		return mkv_fail(err, MKV_FAILED, E2BIG,
				"CPU %u: more than %d CPUs", number,
				MKV_CPUS_MAX);
	if (dump->count && dump->cpus[dump->count - 1].cpu >= number)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"CPU %u is not in ascending order", number);
	void *more =
		reallocarray(dump->cpus, dump->count + 1, sizeof(*dump->cpus));
	if (!more)
		return mkv_oom(err);
	dump->cpus = more;
	dump->cpus[dump->count++] = (struct mkv_cpuid_cpu){.cpu = number};
	return 0;
}

static struct mkv_cpuid_regs run_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct mkv_cpuid_regs r;
	__cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
	return r;
}

/* True when these registers mark the end of a leaf's subleaves. */
static bool is_last_subleaf(uint32_t leaf, uint32_t subleaf,
			    const struct mkv_cpuid_regs *r)
{
	switch (leaf) {
	case 4:
	case 0x8000001d: /* cache type 0 */
		return (r->eax & 0x1f) == 0;
	case 0xb:
	case 0x1f: /* level type 0 */
		return (r->ecx >> 8 & 0xff) == 0;
	case 7:
		return subleaf >= 1;
	default:
		return true;
	}
}

/* Records the leaves of the CPU that this thread runs on. */
static int record_leaves(struct mkv_cpuid_cpu *cpu, struct mkv_error *err)
{
	static const uint32_t leaves[] = {
		0x0,	    0x1,	0x4,	    0x7,	0xb,
		0x1a,	    0x1f,	0x40000000, 0x80000000, 0x80000001,
		0x80000002, 0x80000003, 0x80000004, 0x80000005, 0x80000006,
		0x80000007, 0x80000008, 0x8000001d, 0x8000001e,
	};
	uint32_t basic = run_cpuid(0, 0).eax;
	uint32_t extended = run_cpuid(0x80000000, 0).eax;
	bool hypervisor = run_cpuid(1, 0).ecx >> 31;
	for (size_t i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
		uint32_t leaf = leaves[i];
		if (leaf >= 0x80000000	 ? leaf > extended
		    : leaf >= 0x40000000 ? !hypervisor
					 : leaf > basic)
			continue;
		for (uint32_t subleaf = 0; subleaf < 16; subleaf++) {
			struct mkv_cpuid_regs regs = run_cpuid(leaf, subleaf);
			int rc = append_leaf(cpu, leaf, subleaf, &regs, err);
			if (rc < 0)
				return rc;
			if (is_last_subleaf(leaf, subleaf, &regs))
				break;
		}
	}
	return 0;
}

static int pin_and_measure(struct mkv_cpuid_dump *dump, unsigned number,
			   cpu_set_t *mask, size_t mask_size,
			   struct mkv_error *err)
{
	CPU_ZERO_S(mask_size, mask);
	CPU_SET_S(number, mask_size, mask);
	if (sched_setaffinity(0, mask_size, mask) < 0)
		return mkv_fail(err, MKV_FAILED, errno,
				"affinity to CPU %u: %m", number);
	int rc = append_cpu(dump, number, err);
	if (rc < 0)
		return rc;
	rc = record_leaves(&dump->cpus[dump->count - 1], err);
	if (rc < 0)
		return rc;
	if ((unsigned)sched_getcpu() != number)
		return mkv_fail(err, MKV_FAILED, EIO,
				"the kernel moved this process away from CPU "
				"%u",
				number);
	return 0;
}

static int measure_each(const struct mkv_cpuset *online, cpu_set_t *mask,
			size_t mask_size, struct mkv_cpuid_dump *dump,
			struct mkv_error *err)
{
	for (unsigned cpu = 0; cpu < MKV_CPUS_MAX; cpu++) {
		if (!mkv_cpuset_has(online, cpu))
			continue;
		int rc = pin_and_measure(dump, cpu, mask, mask_size, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mkv_cpuid_measure(const struct mkv_cpuset *online,
		      struct mkv_cpuid_dump **ret, struct mkv_error *err)
{
	auto_cpuid struct mkv_cpuid_dump *dump = calloc(1, sizeof(*dump));
	size_t mask_size = CPU_ALLOC_SIZE(MKV_CPUS_MAX);
	auto_free cpu_set_t *before = calloc(1, mask_size);
	auto_free cpu_set_t *mask = calloc(1, mask_size);
	if (!dump || !before || !mask)
		return mkv_oom(err);
	if (sched_getaffinity(0, mask_size, before) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "CPU affinity: %m");
	int rc = measure_each(online, mask, mask_size, dump, err);
	(void)sched_setaffinity(0, mask_size, before);
	if (rc < 0)
		return mkv_wrap(err, rc, "CPUID");
	*ret = mkv_take(dump);
	return 0;
}

/* Adds one line of a recording to the last CPU, or a new CPU. */
static int parse_line(struct mkv_cpuid_dump *dump, const char *line,
		      struct mkv_error *err)
{
	unsigned number, subleaf = 0;
	if (sscanf(line, "[Logical CPU #%5u]", &number) == 1)
		return append_cpu(dump, number, err);
	uint32_t leaf;
	struct mkv_cpuid_regs r;
	int end = 0;
	if (sscanf(line, "CPUID %8x: %8x-%8x-%8x-%8x%n", &leaf, &r.eax, &r.ebx,
		   &r.ecx, &r.edx, &end) != 5)
		return 0;
	const char *bracket = strstr(line + end, "[SL ");
	if (bracket && sscanf(bracket, "[SL %4x]", &subleaf) != 1)
		return mkv_fail(err, MKV_FAILED, EINVAL, "invalid subleaf");
	if (dump->count == 0) /* a recording of one CPU may lack the heading */
		if (append_cpu(dump, 0, err) < 0)
			return -err->code;
	return append_leaf(&dump->cpus[dump->count - 1], leaf, subleaf, &r,
			   err);
}

int mkv_cpuid_parse(const char *text, size_t size, struct mkv_cpuid_dump **ret,
		    struct mkv_error *err)
{
	auto_cpuid struct mkv_cpuid_dump *dump = calloc(1, sizeof(*dump));
	if (!dump)
		return mkv_oom(err);
	unsigned row = 0;
	for (size_t at = 0; at < size;) {
		const char *newline = memchr(text + at, '\n', size - at);
		size_t length =
			newline ? (size_t)(newline - text) - at : size - at;
		char line[256];
		size_t kept = length < sizeof(line) ? length : sizeof(line) - 1;
		memcpy(line, text + at, kept);
		line[kept] = '\0';
		row++;
		int rc = parse_line(dump, line, err);
		if (rc < 0)
			return mkv_wrap(err, rc, "CPUID recording, line %u",
					row);
		at += length + 1;
	}
	if (dump->count == 0)
		return mkv_fail(err, MKV_FAILED, EINVAL,
				"CPUID recording: it has no CPU");
	*ret = mkv_take(dump);
	return 0;
}

void mkv_cpuid_write(const struct mkv_cpuid_dump *dump, struct mkv_buf *into)
{
	for (size_t i = 0; i < dump->count; i++) {
		const struct mkv_cpuid_cpu *cpu = &dump->cpus[i];
		mkv_buf_printf(into, "[Logical CPU #%u]\n", cpu->cpu);
		for (size_t j = 0; j < cpu->count; j++) {
			const struct mkv_cpuid_leaf *l = &cpu->leaves[j];
			mkv_buf_printf(into,
				       "CPUID %08X: %08X-%08X-%08X-%08X [SL "
				       "%02X]\n",
				       l->leaf, l->regs.eax, l->regs.ebx,
				       l->regs.ecx, l->regs.edx, l->subleaf);
		}
	}
}

void mkv_cpuid_free(struct mkv_cpuid_dump *dump)
{
	if (!dump)
		return;
	for (size_t i = 0; i < dump->count; i++)
		free(dump->cpus[i].leaves);
	free(dump->cpus);
	free(dump);
}

static const struct mkv_cpuid_regs *find_leaf(const struct mkv_cpuid_cpu *cpu,
					      uint32_t leaf, uint32_t subleaf)
{
	for (size_t i = 0; i < cpu->count; i++)
		if (cpu->leaves[i].leaf == leaf &&
		    cpu->leaves[i].subleaf == subleaf)
			return &cpu->leaves[i].regs;
	return NULL;
}

const struct mkv_cpuid_regs *mkv_cpuid_get(const struct mkv_cpuid_cpu *cpu,
					   uint32_t leaf, uint32_t subleaf)
{
	if (leaf >= 0x40000000 && leaf < 0x80000000) {
		const struct mkv_cpuid_regs *one = find_leaf(cpu, 1, 0);
		if (!one || !(one->ecx >> 31))
			return NULL;
		return find_leaf(cpu, leaf, subleaf);
	}
	const struct mkv_cpuid_regs *range =
		find_leaf(cpu, leaf & UINT32_C(0x80000000), 0);
	if (!range || leaf > range->eax)
		return NULL;
	return find_leaf(cpu, leaf, subleaf);
}
