/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/stat.h>

#include "builder/run/import/import_internal.h"

enum { XML_MAX_BYTES = 1 << 20 };

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

int mkv_import_load(struct mkv_import *import, struct mkv_error *err)
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
