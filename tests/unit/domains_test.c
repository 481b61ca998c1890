/* SPDX-License-Identifier: MIT */
/* The checks of a hypervisor's guests with a domain as libvirt stores it, and
 * with one change of it at a time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "lib/io.h"
#include "verify/check/guest.h"
#include "verify/probe/proc.h"

#define UUID "8752ac13-2a93-5399-8a8f-2494ff542c48"

static const char contract_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"kvm\","
	"\"verify\":{\"mode\":\"gate\"},\"vlan\":{\"id\":100,\"mtu\":1500,"
	"\"subnet\":\"10.77.0.0/24\",\"nic\":2},"
	"\"hosts\":{\"machine\":{\"image\":\"hv\",\"role\":\"hypervisor\","
	"\"guests\":[\"order\"]},"
	"\"order\":{\"image\":\"dut\",\"role\":\"order\",\"mac\":"
	"\"52:54:00:77:00:11\",\"hypervisor\":{\"domain\":\"t-order\","
	"\"uuid\":\"" UUID "\",\"firmware\":\"bios\","
	"\"cpu\":{\"mode\":\"custom\",\"model\":\"Skylake-Server\","
	"\"features\":[\"+pku\",\"-pcid\"],\"sockets\":1,\"dies\":1,\"cores\":2,"
	"\"threads\":1,\"caches\":\"emulate\",\"pins\":[0,1],\"others\":[1]},"
	"\"memory\":{\"bytes\":67108864,\"huge_page_bytes\":2097152},"
	"\"disk\":{\"file\":\"/d\",\"bus\":\"virtio\",\"cache\":\"none\",\"io\":"
	"\"native\",\"iothreads\":1,\"size\":33554432},"
	"\"nic\":{\"model\":\"virtio\",\"queues\":2,\"network\":\"mkvbench-t\","
	"\"bridge\":\"br-vlan\"},\"timers\":[]}}},"
	"\"images\":{\"hv\":{\"platform\":\"hypervisor\"},"
	"\"dut\":{\"platform\":\"guest\",\"cpu\":{\"hypervisor_signature\":"
	"\"TCGTCGTCGTCG\"}}}}";

static char root[] = "/tmp/mkvbench-domains-XXXXXX";
static struct mkv_contract *contract;
static struct mkv_buf live;

static void write_bytes(const char *name, const void *data, size_t size)
{
	char path[4096];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	path[strlen(path)] = '/';
	(void)unlink(path);
	if (data)
		assert_int_equal(mkv_write_file(path, 0644, data, size, &err),
				 0);
}

static void put_thread(unsigned id, const char *name, const char *cpus)
{
	char path[96], text[96];
	(void)snprintf(path, sizeof(path), "/proc/115/task/%u/comm", id);
	write_bytes(path, name, strlen(name));
	(void)snprintf(path, sizeof(path), "/proc/115/task/%u/status", id);
	(void)snprintf(text, sizeof(text),
		       "Name:\tx\nCpus_allowed:\t3\nCpus_allowed_list:\t%s\n"
		       "Mems_allowed:\t1\n",
		       cpus);
	write_bytes(path, text, strlen(text));
}

#define NET "/sys/class/net"
#define POOL "/sys/kernel/mm/hugepages/hugepages-2048kB"
static const char arguments[] =
	"/usr/bin/qemu-system-x86_64\0-name\0guest=t-order\0-uuid\0" UUID;
static const char status[] =
	"VmSwap:\t       0 kB\nHugetlbPages:\t   65536 kB\n";

static const struct {
	const char *path, *text;
} files[] = {
	{"/proc/1/comm", "systemd\n"},
	{"/proc/115/comm", "qemu-system-x86\n"},
	{"/proc/115/status", status},
	{"/proc/115/ksm_stat", "ksm_rmap_items 0\nksm_merging_pages 0\n"},
	{"/proc/115/stat",
	 "115 (qemu) x) S 1 1 1 0 -1 1 7 0 0 0 14 45 0 0 20 0 8 0 1388992 1\n"},
	{"/proc/stat", "cpu  1\nbtime 1763856000\n"},
	{POOL "/nr_hugepages", "40\n"},
	{POOL "/free_hugepages", "8\n"},
	{NET "/br-vlan/bridge/stp_state", "0\n"},
	{NET "/br-vlan/brif/vnet0/state", "3\n"},
	{NET "/vnet0/ifindex", "9\n"},
};
#define DOMAIN "/run/libvirt/qemu/t-order.xml"

static void make_machine(void)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		write_bytes(files[i].path, files[i].text,
			    strlen(files[i].text));
	write_bytes("/proc/115/cmdline", arguments, sizeof(arguments));
	write_bytes(DOMAIN, live.data, live.size);
	write_bytes("/run/libvirt/qemu/t-order.pid", "115", 3);
	put_thread(115, "qemu-system-x86", "1");
	put_thread(119, "IO iothread1", "1");
	put_thread(121, "CPU 0/TCG", "0");
	put_thread(122, "CPU 1/TCG", "1");
	put_thread(123, "worker", "1");
}

static int setup(void **state)
{
	struct mkv_error err = {0};
	(void)state;
	assert_non_null(mkdtemp(root));
	if (mkv_contract_parse(contract_text, strlen(contract_text), &contract,
			       &err) < 0)
		fail_msg("%s", err.message);
	assert_int_equal(mkv_read_file(AT_FDCWD,
				       "tests/golden/libvirt-live/t-order.xml",
				       1 << 20, &live, &err),
			 0);
	return 0;
}

static int teardown(void **state)
{
	struct mkv_error err;
	(void)state;
	mkv_contract_free(contract);
	mkv_buf_done(&live);
	return mkv_remove_tree(AT_FDCWD, root, &err);
}

static struct mkv_env make_env(void)
{
	return (struct mkv_env){
		.root = root,
		.contract = contract,
		.host = mkv_contract_find_host(contract, "machine"),
		.image = mkv_contract_find_image(contract, "hv"),
		.phase = MKV_PHASE_AFTER_START,
	};
}

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

static const char *const checks[] = {
	"guests", "guest-cpu", "guest-pinning", "guest-memory", "guest-devices",
};
enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };

static void a_promised_guest_passes(void **state)
{
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	for (size_t i = 0; i < CHECKS; i++)
		expect_result(&env, checks[i], MKV_PASS, "order: ");
}

/* Returns the live definition with one text replaced. */
static void put_changed(const char *from, const char *to)
{
	auto_buf struct mkv_buf changed = {0};
	const char *at = strstr(live.data, from);
	assert_non_null(at);
	mkv_buf_add(&changed, live.data, (size_t)(at - live.data));
	mkv_buf_str(&changed, to);
	mkv_buf_str(&changed, at + strlen(from));
	write_bytes(DOMAIN, changed.data, changed.size);
}

