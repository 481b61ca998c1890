/* SPDX-License-Identifier: MIT */
#pragma once
/* Builds unified kernel images: systemd's stub (a PE executable) with kernel,
 * command line and initramfs as additional sections (UAPI group, "Unified
 * Kernel Image" specification; Microsoft PE format, "PE Format", sections "COFF
 * File Header", "Optional Header" and "Section Table"). */

#include "builder/core/tree/content.h"

/* The stub's path in the package systemd-boot-efi. */
#define MKV_UKI_STUB_PATH "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
/* The path that firmware boots without a boot entry (UEFI 2.10, 3.5.1.1). */
#define MKV_UKI_ESP_PATH "/EFI/BOOT/BOOTX64.EFI"

struct mkv_uki_parts {
	const struct mkv_content *os_release; /* of the image; may be NULL */
	const char *command_line;
	const char *kernel_release; /* "6.12.57+deb13-amd64" */
	const struct mkv_content *initramfs;
	const struct mkv_content *kernel;
};

/* Appends the parts as sections to the stub. The stub is untrusted input: every
 * offset is checked, and an unusable stub is -EBADMSG. The output depends only
 * on the input. `ret` is the caller's and is backed by a memfd. */
int mkv_uki_build(const struct mkv_content *stub,
		  const struct mkv_uki_parts *parts, struct mkv_content **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
