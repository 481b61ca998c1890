/* SPDX-License-Identifier: MIT */
#pragma once
/* Generates machines from a seed: CPUID registers of every CPU, and the few
 * files of the kernel that --capture reads. Unusual values are frequent, but
 * most machines are otherwise consistent. */

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "verify/probe/cpuid.h"

/* xorshift64*, so that a seed gives the same machine everywhere. */
struct dice {
	uint64_t state;
};

static unsigned roll_dice(struct dice *dice, unsigned sides)
{
	dice->state ^= dice->state >> 12;
	dice->state ^= dice->state << 25;
	dice->state ^= dice->state >> 27;
	return (unsigned)(dice->state * UINT64_C(0x2545f4914f6cdd1d) >> 33) %
	       sides;
}

static bool is_once_in(struct dice *dice, unsigned sides)
{
	return roll_dice(dice, sides) == 0;
}

struct generated {
	uint8_t vendor[12], brand[48], signature[12];
	bool has_brand, hypervisor, has_signature;
	unsigned sockets, cores, threads; /* according to leaf 0xB */
	unsigned core_shift, package_shift;
	struct {
		uint32_t eax, ebx, ecx;
	} caches[5];
	unsigned n_caches;
	bool amd;
	uint32_t one_eax;
	/* Differences of one CPU from the others. */
	enum {
		ALIKE,
		OTHER_BRAND,
		OTHER_STEPPING,
		OTHER_SIGNATURE,
		NO_BIT,
		HYBRID,
		FEWER_CACHES,
		DIFFERENCES
	} odd;
	/* Files; NULL: missing. */
	char meminfo[64];
	const char *nodes, *clocksource, *driver, *interface;
};

#define PICK(dice, list)                                                       \
	(list)[roll_dice(dice, (unsigned)(sizeof(list) / sizeof(*(list))))]

/* A text of the list, or random bytes, padded with NULs. */
static void fill_bytes(struct dice *dice, const char *const *texts,
		       unsigned count, uint8_t *ret, size_t size)
{
	memset(ret, 0, size);
	unsigned kind = roll_dice(dice, 8);
	size_t length = 1 + roll_dice(dice, (unsigned)size);
	for (size_t i = 0; i < length && kind < 3; i++)
		ret[i] = (uint8_t)(kind == 0   ? roll_dice(dice, 256)
				   : kind == 1 ? 0x20 + roll_dice(dice, 0x5f)
					       : 0x80 + roll_dice(dice, 0x80));
	if (kind >= 3) {
		const char *text = texts[roll_dice(dice, count)];
		memcpy(ret, text, strnlen(text, size));
	}
}
#define FILL(dice, texts, ret)                                                 \
	fill_bytes(dice, texts, (unsigned)(sizeof(texts) / sizeof(*(texts))),  \
		   ret, sizeof(ret))

static void generate_identity(struct dice *dice, struct generated *g)
{
	static const char *const vendors[] = {
		"AuthenticAMD", "GenuineIntel", "AuthenticAMD", "GenuineIntel",
		"  Shanghai  ", "HygonGenuine", "VIA VIA VIA ", "",
	};
	static const char *const brands[] = {
		"AMD Ryzen 5 PRO 3600 6-Core Processor          ",
		"Oxide Virtual Turin-like Processor",
		"       Intel(R) Xeon(R) CPU   E5-2680 v4 @ 2.40GHz",
		"11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz",
		"\"quoted\" 'and' \\x41 back\\slashed: #, {}[]&*!|>%@",
		"two\nlines\tand a tab",
		"\xc2\xae\xe2\x84\xa2 symbols",
		"\xae\x99 Latin-1",
		"\xef\xbb\xbf byte order mark",
		"'",
		"~",
		"5",
		"1e5",
		"0x10",
		"0o7",
		"1e-5",
		"null",
		"TRUE",
		"False",
		"",
		" ",
		"-",
		"# comment",
		"- item",
		"a: b",
		"\\",
		"\\x4",
		"\\xAE",
	};
	static const char *const signatures[] = {
		"bhyve bhyve ", "KVMKVMKVM",
		"TCGTCGTCGTCG", "Microsoft Hv",
		"VMwareVMware", " lrpepyh  vr",
		"            ", "",
		"\"'\\\"'\\",	"\\x41\\x4\\xff",
		"VBoxVBoxVBox", "EVMMEVMMEVMM",
	};
	FILL(dice, vendors, g->vendor);
	FILL(dice, brands, g->brand);
	FILL(dice, signatures, g->signature);
	if (is_once_in(dice, 10)) /* bytes after a NUL */
		g->signature[4] = 0;
	g->amd = memcmp(g->vendor, "AuthenticAMD", 12) == 0;
	g->has_brand = !is_once_in(dice, 8);
	g->hypervisor = is_once_in(dice, 2);
	g->has_signature = !is_once_in(dice, 8);
	g->one_eax = is_once_in(dice, 4) ? roll_dice(dice, 1u << 30) : 0xa10f11;
	if (is_once_in(dice, 6))
		g->odd = 1 + roll_dice(dice, DIFFERENCES - 1);
	else if (is_once_in(dice, 8))
		g->odd = FEWER_CACHES;
}

