/* SPDX-License-Identifier: MIT */
/* The checks of Docker against a made-up dockerd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "lib/io.h"
#include "verify/check.h"
#include "verify/docker.h"

#define GOOD                                                                   \
	"sha256:"                                                              \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
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
	"data\"}]},"
	"{\"name\":\"payment\",\"image\":\"postgres\",\"network\":\"app\"}]}}},"
	"\"oci\":{\"postgres\":{\"manifest\":\"" GOOD "\",\"config\":\"" GOOD
	"\","
	"\"layers\":[{\"digest\":\"" GOOD "\",\"diff_id\":\"" EVIL "\"}]}}}";

/* What dockerd answers; a test changes single rows. */
struct row {
	const char *path, *body;
};
static const struct row right[] = {
	{"/version", "{\"Version\":\"26.1.5\"}"},
	{"/info",
	 "{\"Driver\":\"overlay2\",\"DockerRootDir\":\"/var/lib/docker\"}"},
	{"/networks/app",
	 "{\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":"
	 "\"172.28.0.0/24\"}]}}"},
	{"/volumes/db", "{\"Driver\":\"local\",\"Mountpoint\":"
			"\"/var/lib/docker/volumes/db/_data\"}"},
	{"/images/" GOOD "/json",
	 "{\"Id\":\"" GOOD "\",\"RootFS\":{\"Layers\":[\"" EVIL "\"]}}"},
	{"/containers/json", "[{\"Names\":[\"/postgres\"]}]"},
	{"/containers/postgres/json",
	 "{\"State\":{\"Running\":true,\"Pid\":700},\"Image\":\"" GOOD "\","
	 "\"NetworkSettings\":{\"Networks\":{\"app\":{}}},\"Mounts\":[{"
	 "\"Type\":"
	 "\"volume\",\"Name\":\"db\",\"Destination\":\"/data\"}]}"},
};
enum { ROWS = sizeof(right) / sizeof(right[0]) };
static struct row rows[ROWS];
static atomic_int lie;
static atomic_bool stop;
static pthread_t thread;
static int listener;
static char folder[] = "/tmp/mkvbench-docker-XXXXXX", socket_path[64];
static struct mkv_contract *contract;

