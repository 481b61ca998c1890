/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/machine.h"

#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "builder/core/host/models.h"
#include "builder/run/boot/network.h"
#include "lib/cputext.h"
#include "lib/io.h"

enum { COMMAND_LINE_MAX = 4096, MIB = 1 << 20, NICS_MAX = 8 };

static void add_pair(struct mkv_argv *argv, const char *option,
		     const char *value)
{
	mkv_argv_add(argv, "%s", option);
	mkv_argv_add(argv, "%s", value);
}

/* A value inside a QEMU option list: its commas are doubled. */
static const char *quote_option(const char *text, char *ret, size_t size)
{
	size_t used = 0;
	for (; *text && used + 3 < size; text++) {
		if (*text == ',')
			ret[used++] = ',';
		ret[used++] = *text;
	}
	ret[used] = '\0';
	return ret;
}

const char *mkv_boot_cpu_model(const struct mkv_contract_cpu *cpu)
{
	const struct mkv_cpu_model *own = mkv_cpu_model_with_brand(cpu->brand);
	if (own)
		return own->name;
	if (cpu->vendor && strcmp(cpu->vendor, "AuthenticAMD") == 0)
		return "EPYC-Rome";
	if (cpu->vendor && strcmp(cpu->vendor, "GenuineIntel") == 0)
		return "Skylake-Server";
	return "max";
}

/* Decodes a contract's register text for QEMU's -cpu option. False when -cpu
 * cannot express the bytes: the option has no quoting, and an argument holds no
 * NUL. */
static bool decode_for_cpu_option(const char *text, char ret[static 49])
{
	size_t count = text ? mkv_cputext_read(text, ret, 48) : 49;
	if (count > 48)
		return false;
	ret[count] = '\0';
	return strlen(ret) == count && !strchr(ret, ',');
}

/* The promised identity, as properties of the nearest QEMU model. */
static void add_cpu(const struct mkv_boot_machine *machine,
		    struct mkv_argv *argv)
{
	const struct mkv_contract_cpu *cpu = &machine->image->cpu;
	char vendor[49], brand[49];
	bool identity = machine->accel == MKV_ACCEL_TCG &&
			decode_for_cpu_option(cpu->vendor, vendor) &&
			strlen(vendor) == 12;
	char text[512];
	int used = snprintf(text, sizeof(text), "%s",
			    machine->accel == MKV_ACCEL_KVM ? "host"
			    : machine->cpu_model	    ? machine->cpu_model
						 : mkv_boot_cpu_model(cpu));
	size_t at = (size_t)used;
	if (identity && cpu->family >= 0 && cpu->model >= 0)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       ",vendor=%s,family=%d,model=%d", vendor,
				       cpu->family, cpu->model);
	if (identity && cpu->stepping >= 0)
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       ",stepping=%d", cpu->stepping);
	if (identity && decode_for_cpu_option(cpu->brand, brand))
		at += (size_t)snprintf(text + at, sizeof(text) - at,
				       ",model-id=%s", brand);
	if (cpu->hypervisor == 0)
		(void)snprintf(text + at, sizeof(text) - at, ",-hypervisor");
	add_pair(argv, "-cpu", text);
	unsigned sockets = cpu->sockets ? cpu->sockets : 1;
	unsigned cores = cpu->cores ? cpu->cores : 1;
	unsigned threads = cpu->threads ? cpu->threads : 1;
	mkv_argv_add(argv, "-smp");
	mkv_argv_add(argv, "%u,sockets=%u,cores=%u,threads=%u",
		     sockets * cores * threads, sockets, cores, threads);
}

static const char *find_setting(const struct mkv_contract_image *image,
				const char *key)
{
	for (size_t i = 0; i < image->settings.count; i++)
		if (strcmp(image->settings.items[i].key, key) == 0)
			return image->settings.items[i].value;
	return NULL;
}

/* Attaches the disk to the bus of the contract's disk_driver; default: NVMe for
 * a machine, virtio for a guest. */