/* A changed text of the live definition. */
static void each_change_of_the_definition_is_found(void **state)
{
	static const struct {
		const char *check, *from, *to, *text;
	} rows[] = {
		{"guests", "<name>t-order<", "<name>other<",
		 "order: domain: t-order / other"},
		{"guests", "<domain type='qemu'", "<domain type='kvm'",
		 "order: type: qemu / kvm"},
		{"guests", "state='running'", "state='paused'",
		 "order: state: running / paused"},
		{"guests", "pid='115'", "pid='1'",
		 "order: process: QEMU with its UUID / another process"},
		{"guest-cpu", "<cpu mode='custom' match='exact' check='full'",
		 "<cpu mode='host-passthrough' match='exact' check='full'",
		 "order: mode: custom / host-passthrough"},
		{"guest-cpu",
		 "check='full'>\n      <model fallback='forbid'>Skylake-Server",
		 "check='full'>\n      <model fallback='forbid'>Haswell",
		 "order: model: Skylake-Server / Haswell"},
		{"guest-cpu",
		 "<topology sockets='1' dies='1' cores='2' threads='1'/>\n"
		 "      <c",
		 "<topology sockets='1' dies='1' cores='1' threads='2'/>\n"
		 "      <c",
		 "order: cores: 2 / 1"},
		{"guest-cpu", "policy='require' name='pku'",
		 "policy='disable' name='pku'",
		 "order: feature pku: require / disable"},
		{"guest-cpu", "policy='disable' name='pcid'",
		 "policy='optional' name='pcid'",
		 "order: feature pcid: disable / optional"},
		{"guest-cpu", "policy='require' name='pku'",
		 "policy='require' name='x'",
		 "order: feature pku: require / not set"},
		{"guest-cpu", "<vcpu placement='static'>2<",
		 "<vcpu placement='static' current='1'>2<",
		 "order: CPUs: 2 / 1"},
		{"guest-cpu",
		 "<cache level='3' mode='emulate'/>\n      <feature",
		 "<feature", "order: caches: emulate / not set"},
		{"guest-pinning", "<vcpu id='0' pid='121'/>",
		 "<vcpu id='0' pid='122'/>",
		 "order: CPU 0: CPU 0/ / CPU 1/TCG"},
		{"guest-memory", "<memory unit='KiB'>65536",
		 "<memory unit='KiB'>65000", "order: KiB: 65536 / 65000"},
		{"guest-memory", "<currentMemory unit='KiB'>65536",
		 "<currentMemory unit='KiB'>1024", "order: KiB now: 65536"},
		{"guest-memory", "<page size='2048'", "<page size='1048576'",
		 "order: KiB of a huge page: 2048 / 1048576"},
		{"guest-memory",
		 "<hugepages>\n        <page size='2048' unit='KiB'/>\n"
		 "      </hugepages>",
		 "", "order: KiB of a huge page: 2048 / 0"},
		{"guest-memory", "<nosharepages/>", "",
		 "order: merging: nosharepages / not forbidden"},
		{"guest-memory", "<allocation mode='immediate'/>", "",
		 "order: allocation: immediate / not set"},
		{"guest-devices", "cache='none'", "cache='writeback'",
		 "order: disk's cache: none / writeback"},
		{"guest-devices", "io='native'", "io='threads'",
		 "order: disk's I/O: native / threads"},
		{"guest-devices", "io='native' iothread='1'", "io='native'",
		 "order: disk's I/O thread: 1 / none"},
		{"guest-devices", "<target dev='vda' bus='virtio'/>",
		 "<target dev='sda' bus='sata'/>",
		 "order: disk's bus: virtio / sata"},
		{"guest-devices", "type='raw'", "type='qcow2'",
		 "order: disk's format: raw / qcow2"},
		{"guest-devices", "<controller type='usb'",
		 "<disk type='file'/><controller type='usb'",
		 "order: disks: 1 / 2"},
		{"guest-devices", "queues='2'", "queues='4'",
		 "order: card's queues: 2 / 4"},
		{"guest-devices", "<source bridge='br-vlan'/>",
		 "<source bridge='virbr0'/>",
		 "order: card's bridge: br-vlan / virbr0"},
		{"guest-devices", "<target dev='vnet0'/>",
		 "<target dev='vnet9'/>",
		 "order: card's port: vnet9 forwards on br-vlan / no such interface"},
		{"guest-devices", "<model type='virtio'/>",
		 "<model type='e1000e'/>",
		 "order: card's model: virtio / e1000e"},
		{"guest-devices", "<mac address='52:54:00:77:00:11'/>",
		 "<mac address='52:54:00:77:00:12'/>", "order: card's address"},
		{"guest-devices", "<memballoon model='none'/>",
		 "<memballoon model='virtio'/>",
		 "order: balloon: none / virtio"},
		{"guest-devices", "<memballoon model='none'/>", "",
		 "order: balloon: none / virtio"},
		{"guest-devices", "<memballoon", "<hostdev/><memballoon",
		 "order: devices passed through: 0 / 1"},
		{"guest-devices", "name='hpet' present='no'",
		 "name='hpet' present='yes'", "order: timer hpet: no / yes"},
		{"guest-devices", "<smbios mode='sysinfo'/>", "<loader/>",
		 "order: firmware: bios / uefi"},
	};
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put_changed(rows[i].from, rows[i].to);
		expect_result(&env, rows[i].check, MKV_FAIL, rows[i].text);
	}
	write_bytes(DOMAIN, live.data, live.size);
}

