/* SPDX-License-Identifier: MIT */
/* QEMU command lines of guests, and receipts from hostile consoles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "builder/run/boot/console.h"
#include "builder/run/boot/load.h"
#include "builder/run/boot/machine.h"
#include "builder/run/boot/network.h"
#include "lib/base64.h"
#include "lib/io.h"

#define HEAD "mkvbench-verify: tiny, host a\n"
#define PASS "mkvbench-receipt: pass host=a contract=0\n"
#define END "mkvbench-receipt-end\n"

static void reads_receipts(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool complete;
		enum mkv_verdict verdict;
		const char *receipt;
	} rows[] = {
		{"", false, MKV_VERDICT_NONE, NULL},
		{"Linux version\r\nlogin: ", false, MKV_VERDICT_NONE, NULL},
		{"x\r\n" HEAD "  all well\r\n" PASS END "y\r\n", true,
		 MKV_VERDICT_PASS, HEAD "  all well\n"},
		{HEAD "mkvbench-receipt: fail host=a\n" END, true,
		 MKV_VERDICT_FAIL, HEAD},
		{HEAD "mkvbench-receipt: not-established host=a\n" END, true,
		 MKV_VERDICT_NOT_ESTABLISHED, HEAD},
		{"mkvbench-receipt: not-promised\n" END, true,
		 MKV_VERDICT_NOT_ESTABLISHED, NULL},
		{"mkvbench-receipt: warn\n" END, true, MKV_VERDICT_WARN, NULL},
		{"[ OK ] \033[0;1;31mmkvbench-receipt: pass host=a\033[0m\n"
		 "[    2.1] " END,
		 true, MKV_VERDICT_PASS, NULL},
		/* A verdict is one of the words; without it there is no end. */
		{"mkvbench-receipt: passed\n" END, false, MKV_VERDICT_NONE,
		 NULL},
		{END, false, MKV_VERDICT_NONE, NULL},
		{PASS "nothing more", false, MKV_VERDICT_PASS, NULL},
		/* The first receipt is that of the boot; later ones are not. */
		{"mkvbench-receipt: fail\n" END PASS END, true,
		 MKV_VERDICT_FAIL, NULL},
		{"mkvbench-receipt-later: pass\nmkvbench-receipt-later-end\n",
		 false, MKV_VERDICT_NONE, NULL},
		/* Printed twice, as after a hangup: the last text counts. */
		{HEAD "half" HEAD "whole\n" PASS END, true, MKV_VERDICT_PASS,
		 "half" HEAD "whole\n"},
		/* Control sequences are removed. */
		{HEAD "x\033]0;title\007y\033[2J\bz\n" PASS END, true,
		 MKV_VERDICT_PASS, HEAD "x0;titleyz\n"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t step = 1; step < 30; step += 7) {
			struct mkv_console console = MKV_CONSOLE_INIT;
			size_t size = strlen(rows[i].text);
			for (size_t at = 0; at < size; at += step)
				mkv_console_feed(&console, rows[i].text + at,
						 size - at < step ? size - at
								  : step,
						 NULL, NULL);
			assert_int_equal(console.boot.complete,
					 rows[i].complete);
			assert_int_equal(console.boot.verdict, rows[i].verdict);
			if (rows[i].receipt)
				assert_string_equal(console.boot.text.data,
						    rows[i].receipt);
			mkv_console_done(&console);
		}
	}
}

static void distinguishes_later_receipts_from_that_of_the_boot(void **state)
{
	(void)state;
	static const char text[] =
		HEAD "boot\n" PASS END HEAD "containers\n"
		     "mkvbench-receipt-later: fail host=a contract=0\n"
		     "mkvbench-receipt-later-end\n";
	struct mkv_console console = MKV_CONSOLE_INIT;
	mkv_console_feed(&console, text, sizeof(text) - 1, NULL, NULL);
	assert_true(console.boot.complete && console.later.complete);
	assert_int_equal(console.boot.verdict, MKV_VERDICT_PASS);
	assert_int_equal(console.later.verdict, MKV_VERDICT_FAIL);
	assert_string_equal(console.boot.host, "a");
	assert_string_equal(console.boot.text.data, HEAD "boot\n");
	assert_string_equal(console.later.text.data, HEAD "containers\n");
	mkv_console_done(&console);
}