static void send_text(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void answer(int fd)
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

static void *serve(void *unused)
{
	(void)unused;
	while (!stop) {
		struct pollfd wait = {.fd = listener, .events = POLLIN};
		if (poll(&wait, 1, 20) != 1)
			continue;
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		answer(fd);
		(void)close(fd);
	}
	return NULL;
}

static void put(const char *name, const char *text)
{
	char path[256];
	struct mkv_error err;
	(void)snprintf(path, sizeof(path), "%s%s", folder, name);
	*strrchr(path, '/') = '\0';
	assert_int_equal(mkv_make_dirs(path, &err), 0);
	(void)snprintf(path, sizeof(path), "%s%s", folder, name);
	assert_int_equal(mkv_write_file(path, 0644, text, strlen(text), &err),
			 0);
}

static const char disk[] = "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
			   "23 22 0:20 / /proc rw - proc proc rw\n";
static const char inside[] =
	"90 80 0:50 / / rw - overlay overlay rw\n"
	"91 90 8:2 /var/lib/docker/volumes/db/_data /data rw - ext4 "
	"/dev/sda2 rw\n";

static void reset(void)
{
	memcpy(rows, right, sizeof(rows));
	lie = 0;
	put("/proc/self/mountinfo", disk);
	put("/proc/700/mountinfo", inside);
}

static void change(const char *path, const char *body)
{
	reset();
	for (int i = 0; i < ROWS; i++)
		if (strcmp(rows[i].path, path) == 0)
			rows[i].body = body;
}

static int start(void **state)
{
	struct mkv_error err = {0};
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(socket_path, sizeof(socket_path), "%s/docker.sock",
		       folder);
	memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
	if (mkv_contract_parse(contract_text, strlen(contract_text), &contract,
			       &err) < 0)
		fail_msg("%s", err.message);
	return 0;
}

static int finish(void **state)
{
	struct mkv_error err;
	(void)state;
	stop = true;
	(void)pthread_join(thread, NULL);
	(void)close(listener);
	mkv_contract_free(contract);
	return mkv_remove_tree(AT_FDCWD, folder, &err);
}

static struct mkv_env environment(enum mkv_phase phase)
{
	return (struct mkv_env){
		.root = folder,
		.contract = contract,
		.host = mkv_contract_find_host(contract, "me"),
		.image = mkv_contract_find_image(contract, "dut"),
		.docker_socket = socket_path,
		.phase = phase,
	};
}

static void ask(const char *name, enum mkv_phase phase,
		enum mkv_result expected, const char *text)
{
	struct mkv_env env = environment(phase);
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

static void what_was_promised_passes(void **state)
{
	(void)state;
	reset();
	for (size_t i = 0; i < 5; i++)
		ask(names[i], MKV_PHASE_AFTER_START, MKV_PASS, NULL);
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
		 "network app: there / not there"},
		{"docker-networks", "/networks/app",
		 "{\"Driver\":\"macvlan\",\"IPAM\":{\"Config\":[{\"Subnet\":"
		 "\"172.28.0.0/24\"}]}}",
		 "bridge / macvlan"},
		{"docker-networks", "/networks/app",
		 "{\"Driver\":\"bridge\",\"IPAM\":{\"Config\":[{\"Subnet\":"
		 "\"172.17.0.0/16\"}]}}",
		 "172.28.0.0/24 / 172.17.0.0/16"},
		{"docker-volumes", "/volumes/db", NULL, "not there"},
		{"docker-volumes", "/volumes/db",
		 "{\"Driver\":\"nfs\",\"Mountpoint\":\"/x\"}", "local / nfs"},
		{"docker-images", "/images/" GOOD "/json", NULL, "not there"},
		{"docker-images", "/images/" GOOD "/json",
		 "{\"Id\":\"" EVIL "\"}", "/ " EVIL},
		{"docker-images", "/images/" GOOD "/json",
		 "{\"Id\":\"" GOOD "\",\"RootFS\":{\"Layers\":[\"" GOOD "\"]}}",
		 "the first 0 are equal"},
		{"docker-containers", "/containers/postgres/json", NULL,
		 "not there"},
		{"docker-containers", "/containers/json",
		 "[{\"Names\":[\"/postgres\"]},{\"Names\":[\"/miner\"]}]",
		 "/ miner"},
		/* promised for another role */
		{"docker-containers", "/containers/json",
		 "[{\"Names\":[\"/payment\"]}]", "/ payment"},
		{"docker-containers", "/containers/postgres/json",
		 "{\"State\":{\"Running\":false,\"Pid\":0},\"Image\":\"" GOOD
		 "\",\"NetworkSettings\":{\"Networks\":{\"app\":{}}},"
		 "\"Mounts\":[]}",
		 "running / not running"},
		{"docker-containers", "/containers/postgres/json",
		 "{\"State\":{\"Running\":true,\"Pid\":700},\"Image\":\"" EVIL
		 "\",\"NetworkSettings\":{\"Networks\":{\"host\":{}}},"
		 "\"Mounts\":[{\"Type\":\"volume\",\"Name\":\"db\","
		 "\"Destination\":\"/data\"}]}",
		 "network of postgres: app / host"},
		{"docker-containers", "/containers/postgres/json",
		 "{\"State\":{\"Running\":true,\"Pid\":700},\"Image\":\"" GOOD
		 "\",\"NetworkSettings\":{\"Networks\":{\"app\":{}}},"
		 "\"Mounts\":[{\"Type\":\"bind\",\"Destination\":\"/data\"}]}",
		 "db / bind"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		change(cases[i].path, cases[i].body);
		ask(cases[i].check, MKV_PHASE_AFTER_START, MKV_FAIL,
		    cases[i].says);
	}
}

static void a_volume_on_overlay_is_found(void **state)
{
	(void)state;
	reset();
	put("/proc/self/mountinfo", "22 1 0:2 / / rw - overlay overlay rw\n");
	ask("docker-volumes", MKV_PHASE_BOOT, MKV_FAIL, "on overlay");
	put("/proc/self/mountinfo",
	    "22 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
	    "30 22 0:30 / /var/lib/docker rw - tmpfs tmpfs rw\n");
	ask("docker-volumes", MKV_PHASE_BOOT, MKV_FAIL, "on tmpfs");
	put("/proc/self/mountinfo", "rubbish\n\n\n- - - -\n");
	ask("docker-volumes", MKV_PHASE_BOOT, MKV_NOT_ESTABLISHED, NULL);
	reset();
	/* Docker says "volume", the container's own table says overlay. */
	put("/proc/700/mountinfo", "90 80 0:50 / / rw - overlay overlay rw\n");
	ask("docker-containers", MKV_PHASE_AFTER_START, MKV_FAIL,
	    "mounted at /, on overlay");
}

static void before_the_gate_nothing_runs(void **state)
{
	(void)state;
	reset();
	ask("docker-containers", MKV_PHASE_BOOT, MKV_FAIL,
	    "running before the gate: 0 / 1");
	change("/containers/json", "[]");
	ask("docker-containers", MKV_PHASE_BOOT, MKV_PASS, NULL);
}

static void lies_of_dockerd_pass_nothing(void **state)
{
	(void)state;
	for (int kind = 1; kind <= 6; kind++) {
		reset();
		lie = kind;
		for (size_t i = 0; i < 4; i++)
			ask(names[i], MKV_PHASE_AFTER_START,
			    MKV_NOT_ESTABLISHED, NULL);
	}
	reset();
}

static void mounts_are_told_apart(void **state)
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
		cmocka_unit_test(what_was_promised_passes),
		cmocka_unit_test(each_change_is_found),
		cmocka_unit_test(a_volume_on_overlay_is_found),
		cmocka_unit_test(before_the_gate_nothing_runs),
		cmocka_unit_test(lies_of_dockerd_pass_nothing),
		cmocka_unit_test(mounts_are_told_apart),
	};
	return cmocka_run_group_tests(tests, start, finish);
}
