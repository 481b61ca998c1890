/* SPDX-License-Identifier: MIT */
#include "builder/run/import/import.h"

#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "builder/run/import/import_internal.h"

enum { XML_MAX_BYTES = 1 << 20, MIB = 1 << 20 };

void mkv_import_report_done(struct mkv_import_report *report)
{
	for (size_t i = 0; i < report->n_items; i++)
		free(report->items[i].name);
	for (size_t i = 0; i < report->n_reasons; i++)
		free(report->reasons[i]);
	for (size_t i = 0; i < report->n_notes; i++)
		free(report->notes[i]);
	free(report->items);
	free(report->reasons);
	free(report->notes);
	*report = (struct mkv_import_report){0};
}

int mkv_import_fail(struct mkv_error *err, const char *format, ...)
{
	char context[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(context, sizeof(context), format, arguments);
	va_end(arguments);
	return mkv_fail(err, MKV_FAILED, EIO, "%s: libvirt: %s", context,
			virGetLastErrorMessage());
}

static void append_line(struct mkv_import *import, char ***lines, size_t *count,
			const char *format, va_list arguments)
{
	char *text = NULL;
	char **grown = reallocarray(*lines, *count + 1, sizeof(*grown));
	if (grown)
		*lines = grown;
	if (!grown || vasprintf(&text, format, arguments) < 0)
		import->failed = true;
	else
		grown[(*count)++] = text;
}

void mkv_import_add_reason(struct mkv_import *import, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	append_line(import, &import->report->reasons,
		    &import->report->n_reasons, format, arguments);
	va_end(arguments);
}

void mkv_import_add_note(struct mkv_import *import, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	append_line(import, &import->report->notes, &import->report->n_notes,
		    format, arguments);
	va_end(arguments);
}

static void release_part(struct mkv_import_part *part)
{
	free(part->name);
	free(part->xml);
	free(part->old_xml);
}

static void release_import(struct mkv_import *import)
{
	for (size_t i = 0; i < import->n_guests; i++) {
		struct mkv_import_guest *guest = &import->guests[i];
		mkv_domain_needs_done(&guest->needs);
		mkv_document_free(guest->document);
		free(guest->artifact);
		free(guest->disk);
		free(guest->xml);
		free(guest->old_xml);
	}
	free(import->guests);
	free(import->directory);
	free(import->bridge);
	release_part(&import->pool);
	release_part(&import->network);
	mkv_auto_close_(&import->lock_fd);
	if (import->connection)
		(void)virConnectClose(import->connection);
	mkv_trusted_free(import->trusted);
}

static bool is_selected(const struct mkv_import_options *options,
			const char *name)
{
	for (size_t i = 0; i < options->n_hosts; i++)
		if (strcmp(options->hosts[i], name) == 0)
			return true;
	return options->n_hosts == 0;
}

/* Whether a name is valid for files and domains. */
static bool is_plain_name(const char *name)
{
	return name[0] && name[0] != '.' && name[0] != '-' &&
	       strlen(name) < 128 &&
	       strspn(name,
		      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "0123456789._-") == strlen(name);
}

static int read_domain(struct mkv_import *import,
		       struct mkv_import_guest *guest, const char *path,
		       struct mkv_error *err)
{
	auto_buf struct mkv_buf xml = {0};
	auto_free char *expected = NULL;
	if (asprintf(&expected, "%s-%s", import->contract->name,
		     guest->host->name) < 0)
		return mkv_oom(err);
	int rc = mkv_trusted_read(import->trusted, path, XML_MAX_BYTES, &xml,
				  err);
	if (rc < 0)
		return rc;
	rc = mkv_document_parse(xml.data ? xml.data : "", xml.size,
				&guest->document, err);
	if (rc < 0)
		return rc;
	rc = mkv_domain_read(guest->document, &guest->needs, err);
	if (rc < 0)
		return rc;
	if (strcmp(guest->needs.name, expected) != 0 ||
	    strcmp(guest->needs.network, import->network.name) != 0)
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"defines domain '%s' on network '%s' instead "
				"of '%s' on '%s'",
				guest->needs.name, guest->needs.network,
				expected, import->network.name);
	return 0;
}

static int load_domain(struct mkv_import *import,
		       struct mkv_import_guest *guest, struct mkv_error *err)
{
	auto_free char *path = NULL;
	if (asprintf(&path, "libvirt/domain-%s.xml", guest->host->name) < 0)
		return mkv_oom(err);
	int rc = read_domain(import, guest, path, err);
	return rc < 0 ? mkv_wrap(err, rc, "%s", path) : 0;
}