static void output_of_a_guest_is_limited(void **state)
{
	(void)state;
	struct mkv_console console = MKV_CONSOLE_INIT;
	static char chunk[4096];
	mkv_console_feed(&console, HEAD, strlen(HEAD), NULL, NULL);
	memset(chunk, 'x', sizeof(chunk));
	for (int i = 0; i < 1000; i++)
		mkv_console_feed(&console, chunk, sizeof(chunk), NULL, NULL);
	assert_true(console.text.size <
		    MKV_RECEIPT_MAX_BYTES + 2 * MKV_CONSOLE_LINE_MAX);
	mkv_console_done(&console);
}

/* The status of a host without receipt is its last line. */
static void keeps_the_last_line_without_leftovers(void **state)
{
	(void)state;
	static const struct {
		const char *text, *last;
	} rows[] = {
		{"one\r\ntwo\r\n\r\n", "two"},
		{"Starting net\xe2\x80\xa6\n", "Starting net\xe2\x80\xa6"},
		{"\033[K[ \033[0;31m*\033[0;1;31m*\033[0m\033[0;31m*\033[0m  ] (1 of 2) "
		 "A start job is running for x (5s / 1min)\n",
		 "(1 of 2) A start job is running for x (5s / 1min)"},
		{"[***   ] a job\r\033[K[  *** ] another job\r\033[K[  OK  ] it "
		 "runs\n",
		 "[  OK  ] it runs"},
		{"[    2.1] kernel\n", "[    2.1] kernel"},
		{"[*] x\n", "[*] x"},
		{"bad \x9b\xff\n", "bad ??"},
		{"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\n",
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_console console = MKV_CONSOLE_INIT;
		mkv_console_feed(&console, rows[i].text, strlen(rows[i].text),
				 NULL, NULL);
		assert_string_equal(console.last, rows[i].last);
		mkv_console_done(&console);
	}
}

static struct mkv_contract contract = {.vlan = {.nic = 2}};
static struct mkv_contract_host host = {
	.name = "order", .image = "dut", .mac = "52:54:00:77:00:11"};
static struct mkv_contract_image image;

static char directory[] = "/tmp/mkv-boot,test-XXXXXX"; /* a comma on purpose */

static int set_up(void **state)
{
	(void)state;
	char path[128];
	struct mkv_error err;
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/boot", directory);
	if (mkv_make_dirs(path, &err) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/boot/cmdline", directory);
	return mkv_write_file(path, 0644, "root=UUID=1 ro\n", 15, &err);
}

static int tear_down(void **state)
{
	(void)state;
	struct mkv_error err;
	return mkv_remove_tree(AT_FDCWD, directory, &err);
}

/* The command line as one text, words separated by spaces. */
static char *line_for(struct mkv_boot_machine *machine, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	auto_buf struct mkv_buf line = {0};
	machine->contract = &contract;
	machine->host = &host;
	machine->image = &image;
	machine->directory = directory;
	machine->console = "/tmp/a,b.console";
	machine->memory_bytes = UINT64_C(2) << 30;
	machine->port = 5000;
	if (mkv_boot_machine_argv(machine, &argv, err) < 0)
		return NULL;
	for (size_t i = 0; i < argv.count; i++)
		mkv_buf_printf(&line, "%s%s", i ? " " : "", argv.items[i]);
	assert_null(argv.items[argv.count]);
	return mkv_buf_take(&line);
}

static void presents_the_promised_machine(void **state)
{
	(void)state;
	struct mkv_contract_pair nic = {"nic_driver", "e1000e"};
	image = (struct mkv_contract_image){
		.platform = MKV_PLATFORM_METAL,
		.cpu = {.vendor = "AuthenticAMD",
			.family = 23,
			.model = 113,
			.stepping = 0,
			.hypervisor = 0,
			.sockets = 1,
			.cores = 6,
			.threads = 2,
			.brand = "AMD Ryzen 5 PRO 3600 6-Core Processor"},
		.settings = {&nic, 1},
	};
	struct mkv_error err = {0};
	struct mkv_boot_machine machine = {.accel = MKV_ACCEL_TCG};
	auto_free char *line = line_for(&machine, &err);
	assert_non_null(line);
	static const char *const parts[] = {
		"-accel tcg,thread=single",
		"-cpu EPYC-Rome,vendor=AuthenticAMD,family=23,model=113,"
		"stepping=0,model-id=AMD Ryzen 5 PRO 3600 6-Core "
		"Processor,-hypervisor -smp 12,sockets=1,cores=6,threads=2",
		"-m 2048",
		"value=io.systemd.credential:mkvbench.host=order",
		"path=/tmp/a,,b.console",
		"snapshot=on",
		"/tmp/mkv-boot,,test-",
		"-device nvme,drive=disk,serial=order",
		"-netdev user,id=net1,restrict=on -device e1000e,netdev=net1",
		"-netdev socket,id=vlan,mcast=230.0.0.1:5000,"
		"localaddr=127.0.0.1 -device "
		"e1000e,netdev=vlan,romfile=,mac=52:54:00:77:00:11",
		"-append root=UUID=1 ro",
	};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strstr(line, parts[i]))
			fail_msg("no '%s' in: %s", parts[i], line);
}

/* Texts keep their bytes, padding included; texts that an argument or an option
 * list of QEMU can't represent are omitted. */
static void identity_reaches_qemu_as_bytes(void **state)
{
	static const struct {
		const char *vendor, *brand, *part;
	} rows[] = {
		{"bhyve bhyve ", "\\xae of \\x5cx41",
		 "-cpu max,vendor=bhyve bhyve ,family=6,model=1,model-id=\xae of "
		 "\\x41 -smp"},
		{"\\x80\"'= + - abc", "",
		 "-cpu max,vendor=\x80\"'= + - abc,family=6,model=1,model-id= "
		 "-smp"},
		{"GenuineIntel", "a, b",
		 "-cpu Skylake-Server,vendor=GenuineIntel,family=6,model=1 "
		 "-smp"},
		{"Genuine", "b", "-cpu max -smp"},
		{"Genuine\\x00ntel", "b", "-cpu max -smp"},
		{"", "b", "-cpu max -smp"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		image = (struct mkv_contract_image){
			.cpu = {.vendor = rows[i].vendor,
				.brand = rows[i].brand,
				.family = 6,
				.model = 1,
				.stepping = -1,
				.hypervisor = 1},
		};
		struct mkv_error err = {0};
		struct mkv_boot_machine machine = {.accel = MKV_ACCEL_TCG};
		auto_free char *line = line_for(&machine, &err);
		assert_non_null(line);
		if (!strstr(line, rows[i].part))
			fail_msg("no '%s' in: %s", rows[i].part, line);
	}
}

static void a_guest_has_virtio_and_one_card(void **state)
{
	(void)state;
	image = (struct mkv_contract_image){
		.platform = MKV_PLATFORM_GUEST,
		.cpu = {.family = -1,
			.model = -1,
			.stepping = -1,
			.hypervisor = 1,
			.cores = 2},
	};
	struct mkv_error err = {0};
	struct mkv_boot_machine machine = {.accel = MKV_ACCEL_KVM,
					   .firmware = "/fw/code",
					   .firmware_variables = "/fw/vars"};
	auto_free char *line = line_for(&machine, &err);
	assert_non_null(line);
	assert_non_null(strstr(line, "-accel kvm -cpu host -smp 2,sockets=1,"));
	assert_non_null(strstr(line, "virtio-blk-pci,drive=disk"));
	assert_non_null(strstr(line, "readonly=on,file=/fw/code"));
	assert_null(strstr(line, "restrict=on"));
	assert_null(strstr(line, "-kernel"));
}

/* Words of a manifest must not become options. */
static void a_hostile_contract_adds_no_option(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	image = (struct mkv_contract_image){.cpu = {.vendor = "x,kvm=on,xxx",
						    .brand = "a,enforce",
						    .family = 1,
						    .model = 1,
						    .stepping = 1,
						    .hypervisor = -1}};
	struct mkv_boot_machine machine = {.accel = MKV_ACCEL_TCG};
	auto_free char *line = line_for(&machine, &err);
	assert_non_null(line);
	assert_non_null(strstr(line, "-cpu max -smp"));
	static const struct mkv_contract_host bad[] = {
		{.name = "a,b", .image = "dut"},
		{.name = "", .image = "dut"},
		{.name = "-x", .image = "dut"},
		{.name = "a", .image = "../dut"},
		{.name = "a", .image = ".."},
		{.name = "a", .image = "dut", .mac = "52:54:00:77:00:11,x=y"},
		{.name = "a", .image = "dut", .mac = "52:54:00:77:00"},
	};
	struct mkv_contract_host good = host;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		host = bad[i];
		assert_null(line_for(&machine, &err));
		assert_int_equal(err.kind, MKV_UNVERIFIED);
	}
	host = good;
}

static void accepts_qemus_own_models(void **state)
{
	(void)state;
	static const struct {
		const char *vendor, *brand, *model;
	} rows[] = {
		{"AuthenticAMD", "AMD EPYC-Milan Processor", "EPYC-Milan"},
		{"AuthenticAMD", "AMD Ryzen", "EPYC-Rome"},
		{"GenuineIntel", "Intel(R) Core(TM)", "Skylake-Server"},
		{NULL, NULL, "max"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_contract_cpu cpu = {.vendor = rows[i].vendor,
					       .brand = rows[i].brand};
		assert_string_equal(mkv_boot_cpu_model(&cpu), rows[i].model);
	}
}

/* Two addresses, a type or tag, and a payload. */
static const uint8_t plain[] = "ABCDEFabcdef\x08\0payload";
static const uint8_t tagged[] = "ABCDEFabcdef\x81\0\0\x64\x08\0payload";
enum { PLAIN = sizeof(plain) - 1, TAGGED = sizeof(tagged) - 1 };

static void a_bridge_removes_and_adds_vlan_tags(void **state)
{
	(void)state;
	uint8_t frame[64];
	memcpy(frame, plain, PLAIN);
	assert_int_equal(mkv_frame_tag(frame, PLAIN, 100), TAGGED);
	assert_memory_equal(frame, tagged, TAGGED);
	assert_int_equal(mkv_frame_tag(frame, TAGGED, 100), 0);
	assert_int_equal(mkv_frame_untag(frame, TAGGED, 101), 0);
	frame[14] = 0xe0; /* the priority is not part of the id */
	assert_int_equal(mkv_frame_untag(frame, TAGGED, 100), PLAIN);
	assert_memory_equal(frame, plain, PLAIN);
	assert_int_equal(mkv_frame_untag(frame, PLAIN, 100), 0);
	assert_int_equal(mkv_frame_tag(frame, 13, 100), 0);
	assert_int_equal(mkv_frame_untag(frame, 17, 100), 0);
}

/* Opens a multicast socket as QEMU does. */
static int join_group(unsigned port)
{
	struct sockaddr_in group = {.sin_family = AF_INET};
	struct ip_mreq membership = {.imr_interface.s_addr =
					     htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = 5};
	int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	group.sin_port = htons((uint16_t)port);
	(void)inet_pton(AF_INET, MKV_NETWORK_GROUP, &group.sin_addr);
	membership.imr_multiaddr = group.sin_addr;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&group, sizeof(group)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &membership,
		       sizeof(membership)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF,
		       &membership.imr_interface,
		       sizeof(membership.imr_interface)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		fail_msg("multicast: %s", strerror(errno));
	return fd;
}

static void machines_and_guests_receive_each_others_frames(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_network struct mkv_network *network = NULL;
	assert_int_equal(mkv_network_open(100, false, &network, &err), 0);
	unsigned trunk = mkv_network_port(network, MKV_SEGMENT_TRUNK);
	unsigned access = mkv_network_port(network, MKV_SEGMENT_ACCESS);
	assert_int_not_equal(trunk, access);
	const struct {
		unsigned from, to;
		const uint8_t *sent, *heard;
		size_t sent_size, heard_size;
	} ways[] = {
		{trunk, access, tagged, plain, TAGGED, PLAIN},
		{access, trunk, plain, tagged, PLAIN, TAGGED},
	};
	for (size_t i = 0; i < 2; i++) {
		auto_fd int from = socket(AF_INET, SOCK_DGRAM, 0);
		auto_fd int to = join_group(ways[i].to);
		struct sockaddr_in group = {.sin_family = AF_INET};
		struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
		uint8_t heard[128];
		group.sin_port = htons((uint16_t)ways[i].from);
		(void)inet_pton(AF_INET, MKV_NETWORK_GROUP, &group.sin_addr);
		assert_int_equal(setsockopt(from, IPPROTO_IP, IP_MULTICAST_IF,
					    &loopback, sizeof(loopback)),
				 0);
		assert_int_equal(sendto(from, ways[i].sent, ways[i].sent_size,
					0, (struct sockaddr *)&group,
					sizeof(group)),
				 ways[i].sent_size);
		assert_int_equal(recv(to, heard, sizeof(heard), 0),
				 ways[i].heard_size);
		assert_memory_equal(heard, ways[i].heard, ways[i].heard_size);
		/* Received once: frames do not loop. */
		struct timeval short_time = {.tv_usec = 100000};
		assert_int_equal(setsockopt(to, SOL_SOCKET, SO_RCVTIMEO,
					    &short_time, sizeof(short_time)),
				 0);
		assert_int_equal(recv(to, heard, sizeof(heard), 0), -1);
	}
}

/* Sends a frame to a group or to a port of 127.0.0.1. */
static void send_to(int fd, const char *address, unsigned port,
		    const uint8_t *frame, size_t size)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)port)};
	struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
	(void)inet_pton(AF_INET, address, &to.sin_addr);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &loopback,
				    sizeof(loopback)),
			 0);
	assert_int_equal(
		sendto(fd, frame, size, 0, (struct sockaddr *)&to, sizeof(to)),
		size);
}

