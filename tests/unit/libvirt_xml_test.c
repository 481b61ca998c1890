/* SPDX-License-Identifier: MIT */
/* libvirt definitions: written, parsed, changed, and hostile ones refused.
 * `libvirt_xml_test DIR small|large` writes the definitions of two hosts, `a`
 * and `b`, for the integration tests. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "builder/format/libvirt/document.h"
#include "builder/format/libvirt/xml.h"
#include "lib/io.h"

/* A host of the study, with the fields that its XML needs. */
struct sample {
	struct mkv_contract contract;
	struct mkv_contract_host host;
	const char *features[2], *timers[1];
	unsigned pins[12], others[4];
};

static void make_large(struct sample *s)
{
	*s = (struct sample){
		.features = {"+topoext", "-svm"},
		.timers = {"kvmclock"},
		.pins = {0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11},
		.others = {4, 5, 10, 11},
	};
	s->host = (struct mkv_contract_host){
		.name = "order",
		.mac = "52:54:00:77:00:11",
		.hypervisor =
			{
				.promised = true,
				.domain = "kvm-docker-order",
				.uuid = "8752ac13-2a93-5399-8a8f-2494ff542c48",
				.firmware = "uefi",
				.cpu = {.mode = "host-passthrough",
					.features = {s->features, 2},
					.migratable = 0,
					.sockets = 1,
					.dies = 2,
					.cores = 3,
					.threads = 2,
					.caches = "passthrough",
					.pins = {s->pins, 12}},
				.memory_bytes = 24ULL << 30,
				.huge_page_bytes = 1ULL << 30,
				.disk = {.file = MKV_LIBVIRT_DISKS
					 "/kvm-docker/order.raw",
					 .bus = "virtio",
					 .cache = "none",
					 .io = "native",
					 .iothreads = 1},
				.nic = {.model = "virtio",
					.network = "mkvbench-kvm-docker",
					.bridge = "br-vlan",
					.queues = 4},
				.timers = {s->timers, 1},
			},
	};
	s->contract = (struct mkv_contract){
		.name = "kvm-docker",
		.vlan = {.mtu = 1500},
		.hosts = &s->host,
		.n_hosts = 1,
	};
}

/* A host that fits any machine. */
static void make_small(struct sample *s)
{
	make_large(s);
	struct mkv_contract_hypervisor *hv = &s->host.hypervisor;
	s->contract.name = "tiny";
	hv->nic.network = "mkvbench-tiny";
	hv->cpu.dies = hv->cpu.cores = hv->cpu.threads = 1;
	hv->cpu.features.count = 0;
	hv->cpu.pins.count = 0;
	hv->memory_bytes = 512ULL << 20;
	hv->huge_page_bytes = 0;
	hv->nic.queues = 1;
}

static char *domain_of(const struct sample *s)
{
	struct mkv_buf xml = {0};
	struct mkv_error err;
	assert_int_equal(
		mkv_libvirt_domain_xml(&s->contract, &s->host, &xml, &err), 0);
	return mkv_buf_take(&xml);
}

static struct mkv_document *parse_xml(const char *xml)
{
	struct mkv_document *document = NULL;
	struct mkv_error err = {0};
	int rc = mkv_document_parse(xml, strlen(xml), &document, &err);
	if (rc < 0)
		print_error("%s\n", err.message);
	assert_int_equal(rc, 0);
	return document;
}

static void a_domain_has_every_setting_that_affects_a_benchmark(void **state)
{
	(void)state;
	struct sample s;
	struct mkv_error err;
	auto_buf struct mkv_buf golden = {0};
	make_large(&s);
	auto_free char *xml = domain_of(&s);
	assert_int_equal(mkv_read_file(AT_FDCWD,
				       "tests/golden/libvirt/order.xml", 65536,
				       &golden, &err),
			 0);
	assert_string_equal(xml, golden.data);
}

struct row {
	const char *xpath;
	const char *text; /* NULL: missing */
};

static void expect_rows(const char *xml, const struct row *rows, size_t count)
{
	auto_document struct mkv_document *document = parse_xml(xml);
	for (size_t i = 0; i < count; i++) {
		auto_free char *text =
			mkv_document_text(document, rows[i].xpath);
		if (!text != !rows[i].text ||
		    (text && strcmp(text, rows[i].text) != 0))
			fail_msg("%s: '%s', not '%s'", rows[i].xpath,
				 text ? text : "(none)",
				 rows[i].text ? rows[i].text : "(none)");
	}
}
#define EXPECT(xml, ...)                                                       \
	expect_rows(xml, (const struct row[]){__VA_ARGS__},                    \
		    sizeof((const struct row[]){__VA_ARGS__}) /                \
			    sizeof(struct row))