/* A changed or removed file of the machine. */
static void each_change_of_the_machine_is_found(void **state)
{
	static const struct {
		const char *check, *path, *text;
		enum mkv_result result;
		const char *said;
	} rows[] = {
		{"guests", "/proc/200/comm", "qemu-system-x86\n", MKV_FAIL,
		 "other virtual machines: none / qemu-system-x86 (process 200"},
		{"guests", "/run/libvirt/qemu/b.xml",
		 "<domstatus pid=", MKV_NOT_ESTABLISHED, "domains: readable"},
		{"guests", "/run/libvirt/qemu/b.xml",
		 "<domstatus pid='9'><domain><name>b</name></domain>"
		 "</domstatus>",
		 MKV_FAIL, "another domain: none / b"},
		{"guests", "/proc/115/cmdline", "qemu\n", MKV_FAIL,
		 "order: process: QEMU with its UUID / another process"},
		{"guest-pinning", "/proc/115/cmdline", "qemu\n",
		 MKV_NOT_ESTABLISHED, "threads: readable"},
		{"guest-pinning", "/proc/115/task/121/status",
		 "N:\nCpus_allowed_list:\t0-1\n", MKV_FAIL,
		 "order: CPU 0: 0 / 0-1"},
		{"guest-pinning", "/proc/115/task/121/status", NULL,
		 MKV_NOT_ESTABLISHED, "order: CPU 0: 0 / -"},
		{"guest-pinning", "/proc/115/task/119/status",
		 "N:\nCpus_allowed_list:\t0-1\n", MKV_FAIL,
		 "order: IO iothread1: 1 / 0-1"},
		{"guest-pinning", "/proc/115/task/123/status",
		 "N:\nCpus_allowed_list:\t0\n", MKV_FAIL,
		 "order: other threads: 1 / 2 of 3 threads within"},
		{"guest-memory", "/proc/115/status",
		 "HugetlbPages:\t 1024 kB\nVmSwap:\t 0 kB\n", MKV_FAIL,
		 "order: in huge pages: at least 65536 KiB / 1024 KiB"},
		{"guest-memory", "/proc/115/status",
		 "HugetlbPages:\t 65536 kB\nVmSwap:\t 4 kB\n", MKV_FAIL,
		 "order: bytes swapped: 0 / 4096"},
		{"guest-memory", "/proc/115/status", NULL, MKV_NOT_ESTABLISHED,
		 NULL},
		{"guest-memory", POOL "/free_hugepages", "9\n", MKV_FAIL,
		 "order: huge pages in use: at least 65536 KiB / 63488 KiB"},
		{"guest-memory", POOL "/free_hugepages", "41\n",
		 MKV_NOT_ESTABLISHED, "huge pages in use"},
		{"guest-memory", "/proc/115/ksm_stat", "ksm_merging_pages 7\n",
		 MKV_FAIL, "order: merged pages: 0 / some"},
		{"guest-memory", "/proc/115/ksm_stat", NULL, MKV_PASS, NULL},
		{"guest-devices", NET "/br-vlan/brif/vnet0/state", NULL,
		 MKV_FAIL,
		 "order: card's port: vnet0 forwards on br-vlan / not on a bridge"},
		{"guest-devices", NET "/br-vlan/brif/vnet0/state", "0\n",
		 MKV_FAIL, "/ a disabled port"},
		{"guest-devices", NET "/br-vlan/brif/vnet0/state", "x\n",
		 MKV_NOT_ESTABLISHED, "order: card's port"},
		{"guest-cpu", DOMAIN, NULL, MKV_NOT_ESTABLISHED,
		 "order: domain: t-order / not running"},
		{"guest-cpu", DOMAIN, "<domain/>", MKV_NOT_ESTABLISHED,
		 "order: domain: t-order / -"},
	};
	struct mkv_env env = make_env();
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_machine();
		write_bytes(rows[i].path, rows[i].text,
			    rows[i].text ? strlen(rows[i].text) : 0);
		expect_result(&env, rows[i].check, rows[i].result,
			      rows[i].said);
		write_bytes(rows[i].path, NULL, 0);
	}
	make_machine();
}

