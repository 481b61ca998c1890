/* SPDX-License-Identifier: MIT */
/* The checks of Docker with a simulated dockerd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <cmocka.h>

#include "lib/io.h"
#include "verify/check/check.h"
#include "verify/probe/docker.h"

#define GOOD                                                                   \
	"sha256:"                                                              \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define HEX "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define EVIL                                                                   \
	"sha256:"                                                              \
	"ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static const char contract_text[] =
	"{\"mkvbench_contract\":1,\"name\":\"t\",\"scenario\":\"docker\","
	"\"verify\":{\"mode\":\"gate\"},"
	"\"hosts\":{\"me\":{\"image\":\"dut\",\"role\":\"order\","
	"\"containers\":["
	"\"postgres\"]}},"
	"\"images\":{\"dut\":{\"platform\":\"metal\",\"docker\":{\"version\":"
	"\"26.1.5\",\"storage_driver\":\"overlay2\",\"networks\":[{\"name\":"
	"\"app\","
	"\"driver\":\"bridge\",\"subnet\":\"172.28.0.0/"
	"24\"}],\"volumes\":[\"db\"],"
	"\"containers\":[{\"name\":\"postgres\",\"image\":\"postgres\","
	"\"network\":\"app\",\"mounts\":[{\"volume\":\"db\",\"path\":\"/"
	"data\"}],\"ports\":[\"8080:80/tcp\",\"127.0.0.1:53:53/udp\"],"
	"\"environment\":{\"A\":\"1\",\"B\":\"\"}},"
	"{\"name\":\"payment\",\"image\":\"postgres\",\"network\":\"app\"}]}}},"
	"\"oci\":{\"postgres\":{\"manifest\":\"" GOOD "\",\"config\":\"" GOOD
	"\","
	"\"layers\":[{\"digest\":\"" GOOD "\",\"diff_id\":\"" EVIL "\"}]}}}";

/* The answers of dockerd; a test changes single rows. */
struct row {
	const char *path, *body;
};
static const struct row right[] = {
	{"/version", "{\"Version\":\"26.1.5\"}"},
	{"/info",
	 "{\"Driver\":\"overlay2\",\"DockerRootDir\":\"/var/lib/docker\"}"},
	{"/networks/app",
	 "{\"Driver\":\"bridge\",\"Id\":\"0123456789abcdef\",\"Options\":{},"
	 "\"IPAM\":{\"Config\":[{\"Subnet\":\"172.28.0.0/24\"}]}}"},
	{"/volumes/db", "{\"Driver\":\"local\",\"Options\":null,\"Mountpoint\":"
			"\"/var/lib/docker/volumes/db/_data\"}"},
	{"/images/" GOOD "/json",
	 "{\"Id\":\"" GOOD "\",\"RootFS\":{\"Layers\":[\"" EVIL "\"]},"
	 "\"Config\":{\"Volumes\":{\"/scratch\":{}}}}"},
	{"/containers/json", "[{\"Names\":[\"/postgres\"]}]"},
	{"/containers/postgres/json",
	 "{\"State\":{\"Status\":\"running\",\"Running\":true,\"Pid\":700},"
	 "\"Image\":\"" GOOD "\",\"Config\":{\"Env\":[\"A=2\",\"A=1\",\"B=\","
	 "\"PATH=/bin\"]},\"HostConfig\":{\"PortBindings\":{\"80/tcp\":[{"
	 "\"HostIp\":\"\",\"HostPort\":\"8080\"}],\"53/udp\":[{\"HostIp\":"
	 "\"127.0.0.1\",\"HostPort\":\"53\"}]},\"NanoCpus\":0,\"CpuQuota\":0,"
	 "\"Memory\":0,\"CpusetCpus\":\"\",\"Privileged\":false,"
	 "\"PidsLimit\":null},\"NetworkSettings\":{\"Networks\":{\"app\":{"
	 "\"MacAddress\":\"02:42:ac:1c:00:02\"}}},\"Mounts\":[{\"Type\":"
	 "\"volume\",\"Name\":\"db\",\"Destination\":\"/data\"}]}"},
};
enum { ROWS = sizeof(right) / sizeof(right[0]) };
static struct row rows[ROWS];
static atomic_int lie;
static atomic_bool stop;
static pthread_t thread;
static int listener;
static char directory[] = "/tmp/mkvbench-docker-XXXXXX", socket_path[64];
static struct mkv_contract *contract;

