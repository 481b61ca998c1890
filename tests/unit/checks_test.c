/* SPDX-License-Identifier: MIT */
/* Every check on a simulated machine that meets the contract, and on the same
 * machine with one change: the negative controls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <ctype.h>
#include <cmocka.h>

#include "tests/unit/machine.h"

/* Runs a check; fails the test unless the result is the expected one and a
 * finding of that result contains the text. */
static void expect_result(const struct mkv_env *env, const char *name,
			  enum mkv_result expected, const char *text)
{
	const struct mkv_check *check = mkv_check_find(name);
	auto_answer struct mkv_answer answer = {0};
	auto_buf struct mkv_buf seen = {0};
	assert_non_null(check);
	check->run(env, &answer);
	for (size_t i = 0; i < answer.count; i++) {
		const struct mkv_finding *f = &answer.items[i];
		mkv_buf_printf(&seen, "%s %s: %s / %s [%s]\n",
			       mkv_result_name(f->result), f->what,
			       f->expected ? f->expected : "-",
			       f->observed ? f->observed : "-", f->source);
	}
	if (mkv_answer_result(&answer) != expected ||
	    (text && !strstr(seen.data ? seen.data : "", text)))
		fail_msg("%s: expected %s with '%s', got\n%s", name,
			 mkv_result_name(expected), text ? text : "",
			 seen.data ? seen.data : "nothing");
}

static void without_cpufreq_the_governor_is_unknown(void **state)
{
	struct mkv_env env = make_env();
	struct mkv_contract_image image = *env.image;
	struct mkv_contract_pair pair = {"governor", "none"};
	char path[96];
	(void)state;
	for (unsigned cpu = 0; cpu < 12; cpu++) {
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cpufreq/scaling_governor", cpu);
		put_file(path, NULL);
	}
	expect_result(&env, "governor", MKV_NOT_ESTABLISHED, "performance / -");
	image.settings = (struct mkv_contract_pairs){&pair, 1};
	env.image = &image;
	expect_result(&env, "governor", MKV_PASS, "none / none");
	for (unsigned cpu = 0; cpu < 12; cpu++) {
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cpufreq/scaling_governor", cpu);
		put_file(path, "performance\n");
	}
	expect_result(&env, "governor", MKV_FAIL, "none / performance");
}

/* chronyd and its helper count as one daemon, two chronyd do not. */
static void two_time_daemons_are_parent_and_child(void **state)
{
	static const char stat[] = "/proc/501/stat";
	struct mkv_env env = make_env();
	(void)state;
	put_file("/proc/501/comm", "chronyd\n");
	expect_result(&env, "time-daemons", MKV_FAIL, "chronyd, chronyd");
	put_file(stat, "501 (chronyd) S 1 501 501 0 -1 1\n");
	expect_result(&env, "time-daemons", MKV_FAIL, "chronyd, chronyd");
	put_file(stat, "501 (chronyd) S 500 501 501 0 -1 1\n");
	expect_result(&env, "time-daemons", MKV_PASS, "chronyd, chronyd");
	put_file("/proc/502/comm", "chronyd\n");
	put_file("/proc/502/stat", "502 (chronyd) S 500 502 502 0 -1 1\n");
	expect_result(&env, "time-daemons", MKV_FAIL,
		      "chronyd, chronyd, chronyd");
	put_file("/proc/502/comm", NULL);
	put_file("/proc/502/stat", NULL);
	put_file("/proc/501/comm", NULL);
	put_file(stat, NULL);
}

/* The kernel's list of offline CPUs also has the empty slots of hot-plug. */
static void an_empty_cpu_slot_is_not_an_offline_cpu(void **state)
{
	struct mkv_env env = make_env();
	(void)state;
	put_file(CPU "/offline", "12-15\n");
	expect_result(&env, "cpu-topology", MKV_PASS,
		      "offline CPUs: none / none");
	put_file(CPU "/present", "0-13\n");
	expect_result(&env, "cpu-topology", MKV_FAIL,
		      "offline CPUs: none / 12-13");
	put_file(CPU "/present", "0-11\n");
	put_file(CPU "/offline", "\n");
}

/* A remaining vulnerability under the right policy is reported, not a failure.
 */