static void a_gateway_receives_only_frames_of_its_network(void **state)
{
	(void)state;
	static const uint8_t from_gateway[] = "ABCDEFghijkl\x08\0hello";
	static const uint8_t to_it[] = "ghijklABCDEF\x08\0to it";
	static const uint8_t to_another[] = "mnopqrABCDEF\x08\0not to it";
	static const uint8_t arp[] = "\xff\xff\xff\xff\xff\xff"
				     "ABCDEF\x08\x06who";
	static const uint8_t shout[] = "\xff\xff\xff\xff\xff\xff"
				       "ABCDEF\x08\0shout";
	for (unsigned vlan = 0; vlan <= 100; vlan += 100) {
		struct mkv_error err = {0};
		uint8_t heard[128];
		auto_network struct mkv_network *network = NULL;
		assert_int_equal(mkv_network_open(vlan, true, &network, &err),
				 0);
		unsigned access = mkv_network_port(network, MKV_SEGMENT_ACCESS);
		auto_fd int gateway = dup(mkv_network_gateway_fd(network));
		auto_fd int guest = join_group(access);
		auto_fd int sender = socket(AF_INET, SOCK_DGRAM, 0);
		struct timeval patience = {.tv_sec = 5};
		struct sockaddr_in end;
		socklen_t length = sizeof(end);
		assert_int_equal(
			getsockname(gateway, (struct sockaddr *)&end, &length),
			0);
		assert_int_equal(setsockopt(gateway, SOL_SOCKET, SO_RCVTIMEO,
					    &patience, sizeof(patience)),
				 0);
		assert_int_equal(
			send(gateway, from_gateway, sizeof(from_gateway), 0),
			sizeof(from_gateway));
		assert_int_equal(recv(guest, heard, sizeof(heard), 0),
				 sizeof(from_gateway));
		assert_memory_equal(heard, from_gateway, sizeof(from_gateway));
		/* No other host receives it. */
		send_to(sender, "127.0.0.1", ntohs(end.sin_port), to_it,
			sizeof(to_it));
		send_to(sender, MKV_NETWORK_GROUP, access, to_another,
			sizeof(to_another));
		send_to(sender, MKV_NETWORK_GROUP, access, shout,
			sizeof(shout));
		send_to(sender, MKV_NETWORK_GROUP, access, arp, sizeof(arp));
		send_to(sender, MKV_NETWORK_GROUP, access, to_it,
			sizeof(to_it));
		assert_int_equal(recv(gateway, heard, sizeof(heard), 0),
				 sizeof(arp));
		assert_memory_equal(heard, arp, sizeof(arp));
		assert_int_equal(recv(gateway, heard, sizeof(heard), 0),
				 sizeof(to_it));
		assert_memory_equal(heard, to_it, sizeof(to_it));
	}
}