static void send_text(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void answer_request(int fd)
{
	char request[4096], path[1024];
	ssize_t size = recv(fd, request, sizeof(request) - 1, 0);
	if (size <= 0)
		return;
	request[size] = '\0';
	if (sscanf(request, "GET %1023s HTTP/1.0", path) != 1)
		return;
	if (lie == 1)
		send_text(fd,
			  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			  "\r\n2\r\n{}\r\n0\r\n\r\n");
	if (lie == 2)
		send_text(fd, "HTTP/1.0 200 OK\r\n\r\n{\"a\":");
	if (lie == 3)
		send_text(fd, "SSH-2.0-x\r\n\r\n{}");
	if (lie == 4)
		send_text(fd, "HTTP/1.0 500 No\r\n\r\n{}");
	if (lie == 5)
		send_text(fd, "HTTP/1.0 200 OK\r\n\r\n\"text\"");
	for (int i = 0; lie == 6 && i < 1024; i++) /* sixteen MiB */ {
		char chunk[16384];
		memset(chunk, '[', sizeof(chunk));
		if (send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) < 0)
			return;
	}
	if (lie)
		return;
	for (int i = 0; i < ROWS; i++)
		if (strcmp(rows[i].path, path) == 0 && rows[i].body) {
			send_text(fd, "HTTP/1.0 200 OK\r\nContent-Type: "
				      "application/json\r\n\r\n");
			send_text(fd, rows[i].body);
			return;
		}
	send_text(fd, "HTTP/1.0 404 Not Found\r\n\r\n{\"message\":\"no\"}");
}

static void *serve_requests(void *unused)
{
	(void)unused;
	while (!stop) {
		struct pollfd wait = {.fd = listener, .events = POLLIN};
		if (poll(&wait, 1, 20) != 1)
			continue;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		answer_request(fd);
		(void)close(fd);
	}
	return NULL;
}

static void write_text(const char *name, const char *text)
{
	char path[256];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s%s", directory, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	(void)snprintf(path, sizeof(path), "%s%s", directory, name);
	assert_int_equal(mkv_write_file(path, 0644, text, strlen(text), &err),
			 0);
}

static const char disk[] = "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
			   "23 22 0:20 / /proc rw - proc proc rw\n";
static const char inside[] =
	"90 80 0:50 / / rw - overlay overlay rw\n"
	"91 90 8:2 /var/lib/docker/volumes/db/_data /data rw - ext4 "
	"/dev/sda2 rw\n";

#define INSIDE "/proc/700/root/sys/class/net"
#define BRIDGE "/sys/class/net/br-0123456789ab"
#define PORT BRIDGE "/brif/vethab"

/* The container's card, its peer on the bridge, and unrelated interfaces. */
static const char *const net[][2] = {
	{INSIDE "/lo/address", "00:00:00:00:00:00\n"},
	{INSIDE "/lo/ifindex", "1\n"},
	{INSIDE "/lo/iflink", "1\n"},
	{INSIDE "/eth0/address", "02:42:ac:1c:00:02\n"},
	{INSIDE "/eth0/ifindex", "4\n"},
	{INSIDE "/eth0/iflink", "5\n"},
	{"/sys/class/net/eth0/ifindex", "4\n"},
	{"/sys/class/net/eth0/iflink", "4\n"},
	{"/sys/class/net/vethab/ifindex", "5\n"},
	{"/sys/class/net/vethab/iflink", "4\n"},
	{BRIDGE "/ifindex", "3\n"},
	{BRIDGE "/bridge/stp_state", "0\n"},
	{PORT "/state", "3\n"},
};
enum { NET = sizeof(net) / sizeof(net[0]) };

static void reset_answers(void)
{
	memcpy(rows, right, sizeof(rows));
	lie = 0;
	write_text("/proc/self/mountinfo", disk);
	write_text("/proc/700/mountinfo", inside);
	for (int i = 0; i < NET; i++)
		write_text(net[i][0], net[i][1]);
}

static void take_away(const char *name)
{
	char path[256];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s%s", directory, name);
	assert_int_equal(mkv_remove_tree(AT_FDCWD, path, &err), 0);
}

static void change_answer(const char *path, const char *body)
{
	reset_answers();
	for (int i = 0; i < ROWS; i++)
		if (strcmp(rows[i].path, path) == 0)
			rows[i].body = body;
}