static void the_domain_has_the_values_of_the_contract(void **state)
{
	(void)state;
	struct sample s;
	make_large(&s);
	struct mkv_contract_hypervisor *hv = &s.host.hypervisor;
	hv->cpu.dies = 1;
	hv->cpu.cores = 4; /* two cores remain for QEMU */
	hv->cpu.pins.count = 8;
	hv->cpu.others = (struct mkv_contract_numbers){s.others, 4};
	hv->cpu.migratable = 1;
	hv->cpu.caches = "disable";
	hv->disk.bus = "scsi";
	hv->nic.model = "e1000e";
	s.contract.vlan.mtu = 9000;
	auto_free char *xml = domain_of(&s);
	EXPECT(xml, {"/domain/vcpu", "8"},
	       {"/domain/cputune/vcpupin[@vcpu='1']/@cpuset", "6"},
	       {"/domain/cputune/vcpupin[@vcpu='7']/@cpuset", "9"},
	       {"/domain/cputune/emulatorpin/@cpuset", "4,5,10,11"},
	       {"/domain/cputune/iothreadpin[@iothread='1']/@cpuset",
		"4,5,10,11"},
	       {"/domain/devices/controller[@type='scsi']/driver/@iothread",
		"1"},
	       {"/domain/devices/disk/driver/@iothread", NULL},
	       {"/domain/devices/disk/target/@dev", "sda"},
	       {"/domain/cpu/@migratable", "on"},
	       {"/domain/cpu/topology/@dies", "1"},
	       {"/domain/cpu/cache/@mode", "disable"},
	       {"/domain/clock/timer[@name='kvmclock']/@present", "yes"},
	       {"/domain/devices/interface/driver", NULL},
	       {"/domain/devices/interface/mtu/@size", "9000"});
	hv->timers.count = 0;
	hv->cpu.mode = "custom";
	hv->cpu.model = "EPYC-Rome";
	hv->cpu.migratable = -1;
	hv->cpu.pins.count = 0;
	hv->huge_page_bytes = 0;
	auto_free char *other = domain_of(&s);
	EXPECT(other, {"/domain/cpu/model", "EPYC-Rome"},
	       {"/domain/cpu/@migratable", NULL}, {"/domain/cputune", NULL},
	       {"/domain/memoryBacking/hugepages", NULL},
	       {"/domain/memoryBacking/allocation/@mode", "immediate"},
	       {"/domain/clock/timer[@name='kvmclock']/@present", "no"});
}

static void names_are_only_ever_text(void **state)
{
	(void)state;
	static char evil[] = "a'/><x y=\"&lt;</name>&";
	struct sample s;
	struct mkv_error err;
	auto_buf struct mkv_buf network = {0};
	make_large(&s);
	struct mkv_contract_hypervisor *hv = &s.host.hypervisor;
	s.host.name = evil;
	s.host.mac = evil;
	hv->domain = evil;
	hv->disk.file = evil;
	hv->nic.bridge = evil;
	hv->cpu.model = evil;
	hv->cpu.mode = "custom";
	s.features[0] = evil;
	auto_free char *xml = domain_of(&s);
	char credential[128];
	(void)snprintf(credential, sizeof(credential),
		       "io.systemd.credential:mkvbench.host=%s", evil);
	EXPECT(xml, {"/domain/name", evil},
	       {"/domain/sysinfo/oemStrings/entry", credential},
	       {"/domain/devices/disk/source/@file", evil},
	       {"/domain/devices/interface/mac/@address", evil},
	       {"/domain/cpu/model", evil}, {"/domain/cpu/feature/@name", evil},
	       {"//x", NULL});
	assert_int_equal(mkv_libvirt_network_xml(&s.contract, &network, &err),
			 0);
	EXPECT(network.data, {"/network/bridge/@name", evil}, {"//x", NULL});
}