/* Before Linux 6.4 a vhost thread is a kernel thread, not a thread of QEMU. */
static void threads_of_the_kernel_are_found(void **state)
{
	static const char comm[] = "/proc/301/comm";
	static const char tasks[] = "/proc/301/task/301/";
	char path[96];
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	write_bytes(comm, "vhost-115\n", 10);
	(void)snprintf(path, sizeof(path), "%scomm", tasks);
	write_bytes(path, "vhost-115\n", 10);
	(void)snprintf(path, sizeof(path), "%sstatus", tasks);
	write_bytes(path, "N:\nCpus_allowed_list:\t1\n", 24);
	expect_result(&env, "guest-pinning", MKV_PASS, "4 of 4 threads within");
	write_bytes(path, "N:\nCpus_allowed_list:\t0-1\n", 26);
	expect_result(&env, "guest-pinning", MKV_FAIL,
		      "order: vhost-115: 1 / 0-1");
	/* A vhost thread of another machine. */
	write_bytes(comm, "vhost-1150\n", 11);
	expect_result(&env, "guest-pinning", MKV_PASS, "3 of 3 threads within");
	write_bytes(comm, NULL, 0);
}

static void a_machine_without_running_guests_passes(void **state)
{
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	write_bytes(DOMAIN, NULL, 0);
	write_bytes("/proc/115/comm", NULL, 0);
	env.unattended = true;
	expect_result(&env, "guest-cpu", MKV_NOT_PROMISED, "not running");
	expect_result(&env, "guests", MKV_PASS,
		      "other virtual machines: none / none");
	/* A machine without vhost does not need it. */
	env.host = mkv_contract_find_host(contract, "order");
	env.image = mkv_contract_find_image(contract, "dut");
	for (size_t i = 0; i < CHECKS; i++)
		expect_result(&env, checks[i], MKV_NOT_PROMISED, NULL);
}

