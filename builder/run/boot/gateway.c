/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/gateway.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "builder/run/boot/machine.h"
#include "builder/run/boot/monitor.h"

enum { ADDRESSES = 3, PREFIX_MAX = 28, PREFIX_MIN = 8 };

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
	if (*end || end == slash + 1 || prefix < PREFIX_MIN ||
	    prefix > PREFIX_MAX || inet_pton(AF_INET, address, &parsed) != 1)
		return false;
	*ret_first = ntohl(parsed.s_addr);
	*ret_prefix = (unsigned)prefix;
	return true;
}

static bool is_used_address(const struct mkv_contract *contract,
			    uint32_t address)
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

/* Finds free addresses from the end of the subnet: the gateway's own, and two
 * that QEMU's user network requires and no host uses (name server, first
 * address of the DHCP range). */
static int find_free_addresses(const struct mkv_contract *contract,
			       uint32_t first, uint32_t last,
			       char ret[ADDRESSES][INET_ADDRSTRLEN],
			       struct mkv_error *err)
{
	size_t found = 0;
	for (uint32_t at = last - 1; at > first && found < ADDRESSES; at--) {
		struct in_addr address = {.s_addr = htonl(at)};
		if (!is_used_address(contract, at))
			(void)inet_ntop(AF_INET, &address, ret[found++],
					INET_ADDRSTRLEN);
	}
	return found == ADDRESSES ? 0
				  : mkv_fail(err, MKV_HOST_CANNOT, ENOSPC,
					     "the VLAN's subnet has too few "
					     "free addresses for a gateway");
}

static int format_user_network(const struct mkv_contract *contract,
			       const struct mkv_forward *forwards, size_t count,
			       struct mkv_buf *ret, struct mkv_error *err)
{
	char net[INET_ADDRSTRLEN], addresses[ADDRESSES][INET_ADDRSTRLEN];
	const char *subnet = contract->vlan.subnet;
	uint32_t first;
	unsigned prefix;
	if (!parse_subnet(subnet, &first, &prefix))
		return mkv_fail(err, MKV_HOST_CANNOT, EINVAL,
				"no gateway in the VLAN's subnet '%s': not an "
				"IPv4 subnet with a prefix of 8 to 28 bits",
				subnet ? subnet : "");
	int rc = find_free_addresses(
		contract, first, first | 0xffffffffU >> prefix, addresses, err);
	if (rc < 0)
		return rc;
	struct in_addr start = {.s_addr = htonl(first)};
	(void)inet_ntop(AF_INET, &start, net, sizeof(net));
	mkv_buf_printf(ret,
		       "user,id=user,ipv6=off,restrict=on,net=%s/%u,host=%s,"
		       "dns=%s,dhcpstart=%s",
		       net, prefix, addresses[0], addresses[1], addresses[2]);
	for (size_t i = 0; i < count; i++) {
		struct in_addr parsed;
		const struct mkv_contract_host *host = forwards[i].host;
		if (!host->address ||
		    inet_pton(AF_INET, host->address, &parsed) != 1)
			return mkv_fail(err, MKV_UNVERIFIED, EINVAL,
					"host '%s' has no address", host->name);
		mkv_buf_printf(ret, ",hostfwd=tcp:127.0.0.1:0-%s:%u",
			       host->address, forwards[i].port);
	}
	return mkv_buf_check(ret, err);
}

static int build_gateway_argv(const char *user, int monitor_fd, int network_fd,
			      struct mkv_argv *argv, struct mkv_error *err)
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
		NULL,
		"-netdev",
		NULL,
		"-netdev",
		"hubport,id=to-user,hubid=0,netdev=user",
		"-netdev",
		"hubport,id=to-vlan,hubid=0,netdev=vlan",
		"-mon",
		"chardev=monitor,mode=control",
		"-chardev",
		NULL};
	size_t blank = 0;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (words[i])
			mkv_argv_add(argv, "%s", words[i]);
		else if (blank == 0)
			mkv_argv_add(argv, "%s", user);
		else if (blank == 1)
			mkv_argv_add(argv,
				     "dgram,id=vlan,local.type=fd,local.str=%d",
				     network_fd);
		else
			mkv_argv_add(argv, "socket,id=monitor,fd=%d",
				     monitor_fd);
		blank += !words[i];
	}
	return argv->failed ? mkv_oom(err) : 0;
}

/* Parses one line of "info usernet", which has the local port:
 *     TCP[HOST_FORWARD]  13  127.0.0.1 40123  10.77.0.11  8080  0  0
 * Several forwards to one port of a host get one line each. */
static void parse_forward_line(const char *line, struct mkv_forward *forwards,
			       size_t count)
{
	char address[INET_ADDRSTRLEN];
	unsigned local, port;
	if (sscanf(line, " TCP[HOST_FORWARD] %*d 127.0.0.1 %u %15[0-9.] %u",
		   &local, address, &port) != 3)
		return;
	for (size_t i = 0; i < count; i++)
		if (forwards[i].local == 0 && forwards[i].port == port &&
		    strcmp(forwards[i].host->address, address) == 0) {
			forwards[i].local = local;
			return;
		}
}

static int query_ports(int monitor_fd, struct mkv_forward *forwards,
		       size_t count, struct mkv_error *err)
{
	auto_free char *text = NULL;
	int rc = mkv_monitor_run(monitor_fd, "info usernet", &text, err);
	if (rc < 0)
		return rc;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));)
		parse_forward_line(line, forwards, count);
	for (size_t i = 0; i < count; i++)
		if (forwards[i].local == 0)
			return mkv_fail(err, MKV_FAILED, EPROTO,
					"QEMU reports no local port for %s:%u",
					forwards[i].host->name,
					forwards[i].port);
	return 0;
}

int mkv_gateway_start(const struct mkv_contract *contract,
		      const struct mkv_network *network,
		      struct mkv_forward *forwards, size_t count, int log_fd,
		      struct mkv_child *ret, struct mkv_error *err)
{
	int monitor[2];
	auto_buf struct mkv_buf user = {0};
	auto_argv struct mkv_argv argv = {0};
	int rc = format_user_network(contract, forwards, count, &user, err);
	if (rc < 0)
		return rc;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, monitor) < 0)
		return mkv_fail(err, MKV_FAILED, errno, "socketpair: %m");
	auto_fd int ours = monitor[0];
	auto_fd int its = monitor[1];
	const int fds[] = {its, mkv_network_gateway_fd(network)};
	rc = build_gateway_argv(user.data, fds[0], fds[1], &argv, err);
	if (rc < 0)
		return rc;
	auto_child struct mkv_child child = MKV_CHILD_INIT;
	rc = mkv_child_start_with(argv.items, fds, 2, log_fd, &child, err);
	if (rc < 0)
		return rc;
	mkv_auto_close_(&its); /* so that QEMU's exit is an end of file */
	its = -1;
	for (size_t i = 0; i < count; i++)
		forwards[i].local = 0;
	rc = query_ports(ours, forwards, count, err);
	if (rc < 0)
		return rc;
	*ret = child;
	child = (struct mkv_child)MKV_CHILD_INIT;
	return 0;
}