static unsigned bits_of(unsigned count)
{
	unsigned bits = 0;
	while (1u << bits < count)
		bits++;
	return bits;
}

static void generate_topology(struct dice *dice, struct generated *g)
{
	static const unsigned shapes[][3] = {
		{1, 1, 1},   {1, 6, 2},	 {2, 8, 2},  {300, 1, 1}, {1, 300, 1},
		{1, 150, 2}, {2, 75, 2}, {1, 3, 1},  {4, 1, 1},	  {1, 2, 4},
		{1, 1, 8},   {1, 1, 16}, {1, 1, 24}, {16, 1, 1},  {65, 1, 1},
		{1, 64, 2},  {8, 4, 1},	 {1, 12, 1}, {3, 5, 2},	  {1, 8, 2},
	};
	unsigned kind = roll_dice(dice, sizeof(shapes) / sizeof(*shapes));
	g->sockets = shapes[kind][0];
	g->cores = shapes[kind][1];
	g->threads = shapes[kind][2];
	g->core_shift = bits_of(g->threads);
	g->package_shift = g->core_shift + bits_of(g->cores);
	if (is_once_in(dice, 12)) /* topology of another machine */
		g->core_shift = roll_dice(dice, 8);
	if (is_once_in(dice, 12))
		g->package_shift = roll_dice(dice, 10);
}

static void generate_caches(struct dice *dice, struct generated *g)
{
	static const unsigned levels[][2] = {{1, 1}, {1, 2}, {2, 3}, {3, 3}};
	static const uint32_t sets[] = {64, 512, 1024, 16384, 1024, 12288,
					64, 512, 1024, 16384, 1,    0};
	g->n_caches = is_once_in(dice, 8) ? 0 : 1 + roll_dice(dice, 4);
	for (unsigned i = 0; i < g->n_caches; i++) {
		unsigned level = is_once_in(dice, 30) ? roll_dice(dice, 8)
						      : levels[i][0];
		unsigned type = is_once_in(dice, 15) ? 1 + roll_dice(dice, 4)
						     : levels[i][1];
		unsigned share = i < 2 ? g->threads
				 : i == 2
					 ? g->threads * (1 + roll_dice(dice, 2))
					 : g->threads * g->cores *
						   (1 + roll_dice(dice, 2));
		if (is_once_in(dice, 30))
			share = 1 + roll_dice(dice, 4095);
		unsigned ways =
			is_once_in(dice, 10) ? 1 + roll_dice(dice, 1024) : 8;
		unsigned partitions = is_once_in(dice, 10) ? 1024 : 1;
		g->caches[i].eax = type | level << 5 |
				   (uint32_t)is_once_in(dice, 5) << 9 |
				   ((share - 1) & 0xfff) << 14;
		unsigned line = is_once_in(dice, 40) ? 1 + roll_dice(dice, 4096)
				: is_once_in(dice, 40) ? 1 + roll_dice(dice, 32)
						       : 64;
		g->caches[i].ebx =
			(line - 1) | (partitions - 1) << 12 | (ways - 1) << 22;
		g->caches[i].ecx = PICK(dice, sets) - 1;
		if (is_once_in(dice, 20)) /* all zeros except one byte */
			g->caches[i].ebx = g->caches[i].ecx = 0;
	}
}

static void generate_files(struct dice *dice, struct generated *g)
{
	static const unsigned long long kib[] = {
		32774144,
		65718340,
		1,
		100 << 10,
		4194304,
		4194305,
		4299161,
		5243000,
		6300000,
		0,
		9999999999999999,
		8388608,
		UINT64_C(80) << 30,
	};
	static const char *const nodes[] = {
		"0\n", "0\n", "0-1\n", NULL,	 "0-299\n",
		"0\n", "0\n", "\n",    "0-63\n", "0-1200\n",
	};
	static const char *const sources[] = {
		"tsc\n",
		"tsc\n",
		"tsc\n",
		"kvm-clock\n",
		"jiffies\n",
		NULL,
		"xen\n",
		"hyperv_clocksource_tsc_page\n",
		"acpi_pm\n",
		"hpet\n",
		"hyperv_clocksource_msr\n",
		"tsc\n",
		"tsc\n",
	};
	static const char *const drivers[] = {
		"nvme", "virtio_blk",	"BusLogic",   "8139",	  "null",
		"0x1f", "a driver: #1", "two\nlines", "\xff\xfe", NULL,
		"true", "3w-9xxx",	"mpt2sas.d",
	};
	if (!is_once_in(dice, 40))
		(void)snprintf(g->meminfo, sizeof(g->meminfo),
			       "MemTotal: %llu kB\n",
			       is_once_in(dice, 3)
				       ? 131072ULL + roll_dice(dice, 20u << 20)
				       : PICK(dice, kib));
	g->nodes = PICK(dice, nodes);
	g->clocksource = PICK(dice, sources);
	g->driver = PICK(dice, drivers);
	g->interface = is_once_in(dice, 20) ? "xen\n" : NULL;
}