/* A check while a guest starts or stops has no failure. */
static void guests_that_start_or_stop_are_no_failure(void **state)
{
	static const char *const states[] = {
		"state='paused' reason='starting up'",
		"state='shutdown' reason='user'",
		"state='shutoff' reason='destroyed'",
	};
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	env.unattended = true;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		put_changed("state='running' reason='booted'", states[i]);
		for (size_t c = 0; c < CHECKS; c++)
			expect_result(&env, checks[c],
				      c ? MKV_NOT_PROMISED : MKV_PASS,
				      "not running");
	}
	put_changed("state='running' reason='booted'",
		    "state='paused' reason='user'");
	expect_result(&env, "guests", MKV_FAIL,
		      "order: state: running / paused");
	/* Started, but not yet recorded by libvirt: found by its UUID. */
	write_bytes(DOMAIN, NULL, 0);
	expect_result(&env, "guests", MKV_PASS,
		      "other virtual machines: none / none");
	write_bytes("/proc/115/cmdline", "qemu\0-uuid\0 1", 14);
	expect_result(&env, "guests", MKV_FAIL,
		      "other virtual machines: none / qemu");
	/* Stopped, but still recorded. */
	make_machine();
	put_changed("pid='115'", "pid='116'");
	write_bytes("/proc/115/comm", NULL, 0);
	expect_result(&env, "guests", MKV_NOT_ESTABLISHED, "order: process");
	make_machine();
}

static void a_guest_is_the_promised_domain(void **state)
{
	static const char file[] = "/sys/class/dmi/id/product_uuid";
	static const char upper[] = "8752AC13-2A93-5399-8A8F-2494FF542C48\n";
	struct mkv_env env = make_env();
	(void)state;
	env.host = mkv_contract_find_host(contract, "order");
	env.image = mkv_contract_find_image(contract, "dut");
	/* Without registers no other finding is established. */
	write_bytes(file, upper, sizeof(upper) - 1);
	expect_result(&env, "hypervisor", MKV_NOT_ESTABLISHED,
		      "pass domain's UUID: " UUID " / " UUID);
	write_bytes(file, "1752ac13-2a93-5399-8a8f-2494ff542c48\n", 37);
	expect_result(&env, "hypervisor", MKV_FAIL,
		      "fail domain's UUID: " UUID " / 1752");
	write_bytes(file, NULL, 0);
	expect_result(&env, "hypervisor", MKV_NOT_ESTABLISHED,
		      "domain's UUID: " UUID " / -");
}

static void libvirt_asks_qemu_without_being_a_guest(void **state)
{
	static const char probe[] =
		"qemu\0-S\0-machine\0none,accel=kvm:tcg\0-daemonize";
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	write_bytes("/proc/300/comm", "qemu-system-x86\n", 16);
	write_bytes("/proc/300/cmdline", probe, sizeof(probe));
	expect_result(&env, "guests", MKV_PASS, NULL);
	write_bytes("/proc/300/cmdline", "qemu\0-machine\0q35", 17);
	expect_result(&env, "guests", MKV_FAIL, "process 300");
	write_bytes("/proc/300/comm", NULL, 0);
	write_bytes("/proc/300/cmdline", NULL, 0);
}

