/* SPDX-License-Identifier: MIT */
#include "builder/format/libvirt/document.h"

#include <libxml/parser.h>
#include <libxml/xpathInternals.h>
#include <string.h>

#include "builder/format/libvirt/document_internal.h"

enum { XML_BYTES_MAX = 4 * 1024 * 1024 };

void mkv_document_free(struct mkv_document *document)
{
	if (!document)
		return;
	if (document->xml)
		xmlFreeDoc(document->xml);
	free(document);
}

static void discard_message(void *context, const char *format, ...)
{
	(void)context;
	(void)format;
}

int mkv_document_parse(const char *xml, size_t size, struct mkv_document **ret,
		       struct mkv_error *err)
{
	if (size > XML_BYTES_MAX)
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"XML larger than %d bytes", XML_BYTES_MAX);
	auto_document struct mkv_document *document =
		calloc(1, sizeof(*document));
	if (!document)
		return mkv_oom(err);
	xmlSetGenericErrorFunc(NULL, discard_message);
	document->xml = xmlReadMemory(xml, (int)size, "definition.xml", "UTF-8",
				      XML_PARSE_NONET | XML_PARSE_NOERROR |
					      XML_PARSE_NOWARNING);
	if (!document->xml || !xmlDocGetRootElement(document->xml))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"not well-formed XML");
	if (document->xml->intSubset || document->xml->extSubset)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"XML with a document type is not supported");
	*ret = mkv_take(document);
	return 0;
}

static void object_free(xmlXPathObject *object)
{
	xmlXPathFreeObject(object);
}
MKV_DEFINE_AUTO(object, xmlXPathObject *, object_free)

static void xpath_free(xmlXPathContext *context)
{
	xmlXPathFreeContext(context);
}
MKV_DEFINE_AUTO(xpath, xmlXPathContext *, xpath_free)

xmlNode *mkv_document_find(const struct mkv_document *document,
			   const char *xpath)
{
	mkv_auto(xpath) xmlXPathContext *context =
		xmlXPathNewContext(document->xml);
	if (!context || xmlXPathRegisterNs(context, BAD_CAST "mkvbench",
					   BAD_CAST MKV_DOMAIN_NAMESPACE) < 0)
		return NULL;
	mkv_auto(object) xmlXPathObject *found =
		xmlXPathEvalExpression(BAD_CAST xpath, context);
	if (!found || !found->nodesetval || found->nodesetval->nodeNr == 0)
		return NULL;
	return found->nodesetval->nodeTab[0];
}

char *mkv_document_text(const struct mkv_document *document, const char *xpath)
{
	xmlNode *node = mkv_document_find(document, xpath);
	xmlChar *text = node ? xmlNodeGetContent(node) : NULL;
	char *copy = text ? strdup((const char *)text) : NULL;
	xmlFree(text);
	return copy;
}

bool mkv_document_has(const struct mkv_document *document, const char *xpath)
{
	return mkv_document_find(document, xpath) != NULL;
}

uint64_t mkv_document_number(const struct mkv_document *document,
			     const char *xpath, uint64_t absent)
{
	auto_free char *text = mkv_document_text(document, xpath);
	char *end = NULL;
	if (!text || text[0] < '0' || text[0] > '9')
		return absent;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	return errno || *end ? absent : value;
}
