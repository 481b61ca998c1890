/* SPDX-License-Identifier: MIT */
#pragma once
/* A disk image opened read-only by libguestfs: the Linux kernel reads the file
 * systems that the builder's own writers wrote. The only place that links
 * libguestfs. */

#include "lib/buf.h"

struct mkv_audit_guest;
/* Whether libguestfs must run under emulation because KVM doesn't boot a kernel
 * of this host (builder/core/host/accel.h; takes at most ten seconds). False
 * where LIBGUESTFS_BACKEND_SETTINGS in the environment makes the choice. */
bool mkv_guest_needs_emulation(void);

/* Starts a virtual machine with the image: seconds under KVM, half a minute
 * under emulation. Failures are MKV_HOST_CANNOT. */
int mkv_guest_open(const char *path, bool emulate, struct mkv_audit_guest **ret,
		   struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
void mkv_guest_free(struct mkv_audit_guest *guest);
MKV_DEFINE_AUTO(guest, struct mkv_audit_guest *, mkv_guest_free)
#define auto_guest mkv_auto(guest)

/* Whether its kernel can read this type of file system. */
bool mkv_guest_knows(struct mkv_audit_guest *guest, const char *type)
	mkv_nonnull(1, 2);

/* Mounts partition `number` (from 1) read-only, and unmounts the one before. */
int mkv_guest_mount(struct mkv_audit_guest *guest, unsigned number,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3);
/* The file system's UUID in text, "" for none. */
int mkv_guest_uuid(struct mkv_audit_guest *guest, unsigned number,
		   char ret[static 64], struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* All paths below the root, relative, each NUL-terminated. */
int mkv_guest_names(struct mkv_audit_guest *guest, struct mkv_buf *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* Calls `reader` with the read end of a pipe that carries the mounted file
 * system as a tar stream with numeric owners and extended attributes. GNU tar
 * in libguestfs' appliance writes it, in pax format. */
typedef int mkv_guest_reader(int fd, void *context, struct mkv_error *err);
int mkv_guest_tar(struct mkv_audit_guest *guest, mkv_guest_reader *reader,
		  void *context, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 4);
