/* SPDX-License-Identifier: MIT */
#pragma once
/* A simulated machine that meets its contract: a directory in place of "/", and
 * a recording of a Ryzen 5 PRO 3600. For unit tests and fuzzers. */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "verify/check/check.h"

static inline void require(bool holds)
{
	if (!holds)
		abort();
}

static const char contract_format[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"bare-metal\","
	"\"verify\":{\"mode\":\"gate\"},"
	"\"clock\":{\"server\":\"srv\",\"address\":\"10.77.0.1\",\"limit_ns\":"
	"80000,\"settle_ns\":0,\"dwell_ns\":0},"
	"\"vlan\":{\"id\":100,\"subnet\":\"10.77.0.0/"
	"24\",\"nic\":2,\"mtu\":1500},"
	"\"hosts\":{\"me\":{\"image\":\"dut\",\"role\":\"order\",\"address\":"
	"\"10.77.0.11\",\"mac\":\"52:54:00:77:00:11\"},"
	"\"srv\":{\"image\":\"dut\",\"role\":\"srv\"}},"
	"\"images\":{\"dut\":{\"platform\":\"metal\","
	"\"kernel\":{\"release\":\"6.12.57+deb13-amd64\",\"version\":"
	"\"6.12.57-1\",\"command_line\":[\"root=UUID=1\",\"ro\","
	"\"dyndbg=\\\"file x +p\\\"\"]},"
	"\"cpu\":{\"vendor\":\"AuthenticAMD\",\"family\":23,\"model\":113,"
	"\"stepping\":0,\"brand\":\"AMD Ryzen 5 PRO 3600 6-Core Processor\","
	"\"features\":[\"avx2\",\"topoext\",\"amd_ppin\"],\"sockets\":1,"
	"\"cores\":6,"
	"\"threads\":2},"
	"\"caches\":[{\"level\":1,\"type\":\"data\",\"size\":32768,\"ways\":8,"
	"\"line\":64,\"shared_by\":2},{\"level\":1,\"type\":\"instruction\","
	"\"size\":32768,\"ways\":8,\"line\":64,\"shared_by\":2},{\"level\":2,"
	"\"type\":\"unified\",\"size\":524288,\"ways\":8,\"shared_by\":2},"
	"{\"level\":3,\"type\":\"unified\",\"size\":16777216,\"ways\":16,"
	"\"shared_by\":6,\"instances\":2}],"
	"\"memory\":{\"bytes\":34359738368,\"numa_nodes\":1,\"huge_page_"
	"bytes\":"
	"1073741824,\"huge_pages\":24},"
	"\"clocksources\":[\"tsc\",\"kvm-clock\"],"
	"\"packages\":[{\"name\":\"chrony\",\"version\":\"4.6.1-3\","
	"\"architecture\":\"amd64\"},{\"name\":\"zlib1g\",\"version\":"
	"\"1:1.3\",\"architecture\":\"amd64\"}],"
	"\"files\":{\"list\":\"/usr/lib/mkvbench/"
	"files.list\",\"sha256\":\"%s\","
	"\"count\":1},"
	"\"units\":{\"enabled\":[\"chrony.service\"],\"masked\":["
	"\"apt-daily.timer\"]},"
	"\"sysctls\":{\"vm.swappiness\":\"1\",\"net.ipv4.tcp_rmem\":\"1 2 3\"},"
	"\"interfaces\":{\"vlan0\":\"vlan\",\"br0\":\"bridge\"},"
	"\"settings\":{\"governor\":\"performance\",\"boost\":\"off\","
	"\"transparent_hugepage\":\"madvise\",\"ksm\":\"off\","
	"\"numa_balancing\":\"off\",\"io_scheduler\":\"none\",\"swap\":"
	"\"none\","
	"\"disk_driver\":\"nvme\",\"nic_driver\":\"virtio_net\"}}}}";

static char root[] = "/tmp/mkvbench-checks-XXXXXX";
static struct mkv_contract *contract;
static struct mkv_cpuid_dump *cpuid;

#define CPU "/sys/devices/system/cpu"

static void make_parents(char *path)
{
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		(void)mkdir(path, 0755);
		*at = '/';
	}
}

/* Removes the directories that were made for a removed file. */
static void remove_parents(char *path)
{
	for (char *slash; (slash = strrchr(path, '/')) > path + strlen(root);) {
		*slash = '\0';
		if (rmdir(path) < 0)
			return;
	}
}