static void remaining_vulnerabilities_are_recorded(void **state)
{
	static const char mds[] = CPU "/vulnerabilities/mds";
	struct mkv_env env = make_env();
	(void)state;
	expect_result(&env, "mitigations", MKV_PASS,
		      "still vulnerable: - / none");
	put_file(mds,
		 "Vulnerable: Clear CPU buffers attempted, no microcode\n");
	put_file(CPU "/vulnerabilities/srbds", "Vulnerable: No microcode\n");
	expect_result(&env, "mitigations", MKV_PASS,
		      "still vulnerable: - / mds, srbds");
	put_file(mds, NULL);
	put_file(CPU "/vulnerabilities/srbds", NULL);
}

/* A unit that a package enabled and the image masks does not run. */
static void a_masked_unit_may_be_linked(void **state)
{
	static const char link[] =
		"/etc/systemd/system/timers.target.wants/apt-daily.timer";
	struct mkv_env env = make_env();
	(void)state;
	put_file(link, "-> /usr/lib/systemd/system/apt-daily.timer");
	expect_result(&env, "units", MKV_PASS, NULL);
	put_file(link, NULL);
}

static void the_simulated_machine_meets_the_contract(void **state)
{
	(void)state;
	static const char *const names[] = {
		"cpu-model",	"hypervisor",	  "cpu-topology",
		"smt",		"cache-topology", "memory",
		"huge-pages",	"clocksource",	  "time-daemons",
		"kernel",	"command-line",	  "mitigations",
		"governor",	"boost",	  "transparent-hugepage",
		"ksm",		"numa-balancing", "swap",
		"io-scheduler", "sysctls",	  "drivers",
		"interfaces",	"packages",	  "files",
		"units",	"daemons",
	};
	struct mkv_env env = make_env();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_result(&env, names[i], MKV_PASS, NULL);
}