static void parses_the_summary_of_a_load(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool is_summary, is_answered;
	} rows[] = {
		{"[ 1.0] mkvbench-load[7]: {\"answered\":3,\"requests\":3}",
		 true, true},
		{"[ 1.0] mkvbench-load[7]: {\"answered\":2,\"requests\":3}",
		 true, false},
		{"[ 1.0] mkvbench-load[7]: {\"answered\":1,\"requests\":1}",
		 true, false}, /* fewer than requested */
		{"[ 1.0] mkvbench-load[7]: {\"level\":\"error\"}", false,
		 false},
		{"[ 1.0] mkvbench-load[7]: {\"answered\":3,", false, false},
		{"[ 1.0] other[7]: {\"answered\":3,\"requests\":3}", false,
		 false},
		{"mkvbench-load[", false, false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_boot_load load = {.count = 3};
		assert_int_equal(mkv_load_take_line(&load, rows[i].line),
				 rows[i].is_summary);
		assert_int_equal(load.summary != NULL, rows[i].is_summary);
		assert_int_equal(load.is_answered, rows[i].is_answered);
		mkv_load_done(&load);
	}
}

static void a_load_is_good_when_no_span_was_lost(void **state)
{
	(void)state;
#define SPANS(ended, exported, dropped)                                        \
	"mkvbench_spans_total{state=\"ended\"} " #ended "\n"                   \
	"mkvbench_spans_total{state=\"exported\"} " #exported "\n"             \
	"mkvbench_spans_total{state=\"dropped\"} " #dropped "\n"
	static const struct {
		const char *metrics, *of_generator;
		bool is_exported, is_good;
		uint64_t spans, dropped;
	} rows[] = {
		{SPANS(20, 20, 0), "0", true, true, 20, 0},
		{SPANS(20, 20, 0), "1", true, false, 20, 0},
		{SPANS(20, 18, 2), "0", true, false, 18, 2},
		{SPANS(20, 19, 0), "0", false, false, 19, 0},
		{SPANS(0, 0, 0), "0", false, false, 0, 0},
		{"", "0", false, false, 0, 0},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_boot_load load = {.count = 1,
					     .traces = strdup("path")};
		char line[128];
		(void)snprintf(line, sizeof(line),
			       "mkvbench-load[7]: {\"answered\":1,\"requests\":"
			       "1,\"spans\":{\"dropped\":%s}}",
			       rows[i].of_generator);
		assert_true(mkv_load_take_line(&load, line));
		load.is_exported = mkv_load_add_metrics(&load, rows[i].metrics);
		assert_int_equal(load.is_exported, rows[i].is_exported);
		assert_int_equal(load.spans, rows[i].spans);
		assert_int_equal(load.dropped, rows[i].dropped);
		assert_int_equal(mkv_load_is_good(&load), rows[i].is_good);
		mkv_load_done(&load);
	}
	/* No service was queried. */
	struct mkv_boot_load load = {.is_answered = true};
	assert_false(mkv_load_is_good(&load));
}

