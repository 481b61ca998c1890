/* SPDX-License-Identifier: MIT */
#pragma once
/* Unified kernel images: systemd's stub (a PE executable) with the kernel, its
 * command line and initramfs as further sections (UAPI group, "Unified Kernel
 * Image" specification; Microsoft PE format, "PE Format", sections "COFF File
 * Header", "Optional Header" and "Section Table"). */

#include "builder/core/tree/content.h"

/* Where the stub lies in the systemd-boot-efi package. */
#define MKV_UKI_STUB_PATH "/usr/lib/systemd/boot/efi/linuxx64.efi.stub"
/* Where firmware looks for it without a boot entry (UEFI 2.10, 3.5.1.1). */
#define MKV_UKI_ESP_PATH "/EFI/BOOT/BOOTX64.EFI"

struct mkv_uki_parts {
	const struct mkv_content *os_release; /* of the image; may be NULL */
	const char *command_line;
	const char *kernel_release; /* "6.12.57+deb13-amd64" */
	const struct mkv_content *initramfs;
	const struct mkv_content *kernel;
};

/* Puts the parts behind the stub's sections. The stub comes out of a package
 * and is read as hostile: every offset is checked. The same input gives the
 * same bytes. The content is backed by memory outside the heap (memfd). */
int mkv_uki_build(const struct mkv_content *stub,
		  const struct mkv_uki_parts *parts, struct mkv_content **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3, 4);