static void add_disk(const struct mkv_boot_machine *machine,
		     struct mkv_argv *argv)
{
	const char *driver = find_setting(machine->image, "disk_driver");
	char directory[4096];
	mkv_argv_add(argv, "-drive");
	mkv_argv_add(
		argv,
		"if=none,id=disk,format=raw,snapshot=on,cache=unsafe,"
		"file=%s/disk.raw",
		quote_option(machine->directory, directory, sizeof(directory)));
	if (!driver)
		driver = machine->image->platform == MKV_PLATFORM_GUEST
				 ? "virtio_blk"
				 : "nvme";
	mkv_argv_add(argv, "-device");
	if (strcmp(driver, "virtio_blk") == 0) {
		mkv_argv_add(argv, "virtio-blk-pci,drive=disk,bootindex=1");
	} else if (strcmp(driver, "virtio_scsi") == 0) {
		mkv_argv_add(argv, "virtio-scsi-pci");
		add_pair(argv, "-device", "scsi-hd,drive=disk,bootindex=1");
	} else if (strcmp(driver, "ahci") == 0 || strcmp(driver, "sd") == 0) {
		mkv_argv_add(argv, "ide-hd,drive=disk,bus=ide.0,bootindex=1");
	} else {
		mkv_argv_add(argv, "nvme,drive=disk,serial=%s,bootindex=1",
			     machine->host->name);
	}
}

static const char *nic_device(const struct mkv_boot_machine *machine)
{
	const char *driver = find_setting(machine->image, "nic_driver");
	return driver && strcmp(driver, "e1000e") == 0 ? "e1000e"
	       : driver && strcmp(driver, "igb") == 0  ? "igb"
						       : "virtio-net-pci";
}

/* The contract numbers the VLAN's card; the cards before it are isolated. */
static void add_cards(const struct mkv_boot_machine *machine,
		      struct mkv_argv *argv)
{
	unsigned vlan = machine->contract->vlan.nic;
	if (vlan == 0 || vlan > NICS_MAX ||
	    machine->image->platform == MKV_PLATFORM_GUEST)
		vlan = 1;
	for (unsigned i = 1; i < vlan; i++) {
		mkv_argv_add(argv, "-netdev");
		mkv_argv_add(argv, "user,id=net%u,restrict=on", i);
		mkv_argv_add(argv, "-device");
		mkv_argv_add(argv,
			     "%s,netdev=net%u,romfile=", nic_device(machine),
			     i);
	}
	mkv_argv_add(argv, "-netdev");
	mkv_argv_add(argv,
		     "socket,id=vlan,mcast=" MKV_NETWORK_GROUP
		     ":%u,localaddr=127.0.0.1",
		     machine->port);
	mkv_argv_add(argv, "-device");
	mkv_argv_add(argv, "%s,netdev=vlan,romfile=%s%s", nic_device(machine),
		     machine->host->mac ? ",mac=" : "",
		     machine->host->mac ? machine->host->mac : "");
}

/* Names are used in option lists and paths, and a manifest may be hostile. */
static bool is_plain_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if (!(*c >= 'a' && *c <= 'z') && !(*c >= 'A' && *c <= 'Z') &&
		    !(*c >= '0' && *c <= '9') && !strchr("._-", *c))
			return false;
	return *text && *text != '.' && *text != '-' && strlen(text) <= 64;
}

static bool is_mac_address(const char *text)
{
	for (int i = 0; i < 17; i++) {
		char c = text[i];
		bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
			   (c >= 'A' && c <= 'F');
		if (i % 3 == 2 ? c != ':' : !hex)
			return false;
	}
	return text[17] == '\0';
}

int mkv_boot_check_host(const struct mkv_contract_host *host,
			struct mkv_error *err)
{
	if (!is_plain_name(host->name) || !is_plain_name(host->image))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"the contract's host '%s' with image '%s': a "
				"name may have only letters, digits, '.', '_' "
				"and '-'",
				host->name, host->image);
	if (host->mac && !is_mac_address(host->mac))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"host '%s': '%s' is not a MAC address",
				host->name, host->mac);
	return 0;
}

static int add_kernel(const struct mkv_boot_machine *machine,
		      struct mkv_argv *argv, struct mkv_error *err)
{
	char path[4096];
	auto_buf struct mkv_buf line = {0};
	(void)snprintf(path, sizeof(path), "%s/boot/cmdline",
		       machine->directory);
	int rc = mkv_read_file(AT_FDCWD, path, COMMAND_LINE_MAX, &line, err);
	if (rc < 0)
		return rc;
	while (line.size && strchr("\r\n", line.data[line.size - 1]))
		line.data[--line.size] = '\0';
	mkv_argv_add(argv, "-kernel");
	mkv_argv_add(argv, "%s/boot/vmlinuz", machine->directory);
	mkv_argv_add(argv, "-initrd");
	mkv_argv_add(argv, "%s/boot/initrd.img", machine->directory);
	add_pair(argv, "-append", line.size ? line.data : "");
	return 0;
}

