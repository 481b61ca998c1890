/* SPDX-License-Identifier: MIT */
#include "builder/format/libvirt/differences.h"

#include <stdarg.h>
#include <string.h>

#include "builder/format/libvirt/document_internal.h"

/* Bounds the time, which is quadratic in the number of children. The largest
 * real element has one child for each CPU. */
enum { CHILDREN_MAX = 8192 };

struct comparison {
	mkv_document_difference *report;
	void *context;
	struct mkv_buf path; /* of the current element */
	bool failed;	     /* out of memory */
};

static void xml_free(xmlChar *text)
{
	xmlFree(text);
}
MKV_DEFINE_AUTO(xml_text, xmlChar *, xml_free)

/* The text of an element itself, without its children's and without the white
 * space around it; the caller's. */
static char *text_of(const xmlNode *element)
{
	auto_buf struct mkv_buf text = {0};
	mkv_buf_str(&text, "");
	for (const xmlNode *at = element->children; at; at = at->next)
		if ((at->type == XML_TEXT_NODE ||
		     at->type == XML_CDATA_SECTION_NODE) &&
		    at->content)
			mkv_buf_str(&text, (const char *)at->content);
	char *copy = mkv_buf_take(&text);
	if (!copy)
		return NULL;
	size_t start = strspn(copy, " \t\r\n"), end = strlen(copy);
	while (end > start && strchr(" \t\r\n", copy[end - 1]))
		end--;
	copy[end] = '\0';
	memmove(copy, copy + start, end - start + 1);
	return copy;
}

static size_t enter_step(struct comparison *c, const char *format, ...)
	mkv_printf(2, 3);
static size_t enter_step(struct comparison *c, const char *format, ...)
{
	char step[160];
	size_t mark = c->path.size;
	va_list ap;
	va_start(ap, format);
	(void)vsnprintf(step, sizeof(step), format, ap);
	va_end(ap);
	mkv_buf_str(&c->path, step);
	c->failed |= c->path.failed;
	return mark;
}

static void leave_step(struct comparison *c, size_t mark)
{
	if (c->path.failed)
		return;
	c->path.size = mark;
	c->path.data[mark] = '\0';
}

static void report_difference(struct comparison *c, const char *expected,
			      const char *found)
{
	if (!c->failed)
		c->report(c->path.size ? c->path.data : "/", expected, found,
			  c->context);
}

/* Compares local names and namespaces. */
static bool is_same_name(const xmlNode *a, const xmlNode *b)
{
	return strcmp((const char *)a->name, (const char *)b->name) == 0 &&
	       !a->ns == !b->ns &&
	       (!a->ns || (a->ns->href && b->ns->href &&
			   strcmp((const char *)a->ns->href,
				  (const char *)b->ns->href) == 0));
}

/* The element's number, from 1, among the siblings of its name, and their
 * count. */
static unsigned number_of(const xmlNode *element, unsigned *ret_count)
{
	unsigned number = 0;
	*ret_count = 0;
	for (const xmlNode *at = element->parent->children; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE && is_same_name(at, element)) {
			(*ret_count)++;
			if (at == element)
				number = *ret_count;
		}
	return number;
}

/* The child with the name of `namesake` and this number; NULL: none. */
static const xmlNode *nth_namesake(const xmlNode *parent,
				   const xmlNode *namesake, unsigned number)
{
	for (const xmlNode *at = parent->children; at; at = at->next)
		if (at->type == XML_ELEMENT_NODE &&
		    is_same_name(at, namesake) && --number == 0)
			return at;
	return NULL;
}

static size_t enter_element(struct comparison *c, const xmlNode *element)
{
	unsigned count, number = number_of(element, &count);
	const char *prefix = element->ns && element->ns->prefix
				     ? (const char *)element->ns->prefix
				     : NULL;
	return count > 1 ? enter_step(c, "/%.60s%s%.60s[%u]",
				      prefix ? prefix : "", prefix ? ":" : "",
				      (const char *)element->name, number)
			 : enter_step(c, "/%.60s%s%.60s", prefix ? prefix : "",
				      prefix ? ":" : "",
				      (const char *)element->name);
}

static const xmlAttr *find_attribute(const xmlNode *element,
				     const xmlAttr *namesake)
{
	for (const xmlAttr *a = element->properties; a; a = a->next)
		if (strcmp((const char *)a->name,
			   (const char *)namesake->name) == 0 &&
		    !a->ns == !namesake->ns)
			return a;
	return NULL;
}

