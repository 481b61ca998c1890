/* SPDX-License-Identifier: MIT */
#include "builder/run/boot/network.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "lib/thread.h"

enum {
	HEADER_BYTES = 14,
	TYPE_AT = 12,
	TAG_BYTES = 4,
	TYPE_VLAN = 0x8100,
	VID_MASK = 0xfff,
	TYPE_ARP = 0x0806,
	MAC_BYTES = 6,
	SEGMENTS = 2,
};

/* A multicast group: the socket that reserves its port, and the receiver. */
struct segment {
	int holder, receiver;
	struct sockaddr_in group;
};

struct mkv_network {
	unsigned vlan_id;
	bool has_gateway;
	int gateway;			/* the bridge's end of the connection */
	int gateway_end;		/* the gateway's end, for its QEMU */
	uint8_t gateway_mac[MAC_BYTES]; /* all zero: no frame sent yet */
	struct segment segments[SEGMENTS];
	int sender; /* its own port identifies the bridge's own frames */
	in_port_t sender_port;
	int stop;
	bool is_running;
	pthread_t thread;
};

static unsigned frame_type(const uint8_t *frame)
{
	return (unsigned)frame[TYPE_AT] << 8 | frame[TYPE_AT + 1];
}

size_t mkv_frame_untag(uint8_t *frame, size_t length, unsigned vlan_id)
{
	if (length < HEADER_BYTES + TAG_BYTES ||
	    frame_type(frame) != TYPE_VLAN ||
	    (((unsigned)frame[TYPE_AT + 2] << 8 | frame[TYPE_AT + 3]) &
	     VID_MASK) != vlan_id)
		return 0;
	memmove(frame + TYPE_AT, frame + TYPE_AT + TAG_BYTES,
		length - TYPE_AT - TAG_BYTES);
	return length - TAG_BYTES;
}

size_t mkv_frame_tag(uint8_t *frame, size_t length, unsigned vlan_id)
{
	if (length < HEADER_BYTES || frame_type(frame) == TYPE_VLAN)
		return 0;
	memmove(frame + TYPE_AT + TAG_BYTES, frame + TYPE_AT, length - TYPE_AT);
	frame[TYPE_AT] = TYPE_VLAN >> 8;
	frame[TYPE_AT + 1] = TYPE_VLAN & 0xff;
	frame[TYPE_AT + 2] = (uint8_t)(vlan_id >> 8);
	frame[TYPE_AT + 3] = (uint8_t)vlan_id;
	return length + TAG_BYTES;
}

/* A frame that cannot be sent is lost, as on any Ethernet. */
static void send_frame(const struct mkv_network *network, const uint8_t *frame,
		       size_t size, const struct sockaddr_in *to)
{
	if (size)
		(void)!sendto(network->sender, frame, size, MSG_DONTWAIT,
			      (const struct sockaddr *)to, sizeof(*to));
}

/* Filters frames: QEMU's user network answers frames for any destination. */
static bool is_for_gateway(const struct mkv_network *network,
			   const uint8_t *frame, size_t size)
{
	static const uint8_t nobody[MAC_BYTES],
		all[MAC_BYTES] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	if (!network->has_gateway || size < HEADER_BYTES)
		return false;
	if (memcmp(frame, all, MAC_BYTES) == 0)
		return frame_type(frame) == TYPE_ARP;
	return memcmp(frame, nobody, MAC_BYTES) != 0 &&
	       memcmp(frame, network->gateway_mac, MAC_BYTES) == 0;
}

/* Forwards one frame from one segment to the other, and to the gateway. */
static void forward_frame(struct mkv_network *network, enum mkv_segment from,
			  uint8_t *frame)
{
	struct sockaddr_in source;
	socklen_t length = sizeof(source);
	const struct segment *to = &network->segments[!from];
	ssize_t got = recvfrom(network->segments[from].receiver, frame,
			       MKV_FRAME_MAX_BYTES, MSG_DONTWAIT,
			       (struct sockaddr *)&source, &length);
	if (got <= 0 || source.sin_port == network->sender_port)
		return;
	size_t size = (size_t)got;
	if (network->vlan_id && from == MKV_SEGMENT_TRUNK)
		size = mkv_frame_untag(frame, size, network->vlan_id);
	if (is_for_gateway(network, frame, size))
		(void)!send(network->gateway, frame, size, MSG_DONTWAIT);
	if (!network->vlan_id)
		return;
	if (from == MKV_SEGMENT_ACCESS)
		size = mkv_frame_tag(frame, size, network->vlan_id);
	send_frame(network, frame, size, &to->group);
}

/* Forwards one frame from the gateway to all segments. */
static void forward_from_gateway(struct mkv_network *network, uint8_t *frame)
{
	ssize_t got = recv(network->gateway, frame, MKV_FRAME_MAX_BYTES,
			   MSG_DONTWAIT);
	if (got < HEADER_BYTES)
		return;
	size_t size = (size_t)got;
	memcpy(network->gateway_mac, frame + MAC_BYTES, MAC_BYTES);
	send_frame(network, frame, size,
		   &network->segments[network->vlan_id ? MKV_SEGMENT_ACCESS : 0]
			    .group);
	if (!network->vlan_id)
		return;
	size = mkv_frame_tag(frame, size, network->vlan_id);
	send_frame(network, frame, size,
		   &network->segments[MKV_SEGMENT_TRUNK].group);
}