static void add_tpm(const struct mkv_boot_machine *machine,
		    struct mkv_argv *argv)
{
	char path[4096];
	mkv_argv_add(argv, "-chardev");
	mkv_argv_add(argv, "socket,id=tpm,path=%s",
		     quote_option(machine->tpm, path, sizeof(path)));
	add_pair(argv, "-tpmdev", "emulator,id=tpm,chardev=tpm");
	add_pair(argv, "-device", "tpm-tis,tpmdev=tpm");
}

static void add_firmware(const struct mkv_boot_machine *machine,
			 struct mkv_argv *argv)
{
	char path[4096];
	mkv_argv_add(argv, "-drive");
	mkv_argv_add(argv, "if=pflash,format=raw,readonly=on,file=%s",
		     quote_option(machine->firmware, path, sizeof(path)));
	mkv_argv_add(argv, "-drive");
	mkv_argv_add(
		argv, "if=pflash,format=raw,snapshot=on,file=%s",
		quote_option(machine->firmware_variables, path, sizeof(path)));
}

static void add_machine(const struct mkv_boot_machine *machine,
			struct mkv_argv *argv)
{
	mkv_argv_add(argv, "qemu-system-x86_64");
	mkv_argv_add(argv, "-no-user-config");
	mkv_argv_add(argv, "-nodefaults");
	mkv_argv_add(argv, "-no-reboot");
	add_pair(argv, "-display", "none");
	mkv_argv_add(argv, "-name");
	mkv_argv_add(argv, "mkvbench-%s", machine->host->name);
	add_pair(argv, "-machine", "q35");
	/* One thread for all CPUs: with several threads, a CPU of QEMU 7.2 can
	 * execute the temporary breakpoint of Linux' code patching ("Oops:
	 * int3" as soon as packets are timestamped). */
	add_pair(argv, "-accel",
		 machine->accel == MKV_ACCEL_KVM ? "kvm" : "tcg,thread=single");
	add_cpu(machine, argv);
	mkv_argv_add(argv, "-m");
	mkv_argv_add(argv, "%llu",
		     (unsigned long long)(machine->memory_bytes / MIB));
	/* A guest has the UUID that its hypervisor would give it. */
	if (machine->host->hypervisor.promised)
		add_pair(argv, "-uuid", machine->host->hypervisor.uuid);
	/* systemd.system-credentials(7): the host's name. */
	mkv_argv_add(argv, "-smbios");
	mkv_argv_add(argv,
		     "type=11,value=io.systemd.credential:mkvbench.host=%s",
		     machine->host->name);
	if (machine->load) {
		mkv_argv_add(argv, "-smbios");
		mkv_argv_add(argv,
			     "type=11,value=io.systemd.credential.binary:"
			     "mkvbench.load=%s",
			     machine->load);
	}
}

int mkv_boot_machine_argv(const struct mkv_boot_machine *machine,
			  struct mkv_argv *ret, struct mkv_error *err)
{
	auto_argv struct mkv_argv argv = {0};
	char console[4096];
	int rc = mkv_boot_check_host(machine->host, err);
	if (rc < 0)
		return rc;
	add_machine(machine, &argv);
	mkv_argv_add(&argv, "-chardev");
	mkv_argv_add(&argv, "file,id=console,path=%s",
		     quote_option(machine->console, console, sizeof(console)));
	add_pair(&argv, "-serial", "chardev:console");
	add_disk(machine, &argv);
	add_cards(machine, &argv);
	if (machine->tpm)
		add_tpm(machine, &argv);
	if (machine->firmware)
		add_firmware(machine, &argv);
	else
		rc = add_kernel(machine, &argv, err);
	if (rc < 0)
		return rc;
	if (argv.failed)
		return mkv_oom(err);
	*ret = argv;
	argv = (struct mkv_argv){0};
	return 0;
}