static int set_up(void **state)
{
	struct mkv_error err = {0};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	(void)state;
	assert_non_null(mkdtemp(directory));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/docker.sock",
		       directory);
	memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve_requests, NULL),
			 0);
	if (mkv_contract_parse(contract_text, strlen(contract_text), &contract,
			       &err) < 0)
		fail_msg("%s", err.message);
	return 0;
}

static int tear_down(void **state)
{
	struct mkv_error err;
	(void)state;
	stop = true;
	(void)pthread_join(thread, NULL);
	(void)close(listener);
	mkv_contract_free(contract);
	return mkv_remove_tree(AT_FDCWD, directory, &err);
}

static struct mkv_env make_env(enum mkv_phase phase)
{
	return (struct mkv_env){
		.root = directory,
		.contract = contract,
		.host = mkv_contract_find_host(contract, "me"),
		.image = mkv_contract_find_image(contract, "dut"),
		.docker_socket = socket_path,
		.phase = phase,
	};
}

static void expect_result(const char *name, enum mkv_phase phase,
			  enum mkv_result expected, const char *text)
{
	struct mkv_env env = make_env(phase);
	auto_answer struct mkv_answer found = {0};
	auto_buf struct mkv_buf seen = {0};
	mkv_check_find(name)->run(&env, &found);
	for (size_t i = 0; i < found.count; i++) {
		const struct mkv_finding *f = &found.items[i];
		mkv_buf_printf(&seen, "%s %s: %s / %s\n",
			       mkv_result_name(f->result), f->what,
			       f->expected ? f->expected : "-",
			       f->observed ? f->observed : "-");
	}
	if (mkv_answer_result(&found) != expected ||
	    (text && !strstr(seen.data ? seen.data : "", text)))
		fail_msg("%s: expected %s with '%s', got\n%s", name,
			 mkv_result_name(expected), text ? text : "",
			 seen.data ? seen.data : "nothing");
}

static const char *const names[] = {"docker-engine", "docker-networks",
				    "docker-volumes", "docker-images",
				    "docker-containers"};
enum { NAMES = sizeof(names) / sizeof(names[0]) };

static void the_promised_state_passes(void **state)
{
	(void)state;
	reset_answers();
	for (size_t i = 0; i < NAMES; i++)
		expect_result(names[i], MKV_PHASE_AFTER_START, MKV_PASS, NULL);
}