static void needs_are_read_from_a_domain(void **state)
{
	(void)state;
	struct sample s;
	struct mkv_error err;
	make_large(&s);
	auto_free char *xml = domain_of(&s);
	auto_document struct mkv_document *document = parse_xml(xml);
	auto_domain_needs struct mkv_domain_needs needs = {0};
	assert_int_equal(mkv_domain_read(document, &needs, &err), 0);
	assert_string_equal(needs.name, "kvm-docker-order");
	assert_string_equal(needs.network, "mkvbench-kvm-docker");
	assert_string_equal(needs.uuid, "8752ac13-2a93-5399-8a8f-2494ff542c48");
	assert_true(needs.memory_bytes == 24ULL << 30);
	assert_true(needs.huge_page_bytes == 1ULL << 30);
	assert_int_equal(needs.cpus, 12);
	assert_int_equal(needs.threads, 2);
	assert_int_equal(needs.pins[0], 0);
	assert_int_equal(needs.pins[1], 6);
	assert_int_equal(needs.pins[11], 11);
	assert_true(needs.pinned && needs.host_cpu && needs.uefi &&
		    needs.iothreads && needs.vhost && needs.direct_io);
}

/* `from` in a valid domain is replaced by `to`: it must be refused. */
static void hostile_domains_are_refused_even_if_signed(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to, *message;
	} rows[] = {
		{"type='kvm'", "type='qemu'", "type is not 'kvm'"},
		{"<domain ",
		 "<domain xmlns:qemu='http://libvirt.org/schemas/"
		 "domain/qemu/1.0' ",
		 "<domain>: another namespace not allowed"},
		{"<devices>", "<devices><emulator>/bin/sh</emulator>",
		 "<emulator>: host path not allowed"},
		{"<devices>", "<devices><hostdev mode='subsystem'/>",
		 "<hostdev>: not part of"},
		{"<devices>", "<devices><filesystem/>",
		 "<filesystem>: not part"},
		{"<boot ", "<kernel>vmlinuz</kernel><boot ",
		 "<kernel>: not part of"},
		{"<boot ", "<loader>\n /x</loader><boot ",
		 "<loader>: host path not allowed"},
		{"<serial type='pty'>",
		 "<serial type='file'>"
		 "<source path='/etc/passwd'/>",
		 "<source>: host path not allowed"},
		{"<serial type='pty'>", "<serial type='tcp'>",
		 "the console is not a pty"},
		{"/dev/urandom", "/dev/vda",
		 "<backend>: host path not allowed"},
		{"<rng ",
		 "<disk type='file' device='disk'><source file='x'/>"
		 "</disk><rng ",
		 "not exactly one disk"},
		{"<disk type='file'", "<disk type='block'",
		 "the disk is not a file"},
		{"<interface type='network'", "<interface type='bridge'",
		 "one interface of type 'network'"},
		{"<vcpu placement='static'>12", "<vcpu placement='static'>13",
		 "CPUs and topology disagree"},
		{"cpuset='0'", "cpuset='0-3'", "not pinned to one host CPU"},
		{"unit='KiB'>", "unit='b'>", "no valid name, UUID"},
		{"<name>kvm", "<name>&amp;</name><title>x</title><name>kvm",
		 "<title>: not part of"},
		{"-2a93-", "-2A93-", "no valid name, UUID"},
	};
	struct sample s;
	make_large(&s);
	auto_free char *xml = domain_of(&s);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		auto_buf struct mkv_buf bad = {0};
		auto_domain_needs struct mkv_domain_needs needs = {0};
		const char *at = strstr(xml, rows[i].from);
		assert_non_null(at);
		mkv_buf_add(&bad, xml, (size_t)(at - xml));
		mkv_buf_str(&bad, rows[i].to);
		mkv_buf_str(&bad, at + strlen(rows[i].from));
		auto_document struct mkv_document *document =
			parse_xml(bad.data);
		int rc = mkv_domain_read(document, &needs, &err);
		if (rc == 0 || !strstr(err.message, rows[i].message))
			fail_msg("row %zu: %d '%s', not '%s'", i, rc,
				 err.message, rows[i].message);
		assert_int_equal(err.kind, MKV_UNVERIFIED);
	}
}

static void xml_with_entities_or_errors_is_refused(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"",
		"x",
		"<a>",
		"<a></b>",
		"<a/><b/>",
		"<a>&b;</a>",
		"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
		"<!DOCTYPE a SYSTEM '/etc/passwd'><a/>",
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mkv_error err = {0};
		struct mkv_document *document = NULL;
		assert_true(mkv_document_parse(rows[i], strlen(rows[i]),
					       &document, &err) < 0);
		assert_null(document);
	}
}