static void gives_the_load_generator_a_credential(void **state)
{
	(void)state;
	struct mkv_error err = {0};
	auto_buf struct mkv_buf text = {0}, plain_text = {0};
	const struct mkv_boot_load load = {.count = 12};
	assert_int_equal(mkv_load_credential(&load, &text, &err), 0);
	assert_int_equal(
		mkv_base64_read(text.data, text.size, &plain_text, &err), 0);
	assert_string_equal(plain_text.data,
			    "MKVBENCH_WARM_UP=0\nMKVBENCH_COUNT=12\n");
	struct mkv_boot_machine machine = {.accel = MKV_ACCEL_TCG,
					   .load = text.data};
	auto_free char *line = line_for(&machine, &err);
	assert_non_null(line);
	assert_non_null(strstr(
		line, "type=11,value=io.systemd.credential.binary:mkvbench."
		      "load="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_receipts),
		cmocka_unit_test(
			distinguishes_later_receipts_from_that_of_the_boot),
		cmocka_unit_test(output_of_a_guest_is_limited),
		cmocka_unit_test(keeps_the_last_line_without_leftovers),
		cmocka_unit_test(presents_the_promised_machine),
		cmocka_unit_test(identity_reaches_qemu_as_bytes),
		cmocka_unit_test(a_guest_has_virtio_and_one_card),
		cmocka_unit_test(a_hostile_contract_adds_no_option),
		cmocka_unit_test(accepts_qemus_own_models),
		cmocka_unit_test(a_bridge_removes_and_adds_vlan_tags),
		cmocka_unit_test(
			machines_and_guests_receive_each_others_frames),
		cmocka_unit_test(a_gateway_receives_only_frames_of_its_network),
		cmocka_unit_test(parses_the_summary_of_a_load),
		cmocka_unit_test(a_load_is_good_when_no_span_was_lost),
		cmocka_unit_test(gives_the_load_generator_a_credential),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
