/* SPDX-License-Identifier: MIT */
/* Domains of an appliance: their requirements, and the changes that import
 * makes. */
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

/* True for a path of the host, which would give the guest access to it. Two
 * paths are allowed: the random number source and the disk image. */
static bool is_host_path(const xmlNode *element, const char *text)
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

static int refuse_element(const xmlNode *element, const char *why,
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
		bool is_path = value && is_host_path(element, (char *)value);
		xmlFree(value);
		if (is_path)
			return refuse_element(element, "host path not allowed",
					      err);
		if (a->ns)
			return refuse_element(
				element,
				"attribute of another namespace not "
				"allowed",
				err);
	}
	for (const xmlNode *child = element->children; child;
	     child = child->next)
		if (child->type == XML_TEXT_NODE && child->content &&
		    is_host_path(element, (const char *)child->content))
			return refuse_element(element, "host path not allowed",
					      err);
	return 0;
}

static int check_tree(const xmlNode *element, unsigned depth,
		      struct mkv_error *err)
{
	if (element->ns || element->nsDef)
		return refuse_element(element, "another namespace not allowed",
				      err);
	if (depth > 8)
		return refuse_element(element, "nested more than 8 levels deep",
				      err);
	int rc = check_values(element, err);
	if (rc < 0)
		return rc;
	for (const xmlNode *child = element->children; child;
	     child = child->next) {
		if (is_element(child))
			rc = check_tree(child, depth + 1, err);
		else if (child->type != XML_TEXT_NODE &&
			 child->type != XML_COMMENT_NODE)
			rc = refuse_element(
				element, "only text and elements are allowed",
				err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int check_children(const xmlNode *element, const char *const *known,
			  struct mkv_error *err)
{
	for (const xmlNode *child = element->children; child;
	     child = child->next)
		if (is_element(child) &&
		    !is_one_of((const char *)child->name, known))
			return refuse_element(
				child, "not part of an appliance's domain",
				err);
	return 0;
}

/* Only elements that mkv_libvirt_domain_xml() writes. */
static int check_elements(const struct mkv_document *document,
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
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"not a domain with <os> and <devices>");
	int rc = check_tree(root, 0, err);
	if (rc < 0)
		return rc;
	rc = check_children(root, of_domain, err);
	if (rc < 0)
		return rc;
	rc = check_children(os, of_os, err);
	return rc < 0 ? rc : check_children(devices, of_devices, err);
}

/* Only the kinds of devices that mkv_libvirt_domain_xml() writes. */
static int check_devices(const struct mkv_document *document,
			 struct mkv_error *err)
{
	static const struct {
		const char *xpath, *diagnostic;
	} forbidden[] = {
		{"/domain[not(@type='kvm')]", "the domain's type is not 'kvm'"},
		{"/domain/os[2] | /domain/devices[2]",
		 "more than one <os> or <devices>"},
		{"/domain/devices/disk[2] | /domain/devices[not(disk)]",
		 "not exactly one disk"},
		{"/domain/devices/disk[not(@type='file' and @device='disk')] | "
		 "/domain/devices/disk[not(count(source[@file])=1)] | "
		 "/domain/devices/disk/source/*",
		 "the disk is not a file"},
		{"/domain/devices/interface[not(@type='network')] | "
		 "/domain/devices/interface[2] | "
		 "/domain/devices[not(interface/source/@network)]",
		 "not exactly one interface of type 'network'"},
		{"/domain/devices/interface/script",
		 "the interface runs a script"},
		{"/domain/devices/serial[not(@type='pty')] | "
		 "/domain/devices/console[not(@type='pty')]",
		 "the console is not a pty"},
		{"/domain/devices/rng/backend[not(@model='random')]",
		 "the source of random numbers is not 'random'"},
	};
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
		if (mkv_document_has(document, forbidden[i].xpath))
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL, "%s",
					forbidden[i].diagnostic);
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
				"number of CPUs and topology disagree");
	needs->cpus = (unsigned)cpus;
	return 0;
}

