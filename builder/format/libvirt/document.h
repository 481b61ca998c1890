/* SPDX-License-Identifier: MIT */
#pragma once
/* libvirt's documents, ours and the daemon's, by libxml2: what a domain asks of
 * its host, the same domain made fit for emulation, and answers by XPath. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct mkv_document;
void mkv_document_free(struct mkv_document *document);
MKV_DEFINE_AUTO(document, struct mkv_document *, mkv_document_free)
#define auto_document mkv_auto(document)

/* At most 4 MiB, no DTD, no entities, nothing from elsewhere. */
int mkv_document_parse(const char *xml, size_t size, struct mkv_document **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* The text of the first node that an XPath finds, the caller's; NULL: none, or
 * out of memory. */
char *mkv_document_text(const struct mkv_document *document,
			const char *xpath) mkv_must_check mkv_nonnull(1, 2);
bool mkv_document_has(const struct mkv_document *document, const char *xpath)
	mkv_nonnull(1, 2);
/* A decimal number; `absent` when there is none, or none that fits. */
uint64_t mkv_document_number(const struct mkv_document *document,
			     const char *xpath, uint64_t absent)
	mkv_nonnull(1, 2);

enum { MKV_DOMAIN_CPUS_MAX = 512 };

/* What a domain asks of its host. */
struct mkv_domain_needs {
	char *name, *network;
	char uuid[37];
	uint64_t memory_bytes, huge_page_bytes; /* 0: no huge pages */
	unsigned sockets, cores, threads, cpus; /* cpus: of all of them */
	int pins[MKV_DOMAIN_CPUS_MAX]; /* guest CPU -> host CPU; -1: anywhere */
	bool pinned;
	bool host_cpu; /* the host's own model, passed through */
	bool uefi, iothreads, vhost, direct_io;
};
void mkv_domain_needs_done(struct mkv_domain_needs *needs) mkv_nonnull(1);
#define auto_domain_needs __attribute__((cleanup(mkv_domain_needs_done)))

/* Reads a domain of an appliance. One that holds what mkv_libvirt_domain_xml()
 * never writes (a device of the host's, a file, a device or a program by its
 * path, an element of another namespace) is MKV_UNVERIFIED: a signature says
 * who wrote it, not that it does no harm. */
int mkv_domain_read(const struct mkv_document *document,
		    struct mkv_domain_needs *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* What import changes in a domain before it defines it. */
struct mkv_domain_change {
	const char *disk;	 /* absolute path of its disk */
	const char *mark;	 /* kept in its metadata, see below; or NULL */
	const char *emulate_cpu; /* QEMU's model: emulation instead of KVM, no
				    pinning, no huge pages; or NULL */
	uint64_t memory_bytes;	 /* 0: as it is; with emulation only */
};
int mkv_domain_change(struct mkv_document *document,
		      const struct mkv_domain_change *change,
		      struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* What libvirt keeps for us with a domain: <mkvbench:import> of this namespace,
 * whose text is `mark`, the digest of what was asked for, and whose attribute
 * `defined` is the digest of what libvirt made of it. */
#define MKV_DOMAIN_NAMESPACE "urn:mkvbench:libvirt:1"
#define MKV_DOMAIN_MARK "/domain/metadata/mkvbench:import"
#define MKV_DOMAIN_DEFINED MKV_DOMAIN_MARK "/@defined"

/* The digest of a definition, in hexadecimal, without its metadata. */
int mkv_domain_digest(const struct mkv_document *document, char ret[static 65],
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
