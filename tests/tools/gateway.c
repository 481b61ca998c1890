/* SPDX-License-Identifier: MIT */
/* gateway ADDRESS:PORT ...: runs a network with a gateway and forwards to hosts
 * of 10.77.0.0/24; prints the port of the network's multicast group, then the
 * local port of each forward, one per line; exits at the end of its input. */
#include <stdio.h>
#include <string.h>

#include "builder/run/boot/gateway.h"

enum { HOSTS_MAX = 8 };

int main(int argc, char **argv)
{
	struct mkv_contract_host hosts[HOSTS_MAX] = {0};
	struct mkv_forward forwards[HOSTS_MAX] = {0};
	char name[] = "host", subnet[] = "10.77.0.0/24";
	struct mkv_contract contract = {.hosts = hosts,
					.vlan = {.subnet = subnet}};
	struct mkv_error err = {0};
	auto_network struct mkv_network *network = NULL;
	auto_child struct mkv_child child = MKV_CHILD_INIT;
	size_t count = (size_t)argc - 1;
	if (count == 0 || count > HOSTS_MAX)
		return 2;
	for (size_t i = 0; i < count; i++) {
		char *colon = strchr(argv[i + 1], ':');
		if (!colon)
			return 2;
		*colon = '\0';
		hosts[i].name = name;
		hosts[i].address = argv[i + 1];
		forwards[i].host = &hosts[i];
		forwards[i].port = (unsigned)strtoul(colon + 1, NULL, 10);
	}
	contract.n_hosts = count;
	int rc = mkv_network_open(0, true, &network, &err);
	if (rc == 0)
		rc = mkv_gateway_start(&contract, network, forwards, count, 2,
				       &child, &err);
	if (rc < 0) {
		(void)fprintf(stderr, "%s\n", err.message);
		return 1;
	}
	(void)printf("%u\n", mkv_network_port(network, MKV_SEGMENT_ACCESS));
	for (size_t i = 0; i < count; i++)
		(void)printf("%u\n", forwards[i].local);
	(void)fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