/* Writes a file; text NULL removes it, "-> TARGET" makes a link. */
static void put_file(const char *name, const char *text)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	make_parents(path);
	(void)unlink(path);
	if (!text) {
		remove_parents(path);
		return;
	}
	if (strncmp(text, "-> ", 3) == 0) {
		require(symlink(text + 3, path) == 0);
		return;
	}
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	require(fd >= 0);
	require(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static char *take_file(const char *name)
{
	char path[4096], target[4096];
	struct mkv_error err;
	struct mkv_buf text = {0};
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	ssize_t size = readlink(path, target, sizeof(target) - 1);
	if (size > 0) {
		target[size] = '\0';
		mkv_buf_printf(&text, "-> %s", target);
		return mkv_buf_take(&text);
	}
	if (mkv_read_file(AT_FDCWD, path, 1 << 20, &text, &err) < 0)
		return NULL;
	return mkv_buf_take(&text);
}

static void put_cache(unsigned cpu, unsigned index, const char *level,
		      const char *type, const char *size, const char *ways,
		      const char *shared)
{
	const char *const files[][2] = {
		{"level", level},
		{"type", type},
		{"size", size},
		{"ways_of_associativity", ways},
		{"coherency_line_size", "64"},
		{"shared_cpu_list", shared},
	};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[128];
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cache/index%u/%s", cpu, index,
			       files[i][0]);
		put_file(path, files[i][1]);
	}
}

static void put_cpus(void)
{
	put_file(CPU "/online", "0-11\n");
	put_file(CPU "/present", "0-11\n");
	put_file(CPU "/offline", "\n");
	put_file(CPU "/smt/active", "1\n");
	for (unsigned cpu = 0; cpu < 12; cpu++) {
		char path[128], core[16];
		const char *l3 = cpu < 6 ? "0-5" : "6-11";
		(void)snprintf(core, sizeof(core), "%u-%u", cpu & ~1u, cpu | 1);
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/topology/core_cpus_list", cpu);
		put_file(path, core);
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/topology/package_cpus_list", cpu);
		put_file(path, "0-11\n");
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cpufreq/scaling_governor", cpu);
		put_file(path, "performance\n");
		put_cache(cpu, 0, "1", "Data", "32K", "8", core);
		put_cache(cpu, 1, "1", "Instruction", "32K", "8", core);
		put_cache(cpu, 2, "2", "Unified", "512K", "8", core);
		put_cache(cpu, 3, "3", "Unified", "16384K", "16", l3);
	}
}