static int load_disk(struct mkv_import *import, struct mkv_import_guest *guest,
		     struct mkv_error *err)
{
	struct stat st;
	auto_fd int fd = -1;
	if (asprintf(&guest->artifact, "%s/disk.raw", guest->host->image) < 0 ||
	    asprintf(&guest->disk, "%s/%s.raw", import->directory,
		     guest->host->name) < 0)
		return mkv_oom(err);
	int rc = mkv_trusted_file(import->trusted, guest->artifact, &fd,
				  &guest->sha256, err);
	if (rc < 0)
		return rc;
	if (fstat(fd, &st) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "'%s': %m",
				guest->artifact);
	guest->size_bytes = (uint64_t)st.st_size;
	uint64_t allocated = (uint64_t)st.st_blocks * 512;
	guest->allocated_bytes =
		allocated < guest->size_bytes ? allocated : guest->size_bytes;
	return 0;
}

static int check_requested_hosts(const struct mkv_import *import,
				 struct mkv_error *err)
{
	const struct mkv_contract *contract = import->contract;
	const struct mkv_import_options *options = import->options;
	for (size_t i = 0; i < options->n_hosts; i++) {
		const struct mkv_contract_host *host =
			mkv_contract_find_host(contract, options->hosts[i]);
		const struct mkv_contract_image *image =
			host ? mkv_contract_find_image(contract, host->image)
			     : NULL;
		if (!image || image->platform != MKV_PLATFORM_GUEST)
			return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
					"the appliance has no %s '%s'",
					host ? "guest" : "host",
					options->hosts[i]);
	}
	return 0;
}

static int load_guest(struct mkv_import *import,
		      const struct mkv_contract_host *host,
		      const struct mkv_contract_image *image,
		      struct mkv_error *err)
{
	if (!is_plain_name(host->name) || !is_plain_name(image->name))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"host '%s' with image '%s': a name may have "
				"only letters, digits, '.', '_' and '-'",
				host->name, image->name);
	struct mkv_import_guest *guest = &import->guests[import->n_guests++];
	guest->host = host;
	guest->image = image;
	int rc = load_domain(import, guest, err);
	return rc < 0 ? rc : load_disk(import, guest, err);
}

static int load_guests(struct mkv_import *import, struct mkv_error *err)
{
	const struct mkv_contract *contract = import->contract;
	const struct mkv_import_options *options = import->options;
	int rc = check_requested_hosts(import, err);
	if (rc < 0)
		return rc;
	import->guests = calloc(contract->n_hosts + 1, sizeof(*import->guests));
	if (!import->guests)
		return mkv_oom(err);
	for (size_t i = 0; i < contract->n_hosts; i++) {
		const struct mkv_contract_host *host = &contract->hosts[i];
		const struct mkv_contract_image *image =
			mkv_contract_find_image(contract, host->image);
		if (!image || image->platform != MKV_PLATFORM_GUEST ||
		    !is_selected(options, host->name))
			continue;
		rc = load_guest(import, host, image, err);
		if (rc < 0)
			return rc;
	}
	if (import->n_guests == 0)
		return mkv_fail(err, MKV_BAD_USAGE, EINVAL,
				"'%s' has no guests: its scenario is %s",
				options->appliance, contract->scenario);
	return 0;
}

static int load_network(struct mkv_import *import, struct mkv_error *err)
{
	auto_buf struct mkv_buf xml = {0};
	auto_document struct mkv_document *document = NULL;
	int rc = mkv_trusted_read(import->trusted, "libvirt/network-vlan.xml",
				  XML_MAX_BYTES, &xml, err);
	if (rc < 0)
		return mkv_wrap(err, rc, "libvirt/network-vlan.xml");
	rc = mkv_document_parse(xml.data ? xml.data : "", xml.size, &document,
				err);
	if (rc < 0)
		return mkv_wrap(err, rc, "libvirt/network-vlan.xml");
	auto_free char *name = mkv_document_text(document, "/network/name");
	import->bridge = mkv_document_text(document, "/network/bridge/@name");
	if (!name || strcmp(name, import->network.name) != 0 ||
	    !import->bridge || strlen(import->bridge) > 15 ||
	    !is_plain_name(import->bridge) ||
	    !mkv_document_has(document, "/network/forward[@mode='bridge']"))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"libvirt/network-vlan.xml: not a definition of "
				"network '%s' on a bridge of the hypervisor "
				"host",
				import->network.name);
	return 0;
}

