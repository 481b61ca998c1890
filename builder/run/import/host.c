/* SPDX-License-Identifier: MIT */
/* Checks whether this host provides what the domains and their contract need.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "builder/core/host/accel.h"
#include "builder/run/import/import_internal.h"
#include "lib/cputext.h"
#include "lib/io.h"
#include "lib/text.h"

/* The value of a key of the first CPU in /proc/cpuinfo, owned by the caller;
 * NULL: missing. */
static char *copy_cpuinfo_value(const char *text, const char *key)
{
	size_t length = strlen(key);
	for (const char *line = text; line && *line;) {
		const char *end = strchrnul(line, '\n');
		const char *colon = memchr(line, ':', (size_t)(end - line));
		if (colon && strncmp(line, key, length) == 0 &&
		    (line[length] == '\t' || line[length] == ' ' ||
		     line + length == colon)) {
			const char *value = colon + 1;
			while (value < end && *value == ' ')
				value++;
			return strndup(value, (size_t)(end - value));
		}
		line = *end ? end + 1 : NULL;
	}
	return NULL;
}

static void check_number(struct mkv_import *import, const char *text,
			 const char *key, int promised)
{
	auto_free char *value = copy_cpuinfo_value(text, key);
	if (promised >= 0 && value && atoi(value) != promised)
		mkv_import_add_reason(import,
				      "CPU: the contract promises %s %d, this "
				      "machine has %s",
				      key, promised, value);
}

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += length)
		if ((at == words || at[-1] == ' ') &&
		    (at[length] == ' ' || at[length] == '\0'))
			return true;
	return false;
}

static void check_features(struct mkv_import *import, const char *text,
			   const struct mkv_contract_cpu *cpu)
{
	auto_free char *flags = copy_cpuinfo_value(text, "flags");
	auto_buf struct mkv_buf missing = {0};
	for (size_t i = 0; flags && i < cpu->features.count; i++)
		if (!has_word(flags, cpu->features.items[i]))
			mkv_buf_printf(&missing, "%s%s",
				       missing.size ? ", " : "",
				       cpu->features.items[i]);
	if (missing.size)
		mkv_import_add_reason(import,
				      "CPU: this machine's CPU lacks %s",
				      missing.data);
}

/* Guests that get the host's CPU passed through need the promised CPU here. */
static int check_cpu(struct mkv_import *import, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	const struct mkv_contract_cpu *cpu = &import->guests[0].image->cpu;
	if (!import->guests[0].needs.host_cpu)
		return 0;
	int rc = mkv_read_file(AT_FDCWD, "/proc/cpuinfo", 64 << 20, &text, err);
	if (rc < 0 || !text.data)
		return rc;
	auto_free char *vendor = copy_cpuinfo_value(text.data, "vendor_id");
	auto_free char *brand = copy_cpuinfo_value(text.data, "model name");
	if (cpu->vendor && vendor && !mkv_cputext_is_shown(cpu->vendor, vendor))
		mkv_import_add_reason(import,
				      "CPU: the contract promises %s, this "
				      "machine has %s",
				      cpu->vendor, vendor);
	if (cpu->brand && brand && !mkv_cputext_is_shown(cpu->brand, brand))
		mkv_import_add_reason(import,
				      "CPU: the contract promises '%s', this "
				      "machine has '%s'",
				      cpu->brand, brand);
	check_number(import, text.data, "cpu family", cpu->family);
	check_number(import, text.data, "model", cpu->model);
	check_number(import, text.data, "stepping", cpu->stepping);
	check_features(import, text.data, cpu);
	return 0;
}

/* Checks that libvirt reports KVM, then that the guest's kernel boots in it. */
static int check_kvm(struct mkv_import *import,
		     const struct mkv_document *capabilities,
		     struct mkv_error *err)
{
	if (!mkv_document_has(capabilities,
			      "/capabilities/guest/arch[@name='x86_64']/"
			      "domain[@type='kvm']")) {
		mkv_import_add_reason(
			import,
			"KVM: libvirt does not report it on this machine");
		return 0;
	}
	if (import->options->accel == MKV_ACCEL_KVM)
		return 0;
	auto_free char *kernel = NULL, *path = NULL;
	auto_buf struct mkv_buf text = {0};
	char why[128] = "";
	bool works = false;
	if (asprintf(&kernel, "%s/boot/vmlinuz",
		     import->guests[0].host->image) < 0 ||
	    asprintf(&path, "%s/%s", import->options->appliance, kernel) < 0)
		return mkv_oom(err);
	int rc = mkv_trusted_read(import->trusted, kernel, 256 << 20, &text,
				  err);
	if (rc < 0)
		return rc;
	rc = mkv_accel_probe_kvm(path, &works, why, err);
	if (rc < 0)
		return rc;
	if (!works)
		mkv_import_add_reason(import, "KVM: %s", why);
	return 0;
}

