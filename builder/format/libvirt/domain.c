/* SPDX-License-Identifier: MIT */
/* Domains of an appliance: what they ask for, and what import changes. */
#include <libxml/tree.h>
#include <string.h>

#include "builder/format/libvirt/document_internal.h"
#include "lib/hash.h"

void mkv_domain_needs_done(struct mkv_domain_needs *needs)
{
	free(needs->name);
	free(needs->network);
	*needs = (struct mkv_domain_needs){0};
}

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(name, *names) == 0)
			return true;
	return false;
}

static bool is_element(const xmlNode *node)
{
	return node->type == XML_ELEMENT_NODE;
}

/* Paths of the host lead out of a guest: two are known. */
static bool leads_out(const xmlNode *element, const char *text)
{
	while (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')
		text++;
	if (text[0] != '/')
		return false;
	const char *name = (const char *)element->name;
	const char *parent = element->parent && element->parent->name
				     ? (const char *)element->parent->name
				     : "";
	if (strcmp(name, "backend") == 0 && strcmp(parent, "rng") == 0)
		return strcmp(text, "/dev/urandom") != 0;
	return !(strcmp(name, "source") == 0 && strcmp(parent, "disk") == 0);
}

static int refuse(const xmlNode *element, const char *why,
		  struct mkv_error *err)
{
	return mkv_fail(err, MKV_UNVERIFIED, EINVAL, "line %ld: <%s>: %s",
			xmlGetLineNo(element), (const char *)element->name,
			why);
}

static int check_values(const xmlNode *element, struct mkv_error *err)
{
	for (const xmlAttr *a = element->properties; a; a = a->next) {
		xmlChar *value =
			xmlNodeListGetString(element->doc, a->children, 1);
		bool out = value && leads_out(element, (char *)value);
		xmlFree(value);
		if (out || a->ns)
			return refuse(element,
				      "a path of the host, or an attribute of "
				      "another namespace",
				      err);
	}
	for (const xmlNode *child = element->children; child;
	     child = child->next)
		if (child->type == XML_TEXT_NODE && child->content &&
		    leads_out(element, (const char *)child->content))
			return refuse(element, "a path of the host", err);
	return 0;
}

static int check_tree(const xmlNode *element, unsigned depth,
		      struct mkv_error *err)
{
	if (element->ns || element->nsDef)
		return refuse(element, "of another namespace", err);
	if (depth > 8)
		return refuse(element, "nested too deeply", err);
	int rc = check_values(element, err);
	for (const xmlNode *child = element->children; child && rc == 0;
	     child = child->next) {
		if (is_element(child))
			rc = check_tree(child, depth + 1, err);
		else if (child->type != XML_TEXT_NODE &&
			 child->type != XML_COMMENT_NODE)
			rc = refuse(element, "holds more than text", err);
	}
	return rc;
}

static int check_children(const xmlNode *element, const char *const *known,
			  struct mkv_error *err)
{
	for (const xmlNode *child = element->children; child;
	     child = child->next)
		if (is_element(child) &&
		    !is_one_of((const char *)child->name, known))
			return refuse(child,
				      "not part of an appliance's domain", err);
	return 0;
}

/* Only what mkv_libvirt_domain_xml() writes. */
static int check_harmless(const struct mkv_document *document,
			  struct mkv_error *err)
{
	static const char *const of_domain[] = {
		"name",	    "uuid",	 "memory",	"memoryBacking",
		"vcpu",	    "iothreads", "cputune",	"sysinfo",
		"os",	    "features",	 "cpu",		"clock",
		"pm",	    "devices",	 "on_poweroff", "on_reboot",
		"on_crash", NULL};
	static const char *const of_os[] = {"type", "firmware", "boot",
					    "smbios", NULL};
	static const char *const of_devices[] = {
		"disk",	   "controller", "interface",  "serial",
		"console", "rng",	 "memballoon", NULL};
	const xmlNode *root = xmlDocGetRootElement(document->xml);
	const xmlNode *os = mkv_document_find(document, "/domain/os");
	const xmlNode *devices = mkv_document_find(document, "/domain/devices");
	if (strcmp((const char *)root->name, "domain") != 0 || !os || !devices)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL, "isn't a domain");
	int rc = check_tree(root, 0, err);
	if (rc == 0)
		rc = check_children(root, of_domain, err);
	if (rc == 0)
		rc = check_children(os, of_os, err);
	if (rc == 0)
		rc = check_children(devices, of_devices, err);
	if (rc < 0)
		return rc;
	static const struct {
		const char *xpath, *what;
	} never[] = {
		{"/domain[not(@type='kvm')]", "isn't for KVM"},
		{"/domain/os[2] | /domain/devices[2]", "is no one domain"},
		{"/domain/devices/disk[2] | /domain/devices[not(disk)]",
		 "hasn't one disk"},
		{"/domain/devices/disk[not(@type='file' and @device='disk')] | "
		 "/domain/devices/disk[not(count(source[@file])=1)] | "
		 "/domain/devices/disk/source/*",
		 "has another disk than a file"},
		{"/domain/devices/interface[not(@type='network')] | "
		 "/domain/devices/interface[2] | "
		 "/domain/devices[not(interface/source/@network)]",
		 "hasn't one card in a network"},
		{"/domain/devices/interface/script", "runs a program"},
		{"/domain/devices/serial[not(@type='pty')] | "
		 "/domain/devices/console[not(@type='pty')]",
		 "has another console than a pty"},
		{"/domain/devices/rng/backend[not(@model='random')]",
		 "has another source of random numbers"},
	};
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (mkv_document_has(document, never[i].xpath))
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL, "%s",
					never[i].what);
	return 0;
}

