/* SPDX-License-Identifier: MIT */
/* Every check against a made-up machine that keeps the contract, and against
 * the same machine with one thing changed: the negative controls. The machine
 * is a folder that stands for "/" and a recording of a Ryzen 5 PRO 3600. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/io.h"
#include "verify/check.h"

#define LIST "d 0755 0 0 - 0 - /\n"

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

/* NULL text takes the file away; "-> TARGET" makes a link. */
static void put(const char *name, const char *text)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	make_parents(path);
	(void)unlink(path);
	if (!text)
		return;
	if (strncmp(text, "-> ", 3) == 0) {
		assert_int_equal(symlink(text + 3, path), 0);
		return;
	}
	auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static char *take(const char *name)
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
		put(path, files[i][1]);
	}
}

static void put_cpus(void)
{
	put(CPU "/online", "0-11\n");
	put(CPU "/offline", "\n");
	put(CPU "/smt/active", "1\n");
	for (unsigned cpu = 0; cpu < 12; cpu++) {
		char path[128], core[16];
		const char *l3 = cpu < 6 ? "0-5" : "6-11";
		(void)snprintf(core, sizeof(core), "%u-%u", cpu & ~1u, cpu | 1);
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/topology/core_cpus_list", cpu);
		put(path, core);
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/topology/package_cpus_list", cpu);
		put(path, "0-11\n");
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cpufreq/scaling_governor", cpu);
		put(path, "performance\n");
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
	{"/usr/lib/mkvbench/files.list", LIST},
	{"/usr/lib/systemd/system/chrony.service", "[Unit]\n"},
	{"/etc/systemd/system/multi-user.target.wants/chrony.service",
	 "-> /usr/lib/systemd/system/chrony.service"},
	{"/etc/systemd/system/apt-daily.timer", "-> /dev/null"},
};

static int make_machine(void **state)
{
	struct mkv_error err = {0};
	struct mkv_buf text = {0}, json = {0};
	struct mkv_sha256 sha;
	char hex[MKV_SHA256_HEX_SIZE];
	(void)state;
	assert_non_null(mkdtemp(root));
	put_cpus();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		put(files[i][0], files[i][1]);
	assert_int_equal(mkv_sha256_bytes(LIST, strlen(LIST), &sha, &err), 0);
	mkv_sha256_hex(&sha, hex);
	mkv_buf_printf(&json, contract_format, hex);
	if (mkv_contract_parse(json.data, json.size, &contract, &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(
		mkv_read_file(AT_FDCWD,
			      "tests/golden/cpuid/ryzen-5-pro-3600.txt",
			      1 << 20, &text, &err),
		0);
	assert_int_equal(mkv_cpuid_parse(text.data, text.size, &cpuid, &err),
			 0);
	mkv_buf_done(&text);
	mkv_buf_done(&json);
	return 0;
}

static int remove_machine(void **state)
{
	struct mkv_error err;
	(void)state;
	mkv_contract_free(contract);
	mkv_cpuid_free(cpuid);
	return mkv_remove_tree(AT_FDCWD, root, &err);
}

static struct mkv_env environment(void)
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

/* Asks one check; fails the test unless the result is the expected one and one
 * finding of that result holds the text. */
static void ask(const struct mkv_env *env, const char *name,
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

static void without_cpufreq_nobody_knows_who_governs(void **state)
{
	struct mkv_env env = environment();
	struct mkv_contract_image image = *env.image;
	struct mkv_contract_pair pair = {"governor", "none"};
	char path[96];
	(void)state;
	for (unsigned cpu = 0; cpu < 12; cpu++) {
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cpufreq/scaling_governor", cpu);
		put(path, NULL);
	}
	ask(&env, "governor", MKV_NOT_ESTABLISHED, "performance / -");
	image.settings = (struct mkv_contract_pairs){&pair, 1};
	env.image = &image;
	ask(&env, "governor", MKV_PASS, "none / none");
	for (unsigned cpu = 0; cpu < 12; cpu++) {
		(void)snprintf(path, sizeof(path),
			       CPU "/cpu%u/cpufreq/scaling_governor", cpu);
		put(path, "performance\n");
	}
	ask(&env, "governor", MKV_FAIL, "none / performance");
}

/* A unit that a package enabled and the image masks doesn't run. */
static void a_masked_unit_may_be_linked(void **state)
{
	static const char link[] =
		"/etc/systemd/system/timers.target.wants/apt-daily.timer";
	struct mkv_env env = environment();
	(void)state;
	put(link, "-> /usr/lib/systemd/system/apt-daily.timer");
	ask(&env, "units", MKV_PASS, NULL);
	put(link, NULL);
}

static void the_machine_keeps_the_contract(void **state)
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
	struct mkv_env env = environment();
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ask(&env, names[i], MKV_PASS, NULL);
}

/* One file changed, one check that must say so. */
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
	{"cpu-topology", CPU "/offline", "12-15\n", MKV_FAIL,
	 "offline CPUs: none / 12-15"},
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
	 "unknown word: not there / isolcpus=2-5"},
	{"command-line", "/proc/cmdline",
	 "root=UUID=1 ro ro dyndbg=\"file x +p\"\n", MKV_FAIL,
	 "unknown word: not there / ro"},
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
	{"swap", "/proc/swaps", "Filename\n/dev/sda5 partition 1 0 -2\n",
	 MKV_FAIL, "/dev/sda5"},
	{"io-scheduler", "/sys/block/nvme0n1/queue/scheduler",
	 "none [mq-deadline]\n", MKV_FAIL, "nvme0n1: none / mq-deadline"},
	{"sysctls", "/proc/sys/vm/swappiness", "60\n", MKV_FAIL,
	 "vm.swappiness: 1 / 60"},
	{"sysctls", "/proc/sys/vm/swappiness", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"drivers", "/sys/class/net/vlan0/device/driver",
	 "-> ../../drivers/e1000", MKV_FAIL, "virtio_net / e1000"},
	{"drivers", "/sys/class/net/eth1/device/driver",
	 "-> ../../drivers/igb", MKV_FAIL, "virtio_net / igb"},
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
	 MKV_FAIL, "way to the VLAN's subnet: vlan0 / eth0"},
	{"interfaces", "/proc/net/vlan/config", "vlan0 | 101 | eth1\n",
	 MKV_FAIL, "tag: 100 / 101"},
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 4.6.1-4\n",
	 MKV_FAIL, "chrony: 4.6.1-3 / 4.6.1-4"},
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok unpacked\nArchitecture: amd64\n"
	 "Version: 4.6.1-3\n",
	 MKV_FAIL, "half installed"},
	{"packages", "/var/lib/dpkg/status",
	 "Package: chrony\nStatus: install ok installed\nArchitecture: amd64\n"
	 "Version: 4.6.1-3\n\nPackage: zlib1g\nStatus: install ok installed\n"
	 "Architecture: amd64\nVersion: 1:1.3\n\nPackage: ntpsec\n"
	 "Status: install ok installed\nArchitecture: amd64\nVersion: 1\n",
	 MKV_FAIL, "ntpsec: not installed / 1"},
	{"packages", "/var/lib/dpkg/status", NULL, MKV_NOT_ESTABLISHED, NULL},
	{"files", "/usr/lib/mkvbench/files.list", LIST "x", MKV_FAIL,
	 "list of files"},
	{"files", "/usr/lib/mkvbench/files.list", NULL, MKV_NOT_ESTABLISHED,
	 NULL},
	{"units", "/etc/systemd/system/multi-user.target.wants/chrony.service",
	 NULL, MKV_FAIL, "chrony.service: enabled / disabled"},
	{"units", "/etc/systemd/system/apt-daily.timer", NULL, MKV_FAIL,
	 "apt-daily.timer: masked / not there"},
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
	struct mkv_env env = environment();
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		auto_free char *before = take(changes[i].file);
		put(changes[i].file, changes[i].text);
		ask(&env, changes[i].check, changes[i].result, changes[i].says);
		put(changes[i].file, before);
	}
	the_machine_keeps_the_contract(state);
}