static int read_pins(const struct mkv_document *document,
		     struct mkv_domain_needs *needs, struct mkv_error *err)
{
	char xpath[128];
	for (unsigned i = 0; i < needs->cpus; i++) {
		(void)snprintf(xpath, sizeof(xpath),
			       "/domain/cputune/vcpupin[@vcpu='%u']/@cpuset",
			       i);
		uint64_t pin = mkv_document_number(document, xpath, UINT64_MAX);
		if (pin == UINT64_MAX && mkv_document_has(document, xpath))
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
					"CPU %u is not pinned to one host CPU",
					i);
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

static void read_features(const struct mkv_document *document,
			  struct mkv_domain_needs *needs)
{
	needs->host_cpu = mkv_document_has(
		document, "/domain/cpu[@mode='host-passthrough']");
	needs->uefi = mkv_document_has(document, "/domain/os[@firmware='efi']");
	needs->iothreads =
		mkv_document_number(document, "/domain/iothreads", 0);
	needs->vhost = mkv_document_has(
		document, "/domain/devices/interface/driver[@name='vhost']");
	needs->direct_io = mkv_document_has(
		document, "/domain/devices/disk/driver[@cache='none' or "
			  "@cache='directsync']");
}

int mkv_domain_read(const struct mkv_document *document,
		    struct mkv_domain_needs *ret, struct mkv_error *err)
{
	auto_domain_needs struct mkv_domain_needs needs = {0};
	int rc = check_elements(document, err);
	if (rc < 0)
		return rc;
	rc = check_devices(document, err);
	if (rc < 0)
		return rc;
	rc = read_cpus(document, &needs, err);
	if (rc < 0)
		return rc;
	rc = read_pins(document, &needs, err);
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
				"no valid name, UUID, memory size or network");
	memcpy(needs.uuid, uuid, sizeof(needs.uuid));
	needs.memory_bytes = kib * 1024;
	needs.huge_page_bytes = page * 1024;
	read_features(document, &needs);
	*ret = needs;
	needs = (struct mkv_domain_needs){0};
	return 0;
}

/* Removes all elements or attributes that an XPath selects. */
static void remove_nodes(const struct mkv_document *document, const char *xpath)
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

/* False without a node or out of memory. */
static bool set_attribute(xmlNode *node, const char *name, const char *value)
{
	return node && xmlSetProp(node, BAD_CAST name, BAD_CAST value);
}

/* Removes what only KVM supports and sets a CPU model that TCG can emulate. */
static bool change_to_emulation(struct mkv_document *document,
				const struct mkv_domain_change *change)
{
	xmlNode *cpu = mkv_document_find(document, "/domain/cpu");
	xmlNode *memory = mkv_document_find(document, "/domain/memory");
	char kib[32];
	remove_nodes(document, "/domain/cputune");
	remove_nodes(document, "/domain/memoryBacking");
	remove_nodes(document, "/domain/cpu/cache");
	remove_nodes(document, "/domain/cpu/feature");
	remove_nodes(document, "/domain/cpu/model");
	remove_nodes(document, "/domain/cpu/@migratable");
	remove_nodes(document, "/domain/clock/timer[@name='kvmclock']");
	remove_nodes(document, "/domain/devices/interface/driver");
	if (!set_attribute(xmlDocGetRootElement(document->xml), "type",
			   "qemu") ||
	    !set_attribute(cpu, "mode", "custom") ||
	    !set_attribute(cpu, "match", "exact") ||
	    !set_attribute(cpu, "check", "none"))
		return false;
	xmlNode *model = xmlNewTextChild(cpu, NULL, BAD_CAST "model",
					 BAD_CAST change->emulate_cpu);
	if (!set_attribute(model, "fallback", "forbid"))
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
	xmlNode *import = xmlNewTextChild(metadata, NULL, BAD_CAST "import",
					  BAD_CAST mark);
	xmlNs *space = import ? xmlNewNs(import, BAD_CAST MKV_DOMAIN_NAMESPACE,
					 BAD_CAST "mkvbench")
			      : NULL;
	xmlSetNs(import, space);
	return space != NULL;
}

static int dump_document(const struct mkv_document *document,
			 struct mkv_buf *ret, struct mkv_error *err)
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
	if (!set_attribute(source, "file", change->disk) ||
	    (change->emulate_cpu && !change_to_emulation(document, change)) ||
	    (change->mark && !add_mark(document, change->mark)))
		return mkv_oom(err);
	return dump_document(document, ret, err);
}

MKV_DEFINE_AUTO(xml_doc, xmlDoc *, xmlFreeDoc)

int mkv_domain_digest(const struct mkv_document *document, char ret[static 65],
		      struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0};
	mkv_auto(xml_doc) xmlDoc *copy = xmlCopyDoc(document->xml, 1);
	struct mkv_sha256 sha256;
	if (!copy)
		return mkv_oom(err);
	const struct mkv_document without_metadata = {copy};
	/* The white space around <metadata> remains: both digests are of
	 * libvirt's own output. */
	remove_nodes(&without_metadata, "/domain/metadata");
	int rc = dump_document(&without_metadata, &text, err);
	if (rc < 0)
		return rc;
	rc = mkv_sha256_bytes(text.data, text.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, ret);
	return 0;
}