/* A changed file and the check that must fail. */
static const struct {
	const char *check, *file, *text;
	enum mkv_result result;
	const char *says;
} changes[] = {
	{"cpu-model", "/proc/cpuinfo", "x\nflags\t\t: fpu amd_ppin2 sse\n",
	 MKV_FAIL, "fail feature amd_ppin: present / absent"},
	{"cpu-model", "/proc/cpuinfo", NULL, MKV_NOT_ESTABLISHED, "amd_ppin"},
	{"cpu-topology", CPU "/cpu3/topology/core_cpus_list", "3", MKV_FAIL,
	 "threads of a core"},
	{"cpu-topology", CPU "/cpu3/topology/core_cpus_list", "3-",
	 MKV_NOT_ESTABLISHED, "the kernel's view"},
	{"cpu-topology", CPU "/present", "0-15\n", MKV_FAIL,
	 "offline CPUs: none / 12-15"},
	{"cpu-topology", CPU "/present", "0-10\n", MKV_NOT_ESTABLISHED,
	 "offline CPUs: none / -"},
	{"cpu-topology", CPU "/present", NULL, MKV_NOT_ESTABLISHED,
	 "offline CPUs: none / -"},
	{"smt", CPU "/smt/active", "0\n", MKV_FAIL, "SMT: on / off"},
	{"smt", CPU "/smt/active", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"cache-topology", CPU "/cpu4/cache/index3/size", "8192K", MKV_FAIL,
	 "fail L3 unified"},
	{"cache-topology", CPU "/cpu4/cache/index3/ways_of_associativity", "8",
	 MKV_FAIL, "fail L3 unified"},
	{"cache-topology", CPU "/cpu4/cache/index3/shared_cpu_list", "0-11",
	 MKV_FAIL, "no such cache / 16384 KiB, 16 ways, line 64, CPUs {0-11}"},
	{"cache-topology", CPU "/cpu4/cache/index0/type", "Trace",
	 MKV_NOT_ESTABLISHED, "the kernel's view"},
	{"cache-topology", CPU "/cpu4/cache/index0/size", "99999999999999999K",
	 MKV_NOT_ESTABLISHED, "the kernel's view"},
	{"memory", "/proc/meminfo", "MemTotal:       16388608 kB\n", MKV_FAIL,
	 "32768 MiB installed"},
	{"memory", "/proc/meminfo", "MemTotal:       66000000 kB\n", MKV_FAIL,
	 NULL},
	{"memory", "/proc/meminfo", "Mem", MKV_NOT_ESTABLISHED, NULL},
	{"memory", "/sys/devices/system/node/online", "0-1\n", MKV_FAIL,
	 "NUMA nodes: 1 / 2"},
	{"huge-pages",
	 "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "23\n",
	 MKV_FAIL, "24 / 23"},
	{"clocksource",
	 "/sys/devices/system/clocksource/clocksource0/current_clocksource",
	 "hpet\n", MKV_FAIL, "tsc, kvm-clock / hpet"},
	{"clocksource",
	 "/sys/devices/system/clocksource/clocksource0/current_clocksource",
	 NULL, MKV_NOT_ESTABLISHED, NULL},
	{"time-daemons", "/proc/501/comm", "systemd-timesyn\n", MKV_FAIL,
	 "systemd-timesyn"},
	{"time-daemons", "/proc/500/comm", "ntpd\n", MKV_FAIL, "ntpd"},
	{"time-daemons", "/proc/500/comm", "chronyc\n", MKV_FAIL, "/ none"},
	{"kernel", "/proc/sys/kernel/osrelease", "6.1.0-42-amd64\n", MKV_FAIL,
	 "release"},
	{"kernel", "/proc/sys/kernel/version", "#1 SMP Debian 6.12.48-1\n",
	 MKV_FAIL, "version"},
	{"kernel", "/proc/sys/kernel/tainted", "4096\n", MKV_FAIL,
	 "foreign modules"},
	{"kernel", "/proc/sys/kernel/tainted", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"command-line", "/proc/cmdline", "root=UUID=1 dyndbg=\"file x +p\"\n",
	 MKV_FAIL, "promised word: ro / missing"},
	{"command-line", "/proc/cmdline",
	 "root=UUID=1 ro dyndbg=\"file x +p\" isolcpus=2-5\n", MKV_FAIL,
	 "unknown word: absent / isolcpus=2-5"},
	{"command-line", "/proc/cmdline",
	 "root=UUID=1 ro ro dyndbg=\"file x +p\"\n", MKV_FAIL,
	 "unknown word: absent / ro"},
	{"command-line", "/proc/cmdline", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"mitigations", "/proc/cmdline", "ro mitigations=off\n", MKV_FAIL,
	 "policy: on / off"},
	{"mitigations", CPU "/vulnerabilities/spectre_v1", "Vulnerable\n",
	 MKV_FAIL, "in force"},
	{"mitigations", CPU "/vulnerabilities/spectre_v1", NULL,
	 MKV_NOT_ESTABLISHED, NULL},
	{"governor", CPU "/cpu7/cpufreq/scaling_governor", "powersave\n",
	 MKV_FAIL, "'performance', but CPU 7 has 'powersave'"},
	{"boost", CPU "/cpufreq/boost", "1\n", MKV_FAIL, "off / on"},
	{"boost", CPU "/cpufreq/boost", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"transparent-hugepage", "/sys/kernel/mm/transparent_hugepage/enabled",
	 "[always] madvise never\n", MKV_FAIL, "madvise / always"},
	{"ksm", "/sys/kernel/mm/ksm/run", "1\n", MKV_FAIL, "off / on"},
	{"numa-balancing", "/proc/sys/kernel/numa_balancing", "1\n", MKV_FAIL,
	 NULL},
	{"swap", "/proc/swaps",
	 "Filename\tType\tSize\tUsed\tPriority\n/dev/sda5 partition 1 0 -2\n",
	 MKV_FAIL, "/dev/sda5"},
	{"io-scheduler", "/sys/block/nvme0n1/queue/scheduler",
	 "none [mq-deadline]\n", MKV_FAIL, "nvme0n1: none / mq-deadline"},
	{"sysctls", "/proc/sys/vm/swappiness", "60\n", MKV_FAIL,
	 "vm.swappiness: 1 / 60"},
	{"sysctls", "/proc/sys/vm/swappiness", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"drivers", "/sys/class/net/vlan0/device/driver",
	 "-> ../../drivers/e1000", MKV_FAIL, "virtio_net / e1000"},
	{"drivers", "/sys/class/net/eth1/device/driver", "-> ../../drivers/igb",
	 MKV_FAIL, "virtio_net / igb"},
	{"drivers", "/sys/class/net/vlan0/lower_eth1", NULL,
	 MKV_NOT_ESTABLISHED, NULL},
	{"drivers", "/sys/devices/pci0/01.0/driver",
	 "-> ../../drivers/virtio-pci", MKV_FAIL, "nvme / virtio-pci"},
	{"drivers", "/sys/dev/block/259:2",
	 "-> ../../devices/pci0/1f.2/ata1/host0/0:0:0:0/block/sda/sda1",
	 MKV_FAIL, "nvme / ahci"},
	{"drivers", "/sys/dev/block/259:2", "-> ../../../../..",
	 MKV_NOT_ESTABLISHED, NULL},
	{"interfaces", "/sys/class/net/vlan0/operstate", "down\n", MKV_FAIL,
	 "vlan0: up / down"},
	{"interfaces", "/sys/class/net/vlan0/address", "52:54:00:77:00:12\n",
	 MKV_FAIL, "MAC address"},
	{"interfaces", "/sys/class/net/vlan0/mtu", "9000\n", MKV_FAIL,
	 "MTU: 1500 / 9000"},
	{"interfaces", "/proc/net/fib_trie",
	 "     |-- 10.77.0.111\n"
	 "        /32 host LOCAL\n",
	 MKV_FAIL, "not an address of this machine"},
	{"interfaces", "/proc/net/route",
	 "eth0\t00004D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n",
	 MKV_FAIL, "route to the VLAN's subnet: vlan0 / eth0"},
	{"interfaces", "/proc/net/vlan/config", "vlan0 | 101 | eth1\n",
	 MKV_FAIL, "tag: 100 / 101"},
	{"interfaces", "/proc/net/vlan/config", "vlan | 100 | eth1\n", MKV_FAIL,
	 "tag: 100 / untagged"},
	{"interfaces", "/proc/net/vlan/config", NULL, MKV_NOT_ESTABLISHED,
	 "tag: 100 / -"},
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 4.6.1-4\n",
	 MKV_FAIL, "chrony: 4.6.1-3 / 4.6.1-4"},
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok unpacked\nArchitecture: amd64\n"
	 "Version: 4.6.1-3\n",
	 MKV_FAIL, "partly installed"},
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 4.6.1-3\n\nPackage: zlib1g\nStatus: install ok installed\n"
	 "Architecture: amd64\nVersion: 1:1.3\n\nPackage: ntpsec\n"
	 "Status: install ok installed\nArchitecture: amd64\nVersion: 1\n",
	 MKV_FAIL, "ntpsec: not installed / 1"},
	/* the same name again, of another architecture */
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 4.6.1-3\n\nPackage: zlib1g\nStatus: install ok installed\n"
	 "Architecture: amd64\nVersion: 1:1.3\n\nPackage: zlib1g\n"
	 "Status: install ok installed\nArchitecture: i386\nVersion: 1:1.3\n",
	 MKV_FAIL, "zlib1g: not installed / 1:1.3"},
	{"packages", "/var/lib/dpkg/status", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"files", "/usr/lib/mkvbench/files.list", "d 0755 0 0 - 0 - /\nx",
	 MKV_FAIL, "list of files"},
	{"files", "/usr/lib/mkvbench/files.list", NULL, MKV_NOT_ESTABLISHED,
	 NULL},
	{"units", "/etc/systemd/system/multi-user.target.wants/chrony.service",
	 NULL, MKV_FAIL, "chrony.service: enabled / disabled"},
	{"units", "/etc/systemd/system/apt-daily.timer", NULL, MKV_FAIL,
	 "apt-daily.timer: masked / missing"},
	{"units", "/etc/systemd/system/chrony.service", "-> /dev/null",
	 MKV_FAIL, "chrony.service: enabled / masked"},
	{"units", "/etc/systemd/system/timers.target.wants/other.timer",
	 "-> /usr/lib/systemd/system/other.timer", MKV_FAIL,
	 "other.timer: not enabled / enabled"},
	{"units", "/run/systemd/system/basic.target.requires/other.service",
	 "-> /usr/lib/systemd/system/other.service", MKV_FAIL,
	 "other.service: not enabled / enabled"},
	{"daemons", "/proc/600/comm", "unattended-upgr\n", MKV_FAIL,
	 "none / unattended-upgr"},
	{"hypervisor", "/sys/hypervisor/type", "xen\n", MKV_FAIL, "none / xen"},
};

