/* SPDX-License-Identifier: MIT */
#include "verify/probe/xml.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

enum { ATTRIBUTES_MAX = 256 };

struct mkv_xml {
	char *text; /* holds the strings of the nodes */
	struct mkv_xml_node *root;
};

static void free_nodes(struct mkv_xml_node *node)
{
	while (node) {
		struct mkv_xml_node *next = node->next;
		free_nodes(node->child); /* as deep as MKV_XML_DEPTH_MAX */
		free(node->attributes);
		free(node);
		node = next;
	}
}

void mkv_xml_free(struct mkv_xml *xml)
{
	if (!xml)
		return;
	free_nodes(xml->root);
	free(xml->text);
	free(xml);
}

struct reader {
	char *at;
	size_t nodes;
	const char *mistake; /* NULL: none yet */
};

static bool fail_parse(struct reader *r, const char *mistake)
{
	if (!r->mistake)
		r->mistake = mistake;
	return false;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_space(struct reader *r)
{
	while (is_space(*r->at))
		r->at++;
}

/* Names in ASCII suffice for libvirt. */
static bool is_name_char(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       c == ':' ||
	       (!first && ((c >= '0' && c <= '9') || c == '-' || c == '.'));
}

/* The length of the name at the current position; 0: none. */
static size_t name_length(const struct reader *r)
{
	size_t length = 0;
	while (is_name_char(r->at[length], length == 0))
		length++;
	return length;
}

static size_t put_utf8(uint32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	size_t size = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = size - 1; i > 0; i--, c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)((uint32_t)(0xf00 >> size) | c);
	return size;
}

/* Decodes the reference "&...;" at `at` into `to`; the result is never longer
 * than the reference. Returns the length of the reference; 0: unknown. */
static size_t decode_reference(const char *at, char *to, size_t *ret_size)
{
	static const struct {
		const char *name;
		char is;
	} known[] = {{"&lt;", '<'},
		     {"&gt;", '>'},
		     {"&amp;", '&'},
		     {"&quot;", '"'},
		     {"&apos;", '\''}};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t length = strlen(known[i].name);
		if (strncmp(at, known[i].name, length) == 0) {
			*to = known[i].is;
			*ret_size = 1;
			return length;
		}
	}
	if (at[1] != '#')
		return 0;
	bool hex = at[2] == 'x';
	const char *digits = at + (hex ? 3 : 2);
	char *end;
	if (!(*digits >= '0' && *digits <= '9') &&
	    !(hex && strchr("abcdefABCDEF", *digits) && *digits))
		return 0;
	unsigned long c = strtoul(digits, &end, hex ? 16 : 10);
	bool allowed =
		c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xd7ff) ||
		(c >= 0xe000 && c <= 0xfffd) || (c >= 0x10000 && c <= 0x10ffff);
	if (*end != ';' || !allowed)
		return 0;
	*ret_size = put_utf8((uint32_t)c, to);
	return (size_t)(end + 1 - at);
}

/* Decodes references in place and terminates the string. */
static bool decode_text(struct reader *r, char *text, size_t length)
{
	char *to = text;
	for (const char *at = text; at < text + length;) {
		size_t size = 1, taken = 1;
		if (*at == '&')
			taken = decode_reference(at, to, &size);
		else
			*to = *at;
		if (taken == 0 || at + taken > text + length)
			return fail_parse(r, "an unknown reference");
		at += taken;
		to += size;
	}
	*to = '\0';
	return true;
}

/* Reads one attribute NAME="VALUE". */
static bool read_attribute(struct reader *r, struct mkv_xml_node *node)
{
	size_t length = name_length(r);
	char *name = r->at;
	if (length == 0)
		return fail_parse(r, "a malformed tag");
	r->at += length;
	skip_space(r);
	if (*r->at != '=')
		return fail_parse(r, "an attribute without a value");
	r->at++;
	skip_space(r);
	char quote = *r->at;
	char *value = r->at + 1;
	char *end = quote == '"' || quote == '\'' ? strchr(value, quote) : NULL;
	if (!end || memchr(value, '<', (size_t)(end - value)))
		return fail_parse(r, "an attribute value without quotes");
	struct mkv_xml_attribute *more =
		node->n_attributes >= ATTRIBUTES_MAX
			? NULL
			: reallocarray(node->attributes, node->n_attributes + 1,
				       sizeof(*more));
	if (!more)
		return fail_parse(r, "too many attributes");
	node->attributes = more;
	if (!decode_text(r, value, (size_t)(end - value)))
		return false;
	name[length] = '\0';
	r->at = end + 1;
	for (size_t i = 0; i < node->n_attributes; i++)
		if (strcmp(more[i].name, name) == 0)
			return fail_parse(r, "a duplicate attribute");
	more[node->n_attributes++] = (struct mkv_xml_attribute){name, value};
	return true;
}

/* Reads attributes up to the end of the tag, without the end. */
static bool read_attributes(struct reader *r, struct mkv_xml_node *node)
{
	for (;;) {
		char *before = r->at;
		skip_space(r);
		if (*r->at == '>' || *r->at == '/')
			return true;
		if (before == r->at)
			return fail_parse(r, "a malformed tag");
		if (!read_attribute(r, node))
			return false;
	}
}

/* Skips any number of comments and processing instructions. */
static bool skip_comments(struct reader *r)
{
	for (;;) {
		skip_space(r);
		const char *end;
		size_t more;
		if (strncmp(r->at, "<!--", 4) == 0) {
			end = strstr(r->at + 4, "-->");
			more = 3;
		} else if (strncmp(r->at, "<?", 2) == 0) {
			end = strstr(r->at + 2, "?>");
			more = 2;
		} else {
			return true;
		}
		if (!end)
			return fail_parse(r, "an unterminated comment");
		r->at += (size_t)(end - r->at) + more;
	}
}

