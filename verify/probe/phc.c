/* SPDX-License-Identifier: MIT */
#include "verify/probe/phc.h"

#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/net_tstamp.h>
#include <linux/ptp_clock.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum { READINGS = 10 };
/* Limits times so that no sum below overflows; 126 years. */
static const int64_t distance_max_ns = INT64_C(4000000000000000000);

static bool is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;
	if (!a || a->sa_family != b->sa_family)
		return false;
	if (a->sa_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->sa_family == AF_INET6 &&
	       memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr)) ==
		       0;
}

/* The interface that has the socket's own address. */
static bool find_interface(int socket, char ret[static IFNAMSIZ])
{
	struct sockaddr_storage own = {0};
	socklen_t size = sizeof(own);
	struct ifaddrs *list = NULL;
	bool found = false;
	if (getsockname(socket, (struct sockaddr *)&own, &size) < 0 ||
	    getifaddrs(&list) < 0)
		return false;
	for (struct ifaddrs *at = list; at && !found; at = at->ifa_next) {
		found = strlen(at->ifa_name) < IFNAMSIZ &&
			is_same_address(at->ifa_addr, (struct sockaddr *)&own);
		if (found)
			memcpy(ret, at->ifa_name, strlen(at->ifa_name) + 1);
	}
	freeifaddrs(list);
	return found;
}

/* True when the card is configured to stamp all sent and received packets. */
static bool stamps_packets(int socket, const char *interface)
{
	struct hwtstamp_config config = {0};
	struct ifreq request = {.ifr_data = (char *)&config};
	memcpy(request.ifr_name, interface, strlen(interface) + 1);
	return ioctl(socket, SIOCGHWTSTAMP, &request) == 0 &&
	       config.tx_type == HWTSTAMP_TX_ON &&
	       (config.rx_filter == HWTSTAMP_FILTER_ALL ||
		config.rx_filter == HWTSTAMP_FILTER_NTP_ALL);
}

/* The number of /dev/ptpN; -1: no clock. */
static int read_clock_number(int socket, const char *interface)
{
	struct ethtool_ts_info info = {.cmd = ETHTOOL_GET_TS_INFO};
	struct ifreq request = {.ifr_data = (char *)&info};
	memcpy(request.ifr_name, interface, strlen(interface) + 1);
	const unsigned needed = SOF_TIMESTAMPING_TX_HARDWARE |
				SOF_TIMESTAMPING_RX_HARDWARE |
				SOF_TIMESTAMPING_RAW_HARDWARE;
	if (ioctl(socket, SIOCETHTOOL, &request) < 0 ||
	    (info.so_timestamping & needed) != needed)
		return -1;
	return info.phc_index;
}

int mkv_phc_open(int socket)
{
	char interface[IFNAMSIZ] = "", path[32];
	if (!find_interface(socket, interface) ||
	    !stamps_packets(socket, interface))
		return -1;
	int number = read_clock_number(socket, interface);
	if (number < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/dev/ptp%d", number);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static int64_t to_ns(const struct ptp_clock_time *at)
{
	return (int64_t)at->sec * 1000000000 + at->nsec;
}

bool mkv_phc_compare(int phc, struct mkv_phc_offset *ret)
{
	struct ptp_sys_offset_extended request = {.n_samples = READINGS};
	int64_t readings[READINGS][3];
	if (ioctl(phc, PTP_SYS_OFFSET_EXTENDED, &request) < 0)
		return false;
	for (size_t i = 0; i < READINGS; i++)
		for (size_t j = 0; j < 3; j++)
			readings[i][j] = to_ns(&request.ts[i][j]);
	return mkv_phc_best((const int64_t(*)[3])readings, READINGS, ret);
}

bool mkv_phc_best(const int64_t (*readings)[3], size_t count,
		  struct mkv_phc_offset *ret)
{
	bool found = false;
	for (size_t i = 0; i < count; i++) {
		int64_t before = readings[i][0], card = readings[i][1];
		int64_t after = readings[i][2];
		if (before < 0 || card < 0 || after < before ||
		    after > distance_max_ns || card > distance_max_ns)
			continue;
		int64_t half = (after - before + 1) / 2;
		if (found && half >= ret->error_ns)
			continue;
		*ret = (struct mkv_phc_offset){card - before - half, half};
		found = true;
	}
	return found;
}

bool mkv_phc_narrow(const struct mkv_phc_offset *before,
		    const struct mkv_phc_offset *after, int64_t card_sent_ns,
		    int64_t card_received_ns, int64_t *sent_ns,
		    int64_t *received_ns)
{
	/* A clock that runs 500 ppm off moves 0.2 us in an exchange of 400. */
	static const int64_t drift_max_ns = 10000;
	int64_t moved = llabs(after->offset_ns - before->offset_ns);
	if (moved > before->error_ns + after->error_ns + drift_max_ns ||
	    llabs(card_sent_ns) > distance_max_ns ||
	    llabs(card_received_ns) > distance_max_ns)
		return false;
	int64_t error = after->error_ns + moved;
	if (before->error_ns > after->error_ns)
		error = before->error_ns + moved;
	int64_t sent = card_sent_ns - after->offset_ns;
	int64_t received = card_received_ns - after->offset_ns;
	if (sent + error < *sent_ns || received - error > *received_ns ||
	    received < sent)
		return false;
	/* The kernel's times stay valid as outer limits. */
	if (sent - error > *sent_ns)
		*sent_ns = sent - error;
	if (received + error < *received_ns)
		*received_ns = received + error;
	return true;
}