static int read_cpus(const struct mkv_document *document,
		     struct mkv_domain_needs *needs, struct mkv_error *err)
{
	const char *topology = "/domain/cpu/topology";
	char xpath[128];
	unsigned dies = 0;
	unsigned *const numbers[] = {&needs->sockets, &dies, &needs->cores,
				     &needs->threads};
	static const char *const names[] = {"sockets", "dies", "cores",
					    "threads"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		(void)snprintf(xpath, sizeof(xpath), "%s/@%s", topology,
			       names[i]);
		uint64_t value = mkv_document_number(document, xpath, 0);
		*numbers[i] =
			value <= MKV_DOMAIN_CPUS_MAX ? (unsigned)value : 0;
	}
	uint64_t cpus = mkv_document_number(document, "/domain/vcpu", 0);
	needs->cores *= dies; /* each at most MKV_DOMAIN_CPUS_MAX */
	if (cpus == 0 || cpus > MKV_DOMAIN_CPUS_MAX ||
	    cpus != (uint64_t)needs->sockets * needs->cores * needs->threads)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"its CPUs and their topology disagree");
	needs->cpus = (unsigned)cpus;
	for (unsigned i = 0; i < needs->cpus; i++) {
		(void)snprintf(xpath, sizeof(xpath),
			       "/domain/cputune/vcpupin[@vcpu='%u']/@cpuset",
			       i);
		uint64_t pin = mkv_document_number(document, xpath, UINT64_MAX);
		if (pin == UINT64_MAX && mkv_document_has(document, xpath))
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
					"CPU %u isn't pinned to one CPU", i);
		needs->pins[i] = pin < INT32_MAX ? (int)pin : -1;
		needs->pinned |= pin < INT32_MAX;
	}
	return 0;
}

static bool is_uuid(const char *text)
{
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;
		if (dash ? text[i] != '-'
			 : !(text[i] && strchr("0123456789abcdef", text[i])))
			return false;
	}
	return text[36] == '\0';
}

int mkv_domain_read(const struct mkv_document *document,
		    struct mkv_domain_needs *ret, struct mkv_error *err)
{
	auto_domain_needs struct mkv_domain_needs needs = {0};
	int rc = check_harmless(document, err);
	if (rc == 0)
		rc = read_cpus(document, &needs, err);
	if (rc < 0)
		return rc;
	needs.name = mkv_document_text(document, "/domain/name");
	needs.network = mkv_document_text(
		document, "/domain/devices/interface/source/@network");
	auto_free char *uuid = mkv_document_text(document, "/domain/uuid");
	uint64_t kib =
		mkv_document_number(document, "/domain/memory[@unit='KiB']", 0);
	uint64_t page = mkv_document_number(
		document,
		"/domain/memoryBacking/hugepages/page[@unit='KiB']/@size", 0);
	if (!needs.name || !needs.network || !uuid || !is_uuid(uuid) ||
	    kib == 0 || kib > UINT64_MAX / 1024 || page > UINT64_MAX / 1024)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"it lacks a name, a uuid, memory or a network");
	memcpy(needs.uuid, uuid, sizeof(needs.uuid));
	needs.memory_bytes = kib * 1024;
	needs.huge_page_bytes = page * 1024;
	needs.host_cpu = mkv_document_has(
		document, "/domain/cpu[@mode='host-passthrough']");
	needs.uefi = mkv_document_has(document, "/domain/os[@firmware='efi']");
	needs.iothreads = mkv_document_number(document, "/domain/iothreads", 0);
	needs.vhost = mkv_document_has(
		document, "/domain/devices/interface/driver[@name='vhost']");
	needs.direct_io = mkv_document_has(
		document, "/domain/devices/disk/driver[@cache='none' or "
			  "@cache='directsync']");
	*ret = needs;
	needs = (struct mkv_domain_needs){0};
	return 0;
}