static void an_import_changes_only_documented_elements(void **state)
{
	(void)state;
	struct sample s;
	struct mkv_error err;
	auto_buf struct mkv_buf kvm = {0}, tcg = {0};
	make_large(&s);
	auto_free char *xml = domain_of(&s);
	auto_document struct mkv_document *document = parse_xml(xml);
	auto_document struct mkv_document *second = parse_xml(xml);
	struct mkv_domain_change change = {.disk = "/a & b/c.raw", .mark = "m"};
	assert_int_equal(mkv_domain_change(document, &change, &kvm, &err), 0);
	EXPECT(kvm.data, {"/domain/@type", "kvm"},
	       {"/domain/devices/disk/source/@file", "/a & b/c.raw"},
	       {MKV_DOMAIN_MARK, "m"},
	       {"/domain/cpu/@mode", "host-passthrough"},
	       {"/domain/cputune/vcpupin[@vcpu='11']/@cpuset", "11"});
	assert_non_null(strstr(kvm.data,
			       ":import xmlns:mkvbench=\"urn:mkvbench:"
			       "libvirt:1\">m</mkvbench:import>"));
	change.emulate_cpu = "EPYC-Rome";
	change.memory_bytes = 512 << 20;
	assert_int_equal(mkv_domain_change(second, &change, &tcg, &err), 0);
	EXPECT(tcg.data, {"/domain/@type", "qemu"}, {"/domain/cputune", NULL},
	       {"/domain/memoryBacking", NULL}, {"/domain/memory", "524288"},
	       {"/domain/cpu/@mode", "custom"}, {"/domain/cpu/cache", NULL},
	       {"/domain/cpu/feature", NULL},
	       {"/domain/cpu/model", "EPYC-Rome"},
	       {"/domain/cpu/topology/@cores", "3"},
	       {"/domain/clock/timer[@name='kvmclock']", NULL});
	char one[65], two[65], three[65];
	auto_document struct mkv_document *plain = parse_xml(xml);
	assert_int_equal(mkv_domain_digest(document, one, &err), 0);
	assert_int_equal(mkv_domain_digest(second, two, &err), 0);
	assert_int_equal(mkv_domain_digest(plain, three, &err), 0);
	assert_string_not_equal(one, two);
	assert_string_not_equal(one, three);
}

static int write_samples(const char *dir, const char *kind)
{
	static const char *const names[] = {"a", "b"};
	struct sample s;
	struct mkv_error err = {0};
	char path[4096], mac[] = "52:54:00:77:00:1x";
	auto_buf struct mkv_buf network = {0};
	if (strcmp(kind, "small") == 0)
		make_small(&s);
	else
		make_large(&s);
	(void)snprintf(path, sizeof(path), "%s/network-vlan.xml", dir);
	int rc = mkv_libvirt_network_xml(&s.contract, &network, &err);
	if (rc == 0)
		rc = mkv_write_file(path, 0644, network.data, network.size,
				    &err);
	for (unsigned i = 0; rc == 0 && i < 2; i++) {
		auto_buf struct mkv_buf xml = {0};
		char domain[64], disk[128];
		char uuid[] = "8752ac13-2a93-5399-8a8f-2494ff542c40";
		uuid[sizeof(uuid) - 2] = (char)('0' + i);
		mac[sizeof(mac) - 2] = (char)('0' + i);
		(void)snprintf(domain, sizeof(domain), "%s-%s", s.contract.name,
			       names[i]);
		(void)snprintf(disk, sizeof(disk),
			       MKV_LIBVIRT_DISKS "/%s/%s.raw", s.contract.name,
			       names[i]);
		s.host.name = names[i];
		s.host.mac = mac;
		s.host.hypervisor.domain = domain;
		s.host.hypervisor.uuid = uuid;
		s.host.hypervisor.disk.file = disk;
		(void)snprintf(path, sizeof(path), "%s/domain-%s.xml", dir,
			       names[i]);
		rc = mkv_libvirt_domain_xml(&s.contract, &s.host, &xml, &err);
		if (rc == 0)
			rc = mkv_write_file(path, 0644, xml.data, xml.size,
					    &err);
	}
	if (rc < 0)
		(void)fprintf(stderr, "%s\n", err.message);
	return rc < 0;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return write_samples(argv[1], argv[2]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_domain_has_every_setting_that_affects_a_benchmark),
		cmocka_unit_test(the_domain_has_the_values_of_the_contract),
		cmocka_unit_test(names_are_only_ever_text),
		cmocka_unit_test(needs_are_read_from_a_domain),
		cmocka_unit_test(hostile_domains_are_refused_even_if_signed),
		cmocka_unit_test(xml_with_entities_or_errors_is_refused),
		cmocka_unit_test(an_import_changes_only_documented_elements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