static int load_appliance(struct mkv_import *import, struct mkv_error *err)
{
	const struct mkv_import_options *options = import->options;
	int rc = mkv_trusted_open(options->appliance, options->key,
				  &import->trusted, err);
	if (rc < 0)
		return rc;
	import->contract = mkv_trusted_manifest(import->trusted)->contract;
	import->report->key = *mkv_trusted_key(import->trusted);
	import->report->key_origin = mkv_trusted_origin(import->trusted);
	const char *name = import->contract->name;
	if (!is_plain_name(name))
		return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
				"the appliance's name '%s' may have only "
				"letters, digits, '.', '_' and '-'",
				name);
	if (asprintf(&import->directory, "%s/%s", options->pool, name) < 0 ||
	    asprintf(&import->network.name, "mkvbench-%s", name) < 0 ||
	    asprintf(&import->pool.name, "mkvbench-%s", name) < 0)
		return mkv_oom(err);
	rc = load_guests(import, err);
	return rc < 0 ? rc : load_network(import, err);
}

static void ignore_libvirt_error(void *context, virErrorPtr error)
{
	(void)context;
	(void)error;
}

/* Disks are copied to this machine: a remote libvirt is refused. */
static int connect_libvirt(struct mkv_import *import, struct mkv_error *err)
{
	const char *uri = import->options->uri;
	virSetErrorFunc(NULL, ignore_libvirt_error);
	import->connection = virConnectOpen(uri);
	if (!import->connection)
		return mkv_fail(err, MKV_HOST_CANNOT, ECONNREFUSED,
				"no connection to '%s': libvirt: %s", uri,
				virGetLastErrorMessage());
	auto_free char *full = virConnectGetURI(import->connection);
	const char *authority = full ? strstr(full, "://") : NULL;
	if (authority && authority[3] != '/' && authority[3] != '\0')
		return mkv_fail(err, MKV_HOST_CANNOT, EREMOTE,
				"'%s' is on another machine: run the import on "
				"that machine",
				uri);
	return 0;
}

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

static int adapt_definitions(struct mkv_import *import, struct mkv_error *err)
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

static int add_item(struct mkv_import_report *report, const char *kind,
		    const char *name, enum mkv_import_state state,
		    struct mkv_error *err)
{
	struct mkv_import_item *item = &report->items[report->n_items];
	*item = (struct mkv_import_item){kind, strdup(name), state};
	if (!item->name)
		return mkv_oom(err);
	report->n_items++;
	return 0;
}

static int list_items(struct mkv_import *import, struct mkv_error *err)
{
	struct mkv_import_report *report = import->report;
	report->items =
		calloc(2 + 2 * import->n_guests, sizeof(*report->items));
	if (!report->items)
		return mkv_oom(err);
	int rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = add_item(report, "disk", import->guests[i].disk,
			      import->guests[i].disk_state, err);
		if (rc < 0)
			return rc;
	}
	rc = add_item(report, "pool", import->pool.name, import->pool.state,
		      err);
	if (rc < 0)
		return rc;
	rc = add_item(report, "network", import->network.name,
		      import->network.state, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < import->n_guests; i++) {
		rc = add_item(report, "domain", import->guests[i].needs.name,
			      import->guests[i].domain_state, err);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int import_appliance(struct mkv_import *import, struct mkv_error *err)
{
	bool dry_run = import->options->dry_run;
	int rc = load_appliance(import, err);
	if (rc < 0)
		return rc;
	rc = connect_libvirt(import, err);
	if (rc < 0)
		return rc;
	rc = adapt_definitions(import, err);
	if (rc < 0)
		return rc;
	rc = dry_run ? 0 : mkv_import_lock_directory(import, err);
	if (rc < 0)
		return rc;
	rc = mkv_import_compare(import, err);
	if (rc < 0)
		return rc;
	rc = mkv_import_check_host(import, err);
	if (rc < 0)
		return rc;
	if (import->failed)
		return mkv_oom(err);
	rc = list_items(import, err);
	if (rc < 0 || import->report->n_reasons || dry_run)
		return rc;
	return mkv_import_apply(import, err);
}

int mkv_import_run(const struct mkv_import_options *options,
		   struct mkv_import_report *ret, struct mkv_error *err)
{
	auto_import_report struct mkv_import_report report = {0};
	struct mkv_import import = {
		.options = options, .report = &report, .lock_fd = -1};
	int rc = import_appliance(&import, err);
	if (rc < 0 || report.n_reasons)
		mkv_import_remove_directory(&import);
	release_import(&import);
	if (rc < 0)
		return mkv_wrap(err, rc, "import");
	*ret = report;
	report = (struct mkv_import_report){0};
	return 0;
}
