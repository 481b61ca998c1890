/* SPDX-License-Identifier: MIT */
#pragma once
/* What a user should know before hosts boot: how long emulation takes, and a
 * CPU that the contract promises and this boot can't provide. */

#include "builder/cmd/boot_print.h"
#include "builder/input/recipe/recipe.h"

/* How much boots on how many CPUs. */
struct mkv_boot_load_size {
	unsigned hosts, containers, cpus;
};

/* The selected hosts of a contract and their containers: those named, or, with
 * n_names 0, all but hypervisor hosts. `ret_first` may be NULL, or is set to
 * the first of them (NULL: none). A name that the contract lacks is
 * MKV_BAD_USAGE. `cpus` is left to the caller. */
int mkv_boot_measure(const struct mkv_contract *contract,
		     const char *const *names, size_t n_names,
		     struct mkv_boot_load_size *ret,
		     const struct mkv_contract_host **ret_first,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 4, 6);

/* Seconds that emulated hosts are expected to need until the last receipt:
 *
 *     30 + (20 * hosts + 10 * containers) / CPUs, rounded up to tens
 *
 * from boots of one to five hosts on two CPUs without other work, which needed
 * 35 to 120 s. */
unsigned mkv_boot_estimate_s(const struct mkv_boot_load_size *size)
	mkv_nonnull(1);

/* The brand of the CPU that the image promises if a boot with `accel` can't
 * provide it, so that the check cpu-model or hypervisor will fail; else NULL.
 * KVM provides the host's CPU, whose brand is `host_brand` (NULL: unknown,
 * which is no mismatch). Emulation provides the models of
 * mkv_cpu_model_with_brand(), and the hypervisor signature "TCGTCGTCGTCG". */
const char *mkv_boot_missing_cpu(const struct mkv_contract_image *image,
				 enum mkv_accel accel, const char *host_brand)
	mkv_nonnull(1);

/* Decides MKV_ACCEL_AUTO in `how`, by booting the kernel of the first host, and
 * prints what a user should know before QEMU starts: the accelerator, a CPU
 * that the contract promises and this boot can't provide, with what to do
 * instead, and the estimate for emulation. `recipe` is NULL when an appliance
 * was given. */
int mkv_boot_prepare(struct mkv_boot_options *how,
		     const struct mkv_recipe *recipe,
		     struct mkv_boot_printer *printer,
		     struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
