/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "builder/run/import/import_internal.h"

enum { MIB = 1 << 20 };

/* Emulated guests share three quarters of this machine's memory. Returns 0 if
 * the domain's own amount fits, else the reduced one in bytes. */
static uint64_t choose_emulated_memory(struct mkv_import *import,
				       const struct mkv_import_guest *guest)
{
	uint64_t host = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			(uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t share = host / 4 * 3 / import->n_guests / MIB * MIB;
	uint64_t wanted = guest->needs.memory_bytes;
	if (wanted <= share)
		return 0;
	mkv_import_add_note(import,
			    "%s gets %llu MiB of memory instead of %llu MiB: "
			    "this machine has too little memory",
			    guest->needs.name, (unsigned long long)share / MIB,
			    (unsigned long long)wanted / MIB);
	return share;
}

/* Creates the definition for libvirt and its mark, the digest of the plain
 * definition and the disk's contents. */
static int adapt_domain(struct mkv_import *import,
			struct mkv_import_guest *guest, struct mkv_error *err)
{
	auto_buf struct mkv_buf plain = {0}, marked = {0};
	char disk[MKV_SHA256_HEX_SIZE];
	struct mkv_sha256 sha256;
	struct mkv_domain_change change = {.disk = guest->disk};
	if (import->emulate) {
		change.emulate_cpu = mkv_boot_cpu_model(&guest->image->cpu);
		change.memory_bytes = choose_emulated_memory(import, guest);
	}
	int rc = mkv_domain_change(guest->document, &change, &plain, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&guest->sha256, disk);
	mkv_buf_str(&plain, disk);
	rc = mkv_sha256_bytes(plain.data, plain.size, &sha256, err);
	if (rc < 0)
		return rc;
	mkv_sha256_hex(&sha256, guest->mark);
	change = (struct mkv_domain_change){.disk = guest->disk,
					    .mark = guest->mark};
	rc = mkv_domain_change(guest->document, &change, &marked, err);
	if (rc < 0)
		return rc;
	guest->xml = mkv_buf_take(&marked);
	return guest->xml ? 0 : mkv_oom(err);
}

static void append_escaped(struct mkv_buf *xml, const char *text)
{
	for (; *text; text++) {
		const char *entity = *text == '&'    ? "&amp;"
				     : *text == '<'  ? "&lt;"
				     : *text == '>'  ? "&gt;"
				     : *text == '\'' ? "&apos;"
						     : NULL;
		if (entity)
			mkv_buf_str(xml, entity);
		else
			mkv_buf_char(xml, *text);
	}
}

/* Whether the network exists and has a bridge that libvirt made. */
static bool has_own_bridge(struct mkv_import *import)
{
	struct mkv_error ignored;
	auto_document struct mkv_document *document = NULL;
	mkv_auto(vir_network) virNetworkPtr there = virNetworkLookupByName(
		import->connection, import->network.name);
	auto_free char *xml = there ? virNetworkGetXMLDesc(there, 0) : NULL;
	if (!xml ||
	    mkv_document_parse(xml, strlen(xml), &document, &ignored) < 0)
		return false;
	auto_free char *name =
		mkv_document_text(document, "/network/bridge/@name");
	return name && strcmp(name, import->bridge) == 0 &&
	       !mkv_document_has(document, "/network/forward");
}

static int adapt_parts(struct mkv_import *import, struct mkv_error *err)
{
	auto_buf struct mkv_buf pool = {0}, network = {0};
	auto_free char *bridge = NULL;
	if (asprintf(&bridge, "/sys/class/net/%s/bridge", import->bridge) < 0)
		return mkv_oom(err);
	/* An emulated import also works without the experiment's VLAN. */
	import->own_bridge = import->emulate && (access(bridge, F_OK) < 0 ||
						 has_own_bridge(import));
	if (import->own_bridge)
		mkv_import_add_note(
			import,
			"this host has no bridge '%s': libvirt makes "
			"an isolated network for these guests",
			import->bridge);
	mkv_buf_printf(&network,
		       "<network><name>%s</name>%s<bridge name='%s'%s/>"
		       "</network>",
		       import->network.name,
		       import->own_bridge ? "" : "<forward mode='bridge'/>",
		       import->bridge,
		       import->own_bridge ? " stp='off' delay='0'" : "");
	mkv_buf_printf(&pool, "<pool type='dir'><name>%s</name><target><path>",
		       import->pool.name);
	append_escaped(&pool, import->directory);
	mkv_buf_str(&pool, "</path></target></pool>");
	import->network.xml = mkv_buf_take(&network);
	import->pool.xml = mkv_buf_take(&pool);
	return import->network.xml && import->pool.xml ? 0 : mkv_oom(err);
}

int mkv_import_adapt(struct mkv_import *import, struct mkv_error *err)
{
	import->emulate = import->options->accel == MKV_ACCEL_TCG;
	import->report->emulated = import->emulate;
	if (import->emulate)
		mkv_import_add_note(import,
				    "emulated: no KVM, no pinning, no huge "
				    "pages, another CPU: the receipts of these "
				    "domains prove nothing about a machine");
	int rc = adapt_parts(import, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = adapt_domain(import, &import->guests[i], err);
		if (rc < 0)
			return rc;
	}
	return 0;
}