/* Queries libvirt's capabilities for the domain type. If there are none, a
 * reason is added and `ret` stays NULL. */
static int query_domain_capabilities(struct mkv_import *import,
				     struct mkv_document **ret,
				     struct mkv_error *err)
{
	auto_free char *xml = virConnectGetDomainCapabilities(
		import->connection, NULL, "x86_64", "q35",
		import->emulate ? "qemu" : "kvm", 0);
	if (xml)
		return mkv_document_parse(xml, strlen(xml), ret, err);
	mkv_import_add_reason(import,
			      "libvirt offers no x86-64 QEMU machine: %s",
			      virGetLastErrorMessage());
	return 0;
}

static int check_machine(struct mkv_import *import, struct mkv_error *err)
{
	auto_document struct mkv_document *answer = NULL;
	int rc = query_domain_capabilities(import, &answer, err);
	if (rc < 0 || !answer)
		return rc;
	const struct mkv_domain_needs *needs = &import->guests[0].needs;
	uint64_t cpus = mkv_document_number(
		answer, "/domainCapabilities/vcpu/@max", UINT64_MAX);
	if (needs->cpus > cpus)
		mkv_import_add_reason(
			import,
			"QEMU on this machine supports at most %llu CPUs",
			(unsigned long long)cpus);
	if (needs->iothreads &&
	    !mkv_document_has(answer, "/domainCapabilities/"
				      "iothreads[@supported='yes']"))
		mkv_import_add_reason(
			import, "QEMU on this machine has no I/O threads");
	if (needs->uefi &&
	    !mkv_document_has(answer, "/domainCapabilities/os/"
				      "enum[@name='firmware']/value[.='efi']"))
		mkv_import_add_reason(import,
				      "no UEFI firmware for guests is "
				      "installed: install the package ovmf");
	if (!import->emulate && needs->host_cpu &&
	    !mkv_document_has(answer, "/domainCapabilities/cpu/"
				      "mode[@name='host-passthrough' and "
				      "@supported='yes']"))
		mkv_import_add_reason(import, "CPU: libvirt cannot pass this "
					      "machine's CPU through");
	return 0;
}

static int check_cpus(struct mkv_import *import,
		      const struct mkv_document *capabilities,
		      struct mkv_error *err)
{
	virNodeInfo node;
	if (virNodeGetInfo(import->connection, &node) < 0)
		return mkv_import_fail(err, "query this machine's CPUs");
	unsigned cpus = 0;
	for (size_t i = 0; i < import->n_guests; i++)
		if (import->guests[i].needs.cpus > cpus)
			cpus = import->guests[i].needs.cpus;
	if (cpus > node.cpus)
		mkv_import_add_reason(
			import,
			"CPU: a guest needs %u CPUs, this machine "
			"has %u",
			cpus, node.cpus);
	for (size_t i = 0; i < import->n_guests; i++) {
		const struct mkv_domain_needs *needs = &import->guests[i].needs;
		if (!needs->host_cpu || needs->threads <= node.threads)
			continue;
		mkv_import_add_reason(
			import,
			"CPU: a guest's cores have %u threads, this "
			"machine's cores have %u",
			needs->threads, node.threads);
		break;
	}
	mkv_import_check_pins(import, capabilities);
	return 0;
}

static uint64_t read_number(const char *path)
{
	auto_file FILE *file = fopen(path, "re");
	unsigned long long value = 0;
	return file && fscanf(file, "%llu", &value) == 1 ? value : 0;
}

static uint64_t read_available_bytes(void)
{
	auto_file FILE *file = fopen("/proc/meminfo", "re");
	char line[256];
	unsigned long long kib;
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1)
			return kib * 1024;
	return 0;
}

/* Checks the free huge pages of each size that a guest needs, and the available
 * memory for all other guests. */