static struct mkv_xml_node *read_element(struct reader *r, unsigned depth);

struct piece {
	char *text; /* NULL: no text yet */
	size_t length;
};

/* Reads the text up to the next tag, trimmed. `first` keeps the first text that
 * is not blank. */
static bool read_text(struct reader *r, struct piece *first)
{
	skip_space(r);
	char *text = r->at;
	char *end = strchr(text, '<');
	if (!end)
		return fail_parse(r, "an unterminated element");
	r->at = end;
	while (end > text && is_space(end[-1]))
		end--;
	if (!first->text && end > text)
		*first = (struct piece){text, (size_t)(end - text)};
	return true;
}

static bool read_end(struct reader *r, const char *name)
{
	size_t length = strlen(name);
	bool same = strncmp(r->at + 2, name, length) == 0;
	if (same) {
		r->at += 2 + length;
		skip_space(r);
	}
	if (!same || *r->at != '>')
		return fail_parse(r, "an end tag of another element");
	r->at++;
	return true;
}

static bool read_children(struct reader *r, struct mkv_xml_node *node,
			  unsigned depth)
{
	struct mkv_xml_node **last = &node->child;
	struct piece text = {0};
	for (;;) {
		if (!read_text(r, &text))
			return false;
		if (strncmp(r->at, "<!--", 4) == 0 ||
		    strncmp(r->at, "<?", 2) == 0) {
			if (!skip_comments(r))
				return false;
			continue;
		}
		if (r->at[1] == '/')
			break;
		*last = read_element(r, depth + 1);
		if (!*last)
			return false;
		last = &(*last)->next;
	}
	if (!read_end(r, node->name))
		return false;
	/* Terminated only now, because the terminator replaces the first byte
	 * of the next tag. */
	if (text.text)
		node->text = text.text;
	return !text.text || decode_text(r, text.text, text.length);
}

static struct mkv_xml_node *read_element(struct reader *r, unsigned depth)
{
	if (depth > MKV_XML_DEPTH_MAX || ++r->nodes > MKV_XML_NODES_MAX) {
		(void)fail_parse(r, "too deep, or too many elements");
		return NULL;
	}
	r->at++; /* '<' */
	size_t length = name_length(r);
	if (length == 0) {
		(void)fail_parse(r, "a malformed tag");
		return NULL;
	}
	struct mkv_xml_node *node = calloc(1, sizeof(*node));
	if (!node) {
		(void)fail_parse(r, "out of memory");
		return NULL;
	}
	char *name = r->at;
	node->name = name;
	node->text = "";
	r->at += length;
	bool good = read_attributes(r, node);
	bool empty = good && *r->at == '/';
	if (good && empty && r->at[1] != '>')
		good = fail_parse(r, "a malformed tag");
	if (good) {
		char *body = r->at + (empty ? 2 : 1);
		name[length] = '\0'; /* replaces at most the '>' or '/' */
		r->at = body;
		if (!empty)
			good = read_children(r, node, depth);
	}
	if (good)
		return node;
	free_nodes(node);
	return NULL;
}

int mkv_xml_parse(const char *text, size_t size, struct mkv_xml **ret,
		  struct mkv_error *err)
{
	if (size > MKV_XML_BYTES_MAX || memchr(text, '\0', size))
		return mkv_fail(err, MKV_UNVERIFIED, EFBIG,
				"XML: too large, or with a NUL byte");
	auto_xml struct mkv_xml *xml = calloc(1, sizeof(*xml));
	if (xml)
		xml->text = strndup(text, size);
	if (!xml || !xml->text)
		return mkv_oom(err);
	struct reader r = {.at = xml->text};
	if (skip_comments(&r) && *r.at != '<')
		(void)fail_parse(&r, "text outside of elements");
	if (!r.mistake)
		xml->root = read_element(&r, 1);
	if (xml->root && skip_comments(&r) && *r.at)
		(void)fail_parse(&r, "more than one root element");
	if (r.mistake)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"XML, byte %td: %s", r.at - xml->text,
				r.mistake);
	*ret = mkv_take(xml);
	return 0;
}

const struct mkv_xml_node *mkv_xml_root(const struct mkv_xml *xml)
{
	return xml->root;
}

const struct mkv_xml_node *mkv_xml_find(const struct mkv_xml_node *node,
					const char *path)
{
	while (node && *path) {
		size_t length = strcspn(path, "/");
		const struct mkv_xml_node *child = node->child;
		while (child && (strncmp(child->name, path, length) != 0 ||
				 child->name[length] != '\0'))
			child = child->next;
		node = child;
		path += length + (path[length] == '/');
	}
	return node;
}

const struct mkv_xml_node *mkv_xml_next(const struct mkv_xml_node *node)
{
	const struct mkv_xml_node *next = node->next;
	while (next && strcmp(next->name, node->name) != 0)
		next = next->next;
	return next;
}

const char *mkv_xml_attribute(const struct mkv_xml_node *node, const char *path,
			      const char *name)
{
	node = mkv_xml_find(node, path);
	for (size_t i = 0; node && i < node->n_attributes; i++)
		if (strcmp(node->attributes[i].name, name) == 0)
			return node->attributes[i].value;
	return NULL;
}

const char *mkv_xml_text(const struct mkv_xml_node *node, const char *path)
{
	node = mkv_xml_find(node, path);
	return node ? node->text : NULL;
}

int64_t mkv_xml_number(const char *text)
{
	if (!text || text[0] < '0' || text[0] > '9')
		return -1;
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	return errno || *end ? -1 : value;
}