static struct generated generate_machine(uint64_t seed)
{
	struct dice dice = {seed * UINT64_C(0x9e3779b97f4a7c15) + 1};
	struct generated g = {0};
	(void)roll_dice(&dice, 2);
	generate_identity(&dice, &g);
	generate_topology(&dice, &g);
	generate_caches(&dice, &g);
	generate_files(&dice, &g);
	return g;
}

static void record_leaf(struct mkv_buf *to, uint32_t leaf, uint32_t subleaf,
			uint32_t eax, uint32_t ebx, uint32_t ecx, uint32_t edx)
{
	mkv_buf_printf(to, "CPUID %08X: %08X-%08X-%08X-%08X [SL %02X]\n", leaf,
		       eax, ebx, ecx, edx, subleaf);
}

static uint32_t word_of(const uint8_t *bytes)
{
	uint32_t ret;
	memcpy(&ret, bytes, 4);
	return ret;
}

static void record_cpu(const struct generated *g, unsigned cpu, uint32_t apic,
		       bool odd, struct mkv_buf *to)
{
	uint8_t signature = (uint8_t)(odd && g->odd == OTHER_SIGNATURE);
	uint8_t brand = (uint8_t)(odd && g->odd == OTHER_BRAND);
	uint32_t eax = g->one_eax ^ (odd && g->odd == OTHER_STEPPING);
	bool bit = g->hypervisor && !(odd && g->odd == NO_BIT);
	unsigned caches = g->n_caches;
	uint32_t leaf = g->amd ? 0x8000001d : 4;
	if (odd && g->odd == FEWER_CACHES && caches)
		caches--;
	mkv_buf_printf(to, "[Logical CPU #%u]\n", cpu);
	record_leaf(to, 0, 0, 0x1f, word_of(g->vendor), word_of(g->vendor + 8),
		    word_of(g->vendor + 4));
	record_leaf(to, 1, 0, eax, apic << 24, 0x00100000 | (uint32_t)bit << 31,
		    0x178bfbff);
	record_leaf(to, 0xb, 0, g->core_shift, 1, 0x100, apic);
	record_leaf(to, 0xb, 1, g->package_shift, 1, 0x201, apic);
	if (g->has_signature)
		record_leaf(to, 0x40000000, 0, 0x40000001,
			    word_of(g->signature) ^ signature,
			    word_of(g->signature + 4),
			    word_of(g->signature + 8));
	record_leaf(to, 0x80000000, 0, 0x8000001f, 0, 0, 0);
	record_leaf(to, 0x80000001, 0, eax, 0, 1u << 22, 0);
	for (uint32_t i = 0; i < 3 && g->has_brand; i++)
		record_leaf(to, 0x80000002 + i, 0,
			    word_of(g->brand + (size_t)16 * i) ^ brand,
			    word_of(g->brand + (size_t)16 * i + 4),
			    word_of(g->brand + (size_t)16 * i + 8),
			    word_of(g->brand + (size_t)16 * i + 12));
	for (unsigned i = 0; i < caches; i++)
		record_leaf(to, leaf, i, g->caches[i].eax, g->caches[i].ebx,
			    g->caches[i].ecx, 0);
}

/* Writes the registers in the format of `--record`. */
static void write_recording(const struct generated *g, struct mkv_buf *to)
{
	unsigned cpu = 0, count = g->sockets * g->cores * g->threads;
	unsigned core_bits = bits_of(g->threads);
	unsigned package_bits = core_bits + bits_of(g->cores);
	for (unsigned s = 0; s < g->sockets; s++)
		for (unsigned c = 0; c < g->cores; c++)
			for (unsigned t = 0; t < g->threads; t++) {
				bool last = cpu + 1 == count && count > 1;
				if (last && g->odd == HYBRID)
					return;
				record_cpu(g, cpu++,
					   s << package_bits | c << core_bits |
						   t,
					   last, to);
			}
}