static void *run_bridge(void *context)
{
	struct mkv_network *network = context;
	uint8_t frame[MKV_FRAME_MAX_BYTES + TAG_BYTES];
	struct pollfd polled[] = {
		{.fd = network->segments[0].receiver, .events = POLLIN},
		{.fd = network->segments[1].receiver, .events = POLLIN},
		{.fd = network->gateway, .events = POLLIN},
		{.fd = network->stop, .events = POLLIN},
	};
	while (poll(polled, 4, -1) >= 0 || errno == EINTR) {
		if (polled[3].revents)
			break;
		if (polled[2].revents)
			forward_from_gateway(network, frame);
		if (polled[0].revents)
			forward_frame(network, MKV_SEGMENT_TRUNK, frame);
		if (polled[1].revents)
			forward_frame(network, MKV_SEGMENT_ACCESS, frame);
	}
	return NULL;
}

/* Binds a socket on the loopback interface to a free port. */
static int hold_port(int *ret, in_port_t *ret_port)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	*ret = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (*ret < 0 || bind(*ret, (struct sockaddr *)&address, length) < 0 ||
	    getsockname(*ret, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	*ret_port = address.sin_port;
	return 0;
}

static int join_group(struct segment *segment)
{
	struct ip_mreq membership = {
		.imr_multiaddr = segment->group.sin_addr,
		.imr_interface.s_addr = htonl(INADDR_LOOPBACK),
	};
	int on = 1;
	segment->receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (segment->receiver < 0 ||
	    setsockopt(segment->receiver, SOL_SOCKET, SO_REUSEADDR, &on,
		       sizeof(on)) < 0 ||
	    bind(segment->receiver, (struct sockaddr *)&segment->group,
		 sizeof(segment->group)) < 0 ||
	    setsockopt(segment->receiver, IPPROTO_IP, IP_ADD_MEMBERSHIP,
		       &membership, sizeof(membership)) < 0)
		return -errno;
	return 0;
}

static int open_segments(struct mkv_network *network)
{
	for (int i = 0; i < SEGMENTS; i++) {
		struct segment *segment = &network->segments[i];
		segment->group.sin_family = AF_INET;
		(void)inet_pton(AF_INET, MKV_NETWORK_GROUP,
				&segment->group.sin_addr);
		int rc = hold_port(&segment->holder, &segment->group.sin_port);
		if (rc < 0)
			return rc;
		if (!network->vlan_id && !network->has_gateway)
			continue;
		rc = join_group(segment);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int connect_to(int fd, in_port_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = port};
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 ? -errno : 0;
}

/* Opens both ends of the gateway's connection. If QEMU bound its end itself,
 * another program could take the port first. */
static int open_gateway(struct mkv_network *network)
{
	in_port_t ours, its;
	int rc = hold_port(&network->gateway, &ours);
	if (rc < 0)
		return rc;
	rc = hold_port(&network->gateway_end, &its);
	if (rc < 0)
		return rc;
	rc = connect_to(network->gateway, its);
	return rc < 0 ? rc : connect_to(network->gateway_end, ours);
}

static int open_bridge(struct mkv_network *network)
{
	struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
	int rc = hold_port(&network->sender, &network->sender_port);
	if (rc < 0)
		return rc;
	network->stop = eventfd(0, EFD_CLOEXEC);
	if (network->stop < 0 ||
	    setsockopt(network->sender, IPPROTO_IP, IP_MULTICAST_IF, &loopback,
		       sizeof(loopback)) < 0)
		return -errno;
	return 0;
}

static int open_sockets(struct mkv_network *network)
{
	int rc = open_segments(network);
	if (rc < 0 || (!network->vlan_id && !network->has_gateway))
		return rc;
	if (network->has_gateway) {
		rc = open_gateway(network);
		if (rc < 0)
			return rc;
	}
	return open_bridge(network);
}

int mkv_network_open(unsigned vlan_id, bool has_gateway,
		     struct mkv_network **ret, struct mkv_error *err)
{
	auto_network struct mkv_network *network = calloc(1, sizeof(*network));
	if (!network)
		return mkv_oom(err);
	network->vlan_id = vlan_id;
	network->has_gateway = has_gateway;
	network->sender = network->stop = -1;
	network->gateway = network->gateway_end = -1;
	for (int i = 0; i < SEGMENTS; i++)
		network->segments[i].holder = network->segments[i].receiver =
			-1;
	int rc = open_sockets(network);
	if (rc < 0)
		return mkv_fail(err, MKV_HOST_CANNOT, rc,
				"open multicast groups on the loopback "
				"interface: %m");
	if (vlan_id || has_gateway) {
		rc = mkv_thread_start(&network->thread, run_bridge, network,
				      err, "bridge of the hosts' network");
		if (rc < 0)
			return rc;
		network->is_running = true;
	}
	*ret = mkv_take(network);
	return 0;
}

void mkv_network_free(struct mkv_network *network)
{
	if (!network)
		return;
	if (network->is_running) {
		(void)eventfd_write(network->stop, 1);
		(void)pthread_join(network->thread, NULL);
	}
	for (int i = 0; i < SEGMENTS; i++) {
		mkv_auto_close_(&network->segments[i].holder);
		mkv_auto_close_(&network->segments[i].receiver);
	}
	mkv_auto_close_(&network->gateway);
	mkv_auto_close_(&network->gateway_end);
	mkv_auto_close_(&network->sender);
	mkv_auto_close_(&network->stop);
	free(network);
}

unsigned mkv_network_port(const struct mkv_network *network,
			  enum mkv_segment segment)
{
	return ntohs(network->segments[network->vlan_id ? segment : 0]
			     .group.sin_port);
}

int mkv_network_gateway_fd(const struct mkv_network *network)
{
	return network->gateway_end;
}
