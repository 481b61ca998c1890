/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/gateway.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "builder/run/boot/machine.h"

enum { ADDRESSES = 3, PREFIX_MOST = 28, PREFIX_LEAST = 8 };

/* A port that is free now; QEMU says so if somebody else was quicker. */
static int find_port(unsigned *ret, struct mkv_error *err)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	auto_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &length) < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, errno,
				"a port of 127.0.0.1: %m");
	*ret = ntohs(address.sin_port);
	return 0;
}

/* "10.77.0.0/24" */
static bool parse_subnet(const char *text, uint32_t *ret_first,
			 unsigned *ret_prefix)
{
	char address[INET_ADDRSTRLEN];
	struct in_addr parsed;
	const char *slash = text ? strchr(text, '/') : NULL;
	if (!slash || (size_t)(slash - text) >= sizeof(address))
		return false;
	memcpy(address, text, (size_t)(slash - text));
	address[slash - text] = '\0';
	char *end;
	unsigned long prefix = strtoul(slash + 1, &end, 10);
	if (*end || end == slash + 1 || prefix < PREFIX_LEAST ||
	    prefix > PREFIX_MOST || inet_pton(AF_INET, address, &parsed) != 1)
		return false;
	*ret_first = ntohl(parsed.s_addr);
	*ret_prefix = (unsigned)prefix;
	return true;
}

static bool is_taken(const struct mkv_contract *contract, uint32_t address)
{
	struct in_addr parsed;
	for (size_t i = 0; i < contract->n_hosts; i++)
		if (contract->hosts[i].address &&
		    inet_pton(AF_INET, contract->hosts[i].address, &parsed) ==
			    1 &&
		    ntohl(parsed.s_addr) == address)
			return true;
	return false;
}

/* The gateway's own address, and two more that the user network insists on
 * (name server, first address of a DHCP that nobody asks), from the end. */
static int find_addresses(const struct mkv_contract *contract, uint32_t first,
			  uint32_t last, char ret[ADDRESSES][INET_ADDRSTRLEN],
			  struct mkv_error *err)
{
	size_t found = 0;
	for (uint32_t at = last - 1; at > first && found < ADDRESSES; at--) {
		struct in_addr address = {.s_addr = htonl(at)};
		if (!is_taken(contract, at))
			(void)inet_ntop(AF_INET, &address, ret[found++],
					INET_ADDRSTRLEN);
	}
	return found == ADDRESSES ? 0
				  : mkv_fail(err, MKV_HOST_CANNOT, ENOSPC,
					     "the VLAN has no free address for "
					     "a gateway");
}

static int describe(const struct mkv_contract *contract,
		    struct mkv_forward *forwards, size_t count,
		    struct mkv_buf *ret, struct mkv_error *err)
{
	char net[INET_ADDRSTRLEN], addresses[ADDRESSES][INET_ADDRSTRLEN];
	const char *subnet = contract->vlan.subnet;
	uint32_t first;
	unsigned prefix;
	if (!parse_subnet(subnet, &first, &prefix))
		return mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				"the VLAN's subnet '%s' has no room for a "
				"gateway",
				subnet ? subnet : "");
	int rc = find_addresses(contract, first, first | 0xffffffffU >> prefix,
				addresses, err);
	if (rc < 0)
		return rc;
	struct in_addr start = {.s_addr = htonl(first)};
	(void)inet_ntop(AF_INET, &start, net, sizeof(net));
	mkv_buf_printf(ret,
		       "user,id=user,ipv6=off,restrict=on,net=%s/%u,host=%s,"
		       "dns=%s,dhcpstart=%s",
		       net, prefix, addresses[0], addresses[1], addresses[2]);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct in_addr parsed;
		const struct mkv_contract_host *host = forwards[i].host;
		if (!host->address ||
		    inet_pton(AF_INET, host->address, &parsed) != 1)
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
					"host '%s' has no address", host->name);
		rc = find_port(&forwards[i].local, err);
		mkv_buf_printf(ret, ",hostfwd=tcp:127.0.0.1:%u-%s:%u",
			       forwards[i].local, host->address,
			       forwards[i].port);
	}
	return rc < 0 ? rc : mkv_buf_check(ret, err);
}

int mkv_gateway_start(const struct mkv_contract *contract,
		      const struct mkv_network *network,
		      struct mkv_forward *forwards, size_t count, int log_fd,
		      struct mkv_child *ret, struct mkv_error *err)
{
	static const char *const words[] = {
		"qemu-system-x86_64",
		"-no-user-config",
		"-nodefaults",
		"-display",
		"none",
		"-machine",
		"none",
		"-netdev",
		"hubport,id=to-user,hubid=0,netdev=user",
		"-netdev",
		"hubport,id=to-vlan,hubid=0,netdev=vlan",
	};
	auto_buf struct mkv_buf user = {0};
	auto_argv struct mkv_argv argv = {0};
	int rc = describe(contract, forwards, count, &user, err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < 7; i++)
		mkv_argv_add(&argv, "%s", words[i]);
	mkv_argv_add(&argv, "-netdev");
	mkv_argv_add(&argv, "%s", user.data);
	mkv_argv_add(&argv, "-netdev");
	unsigned own, peer;
	mkv_network_gateway_ports(network, &own, &peer);
	mkv_argv_add(&argv,
		     "socket,id=vlan,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u",
		     peer, own);
	for (size_t i = 7; i < sizeof(words) / sizeof(words[0]); i++)
		mkv_argv_add(&argv, "%s", words[i]);
	if (argv.failed)
		return mkv_oom(err);
	return mkv_child_start(argv.items, log_fd, ret, err);
}