/* The same machine's files, another machine's registers. */
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
		{"intel-hybrid.txt", "cpu-topology", "not the same everywhere",
		 MKV_FAIL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mkv_env env = environment();
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
		ask(&env, cases[i].check, cases[i].result, cases[i].says);
	}
}

static void no_registers_is_not_established(void **state)
{
	(void)state;
	struct mkv_env env = environment();
	env.cpuid = NULL;
	ask(&env, "cpu-model", MKV_NOT_ESTABLISHED, NULL);
	ask(&env, "hypervisor", MKV_NOT_ESTABLISHED, NULL);
	ask(&env, "cpu-topology", MKV_NOT_ESTABLISHED, NULL);
	ask(&env, "cache-topology", MKV_NOT_ESTABLISHED, NULL);
}

/* One CPU that differs is one too many. */
static void one_odd_cpu_is_found(void **state)
{
	(void)state;
	struct mkv_env env = environment();
	struct mkv_cpuid_cpu *cpu = &cpuid->cpus[7];
	for (size_t i = 0; i < cpu->count; i++) {
		uint32_t before = cpu->leaves[i].regs.eax;
		if (cpu->leaves[i].leaf != 1)
			continue;
		cpu->leaves[i].regs.eax ^= 1;
		ask(&env, "cpu-model", MKV_FAIL, "but CPU 7 shows '1'");
		cpu->leaves[i].regs.eax = before;
	}
}

