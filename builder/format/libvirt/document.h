/* SPDX-License-Identifier: MIT */
#pragma once
/* libvirt's XML documents, read by libxml2: values by XPath, the requirements
 * of a domain, and the changes that import makes to a domain. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/buf.h"

struct mkv_document;
void mkv_document_free(struct mkv_document *document);
MKV_DEFINE_AUTO(document, struct mkv_document *, mkv_document_free)
#define auto_document mkv_auto(document)

/* Parses XML of at most 4 MiB without a document type, so without entities and
 * external files. Other input is MKV_UNVERIFIED. */
int mkv_document_parse(const char *xml, size_t size, struct mkv_document **ret,
		       struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 3, 4);
/* The text of the first node that an XPath selects, the caller's; NULL: no
 * node, or out of memory. */
char *mkv_document_text(const struct mkv_document *document,
			const char *xpath) mkv_must_check mkv_nonnull(1, 2);
bool mkv_document_has(const struct mkv_document *document, const char *xpath)
	mkv_nonnull(1, 2);
/* The decimal number that an XPath selects; `absent` when there is no node or
 * no number in the range of uint64_t. */
uint64_t mkv_document_number(const struct mkv_document *document,
			     const char *xpath, uint64_t absent)
	mkv_nonnull(1, 2);

enum { MKV_DOMAIN_CPUS_MAX = 512 };

/* What a domain requires of its host. */
struct mkv_domain_needs {
	char *name, *network;
	char uuid[37];
	uint64_t memory_bytes, huge_page_bytes; /* 0: no huge pages */
	unsigned sockets, cores, threads, cpus; /* cpus: the product */
	int pins[MKV_DOMAIN_CPUS_MAX]; /* guest CPU -> host CPU; -1: not pinned
					*/
	bool pinned;
	bool host_cpu; /* mode host-passthrough */
	bool uefi, iothreads, vhost, direct_io;
};
void mkv_domain_needs_done(struct mkv_domain_needs *needs) mkv_nonnull(1);
#define auto_domain_needs __attribute__((cleanup(mkv_domain_needs_done)))

/* Reads a domain of an appliance. A domain with anything that
 * mkv_libvirt_domain_xml() never writes (a host device, a path of a file,
 * device or program, an element of another namespace) is MKV_UNVERIFIED: a
 * valid signature identifies the author of a domain, but does not make the
 * domain harmless. */
int mkv_domain_read(const struct mkv_document *document,
		    struct mkv_domain_needs *ret,
		    struct mkv_error *err) mkv_must_check mkv_nonnull(1, 2, 3);

/* What import changes in a domain before libvirt defines the domain. */
struct mkv_domain_change {
	const char *disk; /* absolute path of the disk image */
	const char *mark; /* stored in the metadata, see below; or NULL */
	const char *emulate_cpu; /* QEMU's model: emulation instead of KVM, no
				    pinning, no huge pages; or NULL */
	uint64_t memory_bytes;	 /* 0: unchanged; used only with emulate_cpu */
};
/* Changes the document and appends its text to `ret`. */
int mkv_domain_change(struct mkv_document *document,
		      const struct mkv_domain_change *change,
		      struct mkv_buf *ret, struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3, 4);

/* The metadata that import stores in a domain: <mkvbench:import> of this
 * namespace. Its text is `mark`, the digest of the requested definition; its
 * attribute `defined` is the digest of the definition that libvirt stored. */
#define MKV_DOMAIN_NAMESPACE "urn:mkvbench:libvirt:1"
#define MKV_DOMAIN_MARK "/domain/metadata/mkvbench:import"
#define MKV_DOMAIN_DEFINED MKV_DOMAIN_MARK "/@defined"

/* The SHA-256 of a definition without its metadata, in hexadecimal. */
int mkv_domain_digest(const struct mkv_document *document, char ret[static 65],
		      struct mkv_error *err) mkv_must_check
	mkv_nonnull(1, 2, 3);
