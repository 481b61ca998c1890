/* SPDX-License-Identifier: MIT */
/* The XML of a running domain, as libvirt stores it: for any content, parsed
 * strings are within the text and terminated, and the tree can be walked. */
#include <string.h>

#include "verify/probe/xml.h"

static const char *const fuzz_seeds[] = {"tests/golden/libvirt-live/*.xml",
					 NULL};
static const char *const fuzz_words[] = {
	"<a>",	"</a>",	     "<a/>",	  "='",	  "'",	 "\"",
	"&lt;", "&#65;",     "&#x20AC;",  "<!--", "-->", "<?",
	"?>",	"<!DOCTYPE", "<![CDATA[", " ",	  ":",	 NULL};

#include "tests/fuzz/driver.h"

static size_t walk_nodes(const struct mkv_xml_node *node)
{
	size_t bytes = 0;
	for (; node; node = node->next) {
		bytes += strlen(node->name) + strlen(node->text);
		for (size_t i = 0; i < node->n_attributes; i++) {
			const struct mkv_xml_attribute *a =
				&node->attributes[i];
			bytes += strlen(a->name) + strlen(a->value);
			if (!mkv_xml_attribute(node, "", a->name))
				abort();
		}
		if (node->child && !mkv_xml_find(node, node->child->name))
			abort();
		bytes += walk_nodes(node->child);
	}
	return bytes;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_xml struct mkv_xml *xml = NULL;
	struct mkv_error err;
	if (mkv_xml_parse((const char *)data, size, &xml, &err) < 0)
		return 0;
	/* No entity expands to more than its own length. */
	if (walk_nodes(mkv_xml_root(xml)) > size)
		abort();
	(void)mkv_xml_number(mkv_xml_text(mkv_xml_root(xml), "domain/vcpu"));
	return 0;
}