static void the_start_time_of_a_process_is_read(void **state)
{
	struct mkv_env env = make_env();
	(void)state;
	make_machine();
	assert_int_equal(mkv_proc_started_s(&env, 115),
			 1763856000 + 1388992 / sysconf(_SC_CLK_TCK));
	assert_int_equal(mkv_proc_started_s(&env, 1), -1);
}

static void xml_is_read_as_it_is_written(void **state)
{
	static const struct {
		const char *text, *path, *attribute, *value;
	} rows[] = {
		{"<a/>", "", NULL, ""},
		{"<?xml version='1.0'?>\n<!-- x --><a b = \"c\" />\n", "", "b",
		 "c"},
		{"<a><b>  t <!-- -- -->u</b></a>", "b", NULL, "t"},
		{"<a>x</a>", "", NULL, "x"},
		{"<a>&lt;&amp;&#65;&#x20AC;&quot;</a>", "", NULL,
		 "<&A\xe2\x82\xac\""},
		{"<a b='&apos;&gt;'><c/></a>", "", "b", "'>"},
		{"<a><b><c d='1'/></b><b><c d='2'/></b></a>", "b/c", "d", "1"},
		{"<x:a xmlns:x='u'><x:b/></x:a>", "x:b", NULL, ""},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_xml struct mkv_xml *xml = NULL;
		struct mkv_error err = {0};
		if (mkv_xml_parse(rows[i].text, strlen(rows[i].text), &xml,
				  &err) < 0)
			fail_msg("%s: %s", rows[i].text, err.message);
		const struct mkv_xml_node *node = mkv_xml_root(xml);
		const char *seen =
			rows[i].attribute
				? mkv_xml_attribute(node, rows[i].path,
						    rows[i].attribute)
				: mkv_xml_text(node, rows[i].path);
		assert_non_null(seen);
		assert_string_equal(seen, rows[i].value);
	}
}

static void malformed_xml_is_refused(void **state)
{
	static const char *const rows[] = {
		"",
		"x",
		"<a>",
		"<a></b>",
		"<a></ab>",
		"<a/><b/>",
		"<a/>x",
		"<a b/>",
		"<a b=c/>",
		"<a b='c'd='e'/>",
		"<a b='c' b='d'/>",
		"<a b='<'/>",
		"<a>&x;</a>",
		"<a>&#0;</a>",
		"<a>&#xD800;</a>",
		"<a>&#x110000;</a>",
		"<a>&#-1;</a>",
		"<a>&lt</a>",
		"<!DOCTYPE a []><a/>",
		"<a><![CDATA[x]]></a>",
		"<a><!-- </a>",
		"< a/>",
		"<a / >",
		"<a b='c",
		"<",
		"<a",
		"<a><",
	};
	struct mkv_error err = {0};
	struct mkv_xml *xml = NULL;
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (mkv_xml_parse(rows[i], strlen(rows[i]), &xml, &err) == 0)
			fail_msg("'%s' is accepted", rows[i]);
	/* Nested too deeply. */
	auto_buf struct mkv_buf deep = {0};
	for (int i = 0; i <= MKV_XML_DEPTH_MAX; i++)
		mkv_buf_str(&deep, "<a>");
	assert_true(mkv_xml_parse(deep.data, deep.size, &xml, &err) < 0);
	assert_non_null(strstr(err.message, "too deep"));
	assert_true(mkv_xml_parse("<a>\0</a>", 8, &xml, &err) < 0);
	assert_null(xml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_promised_guest_passes),
		cmocka_unit_test(each_change_of_the_definition_is_found),
		cmocka_unit_test(each_change_of_the_machine_is_found),
		cmocka_unit_test(threads_of_the_kernel_are_found),
		cmocka_unit_test(a_machine_without_running_guests_passes),
		cmocka_unit_test(guests_that_start_or_stop_are_no_failure),
		cmocka_unit_test(a_guest_is_the_promised_domain),
		cmocka_unit_test(libvirt_asks_qemu_without_being_a_guest),
		cmocka_unit_test(the_start_time_of_a_process_is_read),
		cmocka_unit_test(xml_is_read_as_it_is_written),
		cmocka_unit_test(malformed_xml_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