/* Where nothing can be read nothing passes. */
static void an_empty_machine_passes_nothing(void **state)
{
	(void)state;
	struct mkv_env env = environment();
	env.root = "/nonexistent";
	env.cpuid = NULL;
	for (const struct mkv_check *c = mkv_checks; c->name; c++) {
		auto_answer struct mkv_answer answer = {0};
		if (strcmp(c->name, "contract") == 0)
			continue;
		env.phase = MKV_PHASE_BOOT;
		c->run(&env, &answer);
		if (mkv_answer_result(&answer) == MKV_PASS)
			fail_msg("%s passes on nothing", c->name);
	}
}

static void every_file_is_compared(void **state)
{
	(void)state;
	struct mkv_env env = environment();
	struct mkv_contract_image image = *env.image;
	struct mkv_sha256 sha;
	struct mkv_error err;
	struct stat st;
	char list[512], hex[MKV_SHA256_HEX_SIZE], path[256];
	env.image = &image;
	env.every_file = true;
	put("/etc/motd", "hello\n");
	(void)snprintf(path, sizeof(path), "%s/etc/motd", root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(mkv_sha256_bytes("hello\n", 6, &sha, &err), 0);
	mkv_sha256_hex(&sha, hex);
	(void)snprintf(list, sizeof(list),
		       "d 0700 %u %u - 0 - /\nd 0755 %u %u - 0 - /etc\n"
		       "f 0644 %u %u 6 0 %s /etc/motd\n",
		       st.st_uid, st.st_gid, st.st_uid, st.st_gid, st.st_uid,
		       st.st_gid, hex);
	put("/usr/lib/mkvbench/files.list", list);
	assert_int_equal(
		mkv_sha256_bytes(list, strlen(list), &image.files.sha256, &err),
		0);
	ask(&env, "files", MKV_PASS, "3 compared, 0 differ");
	put("/etc/motd", "hellO\n");
	ask(&env, "files", MKV_FAIL, "fail /etc/motd");
	put("/etc/motd", "hello\n");
	assert_int_equal(chmod(path, 0600), 0);
	ask(&env, "files", MKV_FAIL, "f 0644");
	put("/etc/motd", NULL);
	ask(&env, "files", MKV_FAIL, "there / not there");
	put("/etc/motd", "-> /etc/passwd");
	ask(&env, "files", MKV_FAIL, "fail /etc/motd");
	put("/etc/motd", NULL);
	put("/usr/lib/mkvbench/files.list", LIST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_machine_keeps_the_contract),
		cmocka_unit_test(without_cpufreq_nobody_knows_who_governs),
		cmocka_unit_test(a_masked_unit_may_be_linked),
		cmocka_unit_test(each_change_is_found),
		cmocka_unit_test(other_registers_are_found),
		cmocka_unit_test(no_registers_is_not_established),
		cmocka_unit_test(one_odd_cpu_is_found),
		cmocka_unit_test(an_empty_machine_passes_nothing),
		cmocka_unit_test(every_file_is_compared),
	};
	return cmocka_run_group_tests(tests, make_machine, remove_machine);
}