static const char *const files[][2] = {
	{"/proc/cpuinfo",
	 "processor: 0\nflags\t\t: fpu amd_ppin sse\nbugs\t: x\n"},
	{"/proc/meminfo", "MemTotal:       32777216 kB\nMemFree: 1 kB\n"},
	{"/sys/devices/system/node/online", "0\n"},
	{"/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", "24\n"},
	{"/sys/devices/system/clocksource/clocksource0/current_clocksource",
	 "tsc\n"},
	{"/proc/1/comm", "systemd\n"},
	{"/proc/500/comm", "chronyd\n"},
	{"/proc/sys/kernel/osrelease", "6.12.57+deb13-amd64\n"},
	{"/proc/sys/kernel/version",
	 "#1 SMP PREEMPT_DYNAMIC Debian 6.12.57-1 (2025-11-05)\n"},
	{"/proc/sys/kernel/tainted", "0\n"},
	{"/proc/cmdline",
	 "BOOT_IMAGE=/vmlinuz root=UUID=1 ro dyndbg=\"file x +p\" "
	 "mkvbench.host=me\n"},
	{CPU "/vulnerabilities/spectre_v1", "Mitigation: usercopy/swapgs\n"},
	{CPU "/cpufreq/boost", "0\n"},
	{"/sys/kernel/mm/transparent_hugepage/enabled",
	 "always [madvise] never\n"},
	{"/sys/kernel/mm/ksm/run", "0\n"},
	{"/proc/sys/kernel/numa_balancing", "0\n"},
	{"/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"},
	{"/sys/block/nvme0n1/queue/scheduler", "[none] mq-deadline\n"},
	{"/sys/block/loop0/queue/scheduler", "none [mq-deadline]\n"},
	{"/proc/sys/vm/swappiness", "1\n"},
	{"/proc/sys/net/ipv4/tcp_rmem", "1\t2\t3\n"},
	{"/proc/self/mountinfo",
	 "22 1 259:2 / / rw,relatime - ext4 /dev/nvme0n1p2 rw\n"},
	{"/sys/dev/block/259:2",
	 "-> ../../devices/pci0/01.0/nvme/nvme0/nvme0n1/nvme0n1p2"},
	{"/sys/devices/pci0/01.0/nvme/nvme0/nvme0n1/nvme0n1p2/partition",
	 "2\n"},
	{"/sys/devices/pci0/01.0/driver", "-> ../../../bus/pci/drivers/nvme"},
	{"/sys/devices/pci0/1f.2/ata1/host0/0:0:0:0/block/sda/sda1/partition",
	 "1\n"},
	{"/sys/devices/pci0/1f.2/ata1/host0/0:0:0:0/driver",
	 "-> ../../../../../../bus/scsi/drivers/sd"},
	{"/sys/devices/pci0/1f.2/driver", "-> ../../../bus/pci/drivers/ahci"},
	{"/sys/class/net/vlan0/lower_eth1", "-> ../eth1"},
	{"/sys/class/net/eth1/device/driver",
	 "-> ../../../../bus/virtio/drivers/virtio_net"},
	{"/sys/class/net/vlan0/operstate", "up\n"},
	{"/sys/class/net/vlan0/address", "52:54:00:77:00:11\n"},
	{"/sys/class/net/vlan0/mtu", "1500\n"},
	{"/sys/class/net/br0/operstate", "up\n"},
	{"/sys/class/net/br0/bridge/stp_state", "0\n"},
	{"/proc/net/fib_trie", "Local:\n  +-- 10.77.0.0/24 2 0 2\n"
			       "     |-- 10.77.0.11\n        /32 host LOCAL\n"},
	{"/proc/net/route",
	 "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\n"
	 "vlan0\t00004D0A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"},
	{"/proc/net/vlan/config", "VLAN Dev name\t | VLAN ID\n"
				  "Name-Type: VLAN_NAME_TYPE_RAW\n"
				  "vlan0          | 100  | eth1\n"},
	{"/var/lib/dpkg/status",
	 "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 1:1.3\nDescription: x\n more\n\n"
	 "Package: gone\nStatus: deinstall ok config-files\n"
	 "Architecture: amd64\nVersion: 1\n\n"
	 "Package: chrony\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 4.6.1-3\n"},
	{"/usr/lib/systemd/system/chrony.service", "[Unit]\n"},
	{"/etc/systemd/system/multi-user.target.wants/chrony.service",
	 "-> /usr/lib/systemd/system/chrony.service"},
	{"/etc/systemd/system/apt-daily.timer", "-> /dev/null"},
};

/* The content of a file that a check needs to pass: all of it except white
 * space at its end (NULL), or this text. */
static const struct need_of {
	const char *check, *file, *text;
} needs[] = {
	{"cpu-model", "/proc/cpuinfo", "amd_ppin"},
	{"cpu-topology", CPU "/cpu3/topology/core_cpus_list", NULL},
	{"cpu-topology", CPU "/cpu5/topology/package_cpus_list", NULL},
	{"cpu-topology", CPU "/present", NULL},
	{"smt", CPU "/smt/active", NULL},
	{"cache-topology", CPU "/cpu4/cache/index3/level", NULL},
	{"cache-topology", CPU "/cpu4/cache/index3/type", NULL},
	{"cache-topology", CPU "/cpu4/cache/index3/size", NULL},
	{"cache-topology", CPU "/cpu4/cache/index3/ways_of_associativity",
	 NULL},
	{"cache-topology", CPU "/cpu4/cache/index0/coherency_line_size", NULL},
	{"cache-topology", CPU "/cpu4/cache/index3/shared_cpu_list", NULL},
	{"memory", "/proc/meminfo", "MemTotal:       32777216 kB"},
	{"memory", "/sys/devices/system/node/online", NULL},
	{"huge-pages",
	 "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages", NULL},
	{"clocksource",
	 "/sys/devices/system/clocksource/clocksource0/current_clocksource",
	 NULL},
	{"time-daemons", "/proc/500/comm", NULL},
	{"kernel", "/proc/sys/kernel/osrelease", NULL},
	{"kernel", "/proc/sys/kernel/version", "6.12.57-1"},
	{"kernel", "/proc/sys/kernel/tainted", NULL},
	{"command-line", "/proc/cmdline", "dyndbg=\"file x +p\""},
	{"mitigations", CPU "/vulnerabilities/spectre_v1", "Mitigation"},
	{"governor", CPU "/cpu7/cpufreq/scaling_governor", NULL},
	{"boost", CPU "/cpufreq/boost", NULL},
	{"transparent-hugepage", "/sys/kernel/mm/transparent_hugepage/enabled",
	 "[madvise]"},
	{"ksm", "/sys/kernel/mm/ksm/run", NULL},
	{"numa-balancing", "/proc/sys/kernel/numa_balancing", NULL},
	{"swap", "/proc/swaps", "Priority"},
	{"io-scheduler", "/sys/block/nvme0n1/queue/scheduler", "[none]"},
	{"sysctls", "/proc/sys/vm/swappiness", NULL},
	{"sysctls", "/proc/sys/net/ipv4/tcp_rmem", NULL},
	{"drivers", "/proc/self/mountinfo", "259:2 "},
	{"interfaces", "/sys/class/net/vlan0/operstate", NULL},
	{"interfaces", "/sys/class/net/vlan0/address", NULL},
	{"interfaces", "/sys/class/net/vlan0/mtu", NULL},
	{"interfaces", "/proc/net/fib_trie", "/32 host LOCAL"},
	{"interfaces", "/proc/net/route", "vlan0"},
	{"interfaces", "/proc/net/vlan/config", "vlan0          | 100"},
	{"packages", "/var/lib/dpkg/status", "Version: 4.6.1-3"},
	{"files", "/usr/lib/mkvbench/files.list", NULL},
};
enum { NEEDS = sizeof(needs) / sizeof(needs[0]) };

