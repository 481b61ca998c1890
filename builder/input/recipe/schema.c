/* SPDX-License-Identifier: MIT */
#include "builder/input/recipe/schema.h"

#include <stddef.h>

#include "builder/input/recipe/patterns.h"
#include "lib/hardware_limits.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define PRESENT(type, member) .present = offsetof(struct type, member)
#define ROWS(...) ((const struct mkv_row[]){__VA_ARGS__, {0}})
#define WORDS(...)                                                             \
	(const char *const[])                                                  \
	{                                                                      \
		__VA_ARGS__, NULL                                              \
	}

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)
#define US 1000ULL
#define S (1000000 * US)

/* A map from names to one line of text each. */
#define SETTINGS(names)                                                        \
	(&(const struct mkv_table){                                            \
		"NAME",                                                        \
		ROWS({"", MKV_ROW_ANY, AT(mkv_setting, value),                 \
		      .required = true, .pattern = &pattern_value}),           \
		sizeof(struct mkv_setting), offsetof(struct mkv_setting, key), \
		&(names), NULL})

/* hardware */

static const struct mkv_table cache_table = {
	"cache",
	ROWS({"level", MKV_ROW_COUNT, AT(mkv_cache, level), .required = true,
	      .min = 1, .max = MKV_CACHE_LEVEL_MAX, .doc = "Which level it is"},
	     {"type", MKV_ROW_TEXT, AT(mkv_cache, type), .required = true,
	      .words = WORDS("data", "instruction", "unified"),
	      .doc = "What it holds"},
	     {"size", MKV_ROW_SIZE, AT(mkv_cache, size_bytes), .required = true,
	      .min = MKV_CACHE_SIZE_MIN, .max = MKV_CACHE_SIZE_MAX,
	      .doc = "Size of one instance"},
	     {"ways", MKV_ROW_COUNT, AT(mkv_cache, ways), .default_value = "0",
	      .max = MKV_CACHE_WAYS_MAX,
	      .doc = "Associativity; 0 when it isn't declared or full"},
	     {"line", MKV_ROW_COUNT, AT(mkv_cache, line_bytes),
	      .default_value = "64", .min = MKV_CACHE_LINE_MIN,
	      .max = MKV_CACHE_LINE_MAX, .doc = "Bytes of a line"},
	     {"shared-by", MKV_ROW_COUNT, AT(mkv_cache, shared_by),
	      .required = true, .min = 1, .max = MKV_CACHE_SHARED_BY_MAX,
	      .doc = "Hardware threads that share one instance"}),
	sizeof(struct mkv_cache),
	0,
	NULL,
	NULL};