static void each_change_is_found(void **state)
{
	(void)state;
	struct mkv_env env = make_env();
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		auto_free char *before = take_file(changes[i].file);
		put_file(changes[i].file, changes[i].text);
		expect_result(&env, changes[i].check, changes[i].result,
			      changes[i].says);
		put_file(changes[i].file, before);
	}
	the_simulated_machine_meets_the_contract(state);
}

/* On a hypervisor host the VLAN's interface is a port of the guests' bridge. */
static void a_vlan_off_its_bridge_is_found(void **state)
{
	static const char port[] = "/sys/class/net/br0/brif/vlan0/state";
	static const char route[] = "/proc/net/route";
	struct mkv_env env = make_env();
	struct mkv_contract_image image = *env.image;
	auto_free char *before = take_file(route);
	(void)state;
	image.platform = MKV_PLATFORM_HYPERVISOR;
	env.image = &image;
	put_file(route,
		 "br0\t00004D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\n");
	put_file(port, "3\n");
	expect_result(&env, "interfaces", MKV_PASS,
		      "VLAN's port: vlan0 forwards on br0 / a forwarding port");
	put_file(port, "1\n");
	expect_result(&env, "interfaces", MKV_FAIL, "/ a listening port");
	put_file(port, "");
	expect_result(&env, "interfaces", MKV_NOT_ESTABLISHED, "VLAN's port");
	put_file(port, NULL);
	expect_result(&env, "interfaces", MKV_FAIL,
		      "VLAN's port: vlan0 forwards on br0 / not on a bridge");
	put_file("/sys/class/net/vlan0/master", "-> ../virbr0");
	expect_result(&env, "interfaces", MKV_FAIL, "forwards on br0 / virbr0");
	put_file("/sys/class/net/vlan0/master", NULL);
	put_file(route, before);
}

