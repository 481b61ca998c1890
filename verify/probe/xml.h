/* SPDX-License-Identifier: MIT */
#pragma once
/* A parser for the subset of XML 1.0 (fifth edition) that libvirt writes:
 * elements, attributes, text, comments, the five predefined entities and
 * character references. A document type, CDATA and text that is not well-formed
 * are errors. Namespace prefixes are part of the names. The text may be
 * hostile: size, depth and number of elements are limited, and nothing is
 * expanded.
 *
 * Not libexpat: linked statically, as the verifier needs, it makes the verifier
 * 168 kB (46 %) larger to save 120 lines, and Debian's security updates of it
 * would not reach the images. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum {
	MKV_XML_BYTES_MAX = 4 << 20,
	MKV_XML_NODES_MAX = 100000,
	MKV_XML_DEPTH_MAX = 64,
};

struct mkv_xml_attribute {
	const char *name, *value;
};
struct mkv_xml_node {
	const char *name;
	const char *text; /* the first piece that is not blank, trimmed */
	struct mkv_xml_attribute *attributes;
	size_t n_attributes;
	struct mkv_xml_node *child, *next; /* first child, next sibling */
};

struct mkv_xml;
/* Copies and parses a document. MKV_UNVERIFIED: not XML, or over a limit. */
int mkv_xml_parse(const char *text, size_t size, struct mkv_xml **ret,
		  struct mkv_error *err) mkv_must_check mkv_nonnull(1, 3, 4);
void mkv_xml_free(struct mkv_xml *xml);
MKV_DEFINE_AUTO(xml, struct mkv_xml *, mkv_xml_free)
#define auto_xml mkv_auto(xml)

/* All results below are owned by the document. */
const struct mkv_xml_node *mkv_xml_root(const struct mkv_xml *xml)
	mkv_nonnull(1);
/* The first element at a path of names below a node, "cpu/topology"; NULL:
 * none. The node may be NULL. */
const struct mkv_xml_node *mkv_xml_find(const struct mkv_xml_node *node,
					const char *path) mkv_nonnull(2);
/* The next sibling with the name of `node`; NULL: none. */
const struct mkv_xml_node *mkv_xml_next(const struct mkv_xml_node *node)
	mkv_nonnull(1);
/* An attribute of the element at the path ("" is the node itself); NULL: none.
 */
const char *mkv_xml_attribute(const struct mkv_xml_node *node, const char *path,
			      const char *name) mkv_nonnull(2, 3);
/* The text of the element at the path; NULL: no such element. */
const char *mkv_xml_text(const struct mkv_xml_node *node, const char *path)
	mkv_nonnull(2);
/* Decodes a decimal number without a sign; -1: anything else, or NULL. */
int64_t mkv_xml_number(const char *text);
