/* SPDX-License-Identifier: MIT */
#include "builder/cmd/boot_advice.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "builder/cmd/load.h"
#include "builder/core/host/models.h"
#include "lib/io.h"

enum {
	BASE_S = 30,
	HOST_S = 20,
	CONTAINER_S = 10,
	ROUND_S = 10,
	BRAND_SIZE = 128,
	CPUINFO_MAX = 16 << 20,
};

static bool is_selected(const struct mkv_contract_host *host,
			const char *const *names, size_t n_names)
{
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i], host->name) == 0)
			return true;
	return n_names == 0 && host->guests.count == 0;
}

int mkv_boot_measure(const struct mkv_contract *contract,
		     const char *const *names, size_t n_names,
		     struct mkv_boot_load_size *ret,
		     const struct mkv_contract_host **ret_first,
		     struct mkv_error *err)
{
	struct mkv_boot_load_size size = {.cpus = ret->cpus};
	const struct mkv_contract_host *first = NULL;
	for (size_t i = 0; i < n_names; i++)
		if (!mkv_contract_find_host(contract, names[i]))
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"the appliance has no host '%s'",
					names[i]);
	for (size_t i = 0; i < contract->n_hosts; i++) {
		const struct mkv_contract_host *host = &contract->hosts[i];
		if (!is_selected(host, names, n_names))
			continue;
		first = first ? first : host;
		size.hosts++;
		size.containers += (unsigned)host->containers.count;
	}
	*ret = size;
	if (ret_first)
		*ret_first = first;
	return 0;
}

unsigned mkv_boot_estimate_s(const struct mkv_boot_load_size *size)
{
	unsigned cpus = size->cpus ? size->cpus : 1;
	unsigned work_s = HOST_S * size->hosts + CONTAINER_S * size->containers;
	unsigned total_s = BASE_S + (work_s + cpus - 1) / cpus;
	return (total_s + ROUND_S - 1) / ROUND_S * ROUND_S;
}

const char *mkv_boot_missing_cpu(const struct mkv_contract_image *image,
				 enum mkv_accel accel, const char *host_brand)
{
	const char *brand = image->cpu.brand;
	const char *signature = image->cpu.hypervisor_signature;
	if (!brand)
		return NULL;
	if (accel == MKV_ACCEL_KVM)
		return host_brand && strcmp(host_brand, brand) != 0 ? brand
								    : NULL;
	if (!mkv_cpu_model_with_brand(brand))
		return brand;
	return signature && strcmp(signature, "TCGTCGTCGTCG") != 0 ? brand
								   : NULL;
}

static void mkv_printf(2, 3)
	print_note(struct mkv_boot_printer *printer, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	mkv_boot_print_line(NULL, text, printer);
}

/* Decides `auto`, by booting the kernel of the first host. */
static int choose_accel(struct mkv_boot_options *how,
			const struct mkv_contract_host *first,
			struct mkv_boot_printer *printer, struct mkv_error *err)
{
	if (how->accel != MKV_ACCEL_AUTO || !first)
		return 0;
	char kernel[4096], why[128] = "";
	bool works = false;
	(void)snprintf(kernel, sizeof(kernel), "%s/%s/boot/vmlinuz",
		       how->appliance, first->image);
	int rc = mkv_accel_probe_kvm(kernel, &works, why, err);
	if (rc < 0)
		return rc;
	how->accel = works ? MKV_ACCEL_KVM : MKV_ACCEL_TCG;
	print_note(printer, "%s (%s)",
		   works ? "KVM" : "emulation instead of KVM", why);
	return 0;
}

/* The brand in /proc/cpuinfo; empty when it has none. */
static void read_host_brand(char ret[static BRAND_SIZE])
{
	static const char key[] = "model name";
	auto_buf struct mkv_buf text = {0};
	struct mkv_error ignored;
	ret[0] = '\0';
	if (mkv_read_file(AT_FDCWD, "/proc/cpuinfo", CPUINFO_MAX, &text,
			  &ignored) < 0 ||
	    !text.data)
		return;
	const char *line = strstr(text.data, key);
	const char *value = line ? strstr(line, ": ") : NULL;
	if (value)
		(void)snprintf(ret, BRAND_SIZE, "%.*s",
			       (int)strcspn(value + 2, "\n"), value + 2);
}

/* Before QEMU starts: a promised CPU that this boot can't provide, with what to
 * do instead. One note for all hosts. */
static void advise_on_cpu(const struct mkv_boot_options *how,
			  const struct mkv_contract_host *first,
			  const struct mkv_recipe *recipe,
			  struct mkv_boot_printer *printer)
{
	struct mkv_error ignored;
	char brand[BRAND_SIZE];
	auto_free char *emulated = NULL;
	const struct mkv_contract_image *image =
		first ? mkv_contract_find_image(how->contract, first->image)
		      : NULL;
	read_host_brand(brand);
	const char *missing =
		image ? mkv_boot_missing_cpu(image, how->accel,
					     brand[0] ? brand : NULL)
		      : NULL;
	if (!missing)
		return;
	if (recipe)
		(void)!mkv_cmd_emulated_of(recipe->path, &emulated, &ignored);
	else if (asprintf(&emulated, "recipes/emulated/%s.yaml",
			  how->contract->scenario) < 0)
		emulated = NULL;
	print_note(printer,
		   "the contract promises the CPU '%s', which this boot can't "
		   "provide: the verification will fail",
		   missing);
	if (emulated)
		print_note(printer, "for a boot that can pass here: %s",
			   emulated);
	print_note(printer, "for your own machine: mkvbench-verify --capture "
			    "prints its hardware contract, for "
			    "recipes/hardware/NAME.yaml");
}

int mkv_boot_prepare(struct mkv_boot_options *how,
		     const struct mkv_recipe *recipe,
		     struct mkv_boot_printer *printer, struct mkv_error *err)
{
	const struct mkv_contract_host *first = NULL;
	struct mkv_boot_load_size size = {0};
	int rc = mkv_boot_measure(how->contract, how->hosts, how->n_hosts,
				  &size, &first, err);
	if (rc < 0)
		return rc;
	rc = choose_accel(how, first, printer, err);
	if (rc < 0)
		return rc;
	advise_on_cpu(how, first, recipe, printer);
	if (how->accel == MKV_ACCEL_KVM)
		return 0;
	size.cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	print_note(printer,
		   "emulated: expect about %u s to the last receipt, or more "
		   "on a busy machine (hosts: %u, containers: %u, CPUs: %u)",
		   mkv_boot_estimate_s(&size), size.hosts, size.containers,
		   size.cpus);
	return 0;
}