static void check_memory(struct mkv_import *import)
{
	uint64_t ordinary = 0;
	char needed[16], have[16];
	for (size_t i = 0; i < import->n_guests; i++) {
		const struct mkv_domain_needs *needs = &import->guests[i].needs;
		uint64_t page = needs->huge_page_bytes, pages = 0;
		bool seen = false;
		if (!page) {
			ordinary += needs->memory_bytes;
			continue;
		}
		for (size_t j = 0; j < import->n_guests; j++) {
			if (import->guests[j].needs.huge_page_bytes != page)
				continue;
			seen |= j < i;
			pages += import->guests[j].needs.memory_bytes / page;
		}
		char path[128];
		(void)snprintf(path, sizeof(path),
			       "/sys/kernel/mm/hugepages/hugepages-%llukB/"
			       "free_hugepages",
			       (unsigned long long)page / 1024);
		uint64_t free_pages = read_number(path);
		if (seen || pages <= free_pages)
			continue;
		mkv_import_add_reason(
			import,
			"memory: %llu free huge pages of %llu MiB "
			"are needed, this machine has %llu%s",
			(unsigned long long)pages,
			(unsigned long long)page >> 20,
			(unsigned long long)free_pages,
			access(path, F_OK) < 0 ? " (the kernel has no pages of "
						 "this size)"
					       : "");
	}
	mkv_size_text(ordinary, needed);
	mkv_size_text(read_available_bytes(), have);
	if (ordinary > read_available_bytes())
		mkv_import_add_reason(
			import,
			"memory: the guests need %s, this machine "
			"has %s available",
			needed, have);
}

static void check_network(struct mkv_import *import)
{
	auto_free char *path = NULL;
	if (import->own_bridge)
		return;
	if (asprintf(&path, "/sys/class/net/%s/bridge", import->bridge) >= 0 &&
	    access(path, F_OK) < 0)
		mkv_import_add_reason(
			import,
			"network: this machine has no bridge '%s' for "
			"the experiment's VLAN",
			import->bridge);
	if (!import->emulate && import->guests[0].needs.vhost &&
	    access("/dev/vhost-net", F_OK) < 0)
		mkv_import_add_reason(
			import, "network: /dev/vhost-net is missing: load the "
				"kernel module vhost_net");
}

/* The longest prefix of a path that exists, owned by the caller. */
static char *find_existing_directory(const char *path)
{
	char *directory = strdup(path);
	struct stat st;
	while (directory && stat(directory, &st) < 0) {
		char *slash = strrchr(directory, '/');
		if (!slash)
			break;
		slash[slash == directory] = '\0';
		if (slash == directory)
			break;
	}
	return directory;
}

static void check_disk(struct mkv_import *import)
{
	auto_free char *directory = find_existing_directory(import->directory);
	struct statvfs fs;
	struct stat st;
	uint64_t needed_bytes = 0;
	char needed[16], have[16];
	for (size_t i = 0; i < import->n_guests; i++)
		if (import->guests[i].disk_state == MKV_IMPORT_NEW ||
		    import->guests[i].disk_state == MKV_IMPORT_REPLACED)
			needed_bytes += import->guests[i].allocated_bytes;
	if (!directory || stat(directory, &st) < 0 ||
	    statvfs(directory, &fs) < 0) {
		mkv_import_add_reason(import, "disk: '%s': %s",
				      import->directory, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		mkv_import_add_reason(import, "disk: '%s' is not a directory",
				      directory);
		return;
	}
	uint64_t space = (uint64_t)fs.f_bavail * fs.f_frsize;
	mkv_size_text(needed_bytes, needed);
	mkv_size_text(space, have);
	if (needed_bytes > space)
		mkv_import_add_reason(
			import,
			"disk: '%s' has %s of free space, the disks "
			"need %s",
			directory, have, needed);
	if (!import->guests[0].needs.direct_io)
		return;
	auto_fd int fd = open(directory,
			      O_TMPFILE | O_RDWR | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EINVAL)
		mkv_import_add_reason(
			import,
			"disk: the file system of '%s' does not "
			"support direct I/O, which cache=none needs",
			directory);
	else if (fd < 0 && errno != EOPNOTSUPP)
		mkv_import_add_reason(import, "disk: cannot write to '%s': %s",
				      directory, strerror(errno));
}

/* The checks that only KVM domains need. */
static int check_native(struct mkv_import *import,
			const struct mkv_document *capabilities,
			struct mkv_error *err)
{
	int rc = check_kvm(import, capabilities, err);
	if (rc < 0)
		return rc;
	rc = check_cpu(import, err);
	if (rc < 0)
		return rc;
	rc = check_cpus(import, capabilities, err);
	if (rc < 0)
		return rc;
	check_memory(import);
	return 0;
}

int mkv_import_check_host(struct mkv_import *import, struct mkv_error *err)
{
	auto_free char *xml = virConnectGetCapabilities(import->connection);
	auto_document struct mkv_document *capabilities = NULL;
	if (!xml)
		return mkv_import_fail(err, "query libvirt's capabilities");
	int rc = mkv_document_parse(xml, strlen(xml), &capabilities, err);
	if (rc < 0)
		return rc;
	if (!import->emulate) {
		rc = check_native(import, capabilities, err);
		if (rc < 0)
			return rc;
	}
	rc = check_machine(import, err);
	if (rc < 0)
		return rc;
	check_network(import);
	check_disk(import);
	return 0;
}
