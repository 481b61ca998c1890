/* SPDX-License-Identifier: MIT */
#pragma once
/* The guests that run on a hypervisor, as libvirt keeps them below
 * /run/libvirt/qemu: for each running domain NAME.xml, its live definition in a
 * <domstatus> with the emulator's process and the threads of its CPUs. It needs
 * no library and no daemon that answers; libvirt rewrites the file with every
 * change. Where the kernel can be asked instead, it is. */

#include "verify/probe/env.h"
#include "verify/probe/xml.h"

#define MKV_DOMAINS_SOURCE "/run/libvirt/qemu/*.xml"

struct mkv_domain {
	struct mkv_xml *xml;
	const struct mkv_xml_node *status;     /* <domstatus> */
	const struct mkv_xml_node *definition; /* its <domain> */
	const char *name, *uuid;	       /* "" when it says none */
	struct mkv_sha256 sha256;	       /* of the file */
	int64_t pid;			       /* of the emulator; -1 */
};
struct mkv_domains {
	struct mkv_domain *items; /* by name */
	size_t count;
	bool is_whole; /* false: something couldn't be read */
};
void mkv_domains_done(struct mkv_domains *domains) mkv_nonnull(1);
#define auto_domains __attribute__((cleanup(mkv_domains_done)))

/* All that run; where libvirt never did, none, and that is whole. */
void mkv_domains_read(const struct mkv_env *env, struct mkv_domains *ret)
	mkv_nonnull(1, 2);
/* The one with this UUID; NULL. */
const struct mkv_domain *mkv_domains_find(const struct mkv_domains *domains,
					  const char *uuid) mkv_nonnull(1, 2);
/* True when the process's own arguments name the domain's UUID. */
bool mkv_domain_is_process(const struct mkv_env *env,
			   const struct mkv_domain *domain) mkv_nonnull(1, 2);
/* True when its process isn't there any more. */
bool mkv_domain_has_ended(const struct mkv_env *env,
			  const struct mkv_domain *domain) mkv_nonnull(1, 2);
/* The thread of one of its CPUs; -1. */
int64_t mkv_domain_cpu_thread(const struct mkv_domain *domain, unsigned cpu)
	mkv_nonnull(1);

/* An attribute that libvirt may leave out. */
const char *mkv_domain_attribute(const struct mkv_xml_node *node,
				 const char *path, const char *name,
				 const char *otherwise) mkv_nonnull(2, 3);