/* The files of the machine with the registers of another machine. */
static void other_registers_are_found(void **state)
{
	(void)state;
	static const struct {
		const char *recording, *check, *says;
		enum mkv_result result;
	} cases[] = {
		{"zen3-5600x.txt", "cpu-model", "model: 113 / 33", MKV_FAIL},
		{"zen3-5600x.txt", "cache-topology", "fail L3 unified",
		 MKV_FAIL},
		{"amd-guest-topoext.txt", "hypervisor",
		 "hypervisor bit: clear / set", MKV_FAIL},
		{"amd-guest-topoext.txt", "cache-topology", "fail L3 unified",
		 MKV_FAIL},
		{"amd-guest-no-topoext.txt", "cpu-model",
		 "feature topoext: present / absent", MKV_FAIL},
		{"amd-guest-no-topoext.txt", "cpu-topology",
		 "threads of a core: 2 / 1", MKV_FAIL},
		{"xeon-two-dies.txt", "cpu-topology", "sockets: 1 / 2",
		 MKV_FAIL},
		{"intel-hybrid.txt", "cpu-topology", "different numbers",
		 MKV_FAIL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mkv_env env = make_env();
		struct mkv_error err = {0};
		auto_cpuid struct mkv_cpuid_dump *other = NULL;
		auto_buf struct mkv_buf text = {0};
		char path[256];
		(void)snprintf(path, sizeof(path), "tests/golden/cpuid/%s",
			       cases[i].recording);
		assert_int_equal(
			mkv_read_file(AT_FDCWD, path, 1 << 20, &text, &err), 0);
		assert_int_equal(
			mkv_cpuid_parse(text.data, text.size, &other, &err), 0);
		env.cpuid = other;
		expect_result(&env, cases[i].check, cases[i].result,
			      cases[i].says);
	}
}

static void without_registers_nothing_is_established(void **state)
{
	(void)state;
	struct mkv_env env = make_env();
	env.cpuid = NULL;
	expect_result(&env, "cpu-model", MKV_NOT_ESTABLISHED, NULL);
	expect_result(&env, "hypervisor", MKV_NOT_ESTABLISHED, NULL);
	expect_result(&env, "cpu-topology", MKV_NOT_ESTABLISHED, NULL);
	expect_result(&env, "cache-topology", MKV_NOT_ESTABLISHED, NULL);
}

/* A single CPU that differs makes the check fail. */
static void one_odd_cpu_is_found(void **state)
{
	(void)state;
	struct mkv_env env = make_env();
	struct mkv_cpuid_cpu *cpu = &cpuid->cpus[7];
	for (size_t i = 0; i < cpu->count; i++) {
		uint32_t before = cpu->leaves[i].regs.eax;
		if (cpu->leaves[i].leaf != 1)
			continue;
		cpu->leaves[i].regs.eax ^= 1;
		expect_result(&env, "cpu-model", MKV_FAIL,
			      "but CPU 7 shows '1'");
		cpu->leaves[i].regs.eax = before;
	}
}

/* If no file is readable, no check passes. */
static void an_empty_machine_passes_no_check(void **state)
{
	(void)state;
	struct mkv_env env = make_env();
	env.root = "/nonexistent";
	env.cpuid = NULL;
	for (const struct mkv_check *c = mkv_checks; c->name; c++) {
		auto_answer struct mkv_answer answer = {0};
		if (strcmp(c->name, "contract") == 0)
			continue;
		env.phase = MKV_PHASE_BOOT;
		c->run(&env, &answer);
		if (mkv_answer_result(&answer) == MKV_PASS)
			fail_msg("%s passes without any file", c->name);
	}
}

/* A check fails with a truncated file of the kernel, unless the rest has all
 * that the check needs. */
static void truncated_files_pass_no_check(void **state)
{
	(void)state;
	struct mkv_env env = make_env();
	for (size_t i = 0; i < NEEDS; i++) {
		const struct mkv_check *check = mkv_check_find(needs[i].check);
		auto_free char *whole = take_file(needs[i].file);
		assert_non_null(whole);
		size_t size = strlen(whole);
		while (size && isspace((unsigned char)whole[size - 1]))
			size--;
		for (size_t cut = 0; cut < size; cut++) {
			auto_answer struct mkv_answer answer = {0};
			auto_free char *part = strndup(whole, cut);
			put_file(needs[i].file, part);
			check->run(&env, &answer);
			if (mkv_answer_result(&answer) == MKV_PASS &&
			    !(needs[i].text && strstr(part, needs[i].text)))
				fail_msg("%s passes with %s truncated to '%s'",
					 needs[i].check, needs[i].file, part);
		}
		put_file(needs[i].file, whole);
	}
	the_simulated_machine_meets_the_contract(state);
}

/* Every check fails in one of the tables above, or in the test named here. */
static void no_check_is_without_a_negative_control(void **state)
{
	(void)state;
	static const char *const elsewhere[] = {
		"contract",	 /* 450-verify-receipt */
		"clock",	 /* clock_test, 456-clock-truth */
		"docker-engine", /* docker_test, 460-verify-docker */
		"docker-networks", "docker-volumes",
		"docker-images",   "docker-containers",
		"tpm-key", /* 457-tpm-receipt */
		"guests",  /* domains_test, 530-live-guests */
		"guest-cpu",	   "guest-pinning",
		"guest-memory",	   "guest-devices",
	};
	for (const struct mkv_check *c = mkv_checks; c->name; c++) {
		bool found = false;
		for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]);
		     i++)
			found |= changes[i].result == MKV_FAIL &&
				 strcmp(changes[i].check, c->name) == 0;
		for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]);
		     i++)
			found |= strcmp(elsewhere[i], c->name) == 0;
		if (!found)
			fail_msg("no test makes '%s' fail", c->name);
	}
}