static void each_change_is_found(void **state)
{
	(void)state;
	static const struct {
		const char *check, *path, *body, *says;
	} cases[] = {
		{"docker-engine", "/version", "{\"Version\":\"20.10.24\"}",
		 "26.1.5 / 20.10.24"},
		{"docker-engine", "/info", "{\"Driver\":\"vfs\"}",
		 "overlay2 / vfs"},
		{"docker-networks", "/networks/app", NULL,
		 "network app: present / missing"},
		{"docker-networks", "/networks/app",
		 "{\"Driver\":\"macvlan\",\"IPAM\":{\"Config\":[{\"Subnet\":"
		 "\"172.28.0.0/24\"}]}}",
		 "bridge / macvlan"},
		{"docker-networks", "/networks/app",
		 "{\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":"
		 "\"172.17.0.0/16\"}]}}",
		 "172.28.0.0/24 / 172.17.0.0/16"},
		{"docker-volumes", "/volumes/db", NULL, "missing"},
		{"docker-volumes", "/volumes/db",
		 "{\"Driver\":\"nfs\",\"Mountpoint\":\"/x\"}", "local / nfs"},
		{"docker-images", "/images/" GOOD "/json", NULL, "missing"},
		{"docker-images", "/images/" GOOD "/json",
		 "{\"Id\":\"" EVIL "\"}", "/ " EVIL},
		{"docker-images", "/images/" GOOD "/json",
		 "{\"Id\":\"" GOOD "\",\"RootFS\":{\"Layers\":[\"" GOOD "\"]}}",
		 "only the first 0 are equal"},
		{"docker-containers", "/containers/postgres/json", NULL,
		 "missing"},
		{"docker-containers", "/containers/json",
		 "[{\"Names\":[\"/postgres\"]},{\"Names\":[\"/miner\"]}]",
		 "/ miner"},
		/* promised for another role */
		{"docker-containers", "/containers/json",
		 "[{\"Names\":[\"/payment\"]}]", "/ payment"},
		{"docker-volumes", "/volumes/db",
		 "{\"Driver\":\"local\",\"Options\":{\"type\":\"tmpfs\"},"
		 "\"Mountpoint\":\"/var/lib/docker/volumes/db/_data\"}",
		 "options of db: 0 / 1"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		change_answer(cases[i].path, cases[i].body);
		expect_result(cases[i].check, MKV_PHASE_AFTER_START, MKV_FAIL,
			      cases[i].says);
	}
}

/* Replaces a text in the answer about the container. */
static void each_change_of_a_container_is_found(void **state)
{
	static const struct {
		const char *from, *to, *says;
	} cases[] = {
		{"running\"", "exited\"", "running / exited"},
		{"running\"", "paused\"", "running / paused"},
		{"\"Image\":\"sha256:00", "\"Image\":\"sha256:ff",
		 "fail image of postgres"},
		{"\"app\":", "\"host\":", "network of postgres: app / host"},
		{"\"app\":", "\"none\":{},\"app\":",
		 "network of postgres: app / not exactly one"},
		{"\"volume\",\"Name\":\"db\"", "\"bind\"", "db / bind"},
		{"\"A=1\"", "\"A=3\"", "A of postgres: 1 / 3"},
		{"\"B=\"", "\"C=\"", "B of postgres:  / not set"},
		{"8080", "8081", "published ports of postgres: the 2 promised"},
		{"127.0.0.1", "", "published ports of postgres"},
		{"53/udp", "53/tcp", "published ports of postgres"},
		{"\"PortBindings\":{", "\"PortBindings\":{\"22/tcp\":[{}],",
		 "published ports of postgres: the 2 promised / 3, 2 of"},
		{"\"NanoCpus\":0", "\"NanoCpus\":1",
		 "limits of postgres: none / NanoCpus"},
		{"\"CpuQuota\":0", "\"CpuQuota\":50000", "none / CpuQuota"},
		{"\"Memory\":0", "\"Memory\":1024", "none / Memory"},
		{"\"CpusetCpus\":\"\"", "\"CpusetCpus\":\"0-1\"",
		 "none / CpusetCpus 0-1"},
		{"\"Privileged\":false", "\"Privileged\":true",
		 "none / Privileged"},
		{"\"PidsLimit\":null", "\"Tmpfs\":{\"/tmp\":\"\"}",
		 "other mounts of postgres: none / a tmpfs"},
		{"\"Mounts\":[",
		 "\"Mounts\":[{\"Type\":\"bind\",\"Destination\":\"/etc\"},",
		 "other mounts of postgres: none / bind at /etc"},
		{"\"Mounts\":[",
		 "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"other\","
		 "\"Destination\":\"/scratch\"},",
		 "none / volume at /scratch"},
		/* without a name, and not declared by the image */
		{"\"Mounts\":[",
		 "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"" HEX "\","
		 "\"Destination\":\"/elsewhere\"},",
		 "none / volume at /elsewhere"},
	};
	static char changed[4096];
	const char *whole = right[ROWS - 1].body;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *at = strstr(whole, cases[i].from);
		assert_non_null(at);
		(void)snprintf(changed, sizeof(changed), "%.*s%s%s",
			       (int)(at - whole), whole, cases[i].to,
			       at + strlen(cases[i].from));
		change_answer(right[ROWS - 1].path, changed);
		expect_result("docker-containers", MKV_PHASE_AFTER_START,
			      MKV_FAIL, cases[i].says);
	}
	/* A volume without a name that the image declares. */
	const char *at = strstr(whole, "\"Mounts\":[");
	(void)snprintf(changed, sizeof(changed),
		       "%.*s\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"" HEX
		       "\",\"Destination\":\"/scratch\"},%s",
		       (int)(at - whole), whole, at + 10);
	change_answer(right[ROWS - 1].path, changed);
	expect_result("docker-containers", MKV_PHASE_AFTER_START, MKV_PASS,
		      "other mounts of postgres: none / none");
}

/* A container without a network in the contract has none. */
static void a_container_without_network_has_none(void **state)
{
	(void)state;
	struct mkv_contract_container *container =
		(void *)&mkv_contract_find_image(contract, "dut")
			->docker.containers[0];
	const char *network = container->network;
	reset_answers();
	container->network = NULL;
	expect_result("docker-containers", MKV_PHASE_AFTER_START, MKV_FAIL,
		      "network of postgres: none / app");
	container->network = network;
}

/* The kernel's state of a card may differ from dockerd's state of the network.
 */