#define SERVICE "/usr/lib/systemd/system/chrony.service"
#define WANTS "/etc/systemd/system/multi-user.target.wants"

/* The time of the only file in the list. */
static void put_time(const char *name)
{
	const struct timespec times[2] = {{.tv_sec = 86400}, {.tv_sec = 86400}};
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	require(utimensat(AT_FDCWD, path, times, 0) == 0);
}

/* The list of files whose digest is promised: settings and units only. */
static struct mkv_sha256 put_list(void)
{
	static const char *const directories[] = {
		"/etc",
		"/etc/systemd",
		"/etc/systemd/system",
		"l/etc/systemd/system/apt-daily.timer /dev/null",
		WANTS,
		"l" WANTS "/chrony.service " SERVICE,
		"/usr",
		"/usr/lib",
		"/usr/lib/systemd",
		"/usr/lib/systemd/system"};
	struct mkv_buf list = {0};
	struct mkv_sha256 sha;
	struct mkv_error err;
	char hex[MKV_SHA256_HEX_SIZE];
	unsigned uid = geteuid(), gid = getegid();
	mkv_buf_printf(&list, "d 0700 %u %u - 0 - /\n", uid, gid);
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]);
	     i++) {
		bool is_link = directories[i][0] == 'l';
		mkv_buf_printf(&list, "%s %u %u - 0 - %s\n",
			       is_link ? "l 0777" : "d 0755", uid, gid,
			       directories[i] + is_link);
	}
	require(mkv_sha256_bytes("[Unit]\n", 7, &sha, &err) == 0);
	mkv_sha256_hex(&sha, hex);
	mkv_buf_printf(&list, "f 0644 %u %u 7 86400 %s " SERVICE "\n", uid, gid,
		       hex);
	put_file("/usr/lib/mkvbench/files.list", list.data);
	put_time(SERVICE);
	require(mkv_sha256_bytes(list.data, list.size, &sha, &err) == 0);
	mkv_buf_done(&list);
	return sha;
}

static void make_machine(void)
{
	struct mkv_error err = {0};
	struct mkv_buf text = {0}, json = {0};
	struct mkv_sha256 sha;
	char hex[MKV_SHA256_HEX_SIZE];
	require(mkdtemp(root));
	put_cpus();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put_file(files[i][0], files[i][1]);
	sha = put_list();
	mkv_sha256_hex(&sha, hex);
	mkv_buf_printf(&json, contract_format, hex);
	require(mkv_contract_parse(json.data, json.size, &contract, &err) == 0);
	require(mkv_read_file(AT_FDCWD,
			      "tests/golden/cpuid/ryzen-5-pro-3600.txt",
			      1 << 20, &text, &err) == 0);
	require(mkv_cpuid_parse(text.data, text.size, &cpuid, &err) == 0);
	mkv_buf_done(&text);
	mkv_buf_done(&json);
}

static int remove_machine(void)
{
	struct mkv_error err;
	mkv_contract_free(contract);
	mkv_cpuid_free(cpuid);
	return mkv_remove_tree(AT_FDCWD, root, &err);
}

static struct mkv_env make_env(void)
{
	return (struct mkv_env){
		.root = root,
		.contract = contract,
		.host = mkv_contract_find_host(contract, "me"),
		.image = mkv_contract_find_image(contract, "dut"),
		.cpuid = cpuid,
		.chrony_socket = "/nonexistent",
		.docker_socket = "/nonexistent",
		.phase = MKV_PHASE_AFTER_START,
	};
}