/* Undoes the change of a row of the table below. */
static void restore_files(void)
{
	put_file(SERVICE, "[Unit]\n");
	put_time(SERVICE);
}

/* At the gate: the content of settings and units is compared, and additional
 * files are refused. */
static void each_change_of_a_file_is_found(void **state)
{
	static const struct {
		const char *path, *text;
		bool keeps_time;
		const char *says; /* NULL: it passes */
	} cases[] = {
		{SERVICE, "[Unit]\n", true, NULL},
		{SERVICE, "[Unix]\n", true, "fail " SERVICE},
		{SERVICE, "[Unit]\n", false, "7 bytes of 86400 / 7 bytes of 1"},
		{SERVICE, "[Unit]\n\n", true, "7 bytes of 86400 / 8 bytes of"},
		{SERVICE, NULL, false, "present / missing"},
		{SERVICE, "-> /etc/passwd", false, "f 0644"},
		{WANTS "/chrony.service", "-> elsewhere", false,
		 "/usr/lib/systemd/system/chrony.service / elsewhere"},
		{"/etc/systemd/system/mkvbench-verify.service.d/x.conf", "x",
		 false, "mkvbench-verify.service.d/x.conf: absent / present"},
		{"/etc/docker/daemon.json", "{}", false,
		 "fail /etc/docker/daemon.json: absent / present"},
		{"/usr/lib/systemd/system/x.service", "x", false,
		 "fail /usr/lib/systemd/system/x.service: absent / present"},
		{"/usr/local/lib/systemd/system/x.service", "x", false,
		 "x.service: absent / present"},
		{"/run/systemd/system/x.service.d/y.conf", "x", false,
		 "y.conf: absent / present"},
		{"/etc/hostname-of-another", "x", false, "absent / present"},
		/* files that a running system writes, and paths without
		 * settings
		 */
		{"/etc/machine-id", "x", false, NULL},
		{"/etc/cni/net.d/x", "x", false, NULL},
		{"/etc/ssh/ssh_host_rsa_key", "x", false, "/etc/ssh: absent"},
		{"/run/systemd/generator/x.mount", "x", false, NULL},
		{"/usr/share/x", "x", false, NULL},
	};
	struct mkv_env env = make_env();
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		auto_free char *before = take_file(cases[i].path);
		put_file(cases[i].path, cases[i].text);
		if (cases[i].keeps_time)
			put_time(cases[i].path);
		expect_result(
			&env, "files", cases[i].says ? MKV_FAIL : MKV_PASS,
			cases[i].says ? cases[i].says
				      : "other files: no unlisted files / 0");
		put_file(cases[i].path, before);
		restore_files();
	}
	expect_result(&env, "files", MKV_PASS,
		      "12 compared, 1 of them read, 0 differ");
}