static const struct mkv_table cpu_table = {
	"cpu",
	ROWS({"vendor", MKV_ROW_TEXT, AT(mkv_recipe, hardware.cpu_vendor),
	      .required = true, .pattern = &pattern_signature,
	      .doc = "CPUID leaf 0's text, such as AuthenticAMD"},
	     {"brand", MKV_ROW_TEXT, AT(mkv_recipe, hardware.cpu_brand),
	      .required = true, .pattern = &pattern_value,
	      .doc = "CPUID leaves 0x80000002 to 4, up to the first NUL, "
		     "without spaces around; `\"\"`: none"},
	     {"family", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cpu_family),
	      .required = true, .max = MKV_CPU_FAMILY_MAX,
	      .doc = "Family as displayed, the extended one added"},
	     {"model", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cpu_model),
	      .required = true, .max = MKV_CPU_MODEL_MAX,
	      .doc = "Model as displayed, the extended one included"},
	     {"stepping", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cpu_stepping),
	      PRESENT(mkv_recipe, hardware.has_cpu_stepping),
	      .max = MKV_CPU_STEPPING_MAX,
	      .doc = "Stepping; any is right when it isn't given"},
	     {"features", MKV_ROW_LIST, AT(mkv_recipe, hardware.cpu_features),
	      .pattern = &pattern_feature,
	      .doc = "Features that must be there, named as in /proc/cpuinfo"},
	     {"sockets", MKV_ROW_COUNT, AT(mkv_recipe, hardware.sockets),
	      .default_value = "1", .min = 1, .max = MKV_CPU_SOCKETS_MAX,
	      .doc = "Sockets"},
	     {"cores", MKV_ROW_COUNT, AT(mkv_recipe, hardware.cores),
	      .required = true, .min = 1, .max = MKV_CPU_CORES_MAX,
	      .doc = "Cores of a socket"},
	     {"threads", MKV_ROW_COUNT, AT(mkv_recipe, hardware.threads),
	      .default_value = "1", .min = 1, .max = MKV_CPU_THREADS_MAX,
	      .doc = "Threads of a core"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table hardware_memory_table = {
	"memory",
	ROWS({"size", MKV_ROW_SIZE, AT(mkv_recipe, hardware.memory_bytes),
	      .required = true, .min = MKV_MEMORY_SIZE_MIN,
	      .max = MKV_MEMORY_SIZE_MAX, .doc = "Memory that is built in"},
	     {"numa-nodes", MKV_ROW_COUNT, AT(mkv_recipe, hardware.numa_nodes),
	      .default_value = "1", .min = 1, .max = MKV_NUMA_NODES_MAX,
	      .doc = "NUMA nodes"}),
	0,
	0,
	NULL,
	NULL};

#define CLOCKSOURCES                                                           \
	WORDS("tsc", "kvm-clock", "hpet", "acpi_pm",                           \
	      "hyperv_clocksource_tsc_page", "xen")

const struct mkv_table mkv_schema_hardware = {
	"hardware",
	ROWS({"name", MKV_ROW_TEXT, AT(mkv_recipe, hardware.name),
	      .required = true, .pattern = &pattern_hardware,
	      .doc = "What the machine is called; in hardware/NAME.yaml it is "
		     "NAME"},
	     {"cpu", MKV_ROW_OBJECT, .required = true, .table = &cpu_table,
	      .doc = "The processor"},
	     {"hypervisor", MKV_ROW_TEXT,
	      AT(mkv_recipe, hardware.hypervisor_signature),
	      PRESENT(mkv_recipe, hardware.hypervisor),
	      .pattern = &pattern_signature,
	      .doc = "The machine is itself emulated: the signature that CPUID "
		     "leaf 0x40000000 shows; "
		     "`\"\"`: it shows none. A real machine "
		     "has no such key"},
	     {"qemu-cpu", MKV_ROW_TEXT, AT(mkv_recipe, hardware.qemu_cpu),
	      .pattern = &pattern_cpu_model,
	      .doc = "QEMU's CPU model that comes nearest, for `mkvbench boot`"},
	     {"caches", MKV_ROW_OBJECTS, AT(mkv_recipe, hardware.caches),
	      .table = &cache_table,
	      .doc = "A row per kind of cache. None: caches aren't checked"},
	     {"memory", MKV_ROW_OBJECT, .required = true,
	      .table = &hardware_memory_table, .doc = "The memory"},
	     {"clocksources", MKV_ROW_LIST,
	      AT(mkv_recipe, hardware.clocksources), .default_value = "tsc",
	      .min = 1, .words = CLOCKSOURCES,
	      .doc = "The kernel's clock source is one of these"},
	     {"disk-driver", MKV_ROW_TEXT, AT(mkv_recipe, hardware.disk_driver),
	      .pattern = &pattern_driver,
	      .doc = "The kernel's driver of the root disk's controller, such "
		     "as nvme or ahci"},
	     {"nic-driver", MKV_ROW_TEXT, AT(mkv_recipe, hardware.nic_driver),
	      .pattern = &pattern_driver,
	      .doc = "The kernel's driver of the VLAN's network card"}),
	0,
	0,
	NULL,
	NULL};

/* network, time, hosts */

static const struct mkv_table vlan_table = {
	"vlan",
	ROWS({"id", MKV_ROW_COUNT, AT(mkv_recipe, vlan.id), .required = true,
	      .min = 1, .max = 4094, .doc = "VLAN number"},
	     {"subnet", MKV_ROW_TEXT, AT(mkv_recipe, vlan.subnet),
	      .required = true, .pattern = &pattern_subnet,
	      .doc = "Its IPv4 network"},
	     {"nic", MKV_ROW_COUNT, AT(mkv_recipe, vlan.nic),
	      .default_value = "2", .min = 1, .max = 16,
	      .doc = "The network card that it is on, counted from 1"},
	     {"mtu", MKV_ROW_COUNT, AT(mkv_recipe, vlan.mtu),
	      .default_value = "1500", .min = 1280, .max = 9216,
	      .doc = "Largest packet in bytes"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table time_table = {
	"time",
	ROWS({"server", MKV_ROW_TEXT, AT(mkv_recipe, time.server),
	      .required = true, .pattern = &pattern_name, .names = "hosts",
	      .doc = "The host that all others follow"},
	     {"upstream", MKV_ROW_LIST, AT(mkv_recipe, time.upstream),
	      .pattern = &pattern_server,
	      .doc = "What the server itself follows; none: its own clock"},
	     {"limit", MKV_ROW_DURATION, AT(mkv_recipe, time.limit_ns),
	      .default_value = "80us", .min = US, .max = 10 * S,
	      .doc = "Largest distance from the server's clock"},
	     {"settle", MKV_ROW_DURATION, AT(mkv_recipe, time.settle_ns),
	      .default_value = "180s", .max = 3600 * S,
	      .doc = "How long a boot may take to come within the limit"},
	     {"dwell", MKV_ROW_DURATION, AT(mkv_recipe, time.dwell_ns),
	      .default_value = "60s", .max = 3600 * S,
	      .doc = "How long it must then stay there"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table settings_table = {
	"settings",
	ROWS({"governor", MKV_ROW_TEXT, AT(mkv_recipe, settings.governor),
	      .pattern = &pattern_driver,
	      .doc = "The cpufreq governor of every CPU; `none`: no cpufreq. "
		     "The machine's: a guest has none of its own"},
	     {"boost", MKV_ROW_BOOL, AT(mkv_recipe, settings.boost),
	      PRESENT(mkv_recipe, settings.has_boost),
	      .doc = "Frequencies above the nominal one. The machine's"},
	     {"transparent-huge-pages", MKV_ROW_TEXT,
	      AT(mkv_recipe, settings.transparent_huge_pages),
	      .words = WORDS("always", "madvise", "never"),
	      .doc = "Who gets huge pages without asking for them"},
	     {"ksm", MKV_ROW_BOOL, AT(mkv_recipe, settings.ksm),
	      PRESENT(mkv_recipe, settings.has_ksm),
	      .doc = "Merging of equal pages"},
	     {"numa-balancing", MKV_ROW_BOOL,
	      AT(mkv_recipe, settings.numa_balancing),
	      PRESENT(mkv_recipe, settings.has_numa_balancing),
	      .doc = "Moving of pages to the node that uses them"},
	     {"io-scheduler", MKV_ROW_TEXT,
	      AT(mkv_recipe, settings.io_scheduler),
	      .words = WORDS("none", "mq-deadline", "bfq", "kyber"),
	      .doc = "The scheduler of every disk"},
	     {"mitigations", MKV_ROW_BOOL, AT(mkv_recipe, settings.mitigations),
	      PRESENT(mkv_recipe, settings.has_mitigations),
	      .doc = "Mitigations of the processor's flaws; `false` puts "
		     "mitigations=off on the command line"},
	     {"swap", MKV_ROW_TEXT, AT(mkv_recipe, settings.swap),
	      .words = WORDS("none"), .doc = "No swap is in use"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table host_table = {
	"HOST",
	ROWS({"image", MKV_ROW_REF, AT(mkv_host, image), .required = true,
	      .pattern = &pattern_name, .names = "images",
	      .doc = "The image that it boots"},
	     {"role", MKV_ROW_TEXT, AT(mkv_host, role),
	      .pattern = &pattern_name, .derived = "the host's name",
	      .doc = "What it does; containers are chosen by it"},
	     {"address", MKV_ROW_TEXT, AT(mkv_host, address), .required = true,
	      .pattern = &pattern_address, .doc = "Its address in the VLAN"},
	     {"mac", MKV_ROW_TEXT, AT(mkv_host, mac), .required = true,
	      .lower = true, .pattern = &pattern_mac,
	      .doc = "MAC address of the VLAN's network card"},
	     {"tpm-key", MKV_ROW_TEXT, AT(mkv_host, tpm_key), .lower = true,
	      .pattern = &pattern_sha256,
	      .doc = "The machine's TPM signs with this key: what "
		     "`mkvbench-verify --tpm-key` prints there"},
	     {"guests", MKV_ROW_LIST, AT(mkv_host, guests),
	      .pattern = &pattern_name, .names = "hosts",
	      .doc = "The hosts that it runs as its guests; on a hypervisor "
		     "only"}),
	sizeof(struct mkv_host),
	offsetof(struct mkv_host, name),
	&pattern_name,
	NULL};

/* images */

static const struct mkv_table partition_table = {
	"LABEL",
	ROWS({"size", MKV_ROW_SIZE, AT(mkv_partition, size_bytes),
	      .required = true, .min = MIB, .max = 16 * TIB, .doc = "Its size"},
	     {"mount", MKV_ROW_TEXT, AT(mkv_partition, mount), .required = true,
	      .pattern = &pattern_path, .doc = "Where it is mounted"}),
	sizeof(struct mkv_partition),
	offsetof(struct mkv_partition, label),
	&(const struct mkv_pattern){"^[a-z][a-z0-9-]*$",
				    "a label of at most 16 lower-case letters, "
				    "digits and hyphens",
				    16, false},
	NULL};

static const struct mkv_table image_disk_table = {
	"disk",
	ROWS({"size", MKV_ROW_SIZE, AT(mkv_image, size_bytes),
	      .derived = "as small as fits, and for guests "
			 "`hypervisor.disk.size`",
	      .min = 64 * MIB, .max = 64 * TIB,
	      .doc = "Size of the whole disk"},
	     {"partitions", MKV_ROW_MAP, AT(mkv_image, partitions),
	      .table = &partition_table,
	      .doc = "Data partitions beside the root's, by label"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table units_table = {
	"units",
	ROWS({"enable", MKV_ROW_LIST, AT(mkv_image, enable),
	      .pattern = &pattern_unit, .doc = "Units that start at boot"},
	     {"mask", MKV_ROW_LIST, AT(mkv_image, mask),
	      .pattern = &pattern_unit, .doc = "Units that never start"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table image_table = {
	"IMAGE",
	ROWS({"platform", MKV_ROW_CHOICE, AT(mkv_image, platform),
	      .words = WORDS("metal", "guest", "hypervisor"),
	      .derived = "`guest` in the scenarios kvm and kvm-docker, else "
			 "`metal`",
	      .doc = "What it runs on: the machine, a guest on it, or the "
		     "machine in order to run the guests"},
	     {"kernel", MKV_ROW_TEXT, AT(mkv_image, kernel),
	      .default_value = "linux-image-amd64", .pattern = &pattern_package,
	      .doc = "The kernel's package"},
	     {"packages", MKV_ROW_LIST, AT(mkv_image, packages),
	      .required = true, .min = 1, .pattern = &pattern_package,
	      .doc = "Packages beside the kernel and those of priority "
		     "required, which are always there"},
	     {"overlays", MKV_ROW_LIST, AT(mkv_image, overlays),
	      .pattern = &pattern_name,
	      .doc = "Folders of overlays/ that are laid over it, in order"},
	     {"programs", MKV_ROW_LIST, AT(mkv_image, programs),
	      .pattern = &pattern_name,
	      .doc = "Programs of programs/ that run on it natively"},
	     {"command-line", MKV_ROW_LIST, AT(mkv_image, cmdline),
	      .pattern = &pattern_word,
	      .doc = "Words for the kernel beside root="},
	     {"sysctls", MKV_ROW_MAP, AT(mkv_image, sysctls),
	      .table = SETTINGS(pattern_sysctl),
	      .doc = "Kernel settings at boot"},
	     {"units", MKV_ROW_OBJECT, .table = &units_table,
	      .doc = "systemd units"},
	     {"containers", MKV_ROW_LIST, AT(mkv_image, containers),
	      .pattern = &pattern_name, .names = "containers",
	      .doc = "Containers whose OCI images it carries and runs"},
	     {"disk", MKV_ROW_OBJECT, .table = &image_disk_table,
	      .doc = "The disk's layout"},
	     {"qcow2", MKV_ROW_BOOL, AT(mkv_image, qcow2),
	      .default_value = "false", .doc = "Write disk.qcow2 too"},
	     {"rootfs-tar", MKV_ROW_BOOL, AT(mkv_image, rootfs_tar),
	      .default_value = "false", .doc = "Write rootfs.tar too"},
	     {"uefi", MKV_ROW_BOOL, AT(mkv_image, uefi),
	      .default_value = "true",
	      .doc = "Give the disk an ESP, so that firmware can boot it"}),
	sizeof(struct mkv_image),
	offsetof(struct mkv_image, name),
	&pattern_name,
	NULL};

/* services and containers */

static const struct mkv_table service_table = {
	"SERVICE",
	ROWS({"", MKV_ROW_MAP, AT(mkv_service, settings),
	      .table = SETTINGS(pattern_setting)}),
	sizeof(struct mkv_service),
	offsetof(struct mkv_service, name),
	&pattern_name,
	NULL};

static const struct mkv_table oci_table = {
	"OCI",
	ROWS({"external", MKV_ROW_TEXT, AT(mkv_oci_image, external),
	      .pattern = &pattern_oci,
	      .doc = "Take it from a registry, pinned by digest in the lock, "
		     "instead of building it; then no other key stands here"},
	     {"packages", MKV_ROW_LIST, AT(mkv_oci_image, packages),
	      .pattern = &pattern_package, .doc = "Debian packages in it"},
	     {"overlays", MKV_ROW_LIST, AT(mkv_oci_image, overlays),
	      .pattern = &pattern_name,
	      .doc = "Folders of overlays/, in order"},
	     {"programs", MKV_ROW_LIST, AT(mkv_oci_image, programs),
	      .pattern = &pattern_name,
	      .doc = "Programs of programs/, put into /usr/bin"},
	     {"user", MKV_ROW_TEXT, AT(mkv_oci_image, user),
	      .pattern = &pattern_user, .derived = "root",
	      .doc = "Who runs in it"},
	     {"entrypoint", MKV_ROW_LIST, AT(mkv_oci_image, entrypoint),
	      .repeats = true, .pattern = &pattern_line,
	      .doc = "The program and its first arguments"},
	     {"command", MKV_ROW_LIST, AT(mkv_oci_image, command),
	      .repeats = true, .pattern = &pattern_line,
	      .doc = "Arguments behind the entry point's"},
	     {"volumes", MKV_ROW_LIST, AT(mkv_oci_image, volumes),
	      .pattern = &pattern_path, .doc = "Paths that are volumes"},
	     {"ports", MKV_ROW_LIST, AT(mkv_oci_image, ports),
	      .pattern = &pattern_port, .doc = "Ports that it listens on"},
	     {"environment", MKV_ROW_MAP, AT(mkv_oci_image, environment),
	      .table = SETTINGS(pattern_variable), .doc = "Environment"},
	     {"labels", MKV_ROW_MAP, AT(mkv_oci_image, labels),
	      .table = SETTINGS(pattern_label), .doc = "Labels"},
	     {"working-dir", MKV_ROW_TEXT, AT(mkv_oci_image, working_dir),
	      .pattern = &pattern_path, .derived = "/",
	      .doc = "Working folder"},
	     {"stop-signal", MKV_ROW_TEXT, AT(mkv_oci_image, stop_signal),
	      .pattern = &pattern_signal, .derived = "SIGTERM",
	      .doc = "How it is asked to end"}),
	sizeof(struct mkv_oci_image),
	offsetof(struct mkv_oci_image, name),
	&pattern_name,
	NULL};

static const struct mkv_table mount_table = {
	"VOLUME",
	ROWS({"", MKV_ROW_TEXT, AT(mkv_mount, path), .required = true,
	      .pattern = &pattern_path}),
	sizeof(struct mkv_mount),
	offsetof(struct mkv_mount, volume),
	&pattern_name,
	"docker.volumes"};

static const struct mkv_table container_table = {
	"CONTAINER",
	ROWS({"oci", MKV_ROW_TEXT, AT(mkv_container, oci), .required = true,
	      .pattern = &pattern_name, .names = "oci",
	      .doc = "The OCI image that it runs"},
	     {"network", MKV_ROW_TEXT, AT(mkv_container, network),
	      .required = true, .pattern = &pattern_name,
	      .names = "docker.network.name", .also = "host",
	      .doc = "The Docker network that it is in, or `host`"},
	     {"mounts", MKV_ROW_MAP, AT(mkv_container, mounts),
	      .table = &mount_table,
	      .doc = "The path in the container for each volume"},
	     {"ports", MKV_ROW_LIST, AT(mkv_container, ports),
	      .pattern = &pattern_publish,
	      .doc = "Ports that it publishes on the host"},
	     {"environment", MKV_ROW_MAP, AT(mkv_container, environment),
	      .table = SETTINGS(pattern_variable),
	      .doc = "Environment beside the OCI image's own"},
	     {"roles", MKV_ROW_LIST, AT(mkv_container, roles),
	      .pattern = &pattern_name, .derived = "all",
	      .doc = "Roles of the hosts that run it"}),
	sizeof(struct mkv_container),
	offsetof(struct mkv_container, name),
	&pattern_name,
	NULL};

static const struct mkv_table network_table = {
	"network",
	ROWS({"name", MKV_ROW_TEXT, AT(mkv_recipe, docker.network.name),
	      .required = true, .pattern = &pattern_name, .doc = "Its name"},
	     {"driver", MKV_ROW_TEXT, AT(mkv_recipe, docker.network.driver),
	      .default_value = "bridge", .words = WORDS("bridge"),
	      .doc = "Its driver"},
	     {"subnet", MKV_ROW_TEXT, AT(mkv_recipe, docker.network.subnet),
	      .required = true, .pattern = &pattern_subnet,
	      .doc = "Its IPv4 network"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table docker_table = {
	"docker",
	ROWS({"storage-driver", MKV_ROW_TEXT,
	      AT(mkv_recipe, docker.storage_driver),
	      .default_value = "overlay2",
	      .words = WORDS("overlay2", "fuse-overlayfs", "btrfs", "zfs",
			     "vfs"),
	      .doc = "How Docker keeps layers"},
	     {"network", MKV_ROW_OBJECT, .table = &network_table,
	      .doc = "The network between containers"},
	     {"volumes", MKV_ROW_LIST, AT(mkv_recipe, docker.volumes),
	      .pattern = &pattern_name, .doc = "Named volumes"}),
	0,
	0,
	NULL,
	NULL};

/* hypervisor */

static const struct mkv_table guest_cpu_table = {
	"cpu",
	ROWS({"mode", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.cpu_mode),
	      .default_value = "host-passthrough",
	      .words = WORDS("host-passthrough", "host-model", "custom"),
	      .doc = "Which CPU guests see"},
	     {"model", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.cpu_model),
	      .pattern = &pattern_cpu_model,
	      .doc = "The model's name, with mode `custom` only"},
	     {"features", MKV_ROW_LIST, AT(mkv_recipe, hypervisor.features),
	      .pattern = &pattern_feature_change,
	      .doc = "Features that are forced (+) or hidden (-)"},
	     {"sockets", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.sockets),
	      .default_value = "1", .min = 1, .max = 64,
	      .doc = "Sockets of a guest"},
	     {"cores", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.cores),
	      .required = true, .min = 1, .max = 1024,
	      .doc = "Cores of a socket"},
	     {"threads", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.threads),
	      .default_value = "1", .min = 1, .max = 8,
	      .doc = "Threads of a core"},
	     {"caches", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.caches),
	      .default_value = "passthrough",
	      .words = WORDS("passthrough", "emulate", "disable"),
	      .doc = "Which caches guests see"},
	     {"pin", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.pin),
	      .default_value = "one-to-one",
	      .words = WORDS("one-to-one", "none"),
	      .doc = "Whether each virtual CPU keeps to one of the machine's"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table guest_memory_table = {
	"memory",
	ROWS({"size", MKV_ROW_SIZE, AT(mkv_recipe, hypervisor.memory_bytes),
	      .required = true, .min = 128 * MIB, .max = 64 * TIB,
	      .doc = "Memory of a guest"},
	     {"huge-pages", MKV_ROW_SIZE,
	      AT(mkv_recipe, hypervisor.huge_page_bytes), .default_value = "0B",
	      .max = GIB,
	      .doc = "Size of the huge pages that it is made of, 2MiB or "
		     "1GiB; 0B: none"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table guest_disk_table = {
	"disk",
	ROWS({"bus", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.disk_bus),
	      .default_value = "virtio",
	      .words = WORDS("virtio", "scsi", "sata"),
	      .doc = "How the guest sees its disk"},
	     {"size", MKV_ROW_SIZE, AT(mkv_recipe, hypervisor.disk_bytes),
	      .default_value = "8GiB", .min = 64 * MIB, .max = 64 * TIB,
	      .doc = "Its size, and that of the guests' images"},
	     {"cache", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.disk_cache),
	      .default_value = "none",
	      .words = WORDS("none", "writeback", "writethrough", "directsync",
			     "unsafe"),
	      .doc = "The hypervisor's page cache"},
	     {"io", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.disk_io),
	      .default_value = "native",
	      .words = WORDS("native", "threads", "io_uring"),
	      .doc = "How the hypervisor does I/O"},
	     {"iothreads", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.iothreads),
	      .default_value = "1", .max = 64,
	      .doc = "Threads for I/O; 0: the emulator's own"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table guest_nic_table = {
	"nic",
	ROWS({"model", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.nic_model),
	      .default_value = "virtio", .words = WORDS("virtio", "e1000e"),
	      .doc = "What network card guests see"},
	     {"queues", MKV_ROW_COUNT, AT(mkv_recipe, hypervisor.nic_queues),
	      .default_value = "1", .min = 1, .max = 256, .doc = "Its queues"},
	     {"bridge", MKV_ROW_TEXT, AT(mkv_recipe, hypervisor.bridge),
	      .default_value = "br-vlan", .pattern = &pattern_interface,
	      .doc = "The bridge that joins guests and VLAN"}),
	0,
	0,
	NULL,
	NULL};

static const struct mkv_table hypervisor_table = {
	"hypervisor",
	ROWS({"image", MKV_ROW_REF, AT(mkv_recipe, hypervisor.image),
	      .required = true, .pattern = &pattern_name, .names = "images",
	      .doc = "The image that the machine boots to run the guests"},
	     {"cpu", MKV_ROW_OBJECT, .required = true,
	      .table = &guest_cpu_table, .doc = "The guests' processor"},
	     {"memory", MKV_ROW_OBJECT, .required = true,
	      .table = &guest_memory_table, .doc = "The guests' memory"},
	     {"disk", MKV_ROW_OBJECT, .implied = true,
	      .table = &guest_disk_table, .doc = "The guests' disk"},
	     {"nic", MKV_ROW_OBJECT, .implied = true, .table = &guest_nic_table,
	      .doc = "The guests' network card"},
	     {"clocksources", MKV_ROW_LIST,
	      AT(mkv_recipe, hypervisor.clocksources),
	      .default_value = "kvm-clock tsc", .min = 1, .words = CLOCKSOURCES,
	      .doc = "A guest's clock source is one of these"}),
	0,
	0,
	NULL,
	NULL};

/* the recipe */

static const struct mkv_table accept_table = {
	"CHECK",
	ROWS({"", MKV_ROW_TEXT, AT(mkv_acceptance, reason), .required = true,
	      .pattern = &pattern_line}),
	sizeof(struct mkv_acceptance),
	offsetof(struct mkv_acceptance, check),
	&pattern_check,
	NULL};

static const struct mkv_table verify_table = {
	"verify",
	ROWS({"mode", MKV_ROW_CHOICE, AT(mkv_recipe, verify_mode),
	      .default_value = "gate", .words = WORDS("gate", "warn"),
	      .doc = "`gate`: services start only after a passing receipt; "
		     "`warn`: they start and the receipt says so"},
	     {"sign", MKV_ROW_TEXT, AT(mkv_recipe, verify_sign),
	      .words = WORDS("tpm"),
	      .doc = "`tpm`: the machine's TPM 2.0, where there is one, signs "
		     "the receipts of a boot; images get what that needs"},
	     {"accept", MKV_ROW_MAP, AT(mkv_recipe, accept),
	      .table = &accept_table,
	      .doc = "Checks that may be not established, each with the "
		     "reason why that is all right"}),
	0,
	0,
	NULL,
	NULL};

const struct mkv_table mkv_schema_recipe = {
	"recipe",
	ROWS({"mkvbench", MKV_ROW_COUNT, .no_member = true, .required = true,
	      .min = 1, .max = 1, .doc = "Version of the recipes' language"},
	     {"name", MKV_ROW_TEXT, AT(mkv_recipe, name), .required = true,
	      .pattern = &pattern_name,
	      .doc = "The appliance's name; it is written to images/NAME/"},
	     {"suite", MKV_ROW_TEXT, AT(mkv_recipe, suite),
	      .default_value = "trixie", .words = WORDS("trixie", "bookworm"),
	      .doc = "The Debian release"},
	     {"scenario", MKV_ROW_CHOICE, AT(mkv_recipe, scenario),
	      .required = true,
	      .words = WORDS("bare-metal", "docker", "kvm", "kvm-docker"),
	      .doc = "Where the application runs"},
	     {"hardware", MKV_ROW_OBJECT, .required = true,
	      .table = &mkv_schema_hardware,
	      .doc = "The machine that results are claimed for: a name, whose "
		     "hardware/NAME.yaml lies beside this file or in the "
		     "folder above, or the mapping itself"},
	     {"vlan", MKV_ROW_OBJECT, .required = true, .table = &vlan_table,
	      .doc = "The private network between the hosts"},
	     {"time", MKV_ROW_OBJECT, .required = true, .table = &time_table,
	      .doc = "Who tells the time, and how close it must be kept"},
	     {"settings", MKV_ROW_OBJECT, .table = &settings_table,
	      .doc = "How the kernels of all images are set and what the "
		     "verifier finds of it; what isn't given is neither. SMT "
		     "is hardware.cpu.threads, clock sources stand with the "
		     "hardware"},
	     {"hosts", MKV_ROW_MAP, AT(mkv_recipe, hosts), .required = true,
	      .min = 1, .table = &host_table, .doc = "The hosts, by name"},
	     {"images", MKV_ROW_MAP, AT(mkv_recipe, images), .required = true,
	      .min = 1, .table = &image_table,
	      .doc = "The disk images, by name (attestations, libvirt, oci "
		     "and pxe are the appliance's own folders)"},
	     {"services", MKV_ROW_MAP, AT(mkv_recipe, services),
	      .table = &service_table,
	      .doc = "Settings of the application's services, by program, which "
		     "reads `large_file` as MKVBENCH_LARGE_FILE. Containers of "
		     "OCI images with that program have them in their "
		     "environment"},
	     {"oci", MKV_ROW_MAP, AT(mkv_recipe, oci_images),
	      .table = &oci_table, .doc = "The OCI images, by name"},
	     {"containers", MKV_ROW_MAP, AT(mkv_recipe, containers),
	      .table = &container_table, .doc = "The containers, by name"},
	     {"docker", MKV_ROW_OBJECT, .table = &docker_table,
	      .doc = "Docker, where containers run"},
	     {"hypervisor", MKV_ROW_OBJECT, PRESENT(mkv_recipe, has_hypervisor),
	      .table = &hypervisor_table,
	      .doc = "KVM, in the scenarios kvm and kvm-docker"},
	     {"verify", MKV_ROW_OBJECT, .implied = true, .table = &verify_table,
	      .doc = "What the boot verifier does"}),
	sizeof(struct mkv_recipe),
	0,
	NULL,
	NULL};

/* The generic code finds the count behind the pointer. */
#define COUNTED(type, list, n)                                                 \
	_Static_assert(offsetof(struct type, n) ==                             \
			       offsetof(struct type, list) + sizeof(void *),   \
		       "count behind its list")
COUNTED(mkv_hardware, caches, n_caches);
COUNTED(mkv_image, partitions, n_partitions);
COUNTED(mkv_container, mounts, n_mounts);
COUNTED(mkv_recipe, hosts, n_hosts);
COUNTED(mkv_recipe, images, n_images);
COUNTED(mkv_recipe, services, n_services);
COUNTED(mkv_recipe, oci_images, n_oci_images);
COUNTED(mkv_recipe, containers, n_containers);
COUNTED(mkv_recipe, accept, n_accept);
COUNTED(mkv_strings, items, count);
COUNTED(mkv_settings, items, count);
