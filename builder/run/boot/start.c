/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/boot_internal.h"

enum {
	MIB = 1 << 20,
	MEMORY_MIN_MIB = 512,
	MEMORY_DEFAULT_MIB = 1024,
};

int mkv_boot_find_firmware(struct mkv_boot_run *run, struct mkv_error *err)
{
	static const char *const known[][2] = {
		{"/usr/share/OVMF/OVMF_CODE_4M.fd",
		 "/usr/share/OVMF/OVMF_VARS_4M.fd"},
		{"/usr/share/OVMF/OVMF_CODE.fd",
		 "/usr/share/OVMF/OVMF_VARS.fd"},
	};
	if (!run->options->uefi)
		return 0;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (access(known[i][0], R_OK) == 0 &&
		    access(known[i][1], R_OK) == 0) {
			run->firmware = known[i][0];
			run->variables = known[i][1];
			return 0;
		}
	}
	return mkv_fail(err, MKV_HOST_CANNOT, ENOENT,
			"no UEFI firmware for QEMU is installed: install the "
			"package ovmf");
}

/* The memory that the contract promises, limited to an equal share of three
 * quarters of this machine's memory. */
static uint64_t choose_memory(const struct mkv_boot_run *run,
			      const struct mkv_boot_guest *guest)
{
	if (run->options->memory_bytes)
		return run->options->memory_bytes;
	uint64_t wanted = guest->image->memory.bytes;
	if (!guest->image->memory.promised || wanted < MIB)
		wanted = (uint64_t)MEMORY_DEFAULT_MIB * MIB;
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			(uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t share = host / 4 * 3 / run->count / MIB * MIB;
	if (share < (uint64_t)MEMORY_MIN_MIB * MIB)
		share = (uint64_t)MEMORY_MIN_MIB * MIB;
	if (wanted <= share)
		return wanted;
	mkv_boot_note(
		run,
		"%s gets %llu MiB of memory instead of %llu MiB: this machine "
		"has too little memory",
		guest->host->name, (unsigned long long)(share / MIB),
		(unsigned long long)(wanted / MIB));
	return share;
}

int mkv_boot_start_guest(struct mkv_boot_run *run, struct mkv_boot_guest *guest,
			 struct mkv_error *err)
{
	const struct mkv_boot_options *options = run->options;
	struct mkv_boot_machine machine = {
		.contract = options->contract,
		.host = guest->host,
		.image = guest->image,
		.directory = guest->directory,
		.console = guest->console_path,
		.accel = options->accel,
		.cpu_model = options->cpu_model,
		.memory_bytes = choose_memory(run, guest),
		.firmware = run->firmware,
		.firmware_variables = run->variables,
		.port = mkv_network_port(run->network,
					 guest->image->platform ==
							 MKV_PLATFORM_GUEST
						 ? MKV_SEGMENT_ACCESS
						 : MKV_SEGMENT_TRUNK),
	};
	if (!machine.cpu_model && options->model_for)
		machine.cpu_model = options->model_for(guest->image,
						       options->model_context);
	auto_buf struct mkv_buf load = {0};
	if (run->load.count && guest->host == run->load.generator) {
		int rc = mkv_load_credential(&run->load, &load, err);
		if (rc < 0)
			return rc;
		machine.load = load.data;
	}
	return mkv_guest_start(guest, &machine, options->tpm_directory, err);
}
