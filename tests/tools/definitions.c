/* SPDX-License-Identifier: MIT */
/* `definitions CONTRACT.json DIR` writes the libvirt definitions of a contract
 * as a build does, for tests with an invented appliance. */
#include <fcntl.h>
#include <stdio.h>

#include "builder/format/libvirt/xml.h"
#include "lib/io.h"

static int write_definition(const char *dir, const char *kind, const char *name,
			    const struct mkv_buf *xml, struct mkv_error *err)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/%s-%s.xml", dir, kind, name);
	return mkv_write_file(path, 0644, xml->data, xml->size, err);
}

static int write_all(const char *from, const char *dir, struct mkv_error *err)
{
	auto_buf struct mkv_buf text = {0}, network = {0};
	auto_contract struct mkv_contract *contract = NULL;
	int rc = mkv_read_file(AT_FDCWD, from, MKV_CONTRACT_LIMIT_BYTES, &text,
			       err);
	if (rc < 0)
		return rc;
	rc = mkv_contract_parse(text.data, text.size, &contract, err);
	if (rc < 0)
		return rc;
	rc = mkv_libvirt_network_xml(contract, &network, err);
	if (rc < 0)
		return rc;
	rc = write_definition(dir, "network", "vlan", &network, err);
	for (size_t i = 0; rc == 0 && i < contract->n_hosts; i++) {
		const struct mkv_contract_host *host = &contract->hosts[i];
		auto_buf struct mkv_buf xml = {0};
		if (!host->hypervisor.promised)
			continue;
		rc = mkv_libvirt_domain_xml(contract, host, &xml, err);
		if (rc == 0)
			rc = write_definition(dir, "domain", host->name, &xml,
					      err);
	}
	return rc;
}

int main(int argc, char **argv)
{
	struct mkv_error err = {0};
	if (argc == 3 && write_all(argv[1], argv[2], &err) == 0)
		return 0;
	(void)fprintf(stderr, "definitions: %s\n", err.message);
	return 1;
}