static void compare_attribute(struct comparison *c, const xmlNode *holder,
			      const xmlAttr *expected, const xmlAttr *found)
{
	mkv_auto(xml_text) xmlChar *expected_text =
		expected ? xmlNodeListGetString(holder->doc, expected->children,
						1)
			 : NULL;
	mkv_auto(xml_text) xmlChar *found_text =
		found ? xmlNodeListGetString(found->doc, found->children, 1)
		      : NULL;
	/* libxml2 gives NULL for an empty attribute. */
	const char *a = expected_text ? (char *)expected_text
			: expected    ? ""
				      : NULL;
	const char *b = found_text ? (char *)found_text : found ? "" : NULL;
	if (a && b && strcmp(a, b) == 0)
		return;
	size_t mark =
		enter_step(c, "/@%.100s",
			   (const char *)(expected ? expected : found)->name);
	report_difference(c, a, b);
	leave_step(c, mark);
}

static void compare_attributes(struct comparison *c, const xmlNode *expected,
			       const xmlNode *found)
{
	for (const xmlAttr *a = expected->properties; a; a = a->next)
		compare_attribute(c, expected, a, find_attribute(found, a));
	for (const xmlAttr *a = found->properties; a; a = a->next)
		if (!find_attribute(expected, a))
			compare_attribute(c, expected, NULL, a);
	for (const xmlNs *ns = found->nsDef; ns; ns = ns->next) {
		size_t mark =
			enter_step(c, "/namespace::%.60s",
				   ns->prefix ? (const char *)ns->prefix : "");
		report_difference(c, NULL,
				  ns->href ? (const char *)ns->href : "");
		leave_step(c, mark);
	}
}

static void compare_text(struct comparison *c, const xmlNode *expected,
			 const xmlNode *found)
{
	auto_free char *expected_text = text_of(expected);
	auto_free char *found_text = text_of(found);
	if (!expected_text || !found_text) {
		c->failed = true;
		return;
	}
	if (strcmp(expected_text, found_text) == 0)
		return;
	size_t mark = enter_step(c, "/text()");
	report_difference(c, *expected_text ? expected_text : NULL,
			  *found_text ? found_text : NULL);
	leave_step(c, mark);
}

static size_t count_children(const xmlNode *element)
{
	size_t count = 0;
	for (const xmlNode *at = element->children; at; at = at->next)
		count += at->type == XML_ELEMENT_NODE;
	return count;
}

static void compare_elements(struct comparison *c, const xmlNode *expected,
			     const xmlNode *found);

static void report_element(struct comparison *c, const xmlNode *element,
			   const char *expected, const char *found)
{
	size_t mark = enter_element(c, element);
	report_difference(c, expected, found);
	leave_step(c, mark);
}

static void compare_children(struct comparison *c, const xmlNode *expected,
			     const xmlNode *found)
{
	unsigned count;
	for (const xmlNode *at = expected->children; at && !c->failed;
	     at = at->next) {
		if (at->type != XML_ELEMENT_NODE)
			continue;
		const xmlNode *other =
			nth_namesake(found, at, number_of(at, &count));
		if (other)
			compare_elements(c, at, other);
		else
			report_element(c, at, "an element", NULL);
	}
	for (const xmlNode *at = found->children; at && !c->failed;
	     at = at->next)
		if (at->type == XML_ELEMENT_NODE &&
		    !nth_namesake(expected, at, number_of(at, &count)))
			report_element(c, at, NULL, "an element");
}

/* Recursion is bounded: the parser refuses XML of more than 256 levels. */
static void compare_elements(struct comparison *c, const xmlNode *expected,
			     const xmlNode *found)
{
	size_t mark = enter_element(c, expected);
	compare_attributes(c, expected, found);
	compare_text(c, expected, found);
	if (count_children(found) > CHILDREN_MAX) {
		report_difference(c, NULL, "more than 8192 elements");
		leave_step(c, mark);
		return;
	}
	compare_children(c, expected, found);
	leave_step(c, mark);
}

int mkv_document_compare(const struct mkv_document *expected,
			 const struct mkv_document *found,
			 mkv_document_difference *report_one, void *context,
			 struct mkv_error *err)
{
	struct comparison c = {.report = report_one, .context = context};
	const xmlNode *expected_root = xmlDocGetRootElement(expected->xml);
	const xmlNode *found_root = xmlDocGetRootElement(found->xml);
	if (is_same_name(expected_root, found_root)) {
		compare_elements(&c, expected_root, found_root);
	} else {
		report_element(&c, expected_root,
			       (const char *)expected_root->name,
			       (const char *)found_root->name);
	}
	mkv_buf_done(&c.path);
	return c.failed ? mkv_oom(err) : 0;
}
