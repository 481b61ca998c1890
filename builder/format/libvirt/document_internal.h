/* SPDX-License-Identifier: MIT */
#pragma once
/* For the files that read or change a document's nodes. */

#include <libxml/tree.h>

#include "builder/format/libvirt/document.h"

struct mkv_document {
	xmlDoc *xml;
};

/* The first node that an XPath selects, borrowed; NULL: none. The prefix
 * "mkvbench" is bound to MKV_DOMAIN_NAMESPACE. */
xmlNode *mkv_document_find(const struct mkv_document *document,
			   const char *xpath) mkv_nonnull(1, 2);