/* Other files are read only on request (--files). */
static void every_file_is_read_by_hand(void **state)
{
	(void)state;
	struct mkv_env env = make_env();
	struct mkv_contract_image image = *env.image;
	struct mkv_sha256 sha;
	struct mkv_error err;
	char list[512], hex[MKV_SHA256_HEX_SIZE], path[256];
	auto_free char *before = take_file("/usr/lib/mkvbench/files.list");
	auto_free char *whole = NULL;
	env.image = &image;
	put_file("/zz", "hello\n");
	put_time("/zz");
	assert_int_equal(mkv_sha256_bytes("hello\n", 6, &sha, &err), 0);
	mkv_sha256_hex(&sha, hex);
	(void)snprintf(list, sizeof(list), "f 0644 %u %u 6 86400 %s /zz\n",
		       geteuid(), getegid(), hex);
	assert_true(asprintf(&whole, "%s%s", before, list) > 0);
	put_file("/usr/lib/mkvbench/files.list", whole);
	assert_int_equal(mkv_sha256_bytes(whole, strlen(whole),
					  &image.files.sha256, &err),
			 0);
	(void)snprintf(path, sizeof(path), "%s/zz", root);
	expect_result(&env, "files", MKV_PASS,
		      "13 compared, 1 of them read, 0 differ");
	put_file("/zz", "hellO\n");
	put_time("/zz");
	expect_result(&env, "files", MKV_PASS,
		      "13 compared, 1 of them read, 0 differ");
	env.every_file = true;
	expect_result(&env, "files", MKV_FAIL, "fail /zz");
	put_file("/zz", "hello\n");
	put_time("/zz");
	expect_result(&env, "files", MKV_PASS,
		      "13 compared, 2 of them read, 0 differ");
	env.every_file = false;
	assert_int_equal(chmod(path, 0600), 0);
	expect_result(&env, "files", MKV_FAIL, "f 0644");
	put_file("/zz", NULL);
	put_file("/usr/lib/mkvbench/files.list", before);
}

static int set_up(void **state)
{
	(void)state;
	make_machine();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return remove_machine();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_simulated_machine_meets_the_contract),
		cmocka_unit_test(without_cpufreq_the_governor_is_unknown),
		cmocka_unit_test(two_time_daemons_are_parent_and_child),
		cmocka_unit_test(an_empty_cpu_slot_is_not_an_offline_cpu),
		cmocka_unit_test(remaining_vulnerabilities_are_recorded),
		cmocka_unit_test(a_masked_unit_may_be_linked),
		cmocka_unit_test(each_change_is_found),
		cmocka_unit_test(a_vlan_off_its_bridge_is_found),
		cmocka_unit_test(other_registers_are_found),
		cmocka_unit_test(without_registers_nothing_is_established),
		cmocka_unit_test(one_odd_cpu_is_found),
		cmocka_unit_test(an_empty_machine_passes_no_check),
		cmocka_unit_test(truncated_files_pass_no_check),
		cmocka_unit_test(no_check_is_without_a_negative_control),
		cmocka_unit_test(each_change_of_a_file_is_found),
		cmocka_unit_test(every_file_is_read_by_hand),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