static void drop(const struct mkv_document *document, const char *xpath)
{
	xmlNode *node;
	while ((node = mkv_document_find(document, xpath))) {
		if (node->type == XML_ATTRIBUTE_NODE) {
			xmlRemoveProp((xmlAttr *)node);
		} else {
			xmlUnlinkNode(node);
			xmlFreeNode(node);
		}
	}
}

static bool set(xmlNode *node, const char *name, const char *value)
{
	return node && xmlSetProp(node, BAD_CAST name, BAD_CAST value);
}

/* What only KVM has goes; the model is one that TCG can be. */
static bool emulate(struct mkv_document *document,
		    const struct mkv_domain_change *change)
{
	xmlNode *cpu = mkv_document_find(document, "/domain/cpu");
	xmlNode *memory = mkv_document_find(document, "/domain/memory");
	char kib[32];
	drop(document, "/domain/cputune");
	drop(document, "/domain/memoryBacking");
	drop(document, "/domain/cpu/cache");
	drop(document, "/domain/cpu/feature");
	drop(document, "/domain/cpu/model");
	drop(document, "/domain/cpu/@migratable");
	drop(document, "/domain/clock/timer[@name='kvmclock']");
	drop(document, "/domain/devices/interface/driver");
	if (!set(xmlDocGetRootElement(document->xml), "type", "qemu") ||
	    !set(cpu, "mode", "custom") || !set(cpu, "match", "exact") ||
	    !set(cpu, "check", "none"))
		return false;
	xmlNode *model = xmlNewTextChild(cpu, NULL, BAD_CAST "model",
					 BAD_CAST change->emulate_cpu);
	if (!set(model, "fallback", "forbid"))
		return false;
	if (change->memory_bytes) {
		(void)snprintf(kib, sizeof(kib), "%llu",
			       (unsigned long long)change->memory_bytes / 1024);
		xmlNodeSetContent(memory, BAD_CAST kib);
	}
	return true;
}

static bool add_mark(struct mkv_document *document, const char *mark)
{
	xmlNode *name = mkv_document_find(document, "/domain/name");
	xmlNode *metadata = xmlNewNode(NULL, BAD_CAST "metadata");
	if (!name || !metadata || !xmlAddNextSibling(name, metadata)) {
		xmlFreeNode(metadata);
		return false;
	}
	xmlNode *ours = xmlNewTextChild(metadata, NULL, BAD_CAST "import",
					BAD_CAST mark);
	xmlNs *space = ours ? xmlNewNs(ours, BAD_CAST MKV_DOMAIN_NAMESPACE,
				       BAD_CAST "mkvbench")
			    : NULL;
	xmlSetNs(ours, space);
	return space != NULL;
}

static int print(const struct mkv_document *document, struct mkv_buf *ret,
		 struct mkv_error *err)
{
	xmlChar *text = NULL;
	int size = 0;
	xmlDocDumpMemoryEnc(document->xml, &text, &size, "UTF-8");
	if (!text)
		return mkv_oom(err);
	mkv_buf_add(ret, text, (size_t)size);
	xmlFree(text);
	return mkv_buf_check(ret, err);
}

int mkv_domain_change(struct mkv_document *document,
		      const struct mkv_domain_change *change,
		      struct mkv_buf *ret, struct mkv_error *err)
{
	xmlNode *source =
		mkv_document_find(document, "/domain/devices/disk/source");
	if (!set(source, "file", change->disk) ||
	    (change->emulate_cpu && !emulate(document, change)) ||
	    (change->mark && !add_mark(document, change->mark)))
		return mkv_oom(err);
	return print(document, ret, err);
}

int mkv_domain_digest(const struct mkv_document *document, char ret[static 65],
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	struct mkv_document copy = {xmlCopyDoc(document->xml, 1)};
	struct mkv_sha256 sha256;
	if (!copy.xml)
		return mkv_oom(err);
	drop(&copy, "/domain/metadata");
	/* libvirt's own output: its white space around <metadata> is left. */
	int rc = print(&copy, &text, err);
	xmlFreeDoc(copy.xml);
	if (rc == 0)
		rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc == 0)
		mkv_sha256_hex(&sha256, ret);
	return rc;
}