static void a_card_on_no_bridge_is_found(void **state)
{
	static const struct {
		const char *path, *text; /* NULL: missing */
		enum mkv_result result;
		const char *says;
	} cases[] = {
		{"/sys/class/net/eth7", NULL, MKV_PASS,
		 "port of postgres: vethab forwards on br-0123456789ab / "
		 "a forwarding port"},
		{PORT, NULL, MKV_FAIL,
		 "vethab forwards on br-0123456789ab / not on a bridge"},
		{PORT "/state", "0\n", MKV_FAIL, "a disabled port"},
		{PORT "/state", "4\n", MKV_FAIL, "a blocked port"},
		{PORT "/state", "9\n", MKV_NOT_ESTABLISHED, "br-0123456789ab"},
		{PORT "/state", "", MKV_NOT_ESTABLISHED, "br-0123456789ab"},
		{BRIDGE, NULL, MKV_FAIL, "/ no such bridge"},
		{INSIDE "/eth0/address", "02:42:ac:1c:00:03\n", MKV_FAIL,
		 "/ no card with the MAC address"},
		{INSIDE "/lo/address", "02:42:ac:1c:00:02\n", MKV_FAIL,
		 "/ several cards with the MAC address"},
		{INSIDE "/eth0/iflink", "6\n", MKV_FAIL,
		 "/ the peer of the card is not on this machine"},
		/* this index belongs to another card here */
		{"/sys/class/net/vethab/iflink", "7\n", MKV_FAIL,
		 "/ the peer of the card is not on this machine"},
		{INSIDE "/eth0/ifindex", "", MKV_NOT_ESTABLISHED,
		 "the host's interfaces can't be read"},
		{INSIDE, NULL, MKV_NOT_ESTABLISHED,
		 "/ the interfaces inside can't be read"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		reset_answers();
		if (cases[i].text)
			write_text(cases[i].path, cases[i].text);
		else
			take_away(cases[i].path);
		expect_result("docker-containers", MKV_PHASE_AFTER_START,
			      cases[i].result, cases[i].says);
	}
	reset_answers();
	take_away(PORT);
	char path[256];
	(void)snprintf(path, sizeof(path), "%s/sys/class/net/vethab/master",
		       directory);
	assert_int_equal(symlink("../br-other", path), 0);
	expect_result("docker-containers", MKV_PHASE_AFTER_START, MKV_FAIL,
		      "vethab forwards on br-0123456789ab / br-other");
	take_away("/sys/class/net/vethab/master");
	/* A bridge with a configured name, and invalid names. */
	static const struct {
		const char *name;
		enum mkv_result result;
		const char *says;
	} names_of_bridges[] = {
		{"br-0123456789ab", MKV_PASS, "a forwarding port"},
		{"br-app", MKV_FAIL, "no such bridge"},
		{"../vethab", MKV_NOT_ESTABLISHED, "names of interfaces"},
		{"sixteen-letters-", MKV_NOT_ESTABLISHED, "names of interface"},
	};
	for (size_t i = 0; i < 4; i++) {
		char body[512];
		(void)snprintf(body, sizeof(body),
			       "{\"Driver\":\"bridge\",\"Options\":{"
			       "\"com.docker.network.bridge.name\":\"%s\"}}",
			       names_of_bridges[i].name);
		change_answer("/networks/app", body);
		expect_result("docker-containers", MKV_PHASE_AFTER_START,
			      names_of_bridges[i].result,
			      names_of_bridges[i].says);
	}
	reset_answers();
}

static void a_volume_on_overlay_is_found(void **state)
{
	(void)state;
	reset_answers();
	write_text("/proc/self/mountinfo",
		   "22 1 0:2 / / rw - overlay overlay rw\n");
	expect_result("docker-volumes", MKV_PHASE_BOOT, MKV_FAIL, "on overlay");
	write_text("/proc/self/mountinfo",
		   "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
		   "30 22 0:30 / /var/lib/docker rw - tmpfs tmpfs rw\n");
	expect_result("docker-volumes", MKV_PHASE_BOOT, MKV_FAIL, "on tmpfs");
	write_text("/proc/self/mountinfo",
		   "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
		   "30 22 0:30 / /var/lib/docker rw - 9p share rw\n");
	expect_result("docker-volumes", MKV_PHASE_BOOT, MKV_FAIL, "on 9p");
	/* A path that is too long is not treated as its parent. */
	write_text("/proc/self/mountinfo",
		   "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
		   "30 22 0:30 / /var/lib/docker rw - "
		   "fuse.0123456789012345678901234567890123456789 x rw\n");
	expect_result("docker-volumes", MKV_PHASE_BOOT, MKV_FAIL,
		      "on fuse.0123");
	write_text("/proc/self/mountinfo", "rubbish\n\n\n- - - -\n");
	expect_result("docker-volumes", MKV_PHASE_BOOT, MKV_NOT_ESTABLISHED,
		      NULL);
	reset_answers();
	/* Docker reports "volume", but the container's mount table overlay. */
	write_text("/proc/700/mountinfo",
		   "90 80 0:50 / / rw - overlay overlay rw\n");
	expect_result("docker-containers", MKV_PHASE_AFTER_START, MKV_FAIL,
		      "mounted at /, on overlay");
}

static void before_the_gate_no_container_runs(void **state)
{
	(void)state;
	reset_answers();
	expect_result("docker-containers", MKV_PHASE_BOOT, MKV_FAIL,
		      "running before the gate: 0 / 1");
	change_answer("/containers/json", "[]");
	expect_result("docker-containers", MKV_PHASE_BOOT, MKV_PASS, NULL);
	change_answer("/containers/json", "{}");
	expect_result("docker-containers", MKV_PHASE_BOOT, MKV_NOT_ESTABLISHED,
		      "a list / another JSON value");
	expect_result("docker-containers", MKV_PHASE_AFTER_START,
		      MKV_NOT_ESTABLISHED, "a list / another JSON value");
	reset_answers();
}

/* At the gate a dockerd that does not answer is "not established"; later it is
 * a failure. */
static void a_dockerd_that_is_gone_fails(void **state)
{
	(void)state;
	static const enum mkv_phase phases[] = {MKV_PHASE_AFTER_START,
						MKV_PHASE_WATCH};
	char alive[sizeof(socket_path)];
	reset_answers();
	memcpy(alive, socket_path, sizeof(alive));
	/* No socket; then a socket without a listener. */
	for (int i = 0; i < 2; i++) {
		struct sockaddr_un at = {.sun_family = AF_UNIX};
		(void)snprintf(socket_path, sizeof(socket_path), "%s/dead.sock",
			       directory);
		memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
		auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (i)
			assert_int_equal(
				bind(fd, (struct sockaddr *)&at, sizeof(at)),
				0);
		for (size_t n = 0; n < NAMES; n++) {
			expect_result(names[n], phases[i], MKV_FAIL,
				      "connect: ");
			expect_result(names[n], MKV_PHASE_BOOT,
				      MKV_NOT_ESTABLISHED, "connect: ");
		}
	}
	memcpy(socket_path, alive, sizeof(alive));
}

static void wrong_answers_of_dockerd_pass_no_check(void **state)
{
	(void)state;
	for (int kind = 1; kind <= 6; kind++) {
		reset_answers();
		lie = kind;
		for (size_t i = 0; i < NAMES; i++)
			expect_result(names[i], MKV_PHASE_AFTER_START,
				      MKV_NOT_ESTABLISHED, NULL);
	}
	reset_answers();
}

static void mounts_are_distinguished(void **state)
{
	(void)state;
	static const char table[] =
		"22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
		"23 22 8:3 / /var/lib/docker rw shared:1 - xfs /dev/sda3 rw\n"
		"24 22 8:4 / /a\\040b rw - btrfs /dev/sda4 rw\n"
		"25 22 8:5 / /twice rw - ext4 /dev/sda5 rw\n"
		"26 25 0:9 / /twice rw - tmpfs tmpfs rw\n";
	static const struct {
		const char *path, *type;
	} cases[] = {
		{"/etc", "ext4"},	    {"/var/lib/docker/x", "xfs"},
		{"/var/lib/docker", "xfs"}, {"/var/lib/dockerx", "ext4"},
		{"/a b/c", "btrfs"},	    {"/twice/x", "tmpfs"},
	};
	char type[32];
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_true(mkv_mount_type(table, cases[i].path, type, NULL));
		assert_string_equal(type, cases[i].type);
	}
	assert_false(mkv_mount_type("", "/", type, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_promised_state_passes),
		cmocka_unit_test(each_change_is_found),
		cmocka_unit_test(each_change_of_a_container_is_found),
		cmocka_unit_test(a_container_without_network_has_none),
		cmocka_unit_test(a_card_on_no_bridge_is_found),
		cmocka_unit_test(a_volume_on_overlay_is_found),
		cmocka_unit_test(before_the_gate_no_container_runs),
		cmocka_unit_test(a_dockerd_that_is_gone_fails),
		cmocka_unit_test(wrong_answers_of_dockerd_pass_no_check),
		cmocka_unit_test(mounts_are_distinguished),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
