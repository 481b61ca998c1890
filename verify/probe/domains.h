/* SPDX-License-Identifier: MIT */
#pragma once
/* The guests that run on a hypervisor, by libvirt's status files: for each
 * running domain, /run/libvirt/qemu/NAME.xml has the live definition in a
 * <domstatus>, with the process of the emulator and the threads of its CPUs.
 * libvirt rewrites the file at every change. Reading it needs no library and no
 * running daemon. Checks prefer the kernel's data where both have it. */

#include "verify/probe/env.h"
#include "verify/probe/xml.h"

#define MKV_DOMAINS_SOURCE "/run/libvirt/qemu/*.xml"

struct mkv_domain {
	struct mkv_xml *xml;
	const struct mkv_xml_node *status;     /* <domstatus> */
	const struct mkv_xml_node *definition; /* its <domain> */
	const char *name, *uuid;	       /* "": none */
	struct mkv_sha256 sha256;	       /* of the file */
	int64_t pid;			       /* of the emulator; -1: none */
};
struct mkv_domains {
	struct mkv_domain *items; /* by name */
	size_t count;
	bool is_whole; /* false: a file could not be read */
};
void mkv_domains_done(struct mkv_domains *domains) mkv_nonnull(1);
#define auto_domains __attribute__((cleanup(mkv_domains_done)))

/* Reads all running domains. Without the directory (libvirt has never run)
 * there are none, and the list is whole. */
void mkv_domains_read(const struct mkv_env *env, struct mkv_domains *ret)
	mkv_nonnull(1, 2);
/* The domain with this UUID; NULL: none. */
const struct mkv_domain *mkv_domains_find(const struct mkv_domains *domains,
					  const char *uuid) mkv_nonnull(1, 2);
/* True when the arguments of the process have the UUID of the domain. */
bool mkv_domain_is_process(const struct mkv_env *env,
			   const struct mkv_domain *domain) mkv_nonnull(1, 2);
/* True when the process of the domain no longer exists. */
bool mkv_domain_has_ended(const struct mkv_env *env,
			  const struct mkv_domain *domain) mkv_nonnull(1, 2);
/* The thread of one of the domain's CPUs; -1: none. */
int64_t mkv_domain_cpu_thread(const struct mkv_domain *domain, unsigned cpu)
	mkv_nonnull(1);

/* An attribute that libvirt may leave out, else `otherwise`. */
const char *mkv_domain_attribute(const struct mkv_xml_node *node,
				 const char *path, const char *name,
				 const char *otherwise) mkv_nonnull(2, 3);
